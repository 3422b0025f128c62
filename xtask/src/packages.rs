// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages for Debian and for distributions with RPM, made of programs that are compiled
//! already, in a root of their own: nothing else depends on it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::mirror::Mirror;
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;
use crate::workshop::{SUITE, bootstrap};

/// The programs were built for the workshop's libraries: the same suite.
const PACKAGES: &[&str] = &[
    "debhelper",
    "dh-dkms",
    "dpkg-dev",
    "lintian",
    "rpm",
    "make",
    "xz-utils",
    // Whose versions the programs are linked with.
    "libkmod2",
    "libudev1",
];
/// What a package is made of, except the programs.
const SOURCES: &[&str] = &["packaging", "kmod", "LICENSES", "CHANGELOG.md"];
/// Says to RPM what a Fedora has; the tests install RPMs on a Debian.
const SYSTEM: &str = "tests/standin/packages/system.spec";
/// The version of the workspace.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compiled<'a> {
    /// A folder with the programs.
    pub(crate) programs: &'a Utf8Path,
    /// Releases of kernels, each with the driver for it.
    pub(crate) drivers: &'a [(&'a str, &'a Utf8Path)],
}

/// The tool root with debhelper, lintian and rpmbuild.
fn room(cache: &Cache, steps: &Steps) -> Result<(Room, String)> {
    let sources = Mirror::find()?.sources(&[SUITE]);
    let key = || Key::new("packer-1").parts(PACKAGES).parts(&sources);
    let title = "tool root: debhelper, lintian, rpmbuild";
    let made = cache.entry(steps, "packer", title, key(), |step, folder| {
        let mut command = bootstrap(SUITE, "apt", PACKAGES, &folder.join("root"));
        process::run(step, command.args(&sources))
    })?;
    Ok((Room::new(&made.join("root")), key().text()))
}

/// Makes all packages, or finds them in the cache. Returns the folder with `deb`, `rpm`, and what
/// the tests install before (`standin`).
pub(crate) fn make(
    cache: &Cache,
    steps: &Steps,
    name: &str,
    compiled: &Compiled<'_>,
) -> Result<Utf8PathBuf> {
    let (room, room_key) = room(cache, steps)?;
    let mut key = Key::new("packages-1").part(room_key).part(VERSION);
    for program in compiled.programs.read_dir_utf8()? {
        let program = program?;
        key = key.part(program.file_name()).part(fs::read(program.path())?);
    }
    for (release, driver) in compiled.drivers {
        key = key.part(release).part(fs::read(driver).with_context(|| format!("no {driver}"))?);
    }
    let key = source::hash(source::hash(key, SOURCES)?, &[SYSTEM])?;
    let title = "packages: deb, lintian, rpm";
    cache.entry(steps, name, title, key, |step, folder| {
        let tree = lay_out(compiled, folder)?;
        let room = room.bind(folder, "/w");
        debian(step, &room, &tree, compiled)?;
        rpm(step, &room, compiled)?;
        privilege::remove_tree(&folder.join("build"))?;
        privilege::take(folder)
    })
}

/// Copies sources, programs and drivers below `build`. Returns the name of the source tree.
fn lay_out(compiled: &Compiled<'_>, folder: &Utf8Path) -> Result<String> {
    let build = folder.join("build");
    let name = format!("vespera-{VERSION}");
    let tree = build.join(&name);
    fs::create_dir_all(&tree)?;
    let mut copy = Command::new("cp");
    copy.current_dir(source::root()?).args(["--parents", "--preserve=mode"]);
    process::read(copy.args(source::files(SOURCES)?).arg(&tree))?;
    fs::create_dir_all(build.join("programs"))?;
    for program in compiled.programs.read_dir_utf8()? {
        let program = program?;
        fs::copy(program.path(), build.join("programs").join(program.file_name()))?;
    }
    for (release, driver) in compiled.drivers {
        let target = build.join("modules").join(release);
        fs::create_dir_all(&target)?;
        fs::copy(driver, target.join(driver.file_name().unwrap_or_default()))
            .with_context(|| format!("no {driver}"))?;
    }
    Ok(name)
}

fn releases(compiled: &Compiled<'_>) -> String {
    compiled.drivers.iter().map(|(release, _)| *release).collect::<Vec<_>>().join(" ")
}

fn debian(step: &Step, room: &Room, tree: &str, compiled: &Compiled<'_>) -> Result<()> {
    let inside = format!("/w/build/{tree}");
    let room = room.clone().workdir(&inside);
    process::run(step, room.command("cp")?.args(["-r", "packaging/debian", "debian"]))?;
    let kernels = format!("KERNELS={}", releases(compiled));
    let variables = ["PROGRAMS=/w/build/programs", "MODULES=/w/build/modules", &kernels];
    process::run(step, room.command("debian/rules")?.arg("kernels").args(variables))?;
    let mut build = room.command("env")?;
    build.args(variables).args(["dpkg-buildpackage", "-d", "-b", "-us", "-uc"]);
    process::run(step, &mut build)?;
    let gather = "mkdir /w/deb && mv ../*.deb /w/deb";
    process::run(step, room.command("sh")?.args(["-c", gather]))?;
    let lint = "lintian --allow-root --fail-on=error,warning /w/deb/*.deb";
    process::run(step, room.command("sh")?.args(["-c", lint]))
}

fn rpm(step: &Step, room: &Room, compiled: &Compiled<'_>) -> Result<()> {
    let room = room.clone().workdir("/w/build");
    let archive = format!("vespera-{VERSION}.tar.gz");
    let tree = format!("vespera-{VERSION}");
    let tar = ["--create", "--gzip", "--exclude=debian", "--file", &archive, &tree];
    process::run(step, room.command("tar")?.args(tar))?;
    let spec = format!("{tree}/packaging/rpm/vespera.spec");
    let system = source::root()?.join(SYSTEM);
    let folder = system.parent().context("the spec has no folder")?;
    let room = room.bind_read_only(folder, "/standin");
    let inside = format!("/standin/{}", system.file_name().unwrap_or_default());
    for (spec, target) in [(spec.as_str(), "/w/rpm"), (&inside, "/w/standin")] {
        // What a distribution would install before it builds is for compiling only.
        let mut build = room.command("rpmbuild")?;
        build.args(["-bb", "--quiet", "--nodeps", "--without", "compile"]);
        for definition in [
            "_topdir /tmp/rpmbuild",
            "_sourcedir /w/build",
            &format!("_rpmdir {target}"),
            "_build_name_fmt %%{NAME}.rpm",
            "programs /w/build/programs",
            "modules /w/build/modules",
            &format!("kernels {}", releases(compiled)),
        ] {
            build.args(["--define", definition]);
        }
        process::run(step, build.arg(spec))?;
    }
    Ok(())
}
