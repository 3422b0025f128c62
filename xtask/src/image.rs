// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Vespera image: built by buildah from the repository's own Containerfile, and
//! its files as a root that QEMU can boot.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::Utf8PathBuf;

use crate::cache::{Cache, Key};
use crate::kernels::only_entry;
use crate::process;
use crate::progress::{Origin, Steps};
use crate::source;
use crate::standin::{Standin, forget_older, stored};
use crate::workshop::Workshop;

/// Everything that the Containerfile copies: what the result depends on.
const SOURCES: &[&str] = &[
    "Containerfile",
    ".containerignore",
    "vespera-config.yaml",
    "Cargo.toml",
    "Cargo.lock",
    "maccel-core",
    "kmod",
    "module-check",
    "host-agent",
    "image",
    "packaging",
    "tests/Cargo.toml",
    "tests/guest/Cargo.toml",
    "xtask/Cargo.toml",
];

/// A built image.
#[derive(Debug)]
pub(crate) struct Image {
    /// Its name in the workshop's storage.
    pub(crate) reference: String,
    /// Its files as an erofs file system.
    pub(crate) root: Utf8PathBuf,
    /// The driver that was built into it, as it is on a host.
    pub(crate) maccel: Utf8PathBuf,
}

impl Image {
    /// Builds the image on the stand-in base, or finds it in the cache.
    pub(crate) fn build(
        cache: &Cache,
        steps: &Steps,
        workshop: &Workshop,
        standin: &Standin,
    ) -> Result<Self> {
        let crates = vendor(cache, steps)?;
        let key = Key::new("image-2").part(&standin.base).part(&standin.builder);
        let key = source::hash(key, SOURCES)?.text();
        let reference = format!("localhost/vespera:{key}");
        let storage = workshop.room(cache)?;
        steps.step("image: build from the Containerfile", |step| {
            if stored(&storage, &reference)? {
                return Ok(((), Origin::Reused));
            }
            let room = storage
                .clone()
                .bind_read_only(&source::root()?, "/w/source")
                .bind_read_only(&crates, "/w/crates")
                .workdir("/w/source");
            let mut build = room.command("buildah")?;
            build.args(["build", "--pull=never", "--layers", "--network=host", "--force-rm"]);
            build.arg("--build-context=crates=/w/crates");
            build.arg(format!("--build-arg=BASE_IMAGE={}", standin.base));
            build.arg(format!("--build-arg=BUILDER_IMAGE={}", standin.builder));
            process::run(step, build.args(["--tag", &reference, "."]))?;
            forget_older(&storage, &reference)?;
            Ok(((), Origin::Made))
        })?;
        let made = cache.entry(
            steps,
            "image-root",
            "image: root for QEMU",
            Key::new("image-root-1").part(&reference),
            |step, folder| {
                let room = storage.bind(folder, "/w");
                process::run(step, &mut room.export(&reference, "/w")?)
            },
        )?;
        let maccel = only_entry(&made.join("maccel"))?;
        Ok(Self {
            reference,
            root: made.join("root.erofs"),
            maccel: made.join("maccel").join(maccel),
        })
    }
}

/// The sources of all crates, so that the programs are built without a network.
fn vendor(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    let key = source::hash(Key::new("crates-1"), &["Cargo.lock"])?;
    cache.entry(steps, "crates", "crates for the image build", key, |step, folder| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(source::root()?).args(["vendor", "--locked", "--quiet"]);
        process::run(step, cargo.arg(folder.join("vendor")))?;
        let config = "[source.crates-io]\nreplace-with = \"vendored\"\n\
                      [source.vendored]\ndirectory = \"/crates/vendor\"\n";
        fs::write(folder.join("config.toml"), config).context("cannot write cargo's configuration")
    })
}
