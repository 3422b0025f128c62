// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use health::Root;

/// Check and load the maccel module, and give its files to the group maccel
#[derive(Debug, Parser)]
#[command(
    name = "vespera-module",
    version,
    after_help = "Exit codes: 0 the module works, 10 it does not, 1 failure."
)]
pub(crate) struct Args {
    /// Take this folder as the root; nothing is loaded from another root
    #[arg(long, global = true, value_name = "FOLDER", default_value = "/", value_parser = root)]
    pub(crate) root: Root,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the module, load it unless it is loaded, write /run/vespera/module.json
    Run {
        /// Check only
        #[arg(long)]
        no_load: bool,
    },
    /// Remove the loaded module from the kernel and write the report
    Unload,
    /// Check the modules of the next boot and the rollback, write /run/vespera/deployments.json
    Deployments,
    /// Give the files of the loaded module to the group maccel
    Permissions {
        /// Device paths as udev names them (/module/maccel, /devices/virtual/maccel/...); all files
        /// when there are none
        #[arg(value_name = "DEVPATH")]
        devpaths: Vec<String>,
    },
    /// Write the man pages below a folder, as man8/NAME.8
    #[command(hide = true)]
    Man {
        /// The folder
        folder: Utf8PathBuf,
    },
}

#[allow(clippy::unnecessary_wraps, reason = "the shape clap asks of a value parser")]
fn root(folder: &str) -> Result<Root, std::convert::Infallible> {
    Ok(Root::new(folder))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }
}
