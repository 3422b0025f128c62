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
pub(crate) const PACKAGES: &[&str] = &[
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
/// Where the RPMs of the driver go that are made without the programs; nobody installs them.
const DRIVER_ONLY: &str = "/w/build/driver-only";
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
    let mut key = Key::new("packages-3").part(room_key).part(VERSION);
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
        lay_out(compiled, folder)?;
        let kernels: Vec<&str> = compiled.drivers.iter().map(|(release, _)| *release).collect();
        let (room, kernels) = (room.bind(folder, "/w"), kernels.join(" "));
        let build = Build { step, room: &room, kernels: &kernels, compiled: true, variables: &[] };
        build.debian()?;
        build.rpm()?;
        privilege::remove_tree(&folder.join("build"))?;
        privilege::take(folder)
    })
}

/// Copies the files of the repository below `paths` to where a build has its sources.
pub(crate) fn copy_sources(paths: &[&str], folder: &Utf8Path) -> Result<()> {
    let tree = folder.join("build").join(Build::tree());
    fs::create_dir_all(&tree)?;
    let mut copy = Command::new("cp");
    copy.current_dir(source::root()?).args(["--parents", "--preserve=mode"]);
    process::read(copy.args(source::files(paths)?).arg(&tree)).map(drop)
}

/// Copies sources, programs and drivers below `build`.
fn lay_out(compiled: &Compiled<'_>, folder: &Utf8Path) -> Result<()> {
    copy_sources(SOURCES, folder)?;
    let build = folder.join("build");
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
    Ok(())
}

/// A build of packages in a room that shows its folder at `/w`, with the sources in
/// `/w/build/TREE`.
pub(crate) struct Build<'a> {
    pub(crate) step: &'a Step,
    pub(crate) room: &'a Room,
    /// Releases of kernels, with spaces between.
    pub(crate) kernels: &'a str,
    /// Whether programs and drivers are compiled already, and lie in `/w/build`.
    pub(crate) compiled: bool,
    /// Variables that the build is to see.
    pub(crate) variables: &'a [String],
}

impl Build<'_> {
    /// The name of the folder with the sources.
    pub(crate) fn tree() -> String {
        format!("vespera-{VERSION}")
    }

    /// The name of the archive of the sources, which unpacks to [`Build::tree`].
    pub(crate) fn archive() -> String {
        format!("{}.tar.gz", Self::tree())
    }

    /// Makes the Debian packages and has lintian look at them.
    pub(crate) fn debian(&self) -> Result<()> {
        let (step, room) = (self.step, self.room.clone());
        let room = room.workdir(&format!("/w/build/{}", Self::tree()));
        process::run(step, room.command("cp")?.args(["-r", "packaging/debian", "debian"]))?;
        let mut variables = vec![format!("KERNELS={}", self.kernels)];
        if self.compiled {
            variables.push("PROGRAMS=/w/build/programs".into());
            variables.push("MODULES=/w/build/modules".into());
        }
        process::run(step, room.command("debian/rules")?.arg("kernels").args(&variables))?;
        let mut build = room.command("env")?;
        build.args(self.variables).args(&variables).arg("dpkg-buildpackage");
        if self.compiled {
            // What a distribution would install before it builds is for compiling only.
            build.arg("-d");
        }
        process::run(step, build.args(["-b", "-us", "-uc"]))?;
        let gather = "mkdir /w/deb && mv ../*.deb /w/deb";
        process::run(step, room.command("sh")?.args(["-c", gather]))?;
        let lint = "lintian --allow-root --fail-on=error,warning /w/deb/*.deb";
        process::run(step, room.command("sh")?.args(["-c", lint]))
    }

    /// Makes the RPMs, those of the driver alone, and the one that says what a Fedora has.
    pub(crate) fn rpm(&self) -> Result<()> {
        let (step, tree) = (self.step, Self::tree());
        let room = self.room.clone().workdir("/w/build");
        let archive = Self::archive();
        // Crates have folders of these names, too.
        let left_out = ["debian", "target"].map(|name| format!("--exclude={tree}/{name}"));
        let mut tar = room.command("tar")?;
        tar.args(["--create", "--gzip", "--anchored"]).args(left_out);
        process::run(step, tar.args(["--file", &archive, &tree]))?;
        let spec = format!("{tree}/packaging/rpm/vespera.spec");
        let system = source::root()?.join(SYSTEM);
        let folder = system.parent().context("the spec has no folder")?;
        let room = room.bind_read_only(folder, "/standin");
        let inside = format!("/standin/{}", system.file_name().unwrap_or_default());
        let all: &[&str] = &[];
        let mut builds = vec![(spec.as_str(), "/w/rpm", all), (&inside, "/w/standin", all)];
        if !self.kernels.is_empty() {
            builds.push((&spec, DRIVER_ONLY, &["--without", "programs"]));
        }
        for (spec, target, options) in builds {
            let mut build = room.command("env")?;
            build.args(self.variables).args(["rpmbuild", "-bb", "--quiet"]);
            // RPM's database knows nothing of a Debian's packages.
            build.arg("--nodeps").args(options);
            let mut definitions = vec![
                "_topdir /w/build/rpmbuild".to_owned(),
                "_sourcedir /w/build".to_owned(),
                format!("_rpmdir {target}"),
                "_build_name_fmt %%{NAME}.rpm".to_owned(),
            ];
            // A release has none, and a macro may not be empty.
            if !self.kernels.is_empty() {
                definitions.push(format!("kernels {}", self.kernels));
            }
            if self.compiled {
                build.args(["--without", "compile"]);
                definitions.push("programs /w/build/programs".into());
                definitions.push("modules /w/build/modules".into());
            }
            for definition in &definitions {
                build.args(["--define", definition]);
            }
            process::run(step, build.arg(spec))?;
        }
        if self.kernels.is_empty() {
            return Ok(());
        }
        // As many as kernels, and nothing else.
        let count = format!(
            "cd {DRIVER_ONLY}; for kernel in {}; do ls kmod-maccel-$kernel.rpm; done > ../made; \
             ls | sort > ../there; sort ../made | diff - ../there",
            self.kernels
        );
        process::run(step, room.command("sh")?.args(["-ec", &count]))
    }
}
