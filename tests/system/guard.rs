// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guard of the module in the booted image: each way in which the module is not there, told
//! apart by code, exit code and remedy, and mended by the command that is named.

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use vespera_tests::{Artifacts, Guest, HarnessError, Image, Machine, Output};

use crate::bus::{NAME, wait_for};
use crate::chain;
use crate::group::Group;
use crate::image::{BOOT, Booted};
use crate::imported;
use crate::person::{self, PERSON};
use crate::pointer::parameter;

/// What the checks have found.
const REPORT: &str = "/run/vespera/module.json";
const HEALTH: &str = "org.vespera.Agent1.Health";
/// The administrator's file that keeps the module out.
const BLACKLIST: &str = "/etc/modprobe.d/no-mouse.conf";
/// Where the module is kept while the image lacks it.
const ASIDE: &str = "/run/maccel-aside";
/// On the command line of a kernel that takes neither unsigned modules nor this one by its name.
const STRICT: [&str; 2] = ["module.sig_enforce=1", "module_blacklist=maccel"];

/// Tests that mend what they break, on one guest.
pub(crate) fn tests(booted: &Arc<Booted>) -> (Arc<Group>, Vec<Trial>) {
    let waker = Arc::clone(booted);
    let group = Group::new(
        "guard".into(),
        Box::new(move || {
            let guest = waker.guest()?;
            guest.run(["useradd", "--create-home", PERSON])?.success()?;
            Ok(guest)
        }),
    );
    let booted = Arc::clone(booted);
    let mut tests = vec![
        group.test("a_module_unloaded_behind_its_back_is_noticed_and_comes_back", unloaded),
        group.test("an_image_without_the_module_says_so_until_it_is_there", missing),
        group.test("a_blacklisted_module_stays_out_until_the_named_command_is_run", blacklisted),
    ];
    tests.extend(imported::tests(&group));
    tests.extend(person::tests(&group));
    // Nothing but a reboot takes this back.
    let name = "guard::loading_disabled_after_the_boot_is_mended_by_a_reboot_only";
    tests.push(Trial::test(name, move || {
        let run = || {
            let guest = booted.guest()?;
            disabled(&guest)?;
            guest.finish()
        };
        run().map_err(|error| Failed::from(chain(&error)))
    }));
    (group, tests)
}

/// Tests on a kernel that refuses the module for two reasons of its own.
pub(crate) fn strict_tests(artifacts: &Arc<Artifacts>, image: &Image) -> (Arc<Group>, Vec<Trial>) {
    let (artifacts, image) = (Arc::clone(artifacts), image.clone());
    let group = Group::new(
        "strict".into(),
        Box::new(move || {
            let kernel = artifacts.kernel(&image.kernel)?;
            let machine = Machine::image(&artifacts, &image, kernel).name("strict");
            let machine =
                STRICT.iter().fold(machine, |machine, word| machine.kernel_argument(word));
            let guest = machine.boot()?;
            guest.wait_for_boot(BOOT)?;
            Ok(guest)
        }),
    );
    let tests = vec![
        group.test("an_unsigned_module_is_refused_and_status_says_that_it_is_not_signed", unsigned),
        group.test("a_module_blacklisted_on_the_command_line_is_said_with_the_word", by_the_kernel),
        group.test("no_unit_fails", no_failure),
    ];
    (group, tests)
}

/// `vesperactl status --json`: its exit code, and what it prints.
pub(crate) fn status(guest: &Guest) -> Result<(i32, Value), HarnessError> {
    let output = guest.run(["vesperactl", "status", "--json"])?;
    let status = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:#?}"));
    Ok((output.code, status))
}

/// A finding of a status or of `doctor`.
pub(crate) fn finding<'a>(report: &'a Value, code: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list of checks");
    let found = checks.iter().find(|check| check["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {report:#}"))
}

/// The one fault that stands on its own, with the state it brings about and the command for it.
fn is_broken_by(guest: &Guest, code: &str) -> Result<(String, String), HarnessError> {
    let (exit, report) = status(guest)?;
    assert_eq!((exit, &report["state"]), (2, &Value::from("broken")), "{report:#}");
    let found = finding(&report, code);
    assert_eq!(found["status"], "failed", "{report:#}");
    let screen = guest.run(["vesperactl", "status"])?;
    assert!(screen.stdout.contains(&format!("({code})")), "it is on the screen: {screen:#?}");
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let (detail, remedy) = (text("detail"), text("remedy"));
    assert!(screen.stdout.contains(&format!("to mend it: {remedy}")), "{screen:#?}");
    Ok((detail, remedy))
}

fn is_healthy(guest: &Guest) -> Result<(), HarnessError> {
    let (code, report) = status(guest)?;
    assert_eq!((code, &report["state"]), (0, &Value::from("healthy")), "{report:#}");
    Ok(())
}

/// Runs a remedy as root, who needs no sudo.
fn mend(guest: &Guest, remedy: &str) -> Result<Output, HarnessError> {
    let command = remedy.strip_prefix("sudo ").unwrap_or(remedy);
    guest.run(["sh", "-c", command])?.success()
}

/// A property of the agent, as `busctl` prints it.
pub(crate) fn property(guest: &Guest, interface: &str, name: &str) -> Result<String, HarnessError> {
    let interface = format!("{NAME}.{interface}");
    let argv = ["busctl", "get-property", NAME, "/org/vespera/Agent1", &interface, name];
    Ok(guest.run(argv)?.success()?.stdout.trim().to_owned())
}

