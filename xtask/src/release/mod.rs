// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask release`: checks that this tree can be the release it says it is, builds it so
//! that anybody can build the same, and puts all files of it into one folder.
//!
//! [`version`] and changelog, that the [`tree`] is committed, then [`compatible`] with the last release
//! ([`schema`], [`bus`]), then [`build`] twice, packages, and [`bill`]s of materials with the checksums.

mod bill;
mod build;
mod bus;
mod compatible;
mod schema;
mod tree;
mod version;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::Cache;
use crate::packages::{self, Build, Compiled, VERSION};
use crate::privilege;
use crate::process;
use crate::progress::Steps;
use crate::setup;
use crate::source;
use crate::workshop::Workshop;

/// How `release` behaves.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Do everything but publish; changes may still be listed as unreleased or not committed
    #[arg(long)]
    dry_run: bool,
    /// Only check version, changelog, what is committed, and compatibility
    #[arg(long)]
    check: bool,
    /// Folder for the files of the release
    #[arg(long, default_value = "target/release-files")]
    output: Utf8PathBuf,
}

/// Entry point of `cargo xtask release`.
pub(crate) fn main(args: &Args) -> Result<()> {
    check(args.dry_run || args.check)?;
    if args.check {
        return Ok(());
    }
    let root = source::root()?;
    let commit = tree::commit(&root)?;
    setup::ensure(args.setup)?;
    privilege::prepare()?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    let made = make(&cache, &steps, &args.output);
    steps.summary();
    made?;
    println!("the files of the release are in {}", args.output);
    if args.dry_run {
        println!("not published (--dry-run); this would make the tag v{VERSION}");
        return Ok(());
    }
    tree::still_at(&root, &commit)?;
    publish(&args.output, &commit)
}

/// Says what keeps this tree from being a release.
fn check(dry_run: bool) -> Result<()> {
    let mut faults = version::faults(VERSION, &compatible::tags()?, dry_run)?;
    faults.extend(tree::faults(&source::root()?, dry_run)?);
    match compatible::last_release()? {
        None => println!("no earlier release: nothing to be compatible with"),
        Some(tag) => {
            let broken = compatible::breaks(&tag)?;
            if broken.is_empty() {
                println!("compatible with {tag}: configuration, D-Bus interfaces");
            }
            faults.extend(broken.into_iter().map(|what| format!("breaks users of {tag}: {what}")));
        }
    }
    if !faults.is_empty() {
        bail!("this tree is not the release {VERSION}:\n  {}", faults.join("\n  "));
    }
    println!("version {VERSION}: the same everywhere, and no such tag yet");
    Ok(())
}

/// Builds the programs twice and compares them: `cargo xtask soak release`.
pub(crate) fn reproduce(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    let workshop = Workshop::make(cache, steps)?;
    let programs = build::first(cache, steps, &workshop)?;
    build::compare_with_second(cache, steps, &workshop, &programs)?;
    println!("compiled twice, in two folders: the same programs");
    Ok(programs)
}

fn make(cache: &Cache, steps: &Steps, output: &Utf8Path) -> Result<()> {
    let programs = reproduce(cache, steps)?;
    let compiled = Compiled { programs: &programs, drivers: &[] };
    let packages = packages::make(cache, steps, "release-packages", &compiled)?;
    if output.exists() {
        fs::remove_dir_all(output).with_context(|| format!("cannot empty {output}"))?;
    }
    fs::create_dir_all(output).with_context(|| format!("cannot create {output}"))?;
    take_packages(&packages, output)?;
    archive(output)?;
    steps.run("bills of materials", |step| bill::write(cache, step, output))?;
    bill::checksums(output)
}

/// Copies the packages of each kind into the release.
fn take_packages(packages: &Utf8Path, output: &Utf8Path) -> Result<()> {
    for folder in ["deb", "rpm"] {
        for entry in walkdir::WalkDir::new(packages.join(folder)) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let name = released_name(&entry.file_name().to_string_lossy());
                fs::copy(entry.path(), output.join(name))?;
            }
        }
    }
    Ok(())
}

