// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mount namespace in which this program is root.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use crate::MUST_RUN;
use crate::world::World;

/// Set inside.
const INSIDE: &str = "VESPERA_BUS_TESTS";

/// Whether this process has a namespace of its own.
pub(crate) fn is_own() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this program again inside a namespace.
///
/// # Errors
/// The reason why there can be none.
pub(crate) fn enter(words: &[String]) -> Result<ExitCode, String> {
    let mut options = vec!["--mount", "--propagation=private"];
    if !rustix::process::geteuid().is_root() {
        options.extend(["--map-root-user", "--map-auto"]);
    }
    let probe = Command::new("unshare")
        .args(&options)
        .args(["--", "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "true"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run unshare: {error}"))?;
    if !probe.status.success() {
        return Err(format!(
            "they need root, or a user namespace with several users (package uidmap): {}",
            String::from_utf8_lossy(&probe.stderr).trim()
        ));
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let status = Command::new("unshare")
        .args(&options)
        .arg("--")
        .arg(program)
        .args(words)
        .env(INSIDE, "1")
        .status()
        .map_err(|error| format!("cannot run unshare: {error}"))?;
    let code = status.code().or(status.signal()).and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(101)))
}

/// This program again, without a way into a namespace.
pub(crate) fn cannot_be_skipped(_: &World) {
    let run = |must_run: bool| {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.env_clear().env("PATH", "/nonexistent").stdin(Stdio::null());
        if must_run {
            program.env(MUST_RUN, "1");
        }
        let output = program.output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains("the bus tests are skipped: cannot run unshare"), "{words}");
        output.status.success()
    };
    assert!(run(false), "a person without the rights is told, and no more");
    assert!(!run(true));
}
