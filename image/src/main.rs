// SPDX-License-Identifier: MIT OR Apache-2.0
//! vespera-image: from vespera-config.yaml to a verified image.

mod args;
mod commands;
mod releases;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) => commands::fail(&error),
    }
}
