// SPDX-License-Identifier: MIT OR Apache-2.0
//! Disks of a machine.

use std::path::{Path, PathBuf};

/// A disk of a machine: a raw image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    pub(crate) path: PathBuf,
    pub(crate) serial: String,
    pub(crate) read_only: bool,
}

impl Disk {
    /// A writable disk with a serial number of at most 20 characters, by which the guest knows it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, serial: &str) -> Self {
        Self { path: path.into(), serial: serial.to_owned(), read_only: false }
    }

    /// Makes it read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Its image on the host.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its serial number.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// It cannot be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }
}
