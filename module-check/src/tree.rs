// SPDX-License-Identifier: MIT OR Apache-2.0
//! One kernel's module folder, searched the way kmod does.
//!
//! kmod never walks the folder: it believes the index that depmod wrote, in which `updates/` and
//! `extra/` have already won or lost. A file that is there but not in the index does not exist for
//! it, and that is a finding of its own.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::root::Root;

/// The folders that hold one folder per kernel, the merged `/usr` first.
const MODULE_FOLDERS: [&str; 2] = ["usr/lib/modules", "lib/modules"];

/// Deeper than any module lies; a loop of links must end.
const MAX_DEPTH: usize = 12;

/// Why a kernel's folder could not be searched.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was read.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The answer to "where is the module?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// kmod finds this file.
    Found(Utf8PathBuf),
    /// The file is there, but depmod's index does not list it, so kmod does not find it.
    NotIndexed(Utf8PathBuf),
    /// There is no such file for this kernel.
    Missing,
}

/// The module folder of one kernel release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelTree {
    release: String,
    folder: Utf8PathBuf,
}

impl KernelTree {
    /// The folder of `release` under `root`, whether or not it exists.
    pub fn new(root: &Root, release: &str) -> Self {
        let folder = MODULE_FOLDERS
            .iter()
            .map(|parent| root.at(parent).join(release))
            .find(|folder| folder.is_dir())
            .unwrap_or_else(|| root.at(MODULE_FOLDERS[0]).join(release));
        Self { release: release.to_owned(), folder }
    }

    /// The kernel release.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// The folder.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Looks `module` up.
    pub fn find(&self, module: &str) -> Result<Lookup, TreeError> {
        if let Some(path) = self.indexed(module)?
            && path.exists()
        {
            return Ok(Lookup::Found(path));
        }
        Ok(find_file(&self.folder, module, MAX_DEPTH)?.map_or(Lookup::Missing, Lookup::NotIndexed))
    }

    /// The version magic of the kernel itself, as one of its own modules carries it: no file
    /// states it, and the running kernel tells it only when it refuses a module.
    pub fn kernel_vermagic(&self) -> Option<String> {
        // The first modules that read well will do; the rest would say the same.
        const ATTEMPTS: usize = 8;
        self.own_modules().iter().take(ATTEMPTS).find_map(|path| {
            let module = crate::ModuleFile::read(&self.folder.join(path)).ok()?;
            module.vermagic().map(str::to_owned)
        })
    }

    /// The kernel's own modules, as paths inside the folder; none when they cannot be listed.
    pub(crate) fn own_modules(&self) -> Vec<String> {
        let index = self.index().ok().flatten().unwrap_or_default();
        index
            .lines()
            .filter_map(|line| line.split_once(':').map(|(path, _)| path))
            .filter(|path| path.starts_with("kernel/"))
            .map(str::to_owned)
            .collect()
    }

    fn index(&self) -> Result<Option<String>, TreeError> {
        // libkmod reads the binary form, which depmod writes together with the text.
        if !self.folder.join("modules.dep.bin").exists() {
            return Ok(None);
        }
        let path = self.folder.join("modules.dep");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(TreeError::Read { path, source }),
        }
    }

    fn indexed(&self, module: &str) -> Result<Option<Utf8PathBuf>, TreeError> {
        let index = self.index()?;
        // A path may be absolute (weak-updates elsewhere): join() then takes it as it is.
        Ok(index
            .as_deref()
            .and_then(|text| path_in_index(text, module))
            .map(|path| self.folder.join(path)))
    }
}

/// Finds the path of `module` in the text of `modules.dep`.
pub fn path_in_index<'a>(modules_dep: &'a str, module: &str) -> Option<&'a str> {
    modules_dep
        .lines()
        .filter_map(|line| line.split_once(':').map(|(path, _)| path.trim()))
        .find(|path| Utf8Path::new(path).file_name().is_some_and(|file| is_module(file, module)))
}

