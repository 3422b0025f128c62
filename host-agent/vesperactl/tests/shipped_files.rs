// SPDX-License-Identifier: MIT OR Apache-2.0
//! The user units agree with the program and with systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failed test")]

use std::path::{Path, PathBuf};
use std::process::Command;

const UNITS: [&str; 2] = ["vespera-notify.service", "vespera-notify.path"];

fn shipped(inside: &str) -> String {
    let rootfs: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/rootfs");
    std::fs::read_to_string(rootfs.join(inside)).unwrap()
}

#[test]
fn systemd_finds_no_fault_in_the_user_units() {
    let folder = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let text = shipped(&format!("usr/lib/systemd/user/{unit}"));
        // A program that exists on this machine.
        let text = text.replace("/usr/bin/vesperactl notify", "/bin/true");
        std::fs::write(folder.path().join(unit), text).unwrap();
    }
    for unit in UNITS {
        let output = Command::new("systemd-analyze")
            .args(["--user", "verify", "--man=no", "--recursive-errors=no"])
            .arg(folder.path().join(unit))
            // Wanted even to read a unit; nothing is put there.
            .env("XDG_RUNTIME_DIR", folder.path())
            .output()
            .expect("systemd-analyze is part of systemd, which these tests need");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !words.contains(unit), "{unit}: {words}");
    }
}

#[test]
fn both_units_are_enabled_and_the_service_calls_the_program_as_it_is() {
    let preset = shipped("usr/lib/systemd/user-preset/80-vespera.preset");
    for unit in UNITS {
        assert!(preset.lines().any(|line| line == format!("enable {unit}")), "{unit}");
        assert!(shipped(&format!("usr/lib/systemd/user/{unit}")).contains("[Install]"), "{unit}");
    }
    let help =
        Command::new(env!("CARGO_BIN_EXE_vesperactl")).args(["notify", "--help"]).output().unwrap();
    assert!(help.status.success());
}
