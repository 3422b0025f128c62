// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings outlive the machine: the plug is pulled while they are saved, and what is there after
//! that is what was set before, or last.

use std::process::Command;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use vespera_tests::{Disk, Guest, HarnessError};

use crate::bus::wait_for;
use crate::chain;
use crate::image::Booted;

/// The serial number of the disk with the agent's state.
const SERIAL: &str = "state";
const STATE: &str = "/var/lib/vespera";
const UNIT: &str = "vespera-agent.service";
/// How often the plug is pulled.
const CUTS: u32 = 3;

pub(crate) fn tests(booted: &Arc<Booted>) -> Vec<Trial> {
    let booted = Arc::clone(booted);
    vec![Trial::test("saves::a_power_cut_leaves_the_old_or_the_new_settings", move || {
        power_cuts(&booted).map_err(|error| Failed::from(chain(&error)))
    })]
}

/// A disk with an empty file system.
fn disk(folder: &tempfile::TempDir) -> Disk {
    let path = folder.path().join("state.img");
    std::fs::File::create(&path).unwrap().set_len(32 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&path).output();
    let made = made.expect("mkfs.ext4 is what this test needs (package e2fsprogs)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Disk::new(path, SERIAL)
}

/// Starts the agent on the state of the disk.
fn with_state(guest: &Guest, disk: &Disk) -> Result<(), HarnessError> {
    guest.attach_disk(disk)?;
    let device = format!("/dev/disk/by-id/virtio-{SERIAL}");
    wait_for("the disk", || Ok(guest.run(["test", "-b", &device])?.code == 0))?;
    guest.run(["systemctl", "stop", UNIT])?.success()?;
    guest.run(["mkdir", "-p", STATE])?.success()?;
    guest.run(["mount", "-t", "ext4", &device, STATE])?.success()?;
    guest.run(["chown", "vespera-agent:vespera-agent", STATE])?.success()?;
    guest.run(["systemctl", "start", UNIT])?.success()?;
    Ok(())
}

fn sens_mult(guest: &Guest) -> Result<f64, HarnessError> {
    let get = guest.run(["vesperactl", "get", "sens-mult"])?.success()?.stdout;
    Ok(get.split_whitespace().nth(1).unwrap().parse().unwrap())
}

fn power_cuts(booted: &Arc<Booted>) -> Result<(), HarnessError> {
    let folder = tempfile::tempdir().unwrap();
    let disk = disk(&folder);
    // Before anything was ever saved.
    let mut saved = 1.0;
    for cut in 0..CUTS {
        let guest = booted.guest()?;
        with_state(&guest, &disk)?;
        assert_eq!(sens_mult(&guest)?, saved, "what the cut before left is in force");
        // One save after the other; each that was confirmed is written down.
        let changes = "i=100; while :; do i=$((i+1)); \
                       vesperactl set sens-mult=$((i/100)).$((i%100/10))$((i%10)) && \
                       echo $i > /run/confirmed; done";
        let run = ["systemd-run", "--unit=changes", "sh", "-c", changes];
        guest.run(run)?.success()?;
        let confirmed = || -> Result<u32, HarnessError> {
            let text = guest.run(["cat", "/run/confirmed"])?.stdout;
            Ok(text.trim().parse().unwrap_or(0))
        };
        // The first cut comes early, the others later: not at the same place of a save.
        wait_for("some saves are confirmed", || Ok(confirmed()? > 102 + 3 * cut))?;
        let at_least = confirmed()?;
        guest.power_cut()?;

        let guest = booted.guest()?;
        with_state(&guest, &disk)?;
        saved = sens_mult(&guest)?;
        let hundredths = (saved * 100.0).round();
        assert!(hundredths >= f64::from(at_least), "{saved} after {at_least} was confirmed");
        let status = guest.run(["vesperactl", "status"])?;
        assert_eq!(status.code, 0, "{status:?}");
        guest.run(["systemctl", "stop", UNIT])?.success()?;
        guest.run(["umount", STATE])?.success()?;
        guest.power_cut()?;
    }
    Ok(())
}
