// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use health::Root;

/// Keeps the settings of the mouse and serves them on the system bus
#[derive(Debug, Parser)]
#[command(name = "vespera-agent", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// The folder that is / for all files
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: Utf8PathBuf,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What it does in place of serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the man page below a folder, as man8/NAME.8
    #[command(hide = true)]
    Man {
        /// The folder
        folder: Utf8PathBuf,
    },
}

impl Args {
    /// The root of all files.
    pub(crate) fn root(&self) -> Root {
        Root::new(self.root.clone())
    }
}
