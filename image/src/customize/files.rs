// SPDX-License-Identifier: MIT OR Apache-2.0
//! Placing files with the modes of an image.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, file_error};

/// A folder, and a program.
pub const EXECUTABLE: u32 = 0o755;
/// Any other file.
pub const PLAIN: u32 = 0o644;

/// Folders below `usr` whose files are programs.
const PROGRAM_FOLDERS: &[&str] = &["usr/bin", "usr/sbin", "usr/libexec"];

/// The mode of a file at its final path: the modes of a checkout depend on the machine's umask.
pub fn mode_of(path: &Utf8Path) -> u32 {
    if PROGRAM_FOLDERS.iter().any(|folder| path.starts_with(folder)) { EXECUTABLE } else { PLAIN }
}

/// Writes a file with a mode, and the folders above it. Returns whether anything changed.
///
/// # Errors
///
/// When a folder or the file cannot be written.
pub fn write(path: &Utf8Path, content: &[u8], mode: u32) -> Result<bool, Error> {
    let same = fs::symlink_metadata(path).is_ok_and(|meta| {
        meta.is_file()
            && meta.permissions().mode() & 0o7777 == mode
            && fs::read(path).is_ok_and(|present| present == content)
    });
    if same {
        return Ok(false);
    }
    parents(path)?;
    // What is there is replaced, never written through: it may be a link into the base.
    remove(path)?;
    fs::write(path, content).map_err(file_error("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(file_error("set the mode of", path))?;
    Ok(true)
}

/// Makes a symbolic link. Returns whether anything changed.
///
/// # Errors
///
/// When a folder or the link cannot be written.
pub fn link(path: &Utf8Path, target: &str) -> Result<bool, Error> {
    if fs::read_link(path).is_ok_and(|present| present.as_os_str() == target) {
        return Ok(false);
    }
    parents(path)?;
    remove(path)?;
    symlink(target, path).map_err(file_error("link", path))?;
    Ok(true)
}

/// Removes a file or a link that may be absent. Returns whether it was there.
///
/// # Errors
///
/// When it is there and cannot be removed.
pub fn remove(path: &Utf8Path) -> Result<bool, Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file_error("remove", path)(error)),
    }
}

fn parents(path: &Utf8Path) -> Result<(), Error> {
    let Some(parent) = path.parent() else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    parents(parent)?;
    fs::create_dir(parent).map_err(file_error("create", parent))?;
    // Not left to the umask of whoever runs the build.
    fs::set_permissions(parent, fs::Permissions::from_mode(EXECUTABLE))
        .map_err(file_error("set the mode of", parent))
}

/// All files and links below a folder, as paths relative to it, sorted.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn list(top: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().map_err(file_error("read", &folder))? {
            let entry = entry.map_err(file_error("read", &folder))?;
            let kind = entry.file_type().map_err(file_error("read", entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path().to_owned());
            } else if let Ok(path) = entry.path().strip_prefix(top) {
                found.push(path.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    #[test]
    fn writing_sets_the_mode_and_changes_nothing_the_second_time() {
        let root = Root::new();
        let path = root.path().join("usr/bin/x");
        assert!(write(&path, b"1", EXECUTABLE).unwrap());
        assert_eq!(root.mode("usr/bin/x"), 0o755);
        assert!(!write(&path, b"1", EXECUTABLE).unwrap());
        assert!(write(&path, b"1", PLAIN).unwrap());
        assert_eq!(root.mode("usr/bin/x"), 0o644);
    }

    #[test]
    fn a_link_is_replaced_not_written_through() {
        let root = Root::new();
        root.file("base", "untouched");
        root.link("../base", "usr/x");
        write(&root.path().join("usr/x"), b"new", PLAIN).unwrap();
        assert_eq!(root.read("base"), "untouched");
        assert_eq!(root.read("usr/x"), "new");
    }

    #[test]
    fn modes_follow_the_final_path() {
        assert_eq!(mode_of("usr/libexec/vespera/vespera-module".into()), EXECUTABLE);
        assert_eq!(mode_of("usr/lib/udev/rules.d/99-maccel.rules".into()), PLAIN);
    }
}
