// SPDX-License-Identifier: MIT OR Apache-2.0
//! The harness's program inside the guest: one static binary, so that it runs as the
//! first process of an initramfs and in any image.

use std::process::Command;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::cache::Cache;
use crate::process;
use crate::progress::Steps;
use crate::source;

/// Builds the program; cargo itself knows whether there is anything to do.
pub(crate) fn build(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = cache.folder("target-guest")?;
    steps.run("program inside the guest", |step| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(source::root()?)
            .args([
                "build",
                "--release",
                "--locked",
                "--package=vespera-guest",
                "--target",
                &target,
            ])
            .env("CARGO_TARGET_DIR", &folder)
            .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
        process::run(step, &mut cargo)
    })?;
    Ok(folder.join(target).join("release/vespera-guest"))
}
