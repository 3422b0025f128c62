// SPDX-License-Identifier: MIT OR Apache-2.0
//! The steps that need root: package installation, and the tool root with its
//! mounts. As an ordinary user they run through `sudo`; nothing else does.

use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether root can be had at all.
pub(crate) fn available() -> bool {
    is_root() || crate::process::exists("sudo")
}

/// A command that runs as root.
pub(crate) fn command(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("--").arg(program);
    command
}

/// The word to type before a command that needs root, where there is one.
pub(crate) fn prefix() -> &'static str {
    if is_root() || !available() { "" } else { "sudo " }
}

/// Asks for the right to become root before anything is done that needs it, so that no
/// question comes up in the middle of a step.
///
/// # Errors
/// If root cannot be had.
pub(crate) fn prepare() -> Result<()> {
    if is_root() {
        return Ok(());
    }
    println!("The tool root and the image are built as root, through sudo.");
    let status = Command::new("sudo").arg("--validate").status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => bail!("sudo refused; run this as root, or as a user who may use sudo"),
        Err(_) => bail!("there is no sudo here; run this as root"),
    }
}

/// Gives what a root step has made to the person who runs this.
pub(crate) fn take(path: &Utf8Path) -> Result<()> {
    if is_root() {
        return Ok(());
    }
    let owner = format!("{}:{}", nix::unistd::geteuid(), nix::unistd::getegid());
    crate::process::read(command("chown").args(["-R", &owner, "--", path.as_str()])).map(drop)
}

/// Removes a file or folder that may belong to root; an absent one is fine.
pub(crate) fn remove_tree(path: &Utf8Path) -> Result<()> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
    if is_root() {
        let removed = if metadata.is_dir() {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
        return removed.with_context(|| format!("cannot remove {path}"));
    }
    let status = command("rm").args(["-rf", "--one-file-system", "--", path.as_str()]).status()?;
    if !status.success() {
        bail!("cannot remove {path}");
    }
    Ok(())
}
