// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loaded driver: its parameters, its devices, its speed, below a root folder.
//!
//! Two drivers share one interface. Ours has a version and takes all settings at once; the public
//! one has 14 files that take any text. [`Driver`] reads and writes both, with what each can do.
//! What it returns was read back from the kernel.
//!
//! - [`line`]: the text of `SETTINGS`
//! - [`files`]: the parameter files one by one
//! - [`devices`]: the entries of single mice
//! - [`speed`][]: `/dev/maccel`
//! - [`error`]: what can go wrong

pub mod devices;
pub mod error;
pub mod files;
pub mod line;
pub mod speed;

use std::fs::OpenOptions;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};

pub use devices::Device;
pub use error::DriverError;
pub use speed::SpeedReader;

use crate::changes::Changes;
use crate::parameter::{self, Parameter};
use crate::settings::Settings;

/// The module, from the root.
pub const MODULE: &str = "sys/module/maccel";
/// Its parameter files, from the root.
pub const PARAMETERS: &str = "sys/module/maccel/parameters";

/// Which of the two drivers is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Vespera {
        /// What it says its version is.
        version: String,
    },
    /// The public one.
    Public,
}

/// What a driver can do beyond the 14 public parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// All settings in one write.
    Atomic,
    /// `ANGLE_SNAP`.
    AngleSnap,
    /// `LUT` and mode `lut`.
    Lut,
    /// Entries of single mice, with settings of their own.
    Devices,
    /// `/dev/maccel` can be waited on and falls to 0 at rest.
    Speed,
}

impl Feature {
    /// All features.
    pub const ALL: [Feature; 5] =
        [Feature::Atomic, Feature::AngleSnap, Feature::Lut, Feature::Devices, Feature::Speed];

    /// The name in every notation.
    pub const fn name(self) -> &'static str {
        match self {
            Feature::Atomic => "atomic",
            Feature::AngleSnap => "angle-snap",
            Feature::Lut => "lut",
            Feature::Devices => "devices",
            Feature::Speed => "speed",
        }
    }

    /// The feature that a parameter without a file belongs to.
    fn of(parameter: &Parameter) -> Feature {
        if parameter.kind == parameter::Kind::Table { Feature::Lut } else { Feature::AngleSnap }
    }
}

/// The loaded driver.
#[derive(Clone, Debug)]
pub struct Driver {
    root: Utf8PathBuf,
    kind: Kind,
}

impl Driver {
    /// Finds the loaded driver; `root` is `/` on a running system.
    ///
    /// # Errors
    /// [`DriverError::NotLoaded`], also while the module is on its way in or out.
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Driver, DriverError> {
        let root = root.into();
        let state = first_line(&root.join(MODULE).join("initstate"));
        if state.is_some_and(|state| state != "live") || !root.join(PARAMETERS).is_dir() {
            return Err(DriverError::NotLoaded);
        }
        let version = first_line(&root.join(MODULE).join("version"));
        let kind = version.map_or(Kind::Public, |version| Kind::Vespera { version });
        Ok(Driver { root, kind })
    }

    /// Which driver it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether it can do this.
    pub fn has(&self, _: Feature) -> bool {
        // Each came with the first release of ours; the public driver has none.
        matches!(self.kind, Kind::Vespera { .. })
    }

    /// All it can do beyond the public parameters.
    pub fn features(&self) -> Vec<Feature> {
        Feature::ALL.into_iter().filter(|feature| self.has(*feature)).collect()
    }

    /// The settings in force.
    ///
    /// # Errors
    /// [`DriverError::Invalid`] if the public driver holds a value that is out of range;
    /// [`DriverError::NotLoaded`] if the module has gone; the errors of reading.
    pub fn settings(&self) -> Result<Settings, DriverError> {
        if !self.has(Feature::Atomic) {
            return self.settings_from_files();
        }
        let path = self.settings_path();
        let text = self.read_text(&path)?;
        line::parse_settings(&text).map_err(|_| DriverError::Garbled {
            path,
            text,
            expected: "a line of settings",
        })
    }

    /// Puts settings in force, all or nothing, and gives those in force afterwards.
    ///
    /// # Errors
    /// As [`Driver::change`].
    pub fn write(&self, settings: &Settings) -> Result<Settings, DriverError> {
        self.change(&Changes::all(settings))
    }

    /// Changes some parameters, all or nothing, and gives the settings in force afterwards.
    ///
    /// # Errors
    /// [`DriverError::Lacks`] for what the driver cannot do, [`DriverError::Refused`] by the
    /// kernel, [`DriverError::Permission`]: nothing has changed then. With the public driver also
    /// [`DriverError::NotTaken`] (nothing has changed) and [`DriverError::HalfWritten`]; an
    /// unchanged parameter of it that is out of range counts as its default.
    pub fn change(&self, changes: &Changes) -> Result<Settings, DriverError> {
        if !self.has(Feature::Atomic) {
            self.refuse_what_is_lacking(changes)?;
            self.change_files(changes)?;
            return self.settings_after_change();
        }
        let line = line::format(changes);
        if !line.is_empty() {
            write_text(&self.settings_path(), &line).map_err(gone_is_not_loaded)?;
        }
        self.settings()
    }

    /// A parameter without a file may only be asked to be what it always is.
    fn refuse_what_is_lacking(&self, changes: &Changes) -> Result<(), DriverError> {
        let plain = changes.lut().is_none_or(<[f64]>::is_empty);
        let lacking = changes.parameters().into_iter().find(|parameter| match parameter.kind {
            parameter::Kind::Mode => changes.mode() == Some(crate::settings::Mode::Lut),
            parameter::Kind::Table => !plain,
            parameter::Kind::Fixed => {
                !parameter.file && changes.number(&parameter.name) != Some(parameter.default)
            }
        });
        match lacking {
            Some(parameter) if parameter.kind == parameter::Kind::Fixed => {
                Err(DriverError::Lacks(Feature::AngleSnap))
            }
            Some(_) => Err(DriverError::Lacks(Feature::Lut)),
            None => Ok(()),
        }
    }

    fn settings_path(&self) -> Utf8PathBuf {
        self.at(PARAMETERS).join("SETTINGS")
    }

    fn at(&self, inside: &str) -> Utf8PathBuf {
        self.root.join(inside)
    }

    fn read_text(&self, path: &Utf8Path) -> Result<String, DriverError> {
        std::fs::read_to_string(path)
            .map_err(|error| gone_is_not_loaded(DriverError::reading(path, error)))
    }

    fn read_bytes(&self, path: &Utf8Path) -> Result<Vec<u8>, DriverError> {
        std::fs::read(path).map_err(|error| gone_is_not_loaded(DriverError::reading(path, error)))
    }
}

/// The parameters of a module that was unloaded after it was found.
fn gone_is_not_loaded(error: DriverError) -> DriverError {
    match error {
        DriverError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            DriverError::NotLoaded
        }
        other => other,
    }
}

fn first_line(path: &Utf8Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Writes `text` in one call, as sysfs needs it; the file must exist.
fn write_text(path: &Utf8Path, text: &str) -> Result<(), DriverError> {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .map_err(|error| DriverError::reading(path, error))?
        .write_all(text.as_bytes())
        .map_err(|error| DriverError::writing(path, text, error))
}

#[cfg(test)]
mod tests;
