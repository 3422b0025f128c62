// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameter files one by one: all that the public driver has.
//!
//! It stores any text, and reads it back with a newline added. Its own parser collects the digits,
//! skips every other character, and takes a `-` anywhere as a sign; what a file "holds" here is
//! what that driver makes of it.

use camino::Utf8PathBuf;

use super::{Driver, DriverError, Kind, PARAMETERS};
use crate::changes::Changes;
use crate::parameter::{self, Parameter};
use crate::settings::{Mode, Settings, SettingsError};

impl Driver {
    /// The raw value in force in the file of a parameter (Q32.32, or the number of the mode), in
    /// range or not.
    ///
    /// # Errors
    /// [`DriverError::Lacks`] for a parameter without a file of its own, and the errors of reading.
    pub fn raw(&self, parameter: &Parameter) -> Result<i64, DriverError> {
        let path = self.parameter_path(parameter)?;
        let text = self.read_text(&path)?;
        let raw = match self.kind() {
            Kind::Vespera { .. } => text.trim_end_matches('\n').parse().ok(),
            Kind::Public => as_public(&text),
        };
        raw.ok_or(DriverError::Garbled { path, text, expected: "a whole number" })
    }

    /// All that the files hold, as settings.
    pub(super) fn settings_from_files(&self) -> Result<Settings, DriverError> {
        let mut settings = Settings::default();
        for parameter in parameter::all().iter().filter(|p| p.file) {
            let raw = self.raw(parameter)?;
            take(&mut settings, parameter, raw).map_err(DriverError::Invalid)?;
        }
        Ok(settings)
    }

    /// The settings after a change. Another parameter may hold what nobody here may set, as the
    /// public command lets one do; it has its default in what is given then.
    pub(super) fn settings_after_change(&self) -> Result<Settings, DriverError> {
        let mut settings = Settings::default();
        for parameter in parameter::all().iter().filter(|p| p.file) {
            let raw = self.raw(parameter)?;
            let _ = take(&mut settings, parameter, raw);
        }
        Ok(settings)
    }

    /// Writes the files of all `changes`; after a failure those written before are put back.
    pub(super) fn change_files(&self, changes: &Changes) -> Result<(), DriverError> {
        let mut before: Vec<(&Parameter, i64)> = Vec::new();
        for parameter in changes.parameters() {
            // The caller has refused what has no file, unless it is the default.
            if !parameter.file {
                continue;
            }
            let new = match (parameter.kind, changes.mode()) {
                (parameter::Kind::Mode, Some(mode)) => i64::from(mode.number()),
                _ => {
                    let value = changes.number(&parameter.name).unwrap_or(parameter.default);
                    parameter.check(value).map_err(SettingsError::from)?.raw()
                }
            };
            let outcome = self.raw(parameter).and_then(|old| {
                if old == new {
                    return Ok(());
                }
                before.push((parameter, old));
                self.write_raw(parameter, new)
            });
            if let Err(cause) = outcome {
                return Err(self.put_back(&before, cause));
            }
        }
        Ok(())
    }

    fn write_raw(&self, parameter: &Parameter, raw: i64) -> Result<(), DriverError> {
        let path = self.parameter_path(parameter)?;
        // Without a newline: it would be stored, too.
        super::write_text(&path, &raw.to_string())?;
        let read = self.raw(parameter)?;
        if read == raw { Ok(()) } else { Err(DriverError::NotTaken { path, wrote: raw, read }) }
    }

    fn put_back(&self, before: &[(&Parameter, i64)], cause: DriverError) -> DriverError {
        let left: Vec<&str> = before
            .iter()
            .rev()
            .filter(|(parameter, old)| self.write_raw(parameter, *old).is_err())
            // One that never took the new value is as it was, although it cannot be written.
            .filter(|(parameter, old)| self.raw(parameter).ok() != Some(*old))
            .map(|(parameter, _)| parameter.name.as_str())
            .collect();
        if left.is_empty() {
            return cause;
        }
        DriverError::HalfWritten { cause: Box::new(cause), left: left.join(", ") }
    }

    fn parameter_path(&self, parameter: &Parameter) -> Result<Utf8PathBuf, DriverError> {
        if !parameter.file {
            return Err(DriverError::Lacks(super::Feature::of(parameter)));
        }
        Ok(self.at(PARAMETERS).join(&parameter.name))
    }
}

/// Puts a raw value of a file into settings.
///
/// # Errors
/// [`SettingsError`] if it is out of range.
pub fn take(settings: &mut Settings, parameter: &Parameter, raw: i64) -> Result<(), SettingsError> {
    if parameter.kind != parameter::Kind::Mode {
        return settings.set(&parameter.name, crate::fixed::Fixed::from_raw(raw).to_f64());
    }
    settings.set_mode(Mode::from_raw(raw)?)
}

/// What the public driver's parser makes of a text; `None` beyond 64 bits.
fn as_public(text: &str) -> Option<i64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let sign = if text.contains('-') { "-" } else { "" };
    if digits.is_empty() { Some(0) } else { format!("{sign}{digits}").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_texts_mean_what_the_public_driver_makes_of_them() {
        for (text, raw) in [
            ("4294967296\n", 4_294_967_296),
            ("4294967296\n\n", 4_294_967_296),
            ("", 0),
            ("abc\n", 0),
            ("0.5\n", 5),
            ("1e3\n", 13),
            ("12-3\n", -123),
        ] {
            assert_eq!(as_public(text), Some(raw), "{text:?}");
        }
        assert_eq!(as_public("99999999999999999999"), None);
    }
}
