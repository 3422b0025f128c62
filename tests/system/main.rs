// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests that boot a guest. Those of a group share one boot.
//!
//! They run on the artifacts `cargo xtask` has made; without them they fail and say so.

// The lints know tests by `#[test]`; here every function is one, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bus;
mod command;
mod curves;
mod devices;
mod driver;
mod group;
mod guard;
mod harness;
mod image;
mod imported;
mod interface;
mod measure;
mod mismatch;
mod packaged;
mod person;
mod pointer;
mod races;
mod rebased;
mod refusals;
mod saves;
mod screen;
mod settings;
#[path = "../../maccel-cli/tests/command/table.rs"]
mod table;
mod turning;
mod updates;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use vespera_tests::{Artifacts, HarnessError};

use crate::group::Group;
use crate::image::Booted;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (groups, trials) = match Artifacts::from_environment() {
        Ok(artifacts) => everything(&Arc::new(artifacts)),
        Err(error) => (Vec::new(), vec![failing("artifacts", &error)]),
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut ended_well = true;
    for group in groups {
        if let Err(error) = group.finish() {
            ended_well = false;
            eprintln!("\nthe end of the guest `{}`: FAILED\n{}", group.name(), chain(&error));
        }
    }
    if ended_well { conclusion.exit_code() } else { ExitCode::from(101) }
}

fn everything(artifacts: &Arc<Artifacts>) -> (Vec<Arc<Group>>, Vec<Trial>) {
    let mut groups = Vec::new();
    let mut trials = Vec::new();
    for kernel in &artifacts.kernels {
        let (group, tests) = harness::tests(artifacts, kernel);
        groups.push(group);
        trials.push(tests);
        // The harness is tested on every kernel, the driver where it was built.
        if kernel.maccel.is_some() {
            let (group, tests) = driver::tests(artifacts, kernel);
            groups.push(group);
            trials.push(tests);
            if driver::watches(&kernel.release) {
                let (group, tests) = driver::memory_tests(artifacts, kernel);
                groups.push(group);
                trials.push(tests);
            }
        }
    }
    match artifacts.image(image::NAME) {
        Ok(found) => {
            let booted = Booted::new(artifacts, found);
            trials.push(saves::tests(&booted));
            for (group, tests) in [
                bus::tests(&booted),
                image::tests(&booted),
                guard::tests(&booted),
                guard::strict_tests(artifacts, found),
                mismatch::tests(artifacts, found),
                updates::tests(&booted),
            ] {
                groups.push(group);
                trials.push(tests);
            }
        }
        Err(error) => trials.push(vec![failing("image", &error)]),
    }
    match (artifacts.image(image::NAME), artifacts.image(rebased::NAME)) {
        (Ok(first), Ok(second)) => {
            let (group, tests) = rebased::tests(artifacts, first, second);
            groups.push(group);
            trials.push(tests);
        }
        (_, Err(error)) => trials.push(vec![failing("rebased", &error)]),
        // Told above.
        (Err(_), Ok(_)) => {}
    }
    match artifacts.image(packaged::NAME) {
        Ok(plain) => trials.push(packaged::tests(artifacts, &Booted::new(artifacts, plain))),
        Err(error) => trials.push(vec![failing("packaged", &error)]),
    }
    (groups, interleaved(trials))
}

/// One of each group in turn, so that two threads find two guests to work with.
fn interleaved(groups: Vec<Vec<Trial>>) -> Vec<Trial> {
    let mut rest: Vec<_> = groups.into_iter().map(Vec::into_iter).collect();
    let mut order = Vec::new();
    loop {
        let round: Vec<Trial> = rest.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return order;
        }
        order.extend(round);
    }
}

fn failing(name: &str, error: &HarnessError) -> Trial {
    let message = chain(error);
    Trial::test(name, move || Err(Failed::from(message)))
}

/// An error with its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    text
}
