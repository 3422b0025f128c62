// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the driver's files could not be read or written.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::Feature;
use crate::settings::SettingsError;

/// What went wrong.
#[derive(Debug, Error)]
pub enum DriverError {
    /// No driver is loaded.
    #[error("the maccel module is not loaded")]
    NotLoaded,
    /// The driver has no such mouse (any more).
    #[error("the driver serves no device '{0}'")]
    NoSuchDevice(String),
    /// The file may not be opened.
    #[error("{path}: permission denied")]
    Permission {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The kernel did not take the value; its log has the reason.
    #[error("{path}: the kernel refused '{value}' ({source})")]
    Refused {
        /// The file.
        path: Utf8PathBuf,
        /// What was written.
        value: String,
        /// EINVAL or ERANGE.
        source: io::Error,
    },
    /// The file holds another value than the one written, and all is as it was before.
    #[error("{path}: wrote {wrote}, it holds {read}")]
    NotTaken {
        /// The file.
        path: Utf8PathBuf,
        /// The raw value written.
        wrote: i64,
        /// The raw value read back.
        read: i64,
    },
    /// A change failed half way and what was before could not be written again.
    #[error("{cause}; {left} could not be put back")]
    HalfWritten {
        /// Why the change failed.
        cause: Box<DriverError>,
        /// The parameters that kept a new value.
        left: String,
    },
    /// The text is not what a driver writes.
    #[error("{path}: '{text}' is not {expected}")]
    Garbled {
        /// The file.
        path: Utf8PathBuf,
        /// What it holds.
        text: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The driver holds a value outside the ranges (the public one takes any).
    #[error("the driver holds an invalid value: {0}")]
    Invalid(#[source] SettingsError),
    /// The settings asked for contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The loaded driver cannot do it.
    #[error("the loaded driver lacks the feature '{}'", .0.name())]
    Lacks(Feature),
    /// Anything else.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl DriverError {
    /// Sorts an error of opening or reading `path`.
    pub(super) fn reading(path: &Utf8Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => DriverError::Permission { path: path.to_owned() },
            _ => DriverError::Io { path: path.to_owned(), source },
        }
    }

    /// Sorts an error of writing `value` to `path`.
    pub(super) fn writing(path: &Utf8Path, value: &str, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(EINVAL | ERANGE) => {
                DriverError::Refused { path: path.to_owned(), value: value.to_owned(), source }
            }
            _ => DriverError::reading(path, source),
        }
    }
}

/// errno of a value that is no number or does not fit (the same on every Linux architecture).
const EINVAL: i32 = 22;
/// errno of a number out of range.
const ERANGE: i32 = 34;
