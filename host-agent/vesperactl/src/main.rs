// SPDX-License-Identifier: MIT OR Apache-2.0
//! The person's command on a Vespera host.
//!
//! - `args`: the command line; `assignment`: `NAME=VALUE` in it
//! - `agent`: the way to the agent
//! - `exit`: the exit codes
//! - `status`, `doctor`, `module`, `group`, `secure_boot`, `devices`, `set`, `get`, `trial`,
//!   `profile`, `history`, `notify`, `rate`, `report`: one file per subcommand
//! - `device`: one of the `devices`
//! - `in_force`, `watch`: settings, mice and the agent in `status`; its `--watch`
//! - `desktop`: the desktop's own acceleration, for `doctor`
//! - `redaction`: what a report must not tell
//! - `manual`: completions and man pages
//! - `screen`: marks, colours and lines for people

mod agent;
mod args;
mod assignment;
mod desktop;
mod device;
mod devices;
mod doctor;
mod exit;
mod get;
mod group;
mod history;
mod in_force;
mod manual;
mod module;
mod notify;
mod profile;
mod rate;
mod redaction;
mod report;
mod screen;
mod secure_boot;
mod set;
mod status;
mod trial;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, GroupCommand, ModuleCommand, SecureBootCommand};
use crate::exit::Outcome;
use crate::screen::Ink;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::usage(&error),
    };
    let ink = Ink::of_stdout();
    let outcome = match args.command {
        Command::Status(status) if status.watch => watch::run(
            || status::run(&args.root, &status, ink),
            |screen| print(&format!("{}{screen}", ink.clear())),
        ),
        Command::Status(status) => status::run(&args.root, &status, ink),
        Command::Doctor { show, fix: true, yes } => doctor::fix(&args.root, &show, ink, yes),
        Command::Doctor { show, .. } => doctor::run(&args.root, &show, ink),
        Command::Module(ModuleCommand::Check { kernel, show }) => {
            module::check(&args.root, kernel, &show, ink)
        }
        Command::Module(ModuleCommand::Load) => module::run_guard(&args.root, "run"),
        Command::Module(ModuleCommand::Unload) => module::run_guard(&args.root, "unload"),
        Command::Group(GroupCommand::Status(show)) => group::status(&args.root, &show),
        Command::Group(GroupCommand::Add { user }) => group::add(&args.root, user),
        Command::SecureBoot(SecureBootCommand::Status(show)) => {
            secure_boot::status(&args.root, &show)
        }
        Command::SecureBoot(SecureBootCommand::Enroll { while_off }) => {
            secure_boot::enroll(&args.root, while_off)
        }
        Command::Devices { command: Some(command), .. } => device::run(&args.root, &command),
        Command::Devices { show, .. } => devices::run(&args.root, &show),
        Command::Set(assignments) => set::run(&args.root, &assignments),
        Command::Get(get) => get::run(&args.root, &get),
        Command::Reset => set::reset(&args.root),
        Command::Trial(trial) => trial::run(&args.root, &trial),
        Command::Profile(command) => profile::run(&args.root, &command),
        Command::History(show) => history::run(&args.root, &show),
        Command::Notify => notify::run(&args.root),
        Command::Rate { device, seconds, show } => rate::run(device.as_deref(), seconds, &show),
        Command::Report { output, show } => report::run(&args.root, output, &show),
        Command::Completion { shell } => Ok(manual::completion(shell)),
        Command::Man { folder } => manual::man(&folder),
    };
    match outcome {
        Ok(Outcome { text, code }) => print(&text).map_or_else(fail, |_| ExitCode::from(code)),
        Err(error) => fail(error),
    }
}

fn print(text: &str) -> anyhow::Result<Reader> {
    print_to(&mut io::stdout().lock(), text)
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    There,
    /// One that went away (`| head`) has seen what it wanted.
    Gone,
}

fn print_to(out: &mut impl Write, text: &str) -> anyhow::Result<Reader> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        written => Ok(written.map(|()| Reader::There)?),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the end of an error's way")]
fn fail(error: anyhow::Error) -> ExitCode {
    eprintln!("vesperactl: {error:#}");
    // Refused, or not done; what is broken is the matter of the checks.
    let Some(error) = error.downcast_ref() else { return ExitCode::from(exit::DEGRADED) };
    if let Some(remedy) = agent::remedy(error) {
        eprintln!("to mend it: {remedy}");
    }
    ExitCode::from(exit::of_agent(error))
}
