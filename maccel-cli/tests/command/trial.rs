// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings on trial, and the guard that puts the old ones back.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bus::{Bus, Obedient};
use crate::place::Place;
use crate::tmux::Terminal;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

const THREE: &str = "12884901888";
const ONE_AND_A_HALF: &str = "6442450944";

#[test]
fn a_trial_is_kept_by_a_word_and_goes_back_without() {
    for (answer, said, limit) in [
        ("y\n", "kept\n", THREE),
        ("keep\n", "kept\n", THREE),
        ("n\n", "the old settings are back\n", ONE_AND_A_HALF),
        ("", "the old settings are back\n", ONE_AND_A_HALF),
    ] {
        let place = Place::public();
        let words = ["trial", "--seconds", "600", "limit", "3"];
        let outcome = place.run_with(&words, answer);
        assert_eq!((outcome.stdout.as_str(), outcome.code), (said, 0), "{outcome:?}");
        assert!(outcome.stderr.contains("Keep these settings? They go back in 600 s."));
        assert_eq!(place.parameter("LIMIT").trim(), limit, "{answer:?}");
    }
}

/// Where a value would be kept for the next boot.
const KEPT: &str = "var/opt/maccel/resets/set_last_LIMIT_value.sh";

#[test]
fn a_power_cut_during_a_trial_leaves_nothing_behind() {
    let place = Place::public();
    let mut program = on_trial(&place);
    assert!(!place.path(KEPT).exists(), "kept although nobody said so");
    program.kill().unwrap();
    program.wait().unwrap();
    holds(&place, ONE_AND_A_HALF);
    assert!(!place.path(KEPT).exists());
    // Only the word keeps it.
    assert_eq!(place.run_with(&["trial", "limit", "3"], "y\n").code, 0);
    assert!(place.read(KEPT).contains(THREE));

    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["Output-Cap"]);
    terminal.keys(&["t", "Right"]);
    terminal.shows(&["TRIAL", "Natural (w/ Gain)"]);
    terminal.keys(&["Up", "Enter", "3", "Enter"]);
    terminal.shows(&["TRIAL", "Limit                   3"]);
    holds(&place, THREE);
    assert!(!place.path(KEPT).exists(), "kept although nobody said so");
    terminal.keys(&["k"]);
    terminal.shows(&["kept"]);
    assert!(place.read(KEPT).contains(THREE));
}

#[test]
fn where_an_agent_is_the_trial_is_its_own_as_long_as_the_program_is_on_the_bus() {
    for (answer, said, end, limit) in [
        ("y\n", "kept\n", "ConfirmTrial", THREE),
        ("n\n", "the old settings are back\n", "CancelTrial", ONE_AND_A_HALF),
    ] {
        let place = Place::public();
        let bus = Bus::start(&place);
        let agent = Obedient::start(&place, &bus);
        let outcome = place.run_on(&bus, &["trial", "limit", "3"], answer);
        assert_eq!((outcome.stdout.as_str(), outcome.code), (said, 0), "{outcome:?}");
        assert_eq!(agent.asked(), ["Trial", end]);
        // The agent ends the trial of whoever leaves the bus.
        let callers = agent.callers();
        assert_eq!(callers[0], callers[1]);
        assert_eq!(place.parameter("LIMIT").trim(), limit);
        assert!(!place.path(KEPT).exists());
    }
}

#[test]
fn a_trial_of_one_mouse_is_the_agents_as_well() {
    let place = Place::ours();
    place.mouse("input5", "A mouse");
    let shared = place.parameter("SETTINGS");
    let bus = Bus::start(&place);
    let agent = Obedient::start(&place, &bus);
    let outcome = place.run_on(&bus, &["trial", "--device", "input5", "limit", "3"], "y\n");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("kept\n", 0), "{outcome:?}");
    assert_eq!(agent.asked(), ["Trial", "ConfirmTrial"]);
    assert!(place.read("sys/class/maccel/input5/settings").contains("LIMIT=12884901888"));
    assert_eq!(place.parameter("SETTINGS"), shared);
}

