// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mouse acceleration on the command line and on a terminal: a drop-in for the public command.
//!
//! - `args`: the command line; `public`: the words that scripts know
//! - `quick`: one parameter without the rest of the program
//! - `host`: the driver as it is read; `write`: how it is changed; `agent`: the bus
//! - `get`, `set`, `devices`, `profile`, `import`, `export`: one file per command
//! - `tui`: the terminal interface
//! - `trial`, `measure`: with `provisional`, settings that nobody has kept yet, and `guard`, which
//!   puts back what was before
//! - `plot`: curves as pictures
//! - `manual`: completions and man pages
//! - `output`: what is printed

mod agent;
mod args;
mod devices;
mod export;
mod get;
mod guard;
mod host;
mod import;
mod manual;
mod measure;
mod output;
mod plot;
mod profile;
mod provisional;
mod public;
mod quick;
mod set;
mod trial;
mod tui;
mod write;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::output::Output;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if let Some(answer) = quick::answer(&arguments) {
        return finish(Ok(Output::text(answer)));
    }
    // Help and wrong usage end here, with clap's words and exit codes 0 and 2.
    let words = env::args().take(1).chain(args::spelled_out(arguments));
    let args = Args::parse_from(words).sensible().unwrap_or_else(|error| error.exit());
    finish(run(args))
}

fn run(args: Args) -> anyhow::Result<Output> {
    let common = &args.common;
    match args.command.unwrap_or(Command::Tui) {
        Command::Tui => tui::run(common),
        Command::Set(command) => set::run(common, command),
        Command::Get(command) => get::run(common, &command),
        Command::Completion { shell } => manual::completion(common.json, shell),
        Command::Devices { accelerate, inherit } => devices::run(common, accelerate, inherit),
        Command::Profile(command) => profile::run(common, &command),
        Command::Import(import) => import::run(common, &import),
        Command::Export(export) => export::run(common, &export),
        Command::Trial(trial) => trial::run(common, trial),
        Command::Measure(measure) => measure::run(common, &measure),
        Command::Guard => guard::run(common),
        Command::Plot(plot) => plot::run(common, &plot),
        Command::Man { folder } => manual::man(&folder),
    }
}

/// Prints what a command says. Errors look as the public command's do: `Error: `, and the causes.
fn finish(outcome: anyhow::Result<Output>) -> ExitCode {
    let printed = outcome.and_then(|output| {
        eprint!("{}", output.note);
        match io::stdout().lock().write_all(output.text.as_bytes()) {
            // A reader that went away (`| head`) has seen what it wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", output::error(&error));
            ExitCode::FAILURE
        }
    }
}
