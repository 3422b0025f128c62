// SPDX-License-Identifier: MIT OR Apache-2.0
//! However the terminal interface ends, the terminal is as it was.

use std::process::Command;

use crate::place::Place;
use crate::tmux::{Terminal, until};

#[test]
fn a_signal_leaves_the_terminal_clean_and_ends_a_trial() {
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let place = Place::public();
        let terminal = Terminal::start(&place, "");
        terminal.shows(&["Sens-Multiplier         1"]);
        terminal.keys(&["t", "+"]);
        terminal.shows(&["TRIAL"]);
        terminal.shows(&["Sens-Multiplier       1.1"]);
        let program = terminal.program(&place).to_string();
        let signal = format!("-{signal}");
        let status = Command::new("kill").args([signal.as_str(), &program]).status().unwrap();
        assert!(status.success());
        let screen = terminal.shows(&["ended 0", "sane"]);
        assert!(!screen.contains("Sensitivity"), "{signal}: not given back:\n{screen}");
        assert_eq!(place.parameter("SENS_MULT"), "4294967296", "{signal}");
    }
}

#[test]
fn the_old_settings_come_back_although_the_interface_was_killed_during_a_trial() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["Sens-Multiplier         1"]);
    terminal.keys(&["t", "+"]);
    terminal.shows(&["TRIAL", "Sens-Multiplier       1.1"]);
    let program = terminal.program(&place).to_string();
    assert!(Command::new("kill").args(["-KILL", &program]).status().unwrap().success());
    until("the old value is back", || place.parameter("SENS_MULT").trim() == "4294967296");
}

#[test]
fn a_panic_leaves_the_terminal_clean_and_is_read_on_it() {
    let place = Place::public();
    // The terminal is taken over when the first thread is to be started, and no system has room
    // for such a stack.
    let terminal = Terminal::start(&place, "RUST_BACKTRACE=0 RUST_MIN_STACK=70000000000000");
    let screen = terminal.shows(&["panicked at", "failed to spawn thread", "ended 101", "sane"]);
    assert!(!screen.contains("Sensitivity"), "the screen was not given back:\n{screen}");
}

#[test]
fn a_terminal_that_goes_away_ends_the_program() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["at rest"]);
    let program = terminal.program(&place);
    drop(terminal);
    until("the program has ended", || {
        !std::path::Path::new(&format!("/proc/{program}/fd/0")).exists()
    });
}
