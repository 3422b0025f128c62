// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file operations that saving is made of, so that a test can cut the power between any two.

use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// A place for files.
pub(crate) trait Disk: Send {
    /// Reads a file; `None` if there is none.
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>>;
    /// Makes a file, or empties it, and writes it. It may be lost until [`Disk::sync`].
    fn write(&mut self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()>;
    /// Waits until the content of a file is on the medium.
    fn sync(&mut self, path: &Utf8Path) -> io::Result<()>;
    /// Gives a file another name, in place of what bore it.
    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()>;
    /// Removes a file; that there is none is no error.
    fn remove(&mut self, path: &Utf8Path) -> io::Result<()>;
    /// Waits until the names in a folder are on the medium.
    fn sync_folder(&mut self, folder: &Utf8Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(crate) struct HostDisk;

impl Disk for HostDisk {
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(path))
    }

    fn write(&mut self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        fs::write(path, bytes)
    }

    fn sync(&mut self, path: &Utf8Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&mut self, path: &Utf8Path) -> io::Result<()> {
        absent_is_none(fs::remove_file(path)).map(drop)
    }

    fn sync_folder(&mut self, folder: &Utf8Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file whole: after a power cut it is the old or the new one.
pub(crate) fn replace(disk: &mut dyn Disk, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let new = Utf8PathBuf::from(format!("{path}.new"));
    disk.write(&new, bytes)?;
    // Before the rename: else the name may reach the medium and the content not.
    disk.sync(&new)?;
    disk.rename(&new, path)?;
    disk.sync_folder(path.parent().unwrap_or(Utf8Path::new("/")))
}
