// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that differ.
//!
//! Times and sizes prove nothing in an image: tools set all times to one. But a file that both
//! images take from the same layer is the same, and what they share is most of them. So only what
//! the other layers hold is compared, by content.

use std::collections::BTreeSet;
use std::fs::{self, File as Handle, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::side::Error;
use crate::opened::Opened;

const BLOCK: usize = 64 * 1024;

/// A file of one image, or of both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct File {
    /// Its path.
    pub path: Utf8PathBuf,
    /// Its size in the new image, or in the old one if it is gone.
    pub size: u64,
}

/// The files that differ, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Only in the new image.
    pub added: Vec<File>,
    /// Only in the old image.
    pub removed: Vec<File>,
    /// In both, with another content, mode or kind.
    pub changed: Vec<File>,
}

/// Compares the files of two images.
///
/// # Errors
///
/// When something cannot be read.
pub(super) fn compare(old: &Opened<'_>, new: &Opened<'_>) -> Result<Changes, Error> {
    let (old_layers, new_layers) = (real(&old.layers)?, real(&new.layers)?);
    let unshared = |own: &[Utf8PathBuf], other: &[Utf8PathBuf]| -> Vec<Utf8PathBuf> {
        own.iter().filter(|layer| !other.contains(layer)).cloned().collect()
    };
    let mut tops = unshared(&old_layers, &new_layers);
    tops.extend(unshared(&new_layers, &old_layers));
    if old_layers.is_empty() || new_layers.is_empty() {
        // Storage that does not keep layers apart: everything is compared.
        tops = vec![old.root.clone(), new.root.clone()];
    }
    let mut changes = Changes::default();
    for path in candidates(&tops, &old.root, &new.root)? {
        let (before, after) = (old.root.join(&path), new.root.join(&path));
        let file = |size| File { path: Utf8Path::new("/").join(&path), size };
        match (meta(&before)?, meta(&after)?) {
            (None, Some(meta)) => changes.added.push(file(meta.len())),
            (Some(meta), None) => changes.removed.push(file(meta.len())),
            (Some(a), Some(b)) if !same(&before, &a, &after, &b)? => {
                changes.changed.push(file(b.len()));
            }
            _ => {}
        }
    }
    Ok(changes)
}

/// Paths that may differ: whatever the layers hold that are not shared (a removed file is a mark
/// there), and, since a folder can hide all that is below it in lower layers, what the same folder
/// shows in one image and not in the other.
fn candidates(
    tops: &[Utf8PathBuf],
    old: &Utf8Path,
    new: &Utf8Path,
) -> Result<BTreeSet<Utf8PathBuf>, Error> {
    let mut found = BTreeSet::new();
    for top in tops {
        let mut folders = vec![Utf8PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let (before, after) = (names(&old.join(&folder))?, names(&new.join(&folder))?);
            for name in before.symmetric_difference(&after) {
                let path = folder.join(name);
                for root in [old, new] {
                    everything(root, &path, &mut found)?;
                }
            }
            for name in names(&top.join(&folder))? {
                let path = folder.join(name);
                if meta(&top.join(&path))?.is_some_and(|meta| meta.is_dir()) {
                    folders.push(path);
                } else {
                    found.insert(path);
                }
            }
        }
    }
    Ok(found)
}

/// A path, or all files below it.
fn everything(
    root: &Utf8Path,
    path: &Utf8Path,
    found: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), Error> {
    let mut rest = vec![path.to_owned()];
    while let Some(path) = rest.pop() {
        match meta(&root.join(&path))? {
            Some(meta) if meta.is_dir() => {
                rest.extend(names(&root.join(&path))?.into_iter().map(|name| path.join(name)));
            }
            Some(_) => {
                found.insert(path);
            }
            None => {}
        }
    }
    Ok(())
}

/// What a folder holds; nothing, if it is none. Names that are not UTF-8 are verification's to
/// find, and are left out.
fn names(folder: &Utf8Path) -> Result<BTreeSet<String>, Error> {
    if !meta(folder)?.is_some_and(|meta| meta.is_dir()) {
        return Ok(BTreeSet::new());
    }
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let mut found = BTreeSet::new();
    for entry in entries {
        found.extend(entry.map_err(unreadable(folder))?.file_name().into_string().ok());
    }
    Ok(found)
}

fn meta(path: &Utf8Path) -> Result<Option<Metadata>, Error> {
    match path.symlink_metadata() {
        Ok(meta) => Ok(Some(meta)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(unreadable(path)(error)),
    }
}

fn same(a: &Utf8Path, one: &Metadata, b: &Utf8Path, two: &Metadata) -> Result<bool, Error> {
    let kind = |meta: &Metadata| (meta.file_type(), meta.uid(), meta.gid());
    if kind(one) != kind(two) || one.permissions().mode() != two.permissions().mode() {
        return Ok(false);
    }
    if one.is_symlink() {
        let target = |path: &Utf8Path| fs::read_link(path).map_err(unreadable(path));
        return Ok(target(a)? == target(b)?);
    }
    if !one.is_file() {
        return Ok(one.rdev() == two.rdev());
    }
    if one.len() != two.len() {
        return Ok(false);
    }
    let open = |path: &Utf8Path| Handle::open(path).map_err(unreadable(path));
    same_content(&mut open(a)?, &mut open(b)?).map_err(unreadable(b))
}

fn same_content(a: &mut impl Read, b: &mut impl Read) -> io::Result<bool> {
    let (mut one, mut two) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    loop {
        one.clear();
        two.clear();
        a.take(BLOCK as u64).read_to_end(&mut one)?;
        b.take(BLOCK as u64).read_to_end(&mut two)?;
        if one != two {
            return Ok(false);
        }
        if one.is_empty() {
            return Ok(true);
        }
    }
}

/// Layers are named by links.
fn real(layers: &[Utf8PathBuf]) -> Result<Vec<Utf8PathBuf>, Error> {
    layers.iter().map(|layer| layer.canonicalize_utf8().map_err(unreadable(layer))).collect()
}

fn unreadable(path: &Utf8Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    #[test]
    fn content_counts_not_size() {
        let equal = |a: &[u8], b: &[u8]| same_content(&mut &a[..], &mut &b[..]).unwrap();
        let long = vec![7; BLOCK + 1];
        let mut other = long.clone();
        other[BLOCK] = 8;
        assert!(equal(&long, &long) && equal(b"", b""));
        assert!(!equal(&long, &other) && !equal(b"a", b""));
    }

    /// A layer that hides a whole folder of a lower one holds none of the files that are gone.
    #[test]
    fn files_below_a_hidden_folder_are_candidates() {
        let (top, old, new) = (Root::new(), Root::new(), Root::new());
        top.file("usr/share/x/new", "");
        new.file("usr/share/x/new", "");
        old.file("usr/share/x/deep/old", "");
        old.file("usr/share/untouched", "1");
        new.file("usr/share/untouched", "1");
        let found = candidates(&[top.path().to_owned()], old.path(), new.path()).unwrap();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["usr/share/x/deep/old", "usr/share/x/new"]
        );
    }
}