#[test]
fn the_terminal_interface_leaves_its_trials_to_the_agent_and_sets_nothing_meanwhile() {
    let place = Place::public();
    let bus = Bus::start(&place);
    let agent = Obedient::start(&place, &bus);
    let terminal = Terminal::start(&place, &bus.environment());
    terminal.shows(&["Output-Cap"]);
    terminal.keys(&["t", "+"]);
    terminal.shows(&["TRIAL", "Sens-Multiplier       1.1"]);
    terminal.keys(&["+"]);
    terminal.shows(&["TRIAL", "Sens-Multiplier       1.2"]);
    terminal.keys(&["Escape"]);
    terminal.shows(&["Sens-Multiplier         1│"]);
    terminal.keys(&["t", "+"]);
    terminal.shows(&["TRIAL", "Sens-Multiplier       1.1"]);
    terminal.keys(&["k"]);
    terminal.shows(&["kept"]);
    terminal.keys(&["+"]);
    terminal.shows(&["Sens-Multiplier       1.2"]);
    let trials = ["Trial", "CancelTrial", "Trial", "CancelTrial", "Trial", "ConfirmTrial", "Set"];
    assert_eq!(agent.asked(), trials);
}

#[test]
fn one_mouse_follows_the_shared_settings_again_after_a_trial() {
    let place = Place::ours();
    place.mouse("input5", "A mouse");
    let words = ["trial", "--device", "input5", "limit", "3"];
    assert_eq!(place.run_with(&words, "n\n").code, 0);
    assert_eq!(place.read("sys/class/maccel/input5/settings"), "inherit");
    assert_eq!(place.run_with(&words, "y\n").code, 0);
    assert!(place.read("sys/class/maccel/input5/settings").contains("LIMIT=12884901888"));
}

#[test]
fn the_old_settings_come_back_although_the_program_was_killed() {
    let place = Place::public();
    let mut program = on_trial(&place);
    program.kill().unwrap();
    program.wait().unwrap();
    holds(&place, ONE_AND_A_HALF);
}

/// As `killall maccel` and the end of a session do it.
#[test]
fn the_old_settings_come_back_although_the_guard_was_told_to_end_with_the_program() {
    let place = Place::public();
    let mut program = on_trial(&place);
    for process in [child_of(program.id()), program.id()] {
        let sent = Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap();
        assert!(sent.success());
    }
    program.wait().unwrap();
    holds(&place, ONE_AND_A_HALF);
}

/// A trial that waits for an answer, in force.
fn on_trial(place: &Place) -> Child {
    let program = Command::new(env!("CARGO_BIN_EXE_maccel"))
        .env_clear()
        .arg("--root")
        .arg(place.path(""))
        .args(["trial", "--seconds", "600", "limit", "3"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    holds(place, THREE);
    program
}

fn child_of(parent: u32) -> u32 {
    let parent = format!("PPid:\t{parent}\n");
    let processes = std::fs::read_dir("/proc").unwrap();
    let children = processes.filter_map(|entry| {
        let id = entry.unwrap().file_name().into_string().unwrap().parse().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        status.contains(&parent).then_some(id)
    });
    children.last().expect("a guard")
}

/// Waits until the limit is this.
fn holds(place: &Place, raw: &str) {
    let begun = Instant::now();
    while place.parameter("LIMIT").trim() != raw {
        assert!(begun.elapsed() < PATIENCE, "LIMIT holds {}", place.parameter("LIMIT"));
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_trial_that_cannot_begin_changes_nothing() {
    let place = Place::public();
    let outcome = place.run_with(&["trial", "limit", "0"], "y\n");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{outcome:?}");
    let outcome = place.run_with(&["trial", "curve", "jump"], "y\n");
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(place.parameter("MODE").trim(), "0");
}
