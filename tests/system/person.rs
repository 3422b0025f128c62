// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person at the desktop meets: not in the group, and a machine that sleeps.

use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value;
use vespera_tests::{Guest, HarnessError, Output};

use crate::bus::wait_for;
use crate::group::Group;
use crate::guard::{finding, status};
use crate::pointer::parameter;

/// Somebody whom nobody has put into the group.
pub(crate) const PERSON: &str = "carla";
const ADMIN: &str = "/etc/vespera";

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("who_is_not_in_the_group_is_told_the_command_and_that_command_helps", joins),
        group.test("a_group_that_only_the_image_has_is_joined_all_the_same", joins_the_images),
        group.test("a_report_holds_the_journal_and_the_kernels_words_and_no_names", reports),
        group.test("settings_are_in_force_after_the_machine_has_slept", sleeps),
    ]
}

/// Runs a command with the groups that a new login would give.
fn as_person(guest: &Guest, command: &[&str]) -> Result<Output, HarnessError> {
    let login = ["setpriv", "--reuid", PERSON, "--regid", PERSON, "--init-groups"];
    guest.run(login.iter().chain(command).copied())
}

fn doctor(guest: &Guest) -> Result<Value, HarnessError> {
    let output = as_person(guest, &["vesperactl", "doctor", "--json"])?;
    Ok(serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:#?}")))
}

/// Follows what `doctor` says until the person is in the group.
fn follow_doctor(guest: &Guest) -> Result<(), HarnessError> {
    let report = doctor(guest)?;
    let outside = finding(&report, "group-not-member");
    assert_eq!((&outside["status"], &outside["severity"]), (&"failed".into(), &"info".into()));
    assert_eq!(outside["remedy"], format!("sudo vesperactl group add {PERSON}"));
    // The active session needs no group, so the system is well.
    assert_eq!(report["state"], "healthy", "{report:#}");
    let write = ["sh", "-c", "echo 8589934592 > /sys/module/maccel/parameters/SENS_MULT"];
    let refused = as_person(guest, &write)?;
    assert_ne!(refused.code, 0, "{refused:?}");
    let set = as_person(guest, &["vesperactl", "set", "sens-mult=2"])?;
    assert_eq!(set.code, 1, "{set:?}");
    assert!(set.stderr.contains("join the group: sudo vesperactl group add"), "{set:?}");

    let set = as_person(guest, &["maccel", "set", "param", "sens-mult", "2"])?;
    assert_eq!(set.code, 1, "{set:?}");
    assert!(set.stderr.contains("sudo vesperactl group add"), "{set:?}");

    guest.run(["vesperactl", "group", "add", PERSON])?.success()?;
    let report = doctor(guest)?;
    assert_eq!(finding(&report, "group-not-member")["status"], "ok", "{report:#}");
    as_person(guest, &write)?.success()?;
    as_person(guest, &["vesperactl", "set", "sens-mult=1"])?.success()?;
    Ok(())
}

fn leave(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["gpasswd", "--delete", PERSON, "maccel"])?.success()?;
    Ok(())
}

fn joins(guest: &Guest) -> Result<(), HarnessError> {
    follow_doctor(guest)?;
    leave(guest)
}

