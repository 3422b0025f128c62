// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use clap::{Parser, Subcommand};
use health::Root;

/// See whether mouse acceleration works on this system, and what mends it if not
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 healthy, 1 degraded, 2 broken, 64 usage."
)]
pub(crate) struct Args {
    /// Look at this folder as the root: another deployment, an unpacked image
    #[arg(long, global = true, value_name = "FOLDER", default_value = "/", value_parser = root)]
    pub(crate) root: Root,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show on one screen whether all is well
    Status(Show),
    /// Run every check and show each result
    Doctor(Show),
    /// Look at the kernel module
    #[command(subcommand)]
    Module(ModuleCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Check whether the installed module fits a kernel
    Check {
        /// The kernel release; the running kernel, or the only one under --root, by default
        #[arg(long, value_name = "RELEASE")]
        kernel: Option<String>,
        #[command(flatten)]
        show: Show,
    },
}

/// How results are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Print JSON (format 1) for programs
    #[arg(long)]
    pub(crate) json: bool,
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
