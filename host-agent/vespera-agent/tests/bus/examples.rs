// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples of the documents, run as they stand there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::agent::Agent;
use crate::caller::Caller;
use crate::sysfs::Root;
use crate::world::World;

const FOLDER: &str = "../../docs/examples";
/// 1 and 1.25 as the driver's files hold them.
const ONE: &str = "4294967296";
const MORE: &str = "5368709120";

/// The example in Rust, as part of this program; [`Caller`] runs it.
mod sensitivity {
    include!("../../../../docs/examples/sensitivity.rs");

    pub(crate) fn run() {
        main().unwrap();
    }
}

pub(crate) use sensitivity::run as sensitivity;

/// A program in a file, which its first line names the interpreter of.
fn script(world: &World, name: &str) -> Command {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(name);
    // A copy, since the repository may lie where only its owner can look.
    let copy = world.path(name);
    fs::copy(&from, &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    world.command_of("member", copy)
}

/// Has something run on an agent of its own, and looks at what came of it.
fn changes_the_sensitivity(world: &World, name: &str, run: impl FnOnce() -> Vec<String>) {
    let agent = Agent::start(world, Root::public());
    assert_eq!(agent.root.parameter("SENS_MULT"), ONE);
    let said = run();
    assert_eq!(said.len(), 2, "{name}: {said:?}\n{}", world.logs());
    let numbers = said.iter().map(|line| line.split_once(": ").unwrap());
    let numbers: Vec<(&str, f64)> =
        numbers.map(|(word, number)| (word, number.parse().unwrap())).collect();
    assert_eq!(numbers, [("before", 1.0), ("now", 1.25)], "{name}");
    assert_eq!(agent.root.parameter("SENS_MULT"), MORE, "{name}");
}

fn script_changes_it(world: &World, name: &str) {
    changes_the_sensitivity(world, name, || {
        let mut command = script(world, name);
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} ended with {}: {complaint}", output.status);
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    });
}

pub(crate) fn python(world: &World) {
    script_changes_it(world, "sensitivity.py");
}

pub(crate) fn javascript(world: &World) {
    script_changes_it(world, "sensitivity.js");
}

pub(crate) fn shell(world: &World) {
    script_changes_it(world, "sensitivity.sh");
}

pub(crate) fn rust(world: &World) {
    changes_the_sensitivity(world, "sensitivity.rs", || {
        Caller::start(world, "member", &["example"]).finish()
    });
}
