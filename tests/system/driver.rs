// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver on a plain distribution kernel.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::{Artifacts, Guest, HarnessError, Kernel, Machine};

use crate::group::Group;
use crate::{curves, devices, pointer, races, refusals, settings, turning};

pub(crate) fn tests(artifacts: &Arc<Artifacts>, kernel: &Kernel) -> (Arc<Group>, Vec<Trial>) {
    let (artifacts, kernel) = (Arc::clone(artifacts), kernel.clone());
    let name = format!("driver {}", kernel.name);
    let counts_memory = kernel.arguments.iter().any(|argument| argument == "kmemleak=on");
    let group = Group::new(name, Box::new(move || boot(&artifacts, &kernel)));
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
    // The last, after all that could have lost something.
    if counts_memory {
        tests.push(group.test("no_memory_is_lost", lost_memory));
    }
    (group, tests)
}

fn boot(artifacts: &Artifacts, kernel: &Kernel) -> Result<Guest, HarnessError> {
    if kernel.maccel.is_none() {
        return Err(HarnessError::Missing {
            what: format!("driver for kernel {}", kernel.release),
            there: "its `maccel` is null".into(),
        });
    }
    // Two: mice on one processor never race.
    Machine::driver(artifacts, kernel).cpus(2).boot()
}

fn loaded(guest: &Guest) -> Result<(), HarnessError> {
    let refused: Vec<_> =
        guest.hello().modules.iter().filter(|module| module.refused.is_some()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    for (name, default) in pointer::DEFAULTS {
        let value = guest.read_file(&pointer::parameter(name))?;
        assert_eq!(value, format!("{default}\n"), "{name}");
    }
    Ok(())
}

fn reload(guest: &Guest) -> Result<(), HarnessError> {
    guest.remove_module("maccel")?;
    let gone = guest.read_file(&pointer::parameter("MODE")).unwrap_err();
    assert_eq!(gone.errno(), Some(2), "{gone}");
    guest.insert_module("/mods/maccel.ko", "")?;
    loaded(guest)
}

fn lost_memory(guest: &Guest) -> Result<(), HarnessError> {
    let lost = guest.run([guest.hello().program.as_str(), "leaks"])?.success()?.stdout;
    assert!(!lost.contains("maccel"), "{lost}");
    Ok(())
}
