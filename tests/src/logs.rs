// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder with what a guest said: kept when something went wrong, removed otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::error::HarnessError;

/// Where the folders of logs go; without it, in the system's folder for temporary files.
pub const VARIABLE: &str = "VESPERA_TEST_LOGS";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// What outlives a run: `$VESPERA_CACHE`, else `vespera` in the user's cache folder.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    std::env::var_os("VESPERA_CACHE").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?;
        Some(cache.join("vespera"))
    })
}

/// The logs of one guest.
#[derive(Debug)]
pub struct Logs {
    folder: PathBuf,
    keep: AtomicBool,
}

impl Logs {
    /// A new folder for the guest `name`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(name: &str) -> Result<Self, HarnessError> {
        let base = std::env::var_os(VARIABLE)
            .map(PathBuf::from)
            .or_else(|| Some(cache_folder()?.join("guest-logs")))
            .unwrap_or_else(|| std::env::temp_dir().join("vespera-guest-logs"));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = base.join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(HarnessError::file("creating", &folder))?;
        Ok(Self { folder, keep: AtomicBool::new(false) })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Something went wrong: somebody will want to read this.
    pub fn keep(&self) {
        self.keep.store(true, Ordering::Relaxed);
    }

    /// The folder, if it will outlive the guest.
    #[must_use]
    pub fn kept(&self) -> Option<PathBuf> {
        self.keep.load(Ordering::Relaxed).then(|| self.folder.clone())
    }

    /// Creates a file in it.
    ///
    /// # Errors
    /// If that fails.
    pub fn file(&self, name: &str) -> Result<fs::File, HarnessError> {
        let path = self.folder.join(name);
        fs::File::create(&path).map_err(HarnessError::file("creating", &path))
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
            eprintln!("guest logs kept in {}", self.folder.display());
        }
        if !self.keep.load(Ordering::Relaxed)
            && let Err(error) = fs::remove_dir_all(&self.folder)
        {
            eprintln!("removing {}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_go_unless_they_are_to_be_kept() {
        let logs = Logs::create("logs-test").unwrap();
        let folder = logs.folder().to_owned();
        logs.file("console.log").unwrap();
        drop(logs);
        assert!(!folder.exists());

        let logs = Logs::create("logs-test").unwrap();
        let folder = logs.folder().to_owned();
        logs.keep();
        drop(logs);
        assert!(folder.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
