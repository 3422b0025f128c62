// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal interface in a real terminal.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::tmux::{PATIENCE, Terminal};

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