/// What the agent says on the bus is what it has seen by itself.
fn agent_says(guest: &Guest, loaded: bool, state: &str) -> Result<(), HarnessError> {
    wait_for(&format!("the agent sees that it is {state}"), || {
        Ok(property(guest, "Maccel", "Loaded")? == format!("b {loaded}")
            && property(guest, "Health", "State")? == format!("s \"{state}\""))
    })
}

fn load(guest: &Guest) -> Result<Output, HarnessError> {
    guest.run(["vesperactl", "module", "load"])
}

fn raw(guest: &Guest, name: &str) -> Result<String, HarnessError> {
    Ok(guest.read_file(&parameter(name))?.trim().to_owned())
}

fn unloaded(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["vesperactl", "set", "sens-mult=2"])?.success()?;
    guest.run(["rmmod", "maccel"])?.success()?;
    agent_says(guest, false, "broken")?;
    let set = guest.run(["vesperactl", "set", "sens-mult=3"])?;
    assert_eq!(set.code, 2, "{set:?}");
    // Whoever asks for a check gets one, and the module that was taken out on purpose stays out.
    let before = guest.read_file(REPORT)?;
    let recheck = ["busctl", "call", NAME, "/org/vespera/Agent1", HEALTH, "Recheck"];
    guest.run(recheck)?.success()?;
    wait_for("the check", || Ok(guest.read_file(REPORT)? != before))?;
    let report: Value = serde_json::from_str(&guest.read_file(REPORT)?).expect("a report");
    assert_eq!(report["loaded"], Value::Null, "{report:#}");
    agent_says(guest, false, "broken")?;
    let (_, remedy) = is_broken_by(guest, "module-not-loaded")?;
    assert_eq!(remedy, "sudo vesperactl module load");
    mend(guest, &remedy)?;
    agent_says(guest, true, "healthy")?;
    is_healthy(guest)?;
    wait_for("the saved settings are in force", || {
        Ok(raw(guest, "SENS_MULT")? == (2_i64 << 32).to_string())
    })?;
    guest.run(["vesperactl", "reset"])?.success()?;
    Ok(())
}

fn missing(guest: &Guest) -> Result<(), HarnessError> {
    let release = &guest.hello().release;
    let folder = format!("/usr/lib/modules/{release}/extra/maccel");
    guest.run(["rmmod", "maccel"])?.success()?;
    guest.run(["mv", &folder, ASIDE])?.success()?;
    assert_eq!(load(guest)?.code, 2);
    let (detail, remedy) = is_broken_by(guest, "module-missing")?;
    assert!(detail.contains(release), "{detail}");
    assert_eq!(remedy, "sudo bootc upgrade --apply");
    agent_says(guest, false, "broken")?;
    // What that command would bring.
    guest.run(["mv", ASIDE, &folder])?.success()?;
    load(guest)?.success()?;
    agent_says(guest, true, "healthy")?;
    is_healthy(guest)
}

fn blacklisted(guest: &Guest) -> Result<(), HarnessError> {
    guest.write_file(BLACKLIST, "# tried without\nblacklist maccel\n")?;
    // While it runs that is a remark.
    is_healthy(guest)?;
    guest.run(["rmmod", "maccel"])?.success()?;
    assert_eq!(load(guest)?.code, 2);
    let (detail, remedy) = is_broken_by(guest, "module-blacklisted")?;
    assert_eq!(detail, format!("{BLACKLIST}:2: blacklist maccel"));
    mend(guest, &remedy)?;
    load(guest)?.success()?;
    is_healthy(guest)?;
    guest.run(["rm", BLACKLIST])?.success()?;
    agent_says(guest, true, "healthy")
}

fn disabled(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["rmmod", "maccel"])?.success()?;
    guest.write_file("/proc/sys/kernel/modules_disabled", "1")?;
    assert_eq!(load(guest)?.code, 2);
    let (detail, remedy) = is_broken_by(guest, "module-loading-disabled")?;
    assert_eq!(detail, "kernel.modules_disabled is 1 until the next boot");
    assert_eq!(remedy, "systemctl reboot");
    agent_says(guest, false, "broken")?;
    no_failure(guest)
}

fn unsigned(guest: &Guest) -> Result<(), HarnessError> {
    let release = &guest.hello().release;
    let file = format!("/usr/lib/modules/{release}/extra/maccel/maccel.ko.xz");
    let refused = guest.run(["insmod", &file])?;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("Key was rejected by service"), "{refused:?}");
    let (detail, remedy) = is_broken_by(guest, "secure-boot-module-unsigned")?;
    assert_eq!(detail, "not signed; the kernel takes only signed modules");
    assert_eq!(remedy, "sudo bootc upgrade --apply");
    assert_eq!(load(guest)?.code, 2);
    agent_says(guest, false, "broken")
}

/// The missing signature comes before it and stands alone on the screen; `doctor` lists both.
fn by_the_kernel(guest: &Guest) -> Result<(), HarnessError> {
    let (_, report) = status(guest)?;
    let found = finding(&report, "module-blacklisted");
    let detail = format!("kernel command line: {}", STRICT[1]);
    assert_eq!((&found["status"], &found["detail"]), (&"failed".into(), &detail.clone().into()));
    let remedy = found["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains(STRICT[1]), "{report:#}");
    let doctor = guest.run(["vesperactl", "doctor"])?;
    assert_eq!(doctor.code, 2, "{doctor:#?}");
    assert!(doctor.stdout.contains(&format!("The module is blacklisted: {detail}")), "{doctor:#?}");
    Ok(())
}

fn no_failure(guest: &Guest) -> Result<(), HarnessError> {
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    Ok(())
}
