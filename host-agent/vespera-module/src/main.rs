// SPDX-License-Identifier: MIT OR Apache-2.0
//! Privileged boot-time oneshot: check, load, permissions.
//!
//! - `args`: the command line
//! - `guard`: check the module, load it, report
//! - `loader`: the one boundary to libkmod
//! - `still`: look again at what changed meanwhile
//! - `tools`: bootc and rpm-ostree, asked what only they know
//! - `ownership`: group and mode of the files of the loaded module
//! - `journal`: structured log entries
//! - `manual`: the man pages

mod args;
mod guard;
mod journal;
mod loader;
mod manual;
mod ownership;
mod still;
mod tools;

use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8Path;
use clap::Parser;

use crate::args::{Args, Command};

/// The module does not fit or does not load: a success for systemd, since a mouse must never turn
/// a boot red.
const UNFIT: u8 = 10;

/// Well below the unit's TimeoutStartSec, which also counts the setting up of its sandbox: a
/// timeout is a failure even for a unit that calls 10 a success, and a machine too slow for the
/// checks deserves no red boot either.
const DEADLINE: Duration = Duration::from_secs(12);

fn main() -> ExitCode {
    let args = Args::parse();
    ::journal::start(env!("CARGO_CRATE_NAME"));
    if matches!(args.command, Command::Run { .. }) {
        let report = args.root.at(health::report::PATH);
        std::thread::spawn(move || give_up_in_time(&report));
    }
    let outcome = match args.command {
        Command::Run { no_load } => match no_load {
            true => guard::recheck(&args.root),
            false => guard::run(&args.root, true),
        }
        .map(|works| if works { ExitCode::SUCCESS } else { ExitCode::from(UNFIT) }),
        Command::Unload => guard::unload(&args.root).map(|()| ExitCode::SUCCESS),
        Command::Deployments => guard::deployments(&args.root).map(|()| ExitCode::SUCCESS),
        Command::Permissions { devpaths } => {
            ownership::apply(&args.root, &devpaths).map(|()| ExitCode::SUCCESS)
        }
        Command::Man { folder } => manual::man(&folder).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        log::error!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Ends the program when the deadline has passed; whoever asks finds no report, and says so.
fn give_up_in_time(report: &Utf8Path) {
    std::thread::sleep(DEADLINE);
    log::error!("gave up after {} s", DEADLINE.as_secs());
    // What an earlier run of this boot found is no answer to this one.
    if let Err(error) = std::fs::remove_file(report)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::error!("{report} cannot be removed: {error}");
    }
    std::process::exit(UNFIT.into());
}
