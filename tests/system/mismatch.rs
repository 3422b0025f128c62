// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same image booted with a kernel it has no module for.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::{Artifacts, Guest, HarnessError, Image, Machine};

use crate::group::Group;
use crate::image::BOOT;

const UNIT: &str = "vespera-module.service";
/// Where the image's modules lie; the release is the folder's name.
const MODULES: &str = "/usr/lib/modules";

pub(crate) fn tests(artifacts: &Arc<Artifacts>, image: &Image) -> (Arc<Group>, Vec<Trial>) {
    let (artifacts, image) = (Arc::clone(artifacts), image.clone());
    let group = Group::new(
        "mismatch".into(),
        Box::new(move || {
            let kernel = artifacts.kernel_foreign_to(&image)?;
            let guest = Machine::image(&artifacts, &image, kernel).boot()?;
            guest.wait_for_boot(BOOT)?;
            Ok(guest)
        }),
    );
    let tests = vec![
        group.test("vesperactl_status_says_broken_and_names_both_releases", broken),
        group.test("no_unit_fails", no_failure),
        group.test("the_boot_waits_for_nothing", no_delay),
        group.test("the_driver_is_not_loaded", not_loaded),
    ];
    (group, tests)
}

fn broken(guest: &Guest) -> Result<(), HarnessError> {
    let status = guest.run(["vesperactl", "status"])?;
    assert_eq!(status.code, 2, "{status:#?}");
    let running = &guest.hello().release;
    assert!(status.stdout.contains(running), "the running kernel: {status:#?}");
    let folders = guest.run(["ls", "-1", MODULES])?.success()?.stdout;
    let built_for = folders.lines().find(|release| release != running).expect("another release");
    assert!(status.stdout.contains(built_for), "the image's kernel: {status:#?}");
    Ok(())
}

fn no_failure(guest: &Guest) -> Result<(), HarnessError> {
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    Ok(())
}

fn no_delay(guest: &Guest) -> Result<(), HarnessError> {
    // Nothing of the boot but the desktop is ordered after the check; and the agent, which puts
    // settings in force when it is known whether there is a driver.
    let order = ["systemctl", "show", UNIT, "--property=Before", "--value"];
    let before = guest.run(order)?.success()?.stdout;
    let after = [
        "display-manager.service",
        "shutdown.target",
        "vespera-agent.service",
        // Whoever asks for a check during the boot gets it after the one that loads.
        "vespera-module-check.service",
    ];
    for waiting in before.split_whitespace() {
        assert!(after.contains(&waiting), "{before}");
    }
    let jobs = guest.run(["systemctl", "list-jobs", "--no-legend", "--plain"])?.success()?;
    assert!(!jobs.stdout.contains(".service"), "{}", jobs.stdout);
    let show = ["systemctl", "show", UNIT, "--property=ActiveState,Result,ExecMainStatus"];
    let unit = guest.run(show)?.success()?.stdout;
    // It ended by itself: not killed at its time limit, not failed.
    assert!(unit.contains("ActiveState=inactive"), "{unit}");
    assert!(unit.contains("Result=success"), "{unit}");
    assert!(unit.contains("ExecMainStatus=10"), "{unit}");
    Ok(())
}

fn not_loaded(guest: &Guest) -> Result<(), HarnessError> {
    let modules = guest.read_file("/proc/modules")?;
    assert!(!modules.lines().any(|line| line.starts_with("maccel ")), "{modules}");
    Ok(())
}
