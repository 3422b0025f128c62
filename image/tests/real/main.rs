// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vespera-image` with the real registry, skopeo, buildah, cosign and git.
//!
//! `cargo xtask test` runs this inside a root folder that has them all.

// Every function here is a test, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod building;
mod built;
mod cached;
mod compare;
mod detect;
mod flatpak;
mod killed;
mod place;
mod publish;
mod seeded;

use std::process::{Command, Output};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_vespera-image");

/// Runs a command that has to succeed and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command:?}\n{}", both(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}
