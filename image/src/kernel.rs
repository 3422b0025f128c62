// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one kernel release of a root.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// Where the kernels of a root lie.
pub const MODULES: &str = "usr/lib/modules";

/// A root that does not have exactly the one kernel it should have.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the kernels cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The folder.
        path: Utf8PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No folder holds a kernel.
    #[error("no kernel in {path}: no folder there holds a `vmlinuz`, so this root cannot boot")]
    None {
        /// The folder that was searched.
        path: Utf8PathBuf,
    },
    /// Several folders hold a kernel.
    #[error(
        "{} kernels in {path}: {}; an image must have exactly one, since a module can be built \
         for one only",
        releases.len(),
        releases.join(", ")
    )]
    Several {
        /// The folder that was searched.
        path: Utf8PathBuf,
        /// The releases found.
        releases: Vec<String>,
    },
    /// The label of the image names another kernel.
    #[error(
        "the label ostree.linux says {label}, but the kernel in the image is {release}; the \
         base is inconsistent, choose another build of it"
    )]
    Label {
        /// What the label says.
        label: String,
        /// What is there.
        release: String,
    },
}

/// Finds the kernel release of a root: the one folder under `usr/lib/modules` with a `vmlinuz`.
///
/// Folders without one are left over from modules of other kernels and are not counted, as bootc
/// does not count them either.
///
/// # Errors
///
/// When there is no kernel, or more than one.
pub fn release(root: &Utf8Path) -> Result<String, Error> {
    let path = root.join(MODULES);
    let unreadable = |source| Error::Unreadable { path: path.clone(), source };
    let mut releases = Vec::new();
    for entry in fs::read_dir(&path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().join("vmlinuz").is_file() {
            releases.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    releases.sort();
    match releases.len() {
        0 => Err(Error::None { path }),
        1 => Ok(releases.remove(0)),
        _ => Err(Error::Several { path, releases }),
    }
}

/// Compares a release with the label `ostree.linux` of the image. An empty label is no label:
/// not every base has one.
///
/// # Errors
///
/// When the label names another kernel.
pub fn agrees(release: &str, label: &str) -> Result<(), Error> {
    if label.is_empty() || label == release {
        return Ok(());
    }
    Err(Error::Label { label: label.to_owned(), release: release.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    #[test]
    fn one_kernel_is_found_and_leftover_folders_are_not_counted() {
        let root = Root::new();
        root.kernel("6.17.1-300.fc43.x86_64");
        root.dir("usr/lib/modules/6.16.0/extra");
        assert_eq!(release(root.path()).unwrap(), "6.17.1-300.fc43.x86_64");
    }

    #[test]
    fn no_kernel_and_two_kernels_are_errors_that_say_so() {
        let root = Root::new();
        assert!(matches!(release(root.path()), Err(Error::Unreadable { .. })));
        root.dir("usr/lib/modules");
        assert!(release(root.path()).unwrap_err().to_string().contains("cannot boot"));
        root.kernel("6.17.1");
        root.kernel("6.18.0");
        let error = release(root.path()).unwrap_err().to_string();
        assert!(error.starts_with("2 kernels in "), "{error}");
        assert!(error.contains(": 6.17.1, 6.18.0;"), "{error}");
    }

    #[test]
    fn label_must_agree_unless_there_is_none() {
        agrees("6.17.1", "6.17.1").unwrap();
        agrees("6.17.1", "").unwrap();
        let error = agrees("6.17.1", "6.18.0").unwrap_err().to_string();
        assert!(error.contains("6.17.1") && error.contains("6.18.0"), "{error}");
    }
}
