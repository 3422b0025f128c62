// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameter files one by one: all that the public driver has.
//!
//! It stores any bytes, and reads them back with a newline added. Its own parser collects the
//! digits, skips everything else, and takes a `-` anywhere as a sign; what a file "holds" here is
//! what that driver makes of it. It makes something of a number beyond 64 bits, too, and that may
//! stop the kernel: here such a number is out of range.

use camino::Utf8PathBuf;

use super::{Driver, DriverError, Kind, PARAMETERS};
use crate::changes::Changes;
use crate::fixed::FixedError;
use crate::parameter::{self, Parameter, ValueError};
use crate::settings::{Mode, Settings, SettingsError};

impl Driver {
    /// The raw value in force in the file of a parameter (Q32.32, or the number of the mode), in
    /// range or not.
    ///
    /// # Errors
    /// [`DriverError::Lacks`] for a parameter without a file of its own, [`DriverError::Invalid`]
    /// for a number beyond 64 bits in the public driver, and the errors of reading.
    pub fn raw(&self, parameter: &Parameter) -> Result<i64, DriverError> {
        let path = self.parameter_path(parameter)?;
        if *self.kind() == Kind::Public {
            return as_public(&self.read_bytes(&path)?).ok_or_else(|| too_large(parameter));
        }
        let text = self.read_text(&path)?;
        let raw = text.trim_end_matches('\n').parse().ok();
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
            match self.raw(parameter) {
                Ok(raw) => drop(take(&mut settings, parameter, raw)),
                Err(DriverError::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(settings)
    }

    /// Writes the files of all `changes`; after a failure those written before are put back. One
    /// that held a number beyond 64 bits gets its default then: nobody wants that back.
    pub(super) fn change_files(&self, changes: &Changes) -> Result<(), DriverError> {
        let mut before: Vec<(&Parameter, Option<i64>)> = Vec::new();
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
            let old = match self.raw(parameter) {
                Err(DriverError::Invalid(_)) => Ok(None),
                old => old.map(Some),
            };
            let outcome = old.and_then(|old| {
                if old == Some(new) {
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

    fn put_back(&self, before: &[(&Parameter, Option<i64>)], cause: DriverError) -> DriverError {
        let fails = |parameter: &Parameter, old: Option<i64>| {
            let raw = old.or_else(|| parameter.raw_of(parameter.default).ok());
            raw.is_none_or(|raw| self.write_raw(parameter, raw).is_err())
        };
        let left: Vec<&str> = before
            .iter()
            .rev()
            .filter(|(parameter, old)| fails(parameter, *old))
            // One that never took the new value is as it was, although it cannot be written.
            .filter(|(parameter, old)| self.raw(parameter).ok() != *old)
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

/// What the public driver's parser makes of what it stored; `None` beyond 64 bits.
fn as_public(bytes: &[u8]) -> Option<i64> {
    let sign = if bytes.contains(&b'-') { -1 } else { 1 };
    let mut digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
    digits.try_fold(0_i64, |raw, digit| {
        raw.checked_mul(10)?.checked_add(sign * i64::from(digit - b'0'))
    })
}

fn too_large(parameter: &Parameter) -> DriverError {
    let name = parameter.name.clone();
    let value = ValueError::Number { name, source: FixedError::TooLarge };
    DriverError::Invalid(value.into())
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
            assert_eq!(as_public(text.as_bytes()), Some(raw), "{text:?}");
        }
        assert_eq!(as_public(b"\xff\xfe\n"), Some(0));
        assert_eq!(as_public(b"-9223372036854775808"), Some(i64::MIN));
        for beyond in ["9223372036854775808", "18446744073709551616", "-99999999999999999999"] {
            assert_eq!(as_public(beyond.as_bytes()), None, "{beyond}");
        }
    }
}
