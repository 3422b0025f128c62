// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use camino::Utf8PathBuf;
use clap::Parser;
use health::Root;

/// Keeps the settings of the mouse and serves them on the system bus
#[derive(Debug, Parser)]
#[command(name = "vespera-agent", version)]
pub(crate) struct Args {
    /// The folder that is / for all files
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: Utf8PathBuf,
}

impl Args {
    /// The root of all files.
    pub(crate) fn root(&self) -> Root {
        Root::new(self.root.clone())
    }
}
