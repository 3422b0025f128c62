// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw Accel's `settings.json`, in the spellings of 1.6 and 1.7.
//!
//! - [`read`]: the file to profiles and devices, with a note for all that the driver cannot do
//! - [`write`]: profiles to the file
//! - `keys`: the names of the file
//! - `object`: a JSON object that knows where it is and what was read of it

mod keys;
mod object;
mod read;
mod write;

use thiserror::Error;

use crate::compile::{CompileError, CompileFault};
use crate::settings::{Settings, SettingsError};
use crate::shape::Shape;

pub use read::read;
pub use write::{Version, write};

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The version the file names, empty if none.
    pub version: String,
    /// The profiles, the one in force first.
    pub profiles: Vec<Profile>,
    /// Devices with settings of their own.
    pub devices: Vec<Device>,
    /// What of the rest of the file could not be carried over.
    pub notes: Vec<String>,
}

/// One profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The curve as the file describes it.
    pub shape: Shape,
    /// What the driver gets for it.
    pub settings: Settings,
    /// The error of the look-up table, if the curve needs one.
    pub error: Option<CompileError>,
    /// What could not be carried over.
    pub notes: Vec<String>,
}

/// One device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The name the file gives it.
    pub name: String,
    /// `vvvv:pppp`, if its identification has one.
    pub id: Option<String>,
    /// The profile it uses.
    pub profile: String,
    /// Whether it is accelerated at all.
    pub enabled: bool,
    /// Its resolution, counts/inch, if the file gives one.
    pub dpi: Option<f64>,
    /// What could not be carried over.
    pub notes: Vec<String>,
}

/// Why a file could not be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReadError {
    /// Not JSON; the message has line and column.
    #[error("not JSON: {0}")]
    Json(String),
    /// A value of the wrong type or out of what the file format allows.
    #[error("{path}: {found} is not {wanted}")]
    Value {
        /// Where it is.
        path: String,
        /// What is there.
        found: String,
        /// What would be right.
        wanted: String,
    },
    /// No settings.json of Raw Accel 1.6 or 1.7.
    #[error("{path} has no \"{key}\": not a settings.json of Raw Accel 1.6 or 1.7")]
    Missing {
        /// Where it should be.
        path: String,
        /// The key.
        key: String,
    },
    /// A curve that cannot be.
    #[error("{path}: {source}")]
    Curve {
        /// The profile.
        path: String,
        /// What is wrong.
        source: CompileFault,
    },
    /// A value beyond the driver's ranges.
    #[error("{path}: {source}")]
    Range {
        /// The key.
        path: String,
        /// What is wrong.
        source: SettingsError,
    },
}
