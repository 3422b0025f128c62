// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: the one definition of parsing, completions and man pages.

use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use health::Root;

use crate::assignment::Assignments;
use crate::device::DeviceCommand;
use crate::get::GetArgs;
use crate::profile::ProfileCommand;
use crate::status::StatusArgs;
use crate::trial::TrialArgs;

/// See whether mouse acceleration works on this system, and what mends it if not
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 healthy, 1 degraded or refused, 2 broken, 3 agent unreachable, \
                  64 usage, 77 reboot pending (status --pending-exit-77)."
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
    Status(StatusArgs),
    /// Run every check and show each result
    Doctor {
        #[command(flatten)]
        show: Show,
        /// Offer to mend what needs no rights: the desktop's own acceleration
        #[arg(long)]
        fix: bool,
        /// Agree to everything --fix offers
        #[arg(long, requires = "fix")]
        yes: bool,
    },
    /// Check, load or remove the kernel module
    #[command(subcommand)]
    Module(ModuleCommand),
    /// See or change who may change mouse settings
    #[command(subcommand)]
    Group(GroupCommand),
    /// See whether Secure Boot lets the module in, or ask it to
    #[command(subcommand)]
    SecureBoot(SecureBootCommand),
    /// List the mice the driver serves, or change one
    #[command(args_conflicts_with_subcommands = true)]
    Devices {
        #[command(flatten)]
        show: Show,
        #[command(subcommand)]
        command: Option<DeviceCommand>,
    },
    /// Change settings of the driver, all or none, for good
    Set(Assignments),
    /// Show the settings in force
    Get(GetArgs),
    /// Go back to the settings of the system
    Reset,
    /// Try settings that go back by themselves unless you keep them
    Trial(TrialArgs),
    /// Keep settings by name
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show the boots of this system and what changed between them
    History(Show),
    /// Show a desktop notification if the next boot has no fitting module
    Notify,
    /// Measure how often a mouse reports, and how evenly (needs root)
    Rate {
        /// The device, as in /dev/input (event5); the only mouse by default
        device: Option<String>,
        /// How long to measure
        #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
        seconds: u32,
        #[command(flatten)]
        show: Show,
    },
    /// Write one redacted archive for whoever helps
    Report {
        /// The archive, which must not exist; vespera-report-TIME.tar.gz here by default
        #[arg(long, value_name = "FILE")]
        output: Option<Utf8PathBuf>,
        #[command(flatten)]
        show: Show,
    },
    /// Print the completions of a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Write the man pages below a folder, as man1/NAME.1
    #[command(hide = true)]
    Man {
        /// The folder
        folder: Utf8PathBuf,
    },
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
    /// Load the module, as at boot (needs root)
    Load,
    /// Remove the module from the kernel (needs root)
    Unload,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Show the group maccel and whether you are in it
    Status(Show),
    /// Put a user into the group maccel (needs root)
    Add {
        /// The user; the one who called sudo by default
        user: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecureBootCommand {
    /// Show Secure Boot, lockdown, and how far the module's signature is trusted
    Status(Show),
    /// Ask the firmware to trust the certificate of the image, or of DKMS where that builds the module
    /// (needs root, and you at the next start)
    Enroll {
        /// Also while Secure Boot is off, so that it can be turned on later
        #[arg(long)]
        while_off: bool,
    },
}

/// How results are shown.
#[derive(Debug, clap::Args)]
#[group(skip)]
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