/// The name of a package with its version: the RPMs of the tests have none in theirs.
fn released_name(name: &str) -> String {
    match name.strip_suffix(".rpm") {
        Some(package) => format!("{package}-{VERSION}.{}.rpm", std::env::consts::ARCH),
        None => name.to_owned(),
    }
}

/// The sources as git has them.
fn archive(output: &Utf8Path) -> Result<()> {
    let target = output.canonicalize_utf8()?.join(Build::archive());
    tree::archive(&source::root()?, &Build::tree(), &target)
}

/// Makes tag and release at GitHub, with the changelog's section as its text.
fn publish(output: &Utf8Path, commit: &str) -> Result<()> {
    let mut gh = Command::new("gh");
    gh.current_dir(source::root()?).args(["release", "create", &format!("v{VERSION}")]);
    gh.args(["--target", commit, "--title", &format!("Vespera {VERSION}")]);
    gh.args(["--notes", &version::notes()?]);
    for entry in fs::canonicalize(output)?.read_dir()? {
        gh.arg(entry?.path());
    }
    let said = process::read(&mut gh)?;
    println!("{said}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_packages_have_their_version_in_their_names() {
        let arch = std::env::consts::ARCH;
        assert_eq!(released_name("maccel.rpm"), format!("maccel-{VERSION}.{arch}.rpm"));
        assert_eq!(released_name("vespera_0.1.0_amd64.deb"), "vespera_0.1.0_amd64.deb");
    }

    #[test]
    fn a_release_takes_the_packages_of_both_kinds_from_wherever_they_lie() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [from, to] = [&from, &to].map(|folder| Utf8Path::from_path(folder.path()).unwrap());
        for path in ["deb/maccel.deb", "rpm/x86_64/maccel.rpm", "root/usr/bin/maccel"] {
            fs::create_dir_all(from.join(path).parent().unwrap()).unwrap();
            fs::write(from.join(path), path).unwrap();
        }
        take_packages(from, to).unwrap();
        let entries = to.read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.map(|own| own.unwrap().file_name().to_owned()).collect();
        names.sort();
        assert_eq!(names, [released_name("maccel.rpm"), "maccel.deb".to_owned()]);
        fs::remove_dir_all(from.join("rpm")).unwrap();
        assert!(take_packages(from, to).is_err(), "a kind that is missing is no release");
    }

    /// What a line of the spec says, with the spec's own macros in it replaced.
    fn in_spec(spec: &str, name: &str) -> String {
        let value = spec.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let mut value = value.unwrap().to_owned();
        for (used, other) in [("%{url}", "URL"), ("%{name}", "Name"), ("%{version}", "Version")] {
            if value.contains(used) {
                value = value.replace(used, &in_spec(spec, other));
            }
        }
        value
    }

    #[test]
    fn the_spec_names_the_archive_of_the_release_and_the_folder_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        archive(folder).unwrap();
        let made: Vec<_> = folder.read_dir_utf8().unwrap().map(Result::unwrap).collect();
        let [made] = made.as_slice() else { panic!("{made:?}") };

        let spec = source::root().unwrap().join("packaging/rpm/vespera.spec");
        let spec = fs::read_to_string(spec).unwrap();
        let page = format!("releases/download/v{VERSION}");
        let named = format!("{}/{page}/{}", in_spec(&spec, "URL"), made.file_name());
        assert_eq!(in_spec(&spec, "Source0"), named);

        // Without -n, %autosetup goes to the folder NAME-VERSION.
        assert!(spec.lines().any(|line| line == "%autosetup"));
        let mut tar = Command::new("tar");
        let listed = process::read(tar.arg("--list").arg("--file").arg(made.path())).unwrap();
        let tree = format!("{}-{VERSION}/", in_spec(&spec, "Name"));
        assert!(listed.lines().all(|path| path.starts_with(&tree)), "{listed}");
    }
}
