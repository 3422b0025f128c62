// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the programs are made of: a bill of materials (SBOM) for each in CycloneDX's format,
//! written by cargo-cyclonedx, and the checksums of all that is released.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::build;
use crate::cache::Cache;
use crate::packages::VERSION;
use crate::privilege;
use crate::process;
use crate::progress::Step;

/// Pinned: what it writes is released.
const TOOL_VERSION: &str = "0.5.9";
/// Folders of the packages whose programs are released.
const PACKAGES: &[&str] = &[
    "maccel-cli",
    "host-agent/vesperactl",
    "host-agent/vespera-agent",
    "host-agent/vespera-module",
];
/// The file with the checksums, in the format of `sha256sum`.
const CHECKSUMS: &str = "SHA256SUMS";
/// What cargo-cyclonedx adds to the names it is given.
const SUFFIX: &str = "cdx";

/// Builds cargo-cyclonedx into the cache folder unless it is there.
fn tool(cache: &Cache, step: &Step) -> Result<Utf8PathBuf> {
    let folder = cache.folder("tools")?.join(format!("cargo-cyclonedx-{TOOL_VERSION}"));
    let program = folder.join("bin/cargo-cyclonedx");
    if !program.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["install", "--quiet", "--locked", "--no-track", "--root", folder.as_str()]);
        cargo.args(["--version", TOOL_VERSION, "--debug", "cargo-cyclonedx"]);
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
        process::run(step, &mut cargo)?;
    }
    Ok(program)
}

/// Writes a bill of materials for each program into `folder`.
pub(crate) fn write(cache: &Cache, step: &Step, folder: &Utf8Path) -> Result<()> {
    let program = tool(cache, step)?;
    // It writes beside the manifests: into a copy.
    let tree = cache.folder("scratch")?.join("bill");
    privilege::remove_tree(&tree)?;
    fs::create_dir_all(&tree)?;
    build::copy_sources(&tree)?;
    let mut cyclonedx = Command::new(program);
    cyclonedx.current_dir(&tree).args(["cyclonedx", "--format=json", "--quiet"]);
    cyclonedx.args(["--spec-version=1.5", "--no-build-deps"]);
    cyclonedx.arg(format!("--target={}-unknown-linux-gnu", std::env::consts::ARCH));
    // Without a serial number and with the commit's time: the same tree, the same bill.
    cyclonedx.env("SOURCE_DATE_EPOCH", build::date()?);
    process::run(step, &mut cyclonedx)?;
    collect(&tree, folder)?;
    privilege::remove_tree(&tree)
}

/// Takes the bills that were written beside the manifests of `tree`.
fn collect(tree: &Utf8Path, folder: &Utf8Path) -> Result<()> {
    for package in PACKAGES {
        let name = name_of(package);
        let made = tree.join(package).join(format!("{name}.{SUFFIX}.json"));
        let target = folder.join(format!("{name}-{VERSION}.{SUFFIX}.json"));
        let text = fs::read_to_string(&made).with_context(|| format!("no {made}"))?;
        // The same wherever it was made.
        fs::write(&target, text.replace(tree.as_str(), "/source"))
            .with_context(|| format!("cannot write {target}"))?;
    }
    Ok(())
}

/// The name of the package in a folder.
fn name_of(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

/// Writes the checksums of all files of a folder into it.
pub(crate) fn checksums(folder: &Utf8Path) -> Result<()> {
    let mut lines = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name() == CHECKSUMS {
            continue;
        }
        let content =
            fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path()))?;
        let hash = Sha256::digest(content);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push(format!("{hash}  {}\n", entry.file_name()));
    }
    lines.sort_by(|a, b| a[64..].cmp(&b[64..]));
    let path = folder.join(CHECKSUMS);
    fs::write(&path, lines.concat()).with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// cargo-cyclonedx asks cargo for this of a copy of the sources.
    #[test]
    fn the_copied_sources_are_a_workspace_with_every_released_program() {
        let tree = tempfile::tempdir().unwrap();
        let tree = Utf8Path::from_path(tree.path()).unwrap().canonicalize_utf8().unwrap();
        build::copy_sources(&tree).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&tree).args(["metadata", "--format-version=1", "--offline", "--locked"]);
        cargo.arg(format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH));
        let said: Value = serde_json::from_str(&process::read(&mut cargo).unwrap()).unwrap();
        let packages = said["packages"].as_array().unwrap();
        let mut programs = BTreeSet::new();
        for folder in PACKAGES {
            let manifest = tree.join(folder).join("Cargo.toml");
            let is_it = |own: &&Value| own["manifest_path"] == manifest.as_str();
            let package = packages.iter().find(is_it).unwrap();
            let name = name_of(folder);
            assert_eq!((&package["name"], &package["version"]), (&name.into(), &VERSION.into()));
            for target in package["targets"].as_array().unwrap() {
                if target["kind"][0] == "bin" {
                    programs.insert((name, target["name"].as_str().unwrap()));
                }
            }
        }
        assert_eq!(programs, build::PROGRAMS.iter().copied().collect());
    }

    #[test]
    fn bills_have_their_version_and_nothing_of_where_they_were_made() {
        let (tree, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [tree, folder] =
            [&tree, &folder].map(|folder| Utf8Path::from_path(folder.path()).unwrap());
        for package in PACKAGES {
            let own = tree.join(package);
            fs::create_dir_all(&own).unwrap();
            let text = format!("{{\"purl\": \"file://{own}\"}}");
            fs::write(own.join(format!("{}.cdx.json", name_of(package))), text).unwrap();
        }
        collect(tree, folder).unwrap();
        for package in PACKAGES {
            let name = format!("{}-{VERSION}.cdx.json", name_of(package));
            let text = fs::read_to_string(folder.join(name)).unwrap();
            assert_eq!(text, format!("{{\"purl\": \"file:///source/{package}\"}}"));
        }
        fs::remove_file(tree.join("maccel-cli/maccel-cli.cdx.json")).unwrap();
        assert!(collect(tree, folder).unwrap_err().to_string().contains("maccel-cli.cdx.json"));
    }

    #[test]
    fn checksums_are_as_sha256sum_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(folder.join("b"), "b\n").unwrap();
        fs::write(folder.join("a"), "a\n").unwrap();
        checksums(folder).unwrap();
        // Again: the list does not list itself.
        checksums(folder).unwrap();
        let text = fs::read_to_string(folder.join(CHECKSUMS)).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| line.split("  ").nth(1)).collect();
        assert_eq!(names, ["a", "b"]);
        let mut check = Command::new("sha256sum");
        process::read(check.current_dir(folder).args(["--check", "--strict", CHECKSUMS])).unwrap();
    }
}
