// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dock: a Debian root folder with a registry and what images are shipped with (skopeo,
//! cosign, buildah, git), systemd's own verifiers, and shells that few machines have. `vespera-image`
//! is tested in it with the real tools.
//!
//! It is a root of its own, not part of the workshop: nothing that is built depends on it.

use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::image::Image;
use crate::mirror::Mirror;
use crate::process;
use crate::progress::Steps;
use crate::source;
use crate::workshop::{CONTAINERS_CONF, bootstrap, write_as_root};

/// Newer than the workshop: with the cosign whose own form of signature no host reads, and a
/// flatpak that reads preinstall.d.
const SUITE: &str = "forky";
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "flatpak",
    "buildah",
    "netavark",
    "skopeo",
    "cosign",
    "docker-registry",
    "git",
    "openssl",
    "systemd",
    "udev",
    "kmod",
    "file",
    "xz-utils",
    "zsh",
    "fish",
];

/// The variables that tell the tests of the images, in the order in which they are made: each its
/// name in storage and its configuration.
const IMAGES: &[&str] = &["VESPERA_FIRST", "VESPERA_SECOND", "VESPERA_UPDATE"];

/// The dock, made.
#[derive(Debug)]
pub(crate) struct Dock {
    root: Utf8PathBuf,
}

impl Dock {
    /// Makes the dock, or finds it in the cache.
    pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Self> {
        let sources = Mirror::find()?.sources(&[SUITE]);
        let key = Key::new("dock-1").parts(PACKAGES).parts(&sources).part(CONTAINERS_CONF);
        let title = "tool root: registry, skopeo, cosign, shells";
        let made = cache.entry(steps, "dock", title, key, |step, folder| {
            let root = folder.join("root");
            let mut command = bootstrap(SUITE, "apt", PACKAGES, &root);
            process::run(step, command.args(&sources))?;
            write_as_root(folder, &root.join("etc/containers/containers.conf"), CONTAINERS_CONF)
        })?;
        Ok(Self { root: made.join("root") })
    }

    /// The dock as a place to run commands in, with the workshop's container storage: the built
    /// images are there.
    pub(crate) fn room(&self, cache: &Cache) -> Result<Room> {
        Ok(Room::new(&self.root)
            .bind(&cache.folder("containers")?, "/var/lib/containers")
            .bind(&cache.folder("build-cache")?, "/var/tmp"))
    }
}

/// Builds the tests that need real tools, as static programs: the dock is another distribution.
/// Returns the path of the test program.
pub(crate) fn build_tests(cache: &Cache) -> Result<Utf8PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(source::root()?)
        .args(["test", "--locked", "--no-run", "--message-format=json", "--quiet"])
        .args(["--package=image", "--features=real-tools", "--test=real", "--target", &target])
        .env("CARGO_TARGET_DIR", cache.folder("target-guest")?)
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let said = process::read(&mut cargo)?;
    said.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "real")
        .find_map(|message| message["executable"].as_str().map(Utf8PathBuf::from))
        .context("cargo named no test program")
}

/// A command that runs the test program inside the dock, on the images that were built.
pub(crate) fn tests(
    dock: &Dock,
    cache: &Cache,
    program: &Utf8Path,
    images: &[Image],
) -> Result<Command> {
    let source = source::root()?;
    // The tests find the program under test and the repository at the paths they were built with.
    let target = cache.folder("target-guest")?;
    let scratch = cache.folder("scratch")?;
    let room = dock
        .room(cache)?
        .bind_read_only(&target, target.as_str())
        .bind_read_only(&source, source.as_str())
        .bind_read_only(&scratch, scratch.as_str())
        .workdir("/tmp");
    // The environment stays outside: what the tests are told comes as words.
    let mut command = room.command("env")?;
    for (variable, image) in IMAGES.iter().zip(images) {
        command.arg(format!("{variable}={} {}", image.reference, image.config));
    }
    command.arg(program.as_str());
    Ok(command)
}
