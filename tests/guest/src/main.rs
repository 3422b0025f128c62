// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program inside a test guest: its init, its command agent, and its virtual mice.
//!
//! One static binary, since a driver guest holds nothing else. As process 1 it is the init of the
//! initramfs; its first argument chooses everything else.

mod agent;
mod capabilities;
mod entry;
mod files;
mod hand;
mod init;
mod leaks;
mod modules;
mod player;
mod racer;
mod root;
mod session;
mod speed;
mod starver;
mod terminal;
mod watcher;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    if rustix::process::getpid() == rustix::process::Pid::INIT {
        init::run();
    }
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vespera-guest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["agent"] => agent::serve().context("the agent stopped"),
        ["mouse"] => player::play_standard_input(),
        ["hand", name] => hand::follow(name),
        ["race"] => racer::run_standard_input(),
        ["remap"] => racer::remap(),
        ["speed"] => speed::account(),
        ["attributes"] => speed::attributes(),
        ["leaks"] => leaks::report(),
        ["starve"] => starver::starve(),
        ["list", folder] => entry::list(folder),
        ["watch", name, reports] => watcher::watch(name, reports.parse().context("reports")?),
        // A driver guest has no other program that takes its time.
        ["sleep", seconds] => {
            std::thread::sleep(Duration::from_secs(seconds.parse().context("seconds")?));
            Ok(())
        }
        // Not for people: the half of a terminal session that has to run in the child.
        ["on-terminal", program, rest @ ..] => terminal::become_program(program, rest),
        _ => bail!(
            "usage: vespera-guest agent | mouse <PLAN.json | hand NAME <MOVEMENTS | race <RACE.json | remap | speed | attributes | leaks | starve | list FOLDER | watch NAME REPORTS | sleep SECONDS"
        ),
    }
}
