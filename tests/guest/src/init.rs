// SPDX-License-Identifier: MIT OR Apache-2.0
//! Process 1 of the initramfs: mounts, modules, then the agent or the system of an image.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, mount};
use rustix::process::{WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};
use vespera_guest::boot::{Flavour, PROBE_LINE};

use crate::{modules, root};

/// Never returns: without process 1 the kernel panics.
pub(crate) fn run() -> ! {
    if let Err(error) = start() {
        eprintln!("vespera-guest: init failed: {error:#}");
    }
    power_off()
}

/// Writes everything back and ends the machine.
pub(crate) fn power_off() -> ! {
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        eprintln!("vespera-guest: power off refused: {error}");
    }
    std::process::exit(1)
}

fn start() -> Result<()> {
    mount_pseudo("/proc", "proc")?;
    mount_pseudo("/sys", "sysfs")?;
    mount_pseudo("/dev", "devtmpfs")?;
    mount_pseudo("/run", "tmpfs")?;
    let line = fs::read_to_string("/proc/cmdline").context("reading the kernel command line")?;
    let flavour = Flavour::of_command_line(&line);
    if flavour == Flavour::Probe {
        println!("{PROBE_LINE}");
        return Ok(());
    }
    modules::load_all()?;
    match flavour {
        Flavour::Image => root::enter(&line),
        Flavour::Driver | Flavour::Probe => keep_agent(),
    }
}

/// Mounts a file system that needs no device; a kernel may have mounted it already.
fn mount_pseudo(place: &str, kind: &str) -> Result<()> {
    fs::create_dir_all(place).with_context(|| format!("creating {place}"))?;
    match mount(kind, place, kind, MountFlags::NOSUID, None) {
        // CONFIG_DEVTMPFS_MOUNT mounts /dev only for a root that is not an initramfs, yet a
        // distribution may differ.
        Ok(()) | Err(rustix::io::Errno::BUSY) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("mounting {kind} on {place}")),
    }
}

/// Runs the agent as a child, so that process 1 is free to collect orphans.
fn keep_agent() -> Result<()> {
    mount_pseudo("/dev/pts", "devpts")?;
    mount_pseudo("/dev/shm", "tmpfs")?;
    mount_pseudo("/tmp", "tmpfs")?;
    // debugfs is a kernel's choice (lockdown, KUnit results lie there when it is on).
    if let Err(error) = mount_pseudo("/sys/kernel/debug", "debugfs") {
        eprintln!("vespera-guest: {error:#}");
    }
    link("/proc/self/fd", "/dev/fd")?;
    let mut agent = Command::new("/init").arg("agent").spawn().context("starting the agent")?;
    let agent_pid = agent.id();
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => {
                if pid.as_raw_nonzero().get().cast_unsigned() == agent_pid {
                    eprintln!("vespera-guest: the agent ended: {status:?}");
                    return Ok(());
                }
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                // No child is left to collect, hence the agent has ended.
                return agent.wait().map(|_| ()).context(error);
            }
        }
    }
}

fn link(target: &str, place: &str) -> Result<()> {
    match symlink(target, place) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| format!("linking {place}")),
    }
}
