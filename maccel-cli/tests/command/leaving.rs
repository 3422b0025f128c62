// SPDX-License-Identifier: MIT OR Apache-2.0
//! An agent that hangs, or one that waits for a person's password, holds nobody.

use std::process::Command;

use crate::bus::{Bus, unanswered};
use crate::place::Place;
use crate::tmux::{Terminal, until};

/// The interface with a change on its way that nobody answers, and its process.
fn waiting(place: &Place, bus: &Bus) -> (Terminal, String) {
    let terminal = Terminal::start(place, &bus.environment());
    terminal.shows(&["Sens-Multiplier         1"]);
    terminal.keys(&["+"]);
    let program = terminal.program(place);
    until("the program asks", || unanswered(bus, program));
    (terminal, program.to_string())
}

#[test]
fn q_leaves_although_the_agent_hangs_and_says_what_may_be_missing() {
    let place = Place::public();
    let bus = Bus::start(&place);
    let _silent = zbus::block_on(bus.agent());
    let (terminal, _) = waiting(&place, &bus);
    terminal.keys(&["q"]);
    let screen = terminal.shows(&["the agent has not answered yet", "ended 0", "sane"]);
    assert!(!screen.contains("Sensitivity"), "the screen was not given back:\n{screen}");
}

#[test]
fn a_second_signal_ends_at_once_what_the_first_one_only_asked() {
    let place = Place::public();
    let bus = Bus::start(&place);
    let _silent = zbus::block_on(bus.agent());
    let (terminal, program) = waiting(&place, &bus);
    for signal in ["-TERM", "-INT"] {
        assert!(Command::new("kill").args([signal, &program]).status().unwrap().success());
    }
    let screen = terminal.shows(&["ended 1", "sane"]);
    assert!(screen.contains("ended 130") || screen.contains("ended 143"), "{screen}");
    assert!(!screen.contains("Sensitivity"), "the screen was not given back:\n{screen}");
}