/// All kernel releases that have a module folder under `root`, sorted.
pub fn releases(root: &Root) -> Result<Vec<String>, TreeError> {
    let mut found = Vec::new();
    for parent in MODULE_FOLDERS {
        let folder = root.at(parent);
        for entry in entries(&folder)? {
            if entry.is_dir()
                && let Some(name) = entry.file_name()
                && !found.iter().any(|known| known == name)
            {
                found.push(name.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The kernel releases under `root` for which a file of `module` exists, sorted.
pub fn releases_with(root: &Root, module: &str) -> Result<Vec<String>, TreeError> {
    let mut found = releases(root)?;
    found.retain(|release| {
        KernelTree::new(root, release).find(module).is_ok_and(|lookup| lookup != Lookup::Missing)
    });
    Ok(found)
}

/// Whether `file` is a file of `module`: `-` and `_` are one, and a compression suffix may follow.
fn is_module(file: &str, module: &str) -> bool {
    let stem =
        [".ko", ".ko.xz", ".ko.zst", ".ko.gz"].iter().find_map(|suffix| file.strip_suffix(suffix));
    stem.is_some_and(|stem| stem.replace('-', "_") == module.replace('-', "_"))
}

/// Third-party folders first, since that is where the module belongs; a whole walk of the
/// kernel's own modules happens only when they do not have it.
fn find_file(
    folder: &Utf8Path,
    module: &str,
    depth: usize,
) -> Result<Option<Utf8PathBuf>, TreeError> {
    if depth == 0 {
        return Ok(None);
    }
    let mut folders = Vec::new();
    for path in entries(folder)? {
        let Some(name) = path.file_name() else { continue };
        if is_module(name, module) {
            return Ok(Some(path));
        }
        // `build` and `source` lead out of the tree.
        if path.is_dir() && !path.is_symlink() {
            folders.push(path);
        }
    }
    let rank = |path: &Utf8PathBuf| match path.file_name() {
        Some("updates") => 0,
        Some("extra") => 1,
        Some("weak-updates") => 2,
        _ => 3,
    };
    folders.sort_by_key(rank);
    for path in folders {
        if let Some(found) = find_file(&path, module, depth - 1)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The entries of a folder in a fixed order; none when the folder is not there.
fn entries(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>, TreeError> {
    let failed = |source| TreeError::Read { path: folder.to_owned(), source };
    let listing = match folder.read_dir_utf8() {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = listing
        .map(|entry| entry.map(camino::Utf8DirEntry::into_path))
        .collect::<io::Result<Vec<_>>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{FixtureRoot, ModuleBuilder};

    #[test]
    fn the_index_decides_which_file_kmod_takes() {
        let fixture = FixtureRoot::new();
        for place in ["extra/maccel/maccel.ko", "updates/maccel.ko.xz"] {
            fixture.file(&format!("usr/lib/modules/6.1.0/{place}"), b"x");
        }
        fixture.index("6.1.0", &["kernel/fs/fat.ko", "updates/maccel.ko.xz"]);
        let tree = KernelTree::new(fixture.root(), "6.1.0");
        let expected = fixture.root().at("usr/lib/modules/6.1.0/updates/maccel.ko.xz");
        assert_eq!(tree.find("maccel").unwrap(), Lookup::Found(expected));
    }

    #[test]
    fn a_file_outside_the_index_is_told_from_no_file() {
        let fixture = FixtureRoot::new();
        let place = fixture.module("6.1.0", &ModuleBuilder::new("6.1.0"));
        fixture.index("6.1.0", &["kernel/fs/fat.ko"]);
        fixture.index("6.2.0", &[]);
        let find = |release| KernelTree::new(fixture.root(), release).find("maccel").unwrap();
        assert_eq!(find("6.1.0"), Lookup::NotIndexed(place));
        assert_eq!(find("6.2.0"), Lookup::Missing);
        assert_eq!(find("6.3.0"), Lookup::Missing);
        assert_eq!(releases(fixture.root()).unwrap(), ["6.1.0", "6.2.0"]);
        assert_eq!(releases_with(fixture.root(), "maccel").unwrap(), ["6.1.0"]);
    }

    #[test]
    fn an_index_entry_without_its_file_counts_for_nothing() {
        let fixture = FixtureRoot::new();
        fixture.index("6.1.0", &["extra/maccel/maccel.ko.xz"]);
        let tree = KernelTree::new(fixture.root(), "6.1.0");
        assert_eq!(tree.find("maccel").unwrap(), Lookup::Missing);
    }

    #[test]
    fn file_names_are_matched_as_kmod_matches_them() {
        for (file, module, same) in [
            ("maccel.ko", "maccel", true),
            ("maccel.ko.zst", "maccel", true),
            ("snd-hda.ko.xz", "snd_hda", true),
            ("maccel.ko.bz2", "maccel", false),
            ("xmaccel.ko", "maccel", false),
            ("maccel", "maccel", false),
        ] {
            assert_eq!(is_module(file, module), same, "{file}");
        }
    }

    #[test]
    fn the_kernels_own_magic_comes_from_one_of_its_modules() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        let tree = KernelTree::new(fixture.root(), "6.1.0");
        assert_eq!(
            tree.kernel_vermagic().as_deref(),
            Some("6.1.0 SMP preempt mod_unload modversions ")
        );
        assert_eq!(KernelTree::new(fixture.root(), "6.2.0").kernel_vermagic(), None);
    }
}
