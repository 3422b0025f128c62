// SPDX-License-Identifier: MIT OR Apache-2.0
//! Walking the folders of a root.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A folder that could not be read to its end: which, and why.
pub(crate) type Unreadable = (PathBuf, io::Error);

/// A path and, if it is a folder, all that is below it on the same file system. Links are not
/// followed; a path that is not there has nothing to visit.
pub(crate) fn walk(top: &Path, visit: &mut dyn FnMut(&Path, &Metadata)) -> Result<(), Unreadable> {
    let Ok(meta) = top.symlink_metadata() else { return Ok(()) };
    let device = meta.dev();
    visit(top, &meta);
    let mut folders = if meta.is_dir() { vec![top.to_owned()] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| (folder.clone(), error))? {
            let path = entry.map_err(|error| (folder.clone(), error))?.path();
            let meta = path.symlink_metadata().map_err(|error| (path.clone(), error))?;
            visit(&path, &meta);
            if meta.is_dir() && meta.dev() == device {
                folders.push(path);
            }
        }
    }
    Ok(())
}
