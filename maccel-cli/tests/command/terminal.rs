// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal interface in a real terminal.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use maccel_core::changes::Changes;
use maccel_core::driver::line;
use maccel_core::settings::Settings;

use crate::place::Place;
use crate::tmux::{PATIENCE, Terminal, until};

#[test]
fn keys_change_the_driver_and_the_terminal_is_left_as_it_was() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["Linear Acceleration", "Output-Cap", "? help"]);
    terminal.keys(&["Right"]);
    terminal.shows(&["Natural (w/ Gain)", "Decay-Rate"]);
    terminal.keys(&["Up", "Enter", "3", "Enter"]);
    terminal.shows(&["Limit                   3"]);
    assert_eq!(
        (place.parameter("MODE").trim(), place.parameter("LIMIT").trim()),
        ("1", "12884901888")
    );
    terminal.keys(&["u"]);
    terminal.shows(&["Limit                 1.5"]);
    terminal.keys(&["q"]);
    let screen = terminal.shows(&["ended 0", "sane"]);
    assert!(!screen.contains("Sensitivity"), "the screen was not given back:\n{screen}");
}

#[test]
fn the_mouse_that_was_chosen_is_shown_and_changed_and_no_other() {
    let place = Place::ours();
    for (input, name) in [("input5", "G Pro"), ("input7", "Trackball")] {
        place.mouse(input, name);
    }
    let mut own = Settings::default();
    own.set("SENS_MULT", 3.0).unwrap();
    let own = line::format(&Changes::all(&own));
    place.write("sys/class/maccel/input7/settings", &format!("{own}\n"));
    let shared = place.parameter("SETTINGS");
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["all mice", "Sens-Multiplier         1"]);
    terminal.keys(&["d"]);
    terminal.shows(&["G Pro", "Trackball"]);
    terminal.keys(&["Down", "Down", "Enter"]);
    terminal.shows(&["Trackball", "Sens-Multiplier         3"]);
    // What is shown after a look from outside, a fault and a change is still that mouse's.
    terminal.tmux(&["send-keys", "-H", "1b", "5b", "49"]);
    terminal.keys(&["p"]);
    terminal.shows(&["profiles are kept by the agent"]);
    terminal.keys(&["p", "Enter", "4", "Enter"]);
    terminal.shows(&["Trackball", "Sens-Multiplier         4"]);
    assert!(place.read("sys/class/maccel/input7/settings").contains("SENS_MULT=17179869184"));
    assert_eq!(place.read("sys/class/maccel/input5/settings"), "inherit\n");
    assert_eq!(place.parameter("SETTINGS"), shared);
    // And back to all of them.
    terminal.keys(&["d"]);
    terminal.keys(&["Up", "Up", "Enter"]);
    terminal.shows(&["all mice", "Sens-Multiplier         1"]);
    terminal.keys(&["+"]);
    terminal.shows(&["all mice", "Sens-Multiplier       1.1"]);
    assert!(place.parameter("SETTINGS").contains("SENS_MULT=4724464026"));
    assert!(place.read("sys/class/maccel/input7/settings").contains("SENS_MULT=17179869184"));
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0"]);
}

/// A stopped program used to leave a terminal that does not echo.
#[test]
fn a_stopped_program_gives_the_terminal_back_and_takes_it_again() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    let tty = terminal.tmux(&["display-message", "-p", "#{pane_tty}"]);
    let echoes = || {
        let said = Command::new("stty").args(["-F", tty.trim(), "-a"]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().split([' ', ';']).any(|word| word == "echo")
    };
    terminal.shows(&["Linear Acceleration", "at rest"]);
    assert!(!echoes());
    let program = terminal.program(&place);
    let state = || {
        let stat = fs::read_to_string(format!("/proc/{program}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    };
    let kill = |signal: &str| {
        let status = Command::new("kill").args([signal, &program.to_string()]).status().unwrap();
        assert!(status.success());
    };
    for stop in ["signal", "key"] {
        match stop {
            "signal" => kill("-TSTP"),
            _ => terminal.keys(&["C-z"]),
        }
        until("the program has stopped", || state() == 'T');
        assert!(echoes(), "{stop}");
        assert!(!terminal.screen().contains("Linear"), "{stop}: {}", terminal.screen());
        kill("-CONT");
        terminal.shows(&["Linear Acceleration", "at rest"]);
        assert!(!echoes(), "{stop}");
    }
    terminal.keys(&["Right"]);
    terminal.shows(&["Natural (w/ Gain)"]);
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0", "sane"]);
}

#[test]
fn nothing_runs_while_nothing_happens() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["at rest"]);
    let program = terminal.program(&place);
    // How often each thread has waited: the number stands still while all of them wait.
    let waited = || -> u64 {
        let tasks = fs::read_dir(format!("/proc/{program}/task")).unwrap();
        tasks
            .map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap())
            .flat_map(|status| {
                let number = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
                status
                    .lines()
                    .filter(|line| line.starts_with("voluntary_ctxt_switches"))
                    .filter_map(number)
                    .collect::<Vec<_>>()
            })
            .sum()
    };
    let begun = Instant::now();
    let mut before = waited();
    loop {
        sleep(Duration::from_secs(2));
        let now = waited();
        if now == before {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "threads wake up all the time");
        before = now;
    }
}

#[test]
fn a_new_size_is_followed_and_no_colour_is_used_where_none_is_wanted() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "NO_COLOR=1");
    terminal.shows(&["at rest"]);
    // 39 and 49 are the terminal's own colours.
    let seen = terminal.tmux(&["capture-pane", "-p", "-e"]);
    let coloured = seen.replace("\u{1b}[39m", "").replace("\u{1b}[49m", "");
    assert!(!coloured.contains("\u{1b}[3") && !coloured.contains(";3"), "{coloured:?}");
    terminal.tmux(&["resize-window", "-x", "50", "-y", "12"]);
    let begun = Instant::now();
    while terminal.screen().contains("at rest") {
        assert!(begun.elapsed() < PATIENCE, "{}", terminal.screen());
        sleep(Duration::from_millis(30));
    }
    terminal.shows(&["Sens-Multiplier"]);
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0"]);
}
