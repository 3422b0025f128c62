// SPDX-License-Identifier: MIT OR Apache-2.0
//! vespera-image: from vespera-config.yaml to a verified image.

mod args;
mod building;
mod commands;
mod inside;
mod manual;
mod releases;
mod secret;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) => commands::fail(&error),
    }
}
