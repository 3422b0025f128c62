// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's `SETTINGS` line: `KEY=VALUE ...`, raw values under the names of the files.

use std::fmt::Write;

use crate::changes::Changes;
use crate::fixed::Fixed;
use crate::parameter::{self, Kind};
use crate::settings::{Mode, Settings, SettingsError};

/// Why a line is not one of settings.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum LineError {
    /// A word without `=`, an unknown or repeated key, or a value that is no number.
    #[error("'{0}' is not KEY=VALUE with a known key that was not there before")]
    Word(String),
    /// A value out of range, or values that contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// The line that makes the driver take `changes` at once; empty without changes.
pub fn format(changes: &Changes) -> String {
    let mut line = String::new();
    for parameter in changes.parameters() {
        let value = match parameter.kind {
            Kind::Mode => changes.mode().map(|mode| mode.number().to_string()),
            Kind::Fixed => changes.number(&parameter.name).map(raw),
            Kind::Table => {
                changes.lut().map(|lut| lut.iter().copied().map(raw).collect::<Vec<_>>().join(","))
            }
        };
        let space = if line.is_empty() { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(line, "{space}{}={}", parameter.name, value.unwrap_or_default());
    }
    line
}

/// The raw text of a value that is in range already.
fn raw(value: f64) -> String {
    Fixed::from_f64(value).unwrap_or_default().to_string()
}

/// Reads a line that names some parameters.
///
/// # Errors
/// [`LineError`].
pub fn parse(line: &str) -> Result<Changes, LineError> {
    let mut changes = Changes::default();
    for word in line.split_ascii_whitespace() {
        let bad = || LineError::Word(word.to_owned());
        let (key, text) = word.split_once('=').ok_or_else(bad)?;
        let parameter = parameter::by_file_name(key).ok_or_else(bad)?;
        if changes.parameters().iter().any(|p| p.name == key) {
            return Err(bad());
        }
        let number = |text: &str| text.parse::<Fixed>().map(Fixed::to_f64).map_err(|_| bad());
        match parameter.kind {
            Kind::Mode => {
                let mode = text.parse().ok().and_then(Mode::from_number).ok_or_else(bad)?;
                changes.set_mode(mode);
            }
            Kind::Fixed => changes.set(key, number(text)?)?,
            Kind::Table if text.is_empty() => changes.set_lut(&[])?,
            Kind::Table => {
                let factors: Result<Vec<_>, _> = text.split(',').map(number).collect();
                changes.set_lut(&factors?)?;
            }
        }
    }
    Ok(changes)
}

/// Reads a line as the driver gives it: all parameters that it does not name have their default.
///
/// # Errors
/// [`LineError`].
pub fn parse_settings(line: &str) -> Result<Settings, LineError> {
    Ok(parse(line)?.apply(&Settings::default())?)
}
