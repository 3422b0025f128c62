// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last stage: what a build leaves behind is removed, and the root is looked at once more.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;

use super::{Error, Report, file_error, files};
use crate::kernel;

/// Folders whose content no image should carry: caches, logs, what a transaction noted, and
/// what only exists while something runs.
const LEFTOVERS: &[&str] =
    &["var/cache", "var/log", "var/tmp", "var/lib/dnf", "var/lib/rpm-state", "tmp", "run"];
const RPM_DATABASE: &str = "usr/share/rpm";
const BASE_DATABASE: &str = "usr/lib/sysimage/rpm-ostree-base-db";

/// Cleans a root and checks that its one kernel is still the only one.
///
/// # Errors
///
/// When something cannot be removed, or the root does not have exactly one kernel.
pub fn finish(root: &Utf8Path, report: &mut dyn Report) -> Result<(), Error> {
    for folder in LEFTOVERS {
        let path = root.join(folder);
        if !path.is_dir() || path.is_symlink() || device(&path)? != device(root)? {
            continue;
        }
        let removed = empty(&path)?;
        if removed > 0 {
            report.line(&format!("cleaned {path}: {removed} entries"));
        }
    }
    base_database(root, report)?;
    let release = kernel::release(root)?;
    report.line(&format!("kernel {release}: the only one"));
    Ok(())
}

/// Removes what a folder holds, but nothing that is mounted there: the build itself mounts
/// secrets, caches and its own programs. Returns the number of entries removed at the top.
fn empty(folder: &Utf8Path) -> Result<usize, Error> {
    let own = device(folder)?;
    let mut removed = 0;
    for entry in folder.read_dir_utf8().map_err(file_error("read", folder))? {
        let entry = entry.map_err(file_error("read", folder))?;
        let path = entry.path();
        let meta = path.symlink_metadata().map_err(file_error("read", path))?;
        // Folders only: on an overlay, a file may show the device of the layer it comes from.
        if meta.is_dir() && meta.dev() != own {
            continue;
        }
        let result = if meta.is_dir() {
            empty(path)?;
            fs::remove_dir(path)
        } else {
            fs::remove_file(path)
        };
        match result {
            Ok(()) => removed += 1,
            // A mount point, or a folder that holds one.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ResourceBusy | ErrorKind::DirectoryNotEmpty
                ) => {}
            Err(error) => return Err(file_error("remove", path)(error)),
        }
    }
    Ok(removed)
}

fn device(path: &Utf8Path) -> Result<u64, Error> {
    Ok(fs::metadata(path).map_err(file_error("read", path))?.dev())
}

/// rpm-ostree compares packages by a second copy of the database. Left as the base had it, hosts
/// would be shown the packages of the base.
fn base_database(root: &Utf8Path, report: &mut dyn Report) -> Result<(), Error> {
    let copy = root.join(BASE_DATABASE);
    if !copy.is_dir() {
        return Ok(());
    }
    for name in files::list(&copy)? {
        let (database, copy) = (root.join(RPM_DATABASE).join(&name), copy.join(&name));
        if !database.is_file() {
            continue;
        }
        let inode = |path: &Utf8Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
        if inode(&database).ok() == inode(&copy).ok() {
            continue;
        }
        files::remove(&copy)?;
        fs::hard_link(&database, &copy).map_err(file_error("link", &copy))?;
        report.line(&format!("package database of rpm-ostree: {copy} follows {database}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    fn run(root: &Root) -> Result<Vec<String>, Error> {
        let mut report = Vec::new();
        finish(root.path(), &mut report)?;
        Ok(report)
    }

    #[test]
    fn leftovers_go_and_state_stays() {
        let root = Root::new();
        root.kernel("6.17.1");
        root.file("var/cache/libdnf5/fedora/x.solv", "x");
        root.file("var/log/dnf5.log", "x");
        root.file("var/lib/dnf/y", "x");
        root.file("tmp/z", "x");
        root.file("var/lib/other/state", "x");
        root.link("/usr/bin/maccel", "var/usrlocal/bin/maccel");
        run(&root).unwrap();
        for gone in ["var/cache/libdnf5", "var/log/dnf5.log", "var/lib/dnf/y", "tmp/z"] {
            assert!(!root.has(gone), "{gone}");
        }
        for kept in ["var/cache", "tmp", "var/lib/other/state", "var/usrlocal/bin/maccel"] {
            assert!(root.has(kept), "{kept}");
        }
        assert_eq!(run(&root).unwrap(), ["kernel 6.17.1: the only one"]);
    }

    #[test]
    fn links_are_removed_not_followed() {
        let root = Root::new();
        root.kernel("6.17.1");
        root.file("usr/kept", "x");
        root.link("../usr", "tmp/link");
        run(&root).unwrap();
        assert!(root.has("usr/kept") && !root.has("tmp/link"));
    }

    #[test]
    fn second_kernel_is_an_error_at_the_end_too() {
        let root = Root::new();
        root.kernel("6.17.1");
        root.kernel("6.18.0");
        assert!(matches!(run(&root), Err(Error::Kernel(kernel::Error::Several { .. }))));
    }

    #[test]
    fn rpm_ostrees_copy_of_the_database_follows() {
        let root = Root::new();
        root.kernel("6.17.1");
        root.file("usr/share/rpm/rpmdb.sqlite", "new");
        root.file("usr/lib/sysimage/rpm-ostree-base-db/rpmdb.sqlite", "old");
        assert_eq!(run(&root).unwrap().len(), 2);
        assert_eq!(root.read("usr/lib/sysimage/rpm-ostree-base-db/rpmdb.sqlite"), "new");
        assert_eq!(run(&root).unwrap().len(), 1);
    }
}
