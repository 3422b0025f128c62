// SPDX-License-Identifier: MIT OR Apache-2.0
//! The workshop: a Debian root folder with compiler, kernel headers, buildah and RPM
//! tools, the same on every machine whatever its own distribution.
//!
//! It also becomes the builder image of the stand-in build ([`crate::standin`]).

use std::fs;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::mirror::Mirror;
use crate::privilege;
use crate::process;
use crate::progress::Steps;

/// Debian release of the workshop: its buildah is safe with `--mount=type=tmpfs`
/// (older ones empty the layer), its gcc is the one that built the kernel used.
pub(crate) const SUITE: &str = "trixie";
/// Older suites only add older versions, which apt leaves alone: kernels come from them.
pub(crate) const SUITES: &[&str] =
    &["trixie", "trixie-backports", "trixie-security", "bookworm", "bookworm-security"];
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "buildah",
    // buildah refuses to start without it, though our builds use the host's network.
    "netavark",
    "rpm",
    "createrepo-c",
    "file",
    "erofs-utils",
    "kmod",
    "xz-utils",
    "zstd",
    "gcc",
    "make",
    "libc6-dev",
    "libkmod-dev",
    "libudev-dev",
    "libclang1-19",
    "libclang-common-19-dev",
    "pkg-config",
    // The release's own Rust is older than our `rust-version`.
    "cargo/trixie-backports",
    "rustc/trixie-backports",
    "linux-headers-amd64",
];
/// Containers may not raise limits above those of the machine they are built on.
pub(crate) const CONTAINERS_CONF: &str = "[containers]\n\
    default_ulimits = [\"nofile=8192:8192\", \"nproc=8192:8192\"]\n\
    [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n";

/// Debian files that nobody reads in a build.
pub(crate) const LEFT_OUT: &[&str] = &["man", "doc", "locale", "info"];

/// The tool root, made.
#[derive(Debug)]
pub(crate) struct Workshop {
    root: Utf8PathBuf,
    key: String,
}

impl Workshop {
    /// Makes the workshop, or finds it in the cache.
    pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Self> {
        let mirror = Mirror::find()?;
        let sources = mirror.sources(SUITES);
        let key = || Key::new("workshop-1").parts(PACKAGES).parts(&sources).part(CONTAINERS_CONF);
        let title = "tool root: compiler, headers, buildah";
        let path = cache.entry(steps, "workshop", title, key(), |step, folder| {
            let root = folder.join("root");
            let mut command = bootstrap(SUITE, "apt", PACKAGES, &root);
            command.args(&sources);
            process::run(step, &mut command)?;
            write_as_root(folder, &root.join("etc/containers/containers.conf"), CONTAINERS_CONF)
        })?;
        Ok(Self { root: path.join("root"), key: key().text() })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// What the results made with this workshop depend on.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The workshop as a place to run commands in, with container storage that
    /// outlives it.
    pub(crate) fn room(&self, cache: &Cache) -> Result<Room> {
        Ok(Room::new(&self.root)
            .bind(&cache.folder("containers")?, "/var/lib/containers")
            // buildah keeps `RUN --mount=type=cache` folders and big files here.
            .bind(&cache.folder("build-cache")?, "/var/tmp"))
    }
}

/// An mmdebstrap command for a root of `suite`; source lines may follow.
pub(crate) fn bootstrap(
    suite: &str,
    variant: &str,
    packages: &[&str],
    target: &Utf8Path,
) -> std::process::Command {
    let mut command = privilege::command("mmdebstrap");
    command.args(["--mode=root", &format!("--variant={variant}")]);
    command.arg("--keyring=/usr/share/keyrings/debian-archive-keyring.gpg");
    command.arg("--aptopt=Acquire::Languages \"none\"");
    // A mirror may lag behind its own expiry date; the signatures are still checked.
    command.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
    command.arg("--aptopt=Acquire::Retries \"3\"");
    for folder in LEFT_OUT {
        command.arg(format!("--dpkgopt=path-exclude=/usr/share/{folder}/*"));
    }
    command.arg(format!("--include={}", packages.join(",")));
    command.args([suite, target.as_str()]);
    command
}

/// Writes a file into a root folder that may belong to root.
pub(crate) fn write_as_root(scratch: &Utf8Path, target: &Utf8Path, text: &str) -> Result<()> {
    let draft = scratch.join("draft");
    fs::write(&draft, text).with_context(|| format!("cannot write {draft}"))?;
    process::read(privilege::command("install").args([
        "-D",
        "-m",
        "0644",
        draft.as_str(),
        target.as_str(),
    ]))?;
    fs::remove_file(&draft).with_context(|| format!("cannot remove {draft}"))
}
