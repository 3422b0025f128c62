// SPDX-License-Identifier: MIT OR Apache-2.0
//! cargo-deny, which holds the dependencies to `deny.toml`.

use std::process::Command;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::cache::Cache;
use crate::process;
use crate::progress::Step;

/// Pinned, since its configuration format moves.
const VERSION: &str = "0.20.2";
/// Advisories are left to the workflow: they need a database from the network.
pub(crate) const CHECKS: &[&str] = &["licenses", "bans", "sources"];

/// Builds cargo-deny into the cache folder unless it is there.
pub(crate) fn install(cache: &Cache, step: &Step) -> Result<Utf8PathBuf> {
    let folder = cache.folder("tools")?.join(format!("cargo-deny-{VERSION}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["install", "--quiet", "--locked", "--no-track", "--root", folder.as_str()]);
        // Its own speed does not matter; the time to build it does.
        cargo.args(["--version", VERSION, "--debug", "cargo-deny"]);
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
        process::run(step, &mut cargo)?;
    }
    Ok(program)
}
