// SPDX-License-Identifier: MIT OR Apache-2.0
//! The repository's own files: where they are and what they hash to.

use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::Key;
use crate::process;

/// The top folder of the repository.
pub(crate) fn root() -> Result<Utf8PathBuf> {
    // xtask is always built from the tree it works on.
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Utf8Path::to_owned).context("xtask has no parent folder")
}

/// The files below `paths` that git tracks or would track, sorted.
pub(crate) fn files(paths: &[&str]) -> Result<Vec<Utf8PathBuf>> {
    let root = root()?;
    let listed = process::read(
        Command::new("git")
            .args([
                "-C",
                root.as_str(),
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .arg("--")
            .args(paths),
    )?;
    let mut files: Vec<Utf8PathBuf> =
        listed.split_terminator('\0').map(Utf8PathBuf::from).collect();
    files.retain(|file| root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// Adds names and contents of all files below `paths` to a key.
pub(crate) fn hash(mut key: Key, paths: &[&str]) -> Result<Key> {
    let root = root()?;
    for file in files(paths)? {
        let bytes =
            std::fs::read(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
        key = key.part(file.as_str()).part(bytes);
    }
    Ok(key)
}

/// Files whose first lines name their licence.
const LICENSED: &[&str] =
    &["rs", "c", "h", "toml", "Containerfile", "service", "path", "rules", "yml", "yaml", "spec"];
/// A file over this size does not belong into a repository of sources.
const LARGEST: u64 = 1_000_000;

/// Checks what every file of the repository must fulfil: a licence line where the
/// format has comments, and a sensible size.
pub(crate) fn check() -> Result<()> {
    let root = root()?;
    let mut faults = Vec::new();
    for file in files(&["."])? {
        let path = root.join(&file);
        if path.metadata()?.len() > LARGEST {
            faults.push(format!("{file}: larger than {LARGEST} bytes"));
        }
        let name = file.extension().or(file.file_name()).unwrap_or_default();
        if LICENSED.contains(&name) {
            let text = std::fs::read_to_string(&path).with_context(|| format!("{file}"))?;
            if !text.lines().take(3).any(|line| line.contains("SPDX-License-Identifier: ")) {
                faults.push(format!("{file}: no SPDX-License-Identifier in its first lines"));
            }
        }
    }
    if !faults.is_empty() {
        anyhow::bail!("{}", faults.join("\n"));
    }
    Ok(())
}
