// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask soak packages`: the packages as a distribution makes them, from a source tree and
//! without a network, with what they say they need to be built; and the driver by DKMS.

use std::fs;
use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::compilers::Compilers;
use crate::documented;
use crate::enter::Room;
use crate::headers::{Family, Headers};
use crate::image;
use crate::installed::{self, Here};
use crate::kernels::{Kernel, Series};
use crate::mirror::Mirror;
use crate::packages::{self, Build};
use crate::privilege;
use crate::process;
use crate::progress::Steps;
use crate::source;
use crate::workshop::{SUITE, SUITES, Workshop, bootstrap};

/// Besides the tools: what `debian/control` asks for, which dpkg-buildpackage looks at.
const BUILD_DEPENDS: &[&str] = &[
    "cargo/trixie-backports",
    "rustc/trixie-backports",
    "build-essential",
    "libclang-dev",
    "libkmod-dev",
    "libudev-dev",
    "pkgconf",
    "dkms",
    // What the package of the headers depends on.
    "libelf1t64",
    "pahole",
];
/// What `git archive` has.
const EVERYTHING: &[&str] = &["."];

/// As `cargo vendor` says it.
const VENDORED: &str = "
[source.crates-io]
replace-with = \"vendored-sources\"

[source.vendored-sources]
directory = \"vendor\"
";

/// What was made from source.
pub(crate) struct Made {
    /// The folder with `deb`, `rpm`, and `standin`.
    pub(crate) folder: Utf8PathBuf,
    /// The kernel that they have the driver for.
    pub(crate) kernel: Kernel,
    /// Where that was made.
    pub(crate) workshop: Workshop,
}

/// Makes packages from source, tries them in a root, and builds the driver with DKMS.
pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Made> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let compilers = Compilers::make(cache, steps)?;
    let headers = Headers::find(cache, steps, &compilers, &kernel, Family::Amd64)?;
    let crates = image::vendor(cache, steps)?;
    let sources = Mirror::find()?.sources(SUITES);
    let wanted = [packages::PACKAGES, BUILD_DEPENDS].concat();
    let key = || Key::new("source-packer-1").parts(&wanted).parts(&sources);
    let title = "build root: cargo, debhelper, rpmbuild, dkms";
    let root_key = key().text();
    let archive = cache.entry(steps, "source-packer", title, key(), |step, folder| {
        let mut command = bootstrap(SUITE, "apt", &wanted, &folder.join("root.tar"));
        process::run(step, command.args(&sources))
    })?;

    let key = Key::new("source-packages-2").part(root_key).part(headers.unpacked.as_str());
    let key = source::hash(key, EVERYTHING)?;
    let title = "packages from source: deb, lintian, rpm, dkms";
    let folder = cache.entry(steps, "source-packages", title, key, |step, folder| {
        // Of its own: building changes it.
        let root = folder.join("root");
        fs::create_dir_all(&root)?;
        let mut tar = privilege::command("tar");
        let from = archive.join("root.tar");
        tar.args(["--extract", "--file", from.as_str(), "--directory", root.as_str()]);
        process::run(step, &mut tar)?;
        packages::copy_sources(EVERYTHING, folder)?;
        add_crates(&crates, &folder.join("build").join(Build::tree()))?;

        let release = kernel.release.as_str();
        let root_only = Room::new(&root).bind_read_only(&headers.unpacked, crate::headers::PLACE);
        let room = root_only.clone().bind(folder, "/w");
        // Where the Debian rules and the spec look for the headers.
        let places =
            [format!("/usr/src/linux-headers-{release}"), format!("/usr/src/kernels/{release}")];
        process::run(step, room.command("mkdir")?.arg("/usr/src/kernels"))?;
        for place in &places {
            process::run(step, room.command("ln")?.args(["-s", &headers.build, place]))?;
        }
        let variables = [
            "CARGO_HOME=/w/build/cargo",
            "CARGO_NET_OFFLINE=true",
            // What the optimizer does is the matter of `soak release`.
            "CARGO_PROFILE_RELEASE_LTO=off",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL=0",
            "CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16",
        ]
        .map(str::to_owned);
        let build =
            Build { step, room: &room, kernels: release, compiled: false, variables: &variables };
        build.rpm().context("RPMs from source")?;
        build.debian().context("Debian packages from source")?;

        let with_packages = root_only
            .bind_read_only(folder, "/packages")
            .bind_read_only(&kernel.modules(), "/kernel");
        let here = Here { room: &with_packages, step, kernel: release };
        here.dkms(&headers.build).context("the driver by DKMS")?;
        documented::run(step, &room, release)?;
        privilege::remove_tree(&root)?;
        privilege::remove_tree(&folder.join("build"))?;
        privilege::remove_tree(&folder.join("documented"))?;
        privilege::take(folder)
    })?;
    installed::check(cache, steps, "source-installed", &folder, &kernel)?;
    Ok(Made { folder, kernel, workshop })
}

/// Puts the sources of the crates into a tree, as `docs/packages.md` has it for builders without a
/// network.
fn add_crates(crates: &Utf8Path, tree: &Utf8Path) -> Result<()> {
    process::read(Command::new("cp").args(["-r", crates.join("vendor").as_str(), tree.as_str()]))?;
    let path = tree.join(".cargo/config.toml");
    let open = fs::OpenOptions::new().append(true).open(&path);
    open.and_then(|mut file| file.write_all(VENDORED.as_bytes()))
        .with_context(|| format!("cannot add to {path}"))
}