/// As on hosts with nss-altfiles: `usermod -aG` exits 0 there and changes nothing.
fn joins_the_images(guest: &Guest) -> Result<(), HarnessError> {
    let etc = guest.read_file("/etc/group")?;
    let line = etc.lines().find(|line| line.starts_with("maccel:")).expect("the group");
    let rest: String =
        etc.lines().filter(|other| *other != line).map(|line| format!("{line}\n")).collect();
    guest.write_file("/usr/lib/group", format!("{line}\n"))?;
    guest.write_file("/etc/group", rest)?;
    let json = ["vesperactl", "group", "status", "--json"];
    let group = |guest: &Guest| -> Result<Value, HarnessError> {
        let output = guest.run(json)?.success()?;
        Ok(serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:#?}")))
    };
    let before = group(guest)?;
    assert_eq!(before["file"], "usr/lib/group", "{before:#}");
    guest.run(["vesperactl", "group", "add", PERSON])?.success()?;
    let after = group(guest)?;
    assert_eq!((&after["file"], &after["gid"]), (&"etc/group".into(), &before["gid"]));
    let members = after["members"].as_array().expect("a list of members");
    assert!(members.contains(&PERSON.into()), "{after:#}");
    let report = doctor(guest)?;
    assert_eq!(finding(&report, "group-not-member")["status"], "ok", "{report:#}");
    leave(guest)
}

/// One file for whoever helps.
fn reports(guest: &Guest) -> Result<(), HarnessError> {
    const REPORT: &str = "/tmp/report.tar.gz";
    let tried = format!("{PERSON} moves a mouse with maccel from 192.168.7.9:22");
    guest.write_file("/dev/kmsg", format!("<6>{tried}\n"))?;
    let written = guest.run(["vesperactl", "report", "--output", REPORT])?.success()?.stdout;
    assert!(!written.contains("missing: journalctl"), "{written}");
    let mode = guest.run(["stat", "--format=%a %U", REPORT])?.success()?.stdout;
    assert_eq!(mode.trim(), "600 root");
    let entry = |name: &str| -> Result<String, HarnessError> {
        let extract = ["tar", "--extract", "--to-stdout", "--wildcards", "--file", REPORT];
        let pattern = format!("*/{name}");
        Ok(guest.run(extract.into_iter().chain([pattern.as_str()]))?.success()?.stdout)
    };
    let agent = entry("journal-vespera-agent.txt")?;
    assert!(agent.contains("vespera-agent["), "{agent}");
    let module = entry("journal-vespera-module.txt")?;
    assert!(module.contains("maccel.ko.xz"), "{module}");
    let log = entry("kernel-log.txt")?;
    assert!(log.contains("[user-1] moves a mouse with maccel from [address]:22"), "{log}");
    let settings = entry("settings.txt")?;
    assert!(settings.contains("SENS_MULT="), "{settings}");
    // Nothing is written through what is there already.
    let again = guest.run(["vesperactl", "report", "--output", REPORT])?;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("File exists"), "{again:?}");
    guest.run(["rm", REPORT])?.success()?;
    Ok(())
}

/// Sleeps as far as this kernel can be made to: all tasks are frozen, then thawed.
fn sleeps(guest: &Guest) -> Result<(), HarnessError> {
    let raw = |name: &str| -> Result<String, HarnessError> {
        Ok(guest.read_file(&parameter(name))?.trim().to_owned())
    };
    guest.run(["vesperactl", "reset"])?.success()?;
    // A change that cannot be put in force now and that nothing announces later: only waking up
    // is a reason to try again.
    let settings = parameter("SETTINGS");
    guest.run(["chmod", "444", &settings])?.success()?;
    guest.run(["mkdir", "-p", ADMIN])?.success()?;
    let change = "version = 1\n[settings]\nsens-mult = 2\n";
    guest.write_file(&format!("{ADMIN}/maccel.toml"), change)?;
    let health = "org.vespera.Agent1.Health";
    let checks = ["busctl", "get-property", crate::bus::NAME, "/org/vespera/Agent1", health];
    wait_for("the agent has tried", || {
        let checks = guest.run(checks.into_iter().chain(["State"]))?.success()?;
        Ok(checks.stdout.trim() == "s \"degraded\"")
    })?;
    guest.run(["chmod", "664", &settings])?.success()?;
    assert_eq!(raw("SENS_MULT")?, (1_i64 << 32).to_string());

    // Documentation/power/basic-pm-debugging.rst
    guest.write_file("/sys/power/pm_test", "freezer")?;
    guest.write_file("/sys/module/suspend/parameters/pm_test_delay", "1")?;
    guest.run(["systemctl", "suspend"])?.success()?;
    wait_for("the kernel has slept", || Ok(guest.kernel_log()?.contains("PM: suspend exit")))?;
    // logind tells when it is over.
    wait_for("the settings are in force", || Ok(raw("SENS_MULT")? == (2_i64 << 32).to_string()))?;
    let (code, report) = status(guest)?;
    assert_eq!(code, 0, "{report:#}");
    guest.write_file("/sys/power/pm_test", "none")?;
    guest.run(["rm", &format!("{ADMIN}/maccel.toml")])?.success()?;
    wait_for("the administrator's change is gone", || {
        Ok(raw("SENS_MULT")? == (1_i64 << 32).to_string())
    })
}
