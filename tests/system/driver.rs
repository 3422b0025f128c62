// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver on a plain distribution kernel.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;
use vespera_tests::race::PROGRESS;
use vespera_tests::{Artifacts, Guest, HarnessError, Kernel, Machine};

use crate::group::Group;
use crate::{curves, devices, pointer, races, refusals, settings, turning};

/// Everything the driver is asked to do on this kernel.
pub(crate) fn tests(artifacts: &Arc<Artifacts>, kernel: &Kernel) -> (Arc<Group>, Vec<Trial>) {
    let group = group(artifacts, kernel, &format!("driver {}", kernel.name), &[]);
    let mut tests = vec![
        group.test("the_module_is_loaded_with_its_parameters", loaded),
        group.test("the_module_goes_and_comes_back", reload),
    ];
    for more in [
        pointer::tests,
        curves::tests,
        devices::tests,
        turning::tests,
        refusals::tests,
        settings::tests,
        races::tests,
    ] {
        tests.extend(more(&group));
    }
    (group, tests)
}

/// What allocates and frees, once more in a guest whose kernel knows afterwards what was lost:
/// there everything takes twice the time.
pub(crate) fn memory_tests(
    artifacts: &Arc<Artifacts>,
    kernel: &Kernel,
) -> (Arc<Group>, Vec<Trial>) {
    let name = format!("driver {} counting memory", kernel.name);
    let group = group(artifacts, kernel, &name, &["kmemleak=on"]);
    let mut tests = vec![
        group.test("what_the_kernel_lost_before_is_set_aside", lost_before),
        group.test("the_module_goes_and_comes_back", reload),
    ];
    for more in [refusals::tests, settings::tests, races::brief_tests] {
        tests.extend(more(&group));
    }
    // After all that could have lost something.
    tests.push(group.test("no_memory_is_lost", lost_memory));
    tests.push(group.test("no_allocation_that_fails_does_harm", starved));
    tests.push(group.test("no_way_back_loses_memory", lost_on_the_way_back));
    (group, tests)
}

/// A kernel that watches the driver, as `xtask/src/debug_kernel.config` names it.
pub(crate) fn watches(release: &str) -> bool {
    release.ends_with("-debug")
}

fn group(
    artifacts: &Arc<Artifacts>,
    kernel: &Kernel,
    name: &str,
    arguments: &'static [&str],
) -> Arc<Group> {
    let (artifacts, kernel) = (Arc::clone(artifacts), kernel.clone());
    let shown = name.to_owned();
    Group::new(name.to_owned(), Box::new(move || boot(&artifacts, &kernel, &shown, arguments)))
}

fn boot(
    artifacts: &Artifacts,
    kernel: &Kernel,
    name: &str,
    arguments: &[&str],
) -> Result<Guest, HarnessError> {
    if kernel.maccel.is_none() {
        return Err(HarnessError::Missing {
            what: format!("driver for kernel {}", kernel.release),
            there: "its `maccel` is null".into(),
        });
    }
    // Two: mice on one processor never race.
    let mut machine = Machine::driver(artifacts, kernel).cpus(2);
    if watches(&kernel.release) {
        // A watcher keeps an account of everything.
        machine = machine.memory_mib(768);
    }
    for argument in arguments {
        machine = machine.kernel_argument(argument);
    }
    if races::soaking() {
        // A device that goes waits for four grace periods: most of the time of many.
        machine = machine.kernel_argument("rcupdate.rcu_expedited=1");
        let name = name.to_owned();
        machine = machine.on_console_line(move |line| {
            if line.starts_with(PROGRESS) {
                eprintln!("    {name}: {line}");
            }
        });
    }
    machine.boot()
}

fn loaded(guest: &Guest) -> Result<(), HarnessError> {
    let refused: Vec<_> =
        guest.hello().modules.iter().filter(|module| module.refused.is_some()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    for (name, default) in pointer::DEFAULTS {
        let value = guest.read_file(&pointer::parameter(name))?;
        assert_eq!(value, format!("{default}\n"), "{name}");
    }
    // By this programs tell the driver from the public one.
    let version = guest.read_file("/sys/module/maccel/version")?;
    assert!(version.trim().split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    Ok(())
}

fn reload(guest: &Guest) -> Result<(), HarnessError> {
    guest.remove_module("maccel")?;
    let gone = guest.read_file(&pointer::parameter("MODE")).unwrap_err();
    assert_eq!(gone.errno(), Some(2), "{gone}");
    guest.insert_module("/mods/maccel.ko", "")?;
    loaded(guest)
}

/// A kernel without memory fails where no test gets otherwise: every way back is taken once.
fn starved(guest: &Guest) -> Result<(), HarnessError> {
    let starve = guest.command([guest.hello().program.as_str(), "starve"]);
    let made = starve.timeout(Duration::from_secs(900)).run()?.success()?.stdout;
    let made: Value = serde_json::from_str(&made).unwrap();
    eprintln!("    {}: allocations that failed in turn: {made}", guest.name());
    for what in ["setting", "mouse", "module"] {
        assert!(made[what].as_u64() > Some(0), "{what}: {made}");
    }
    loaded(guest)
}

/// What a kernel with kmemleak believes to be lost since it was last asked.
fn lost(guest: &Guest) -> Result<String, HarnessError> {
    Ok(guest.run([guest.hello().program.as_str(), "leaks"])?.success()?.stdout)
}

fn lost_before(guest: &Guest) -> Result<(), HarnessError> {
    let lost = lost(guest)?;
    assert!(!lost.contains("maccel"), "{lost}");
    Ok(())
}

/// Nothing at all: functions of a module that has gone are addresses without a name.
fn lost_memory(guest: &Guest) -> Result<(), HarnessError> {
    assert_eq!(lost(guest)?, "");
    Ok(())
}

/// The kernel's own ways back are taken too, and are not the driver's.
fn lost_on_the_way_back(guest: &Guest) -> Result<(), HarnessError> {
    let lost = lost(guest)?;
    assert!(!lost.contains("maccel"), "{lost}");
    Ok(())
}
