// SPDX-License-Identifier: MIT OR Apache-2.0
//! The installed files agree with the program and with systemd.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the failed test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Tenths of `systemd-analyze security`; the capabilities of the module guard cost most of it.
const MOST_EXPOSURE: &[(&str, &str)] = &[
    ("vespera-module.service", "26"),
    ("vespera-module-check.service", "20"),
    ("vespera-deployments.service", "15"),
    ("vespera-agent.service", "12"),
];

fn rootfs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/rootfs")
}

fn shipped(inside: &str) -> String {
    std::fs::read_to_string(rootfs().join(inside)).unwrap()
}

/// The units in a folder of their own, with programs that exist on this machine.
fn units() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(rootfs().join("usr/lib/systemd/system")).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text: Vec<_> = text
            .lines()
            .map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true" } else { line })
            .collect();
        std::fs::write(folder.path().join(entry.file_name()), text.join("\n") + "\n").unwrap();
    }
    folder
}

fn systemd_analyze(arguments: &[&str], unit: &Path) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .expect("systemd-analyze is part of systemd, which these tests need")
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let units = units();
    for unit in [
        "vespera-module.service",
        "vespera-module-check.service",
        "vespera-module-check.path",
        "vespera-deployments.service",
        "vespera-deployments.path",
        "vespera-agent.service",
    ] {
        let output = systemd_analyze(
            &["verify", "--man=no", "--recursive-errors=no"],
            &units.path().join(unit),
        );
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !words.contains(unit), "{unit}: {words}");
    }
}

#[test]
fn the_services_stay_hardened() {
    let units = units();
    for (unit, tenths) in MOST_EXPOSURE {
        let threshold = format!("--threshold={tenths}");
        let arguments = ["security", "--offline=true", "--no-pager", threshold.as_str()];
        let output = systemd_analyze(&arguments, &units.path().join(unit));
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{words}");
    }
}

#[test]
fn a_module_that_does_not_fit_never_fails_the_unit() {
    let unit = shipped("usr/lib/systemd/system/vespera-module.service");
    for line in ["SuccessExitStatus=10", "TimeoutStartSec=60", "StartLimitIntervalSec=0"] {
        assert!(unit.lines().any(|own| own == line), "{line}");
    }
    assert!(!unit.contains("RemainAfterExit"));
    // These hide or lock exactly what the program is for.
    for directive in ["ProtectKernelModules=", "ProtectKernelTunables=", "PrivateDevices="] {
        assert!(!unit.lines().any(|line| line.starts_with(directive)), "{directive}");
    }
}

#[test]
fn the_agent_runs_as_its_own_user_without_any_capability() {
    let unit = shipped("usr/lib/systemd/system/vespera-agent.service");
    for line in [
        "Type=dbus",
        "BusName=org.vespera.Agent1",
        "User=vespera-agent",
        "Group=maccel",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "IPAddressDeny=any",
    ] {
        assert!(unit.lines().any(|own| own == line), "{line}");
    }
    let preset = shipped("usr/lib/systemd/system-preset/80-vespera.preset");
    assert!(preset.lines().any(|line| line == "enable vespera-agent.service"));
}

/// Anybody can send a call that takes more memory than it may have.
#[test]
fn the_agent_starts_again_however_often_its_memory_ends_it() {
    let unit = shipped("usr/lib/systemd/system/vespera-agent.service");
    let (head, service) = unit.split_once("[Service]").unwrap();
    assert!(head.lines().any(|own| own == "StartLimitIntervalSec=0"));
    for line in ["Restart=on-failure", "RestartSec=1", "MemoryMax=256M", "MemorySwapMax=0"] {
        assert!(service.lines().any(|own| own == line), "{line}");
    }
}

#[test]
fn the_rules_call_the_program_as_it_is_and_use_no_shell() {
    let rules = shipped("usr/lib/udev/rules.d/99-maccel.rules");
    let calls: Vec<_> = rules.split("RUN+=\"").skip(1).map(|rest| rest.split('"').next()).collect();
    assert_eq!(
        calls,
        [Some("/usr/libexec/vespera/vespera-module permissions $devpath"); 2],
        "one call for the module, one for each mouse and for the live speed"
    );
    let mut lines = rules.lines().filter(|line| !line.starts_with('#'));
    assert!(
        lines.all(|line| !line.contains("GROUP=") && !line.contains("MODE=")),
        "who may do what is known in one place"
    );
    assert!(rules.contains(r#"ENV{SYSTEMD_WANTS}+="vespera-module-check.service""#));
}

#[test]
fn a_check_that_is_asked_for_cannot_load_the_module() {
    let path = shipped("usr/lib/systemd/system/vespera-module-check.path");
    assert!(path.lines().any(|line| line == "Unit=vespera-module-check.service"));
    let unit = shipped("usr/lib/systemd/system/vespera-module-check.service");
    for line in [
        "ExecStart=/usr/libexec/vespera/vespera-module run --no-load",
        "CapabilityBoundingSet=CAP_CHOWN",
        "SystemCallFilter=@system-service",
        "SuccessExitStatus=10",
        "StartLimitIntervalSec=0",
    ] {
        assert!(unit.lines().any(|own| own == line), "{line}");
    }
}

#[test]
fn every_shipped_file_names_its_licence_first() {
    let mut folders = vec![rootfs()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| {
                ["service", "path", "conf", "rules", "preset", "xml", "policy"]
                    .iter()
                    .any(|known| kind == *known)
            }) {
                let text = std::fs::read_to_string(&path).unwrap();
                let licence = "SPDX-License-Identifier: MIT OR Apache-2.0";
                // XML has its own line first.
                let found = text.lines().take(2).any(|line| line.contains(licence));
                assert!(found, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 7, "{seen} files");
}
