// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal interface in a real terminal: tmux types, and shows what is on the screen.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::Place;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the shell says after the program: its exit code, and whether the terminal echoes.
const AFTER: &str =
    "echo ended $?; stty -a | grep -qE '(^| )-echo( |$)' && echo silent || echo sane; sleep 600";

/// A terminal with the program in it.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    fn start(place: &Place, environment: &str) -> Self {
        let terminal = Terminal { folder: tempfile::tempdir().unwrap() };
        let program = env!("CARGO_BIN_EXE_maccel");
        let root = place.path("");
        let root = root.to_str().unwrap();
        let line =
            format!("echo $$ > {root}/shell; {environment} {program} --root {root}; {AFTER}");
        terminal.tmux(&["new-session", "-d", "-x", "80", "-y", "24", &line]);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let socket = self.folder.path().join("socket");
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-S"])
            .arg(socket)
            .args(arguments)
            .env_remove("TMUX")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux is installed: cargo xtask setup");
        assert!(output.status.success(), "tmux {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen has all of this.
    fn shows(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if words.iter().all(|word| screen.contains(word)) {
                return screen;
            }
            assert!(begun.elapsed() < PATIENCE, "no {words:?} on:\n{screen}");
            sleep(Duration::from_millis(30));
        }
    }

    /// The process id of the program.
    fn program(&self, place: &Place) -> u32 {
        let shell = place.read("shell").trim().to_owned();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        children.split_whitespace().next().expect("the program runs").parse().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let socket = self.folder.path().join("socket");
        let _ = Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output();
    }
}

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
fn a_signal_leaves_the_terminal_clean_and_ends_a_trial() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["Sens-Multiplier         1"]);
    terminal.keys(&["t", "+"]);
    terminal.shows(&["TRIAL"]);
    terminal.shows(&["Sens-Multiplier       1.1"]);
    let program = terminal.program(&place).to_string();
    let status = Command::new("kill").args(["-TERM", &program]).status().unwrap();
    assert!(status.success());
    terminal.shows(&["ended 0", "sane"]);
    assert_eq!(place.parameter("SENS_MULT"), "4294967296");
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
