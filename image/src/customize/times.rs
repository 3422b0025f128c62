// SPDX-License-Identifier: MIT OR Apache-2.0
//! One time for all that a step has written.
//!
//! A layer is known by its bytes, and the times of its files are among them. A step that is run
//! again and writes the same files an hour later makes another layer, which every host downloads.
//! ostree gives every file of a host the time 0, so the time of a build never arrives there anyway.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use camino::Utf8Path;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use nix::time::ClockId;

use super::{Error, file_error};
use crate::tree;

/// Not part of a layer, and full of files that are new at any time.
const API: &[&str] = &["dev", "proc", "sys"];

/// The time by the clock that files are stamped with, which goes by the kernel's ticks and lies
/// before what others say: what the step before has copied has to stay in that one's layer.
pub fn now() -> SystemTime {
    let stamped = nix::time::clock_gettime(ClockId::CLOCK_REALTIME_COARSE);
    stamped.map_or_else(|_| SystemTime::now(), |time| SystemTime::UNIX_EPOCH + time.into())
}

/// Gives what was written below `root` since `began`, a time of [`now`], the time 0. What is mounted into the build
/// keeps its times.
///
/// # Errors
///
/// [`Error::File`] if a folder cannot be read, or a time cannot be set.
pub fn settle(root: &Utf8Path, began: SystemTime) -> Result<(), Error> {
    let mut failed = None;
    let mut set = |path: &Path, meta: &std::fs::Metadata| {
        if failed.is_none() && meta.modified().is_ok_and(|time| time >= began) {
            failed = zero(path).err().map(|error| (path.to_owned(), error));
        }
    };
    let unreadable = |(path, error): tree::Unreadable| named("read", &path, error);
    let own = root.as_std_path().metadata().map_err(file_error("read", root))?;
    for entry in root.read_dir_utf8().map_err(file_error("read", root))? {
        let entry = entry.map_err(file_error("read", root))?;
        let meta = entry.metadata().map_err(file_error("read", entry.path()))?;
        // Overlays tell their own device for folders only.
        let mounted = meta.is_dir() && meta.dev() != own.dev();
        if !mounted && !API.contains(&entry.file_name()) {
            tree::walk(entry.path().as_std_path(), &mut set).map_err(unreadable)?;
        }
    }
    set(root.as_std_path(), &own);
    failed.map_or(Ok(()), |(path, error)| Err(named("set the time of", &path, error)))
}

fn zero(path: &Path) -> Result<(), io::Error> {
    let (keep, epoch) = (TimeSpec::UTIME_OMIT, TimeSpec::new(0, 0));
    match utimensat(AT_FDCWD, path, &keep, &epoch, UtimensatFlags::NoFollowSymlink) {
        // A stage that is mounted to be read, or a file that another has deleted since.
        Ok(()) | Err(Errno::EROFS | Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn named(action: &'static str, path: &Path, error: io::Error) -> Error {
    file_error(action, Utf8Path::new(&path.to_string_lossy()))(error)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;
    use crate::customize::fixtures::Root;

    fn time(root: &Root, path: &str) -> i64 {
        root.path().join(path).as_std_path().symlink_metadata().unwrap().mtime()
    }

    #[test]
    fn what_a_step_wrote_has_one_time_and_what_was_there_keeps_its_own() {
        let root = Root::new();
        let old = root.file("usr/bin/old", "from the base");
        let packaged = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().write(true).open(&old).unwrap().set_modified(packaged).unwrap();
        File::open(root.path().join("usr")).unwrap().set_modified(packaged).unwrap();
        let began = now();
        root.file("usr/bin/new", "by the step");
        root.link("/usr/bin/old", "etc/systemd/system/link");
        settle(root.path(), began).unwrap();
        for path in ["usr/bin/new", "usr/bin", "etc", "etc/systemd/system/link", ""] {
            assert_eq!(time(&root, path), 0, "{path}");
        }
        for path in ["usr/bin/old", "usr"] {
            assert_eq!(time(&root, path), 1_700_000_000, "{path}");
        }
    }

    #[test]
    fn what_the_kernel_shows_in_a_root_is_left_alone() {
        let root = Root::new();
        root.file("proc/version", "7.3");
        settle(root.path(), now()).unwrap();
        assert_ne!(time(&root, "proc/version"), 0);
    }
}
