// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs on a pseudo-terminal.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use vespera_guest::wire::WindowSize;

/// A pseudo-terminal and, until the program runs, its other end.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: OwnedFd,
    child: Option<OwnedFd>,
}

impl Terminal {
    /// Opens a new one.
    pub(crate) fn open(size: WindowSize) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = OsStr::from_bytes(name.as_bytes());
        let child = open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let terminal = Self { master, child: Some(child) };
        terminal.resize(size);
        Ok(terminal)
    }

    /// Another handle of our end.
    pub(crate) fn master(&self) -> io::Result<OwnedFd> {
        self.master.try_clone()
    }

    /// Another handle of the program's end.
    pub(crate) fn child_end(&self) -> io::Result<OwnedFd> {
        self.child
            .as_ref()
            .ok_or_else(|| io::Error::other("the program has its end already"))?
            .try_clone()
    }

    /// Gives up our handle of the program's end, so that the terminal ends with the program.
    pub(crate) fn close_child_end(&mut self) {
        self.child = None;
    }

    /// Passes a new size on; the kernel tells the program.
    pub(crate) fn resize(&self, size: WindowSize) {
        let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        if let Err(error) = tcsetwinsize(&self.master, size) {
            eprintln!("vespera-guest: terminal size: {error}");
        }
    }
}

/// The command that runs `program` as the owner of the terminal on its standard streams.
///
/// A session can only be made in the child itself, between fork and exec; this program does it
/// in [`become_program`], which needs no unsafe code.
pub(crate) fn command(program: &str, arguments: &[String]) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("on-terminal").arg(program).args(arguments);
    Ok(command)
}

/// The child's half: a session of its own, the terminal as its controlling one, the program.
pub(crate) fn become_program(program: &str, arguments: &[&str]) -> Result<()> {
    setsid().context("starting a session")?;
    ioctl_tiocsctty(rustix::stdio::stdin()).context("taking the terminal")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("running {program}"))
}
