// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs of a release, compiled in the workshop from the sources of the crates, without a
//! network. Done twice, in folders of different names, the bytes must be the same.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use crate::cache::{Cache, Key};
use crate::image;
use crate::packages::VERSION;
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;
use crate::workshop::Workshop;

/// The folders that it is compiled in: nothing of their names may get into a program.
const PLACES: [&str; 2] = ["first", "another/and/deeper"];
/// Packages and the programs they make.
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("maccel-cli", "maccel"),
    ("vesperactl", "vesperactl"),
    ("vespera-agent", "vespera-agent"),
    ("vespera-module", "vespera-module"),
];
/// Cargo wants every member of the workspace to exist.
const MEMBERS: &[&str] = &["tests", "xtask"];

/// Compiles the programs, or finds them in the cache. Returns their folder.
pub(crate) fn first(cache: &Cache, steps: &Steps, workshop: &Workshop) -> Result<Utf8PathBuf> {
    compiled(cache, steps, workshop, 0)
}

/// Compiles the programs a second time, elsewhere, and compares them with `first`.
pub(crate) fn compare_with_second(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    first: &Utf8Path,
) -> Result<()> {
    let second = compiled(cache, steps, workshop, 1)?;
    let different = different(first, &second)?;
    if !different.is_empty() {
        bail!("compiled twice, these differ: {}; see {first} and {second}", different.join(", "));
    }
    Ok(())
}

/// The time of the commit, for what has a date in it.
pub(crate) fn date() -> Result<String> {
    let root = source::root()?;
    process::read(Command::new("git").args(["-C", root.as_str(), "log", "-1", "--format=%ct"]))
}

fn compiled(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    which: usize,
) -> Result<Utf8PathBuf> {
    let crates = image::vendor(cache, steps)?;
    let place = PLACES[which];
    let key = Key::new("release-programs-1").part(workshop.key()).part(place).part(date()?);
    let key = source::hash(key, image::SOURCES)?;
    let title = format!("programs of the release, in the folder {place}");
    let name = format!("release-programs-{}", which + 1);
    let made = cache.entry(steps, &name, &title, key, |step, folder| {
        compile(cache, step, workshop, &crates, place, folder)
    })?;
    Ok(made.join("programs"))
}

fn compile(
    cache: &Cache,
    step: &Step,
    workshop: &Workshop,
    crates: &Utf8Path,
    place: &str,
    folder: &Utf8Path,
) -> Result<()> {
    let tree = format!("{place}/vespera-{VERSION}");
    let outside = folder.join(&tree);
    fs::create_dir_all(&outside)?;
    copy_sources(&outside)?;
    let (inside, vendor) = (format!("/w/{tree}"), format!("/{place}/crates"));
    let room = workshop.room(cache)?.bind(folder, "/w").bind_read_only(crates, &vendor);
    let room = room.workdir(&inside);
    let mut build = room.command("env")?;
    build.args([
        &format!("SOURCE_DATE_EPOCH={}", date()?),
        &format!(
            "RUSTFLAGS=--remap-path-prefix={inside}=/source --remap-path-prefix={vendor}/vendor=/crates"
        ),
        "CARGO_HOME=/tmp/cargo",
        "nice",
        "cargo",
        "build",
        "--release",
        "--locked",
        "--offline",
        "--config=source.crates-io.replace-with='vendored'",
        &format!("--config=source.vendored.directory='{vendor}/vendor'"),
    ]);
    for (package, _) in PROGRAMS {
        build.arg(format!("--package={package}"));
    }
    process::run(step, &mut build)?;
    let programs = folder.join("programs");
    fs::create_dir_all(&programs)?;
    for (_, program) in PROGRAMS {
        let built = outside.join("target/release").join(program);
        fs::copy(&built, programs.join(program)).with_context(|| format!("no {built}"))?;
    }
    let top = place.split('/').next().unwrap_or(place);
    privilege::remove_tree(&folder.join(top))
}

/// Copies what cargo needs into a folder.
pub(crate) fn copy_sources(folder: &Utf8Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.current_dir(source::root()?).args(["--parents", "--preserve=mode"]);
    copy.args(source::files(image::SOURCES)?).args(source::files(MEMBERS)?);
    process::read(copy.arg(folder)).map(drop)
}

/// The names of files that only one of two folders has, or that differ.
fn different(first: &Utf8Path, second: &Utf8Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in [first, second] {
        for entry in WalkDir::new(folder).min_depth(1) {
            let entry = entry.with_context(|| format!("cannot list {folder}"))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    names.dedup();
    names.retain(|name| {
        let read = |folder: &Utf8Path| fs::read(folder.join(name)).ok();
        let (first, second) = (read(first), read(second));
        first.is_none() || first != second
    });
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_differ_or_are_missing_are_named() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let paths = [one.path(), two.path()].map(|path| Utf8Path::from_path(path).unwrap());
        for (folder, name, content) in [
            (paths[0], "same", "x"),
            (paths[1], "same", "x"),
            (paths[0], "other", "x"),
            (paths[1], "other", "y"),
            (paths[0], "lone", "x"),
        ] {
            fs::write(folder.join(name), content).unwrap();
        }
        assert_eq!(different(paths[0], paths[1]).unwrap(), ["lone", "other"]);
        assert_eq!(different(paths[0], paths[0]).unwrap(), [""; 0]);
    }
}
