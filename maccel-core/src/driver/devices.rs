// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mice the driver serves: `/sys/class/maccel/inputN`. The public driver has no such entries.

use std::io;

use camino::Utf8PathBuf;

use super::{Driver, DriverError, Feature, line};
use crate::changes::Changes;
use crate::fixed::Fixed;
use crate::settings::Settings;

/// The class, from the root.
pub const CLASS: &str = "sys/class/maccel";

/// One mouse, as read at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The name of its entry, `inputN`.
    pub input: String,
    /// What it calls itself.
    pub name: String,
    /// Vendor and product, `vvvv:pppp`, lower-case hexadecimal.
    pub id: String,
    /// Its serial number, often empty.
    pub uniq: String,
    /// Where it is plugged in, for example `usb-0000:00:14.0-2/input0`.
    pub phys: String,
    /// Whether its movement is accelerated.
    pub enabled: bool,
    /// Its own settings; `None` where it follows the shared ones.
    pub settings: Option<Settings>,
}

impl Driver {
    /// All mice in the order of their numbers; none with the public driver. One that is unplugged
    /// while it is read is left out.
    ///
    /// # Errors
    /// [`DriverError`] of the first entry that is there but cannot be read.
    pub fn devices(&self) -> Result<Vec<Device>, DriverError> {
        let folder = self.at(CLASS);
        if !self.has(Feature::Devices) {
            return Ok(Vec::new());
        }
        let entries = match folder.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(DriverError::reading(&folder, error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| DriverError::reading(&folder, error))?;
            // The char device's own entry `maccel` lies beside them.
            numbers.extend(number_of(entry.file_name()));
        }
        numbers.sort_unstable();
        let mut devices = Vec::new();
        for number in numbers {
            match self.device(&format!("input{number}")) {
                Ok(device) => devices.push(device),
                Err(DriverError::NoSuchDevice(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(devices)
    }

    /// The mouse with this entry.
    ///
    /// # Errors
    /// [`DriverError::NoSuchDevice`], also for a name that is none, and the errors of reading.
    pub fn device(&self, input: &str) -> Result<Device, DriverError> {
        let settings = self.attribute(input, "settings")?;
        Ok(Device {
            input: input.to_owned(),
            name: self.attribute(input, "name")?,
            id: self.attribute(input, "id")?,
            uniq: self.attribute(input, "uniq")?,
            phys: self.attribute(input, "phys")?,
            enabled: match self.attribute(input, "enabled")?.as_str() {
                "1" => true,
                "0" => false,
                text => return Err(self.garbled(input, "enabled", text, "0 or 1")),
            },
            settings: match settings.as_str() {
                "inherit" => None,
                text => Some(line::parse_settings(text).map_err(|_| {
                    self.garbled(input, "settings", text, "'inherit' or a line of settings")
                })?),
            },
        })
    }

    /// The speed of a mouse, normalised, in counts/ms; 0 after 100 ms of rest.
    ///
    /// # Errors
    /// As [`Driver::device`].
    pub fn device_speed(&self, input: &str) -> Result<f64, DriverError> {
        let text = self.attribute(input, "speed")?;
        let speed: Fixed =
            text.parse().map_err(|_| self.garbled(input, "speed", &text, "a Q32.32 number"))?;
        Ok(speed.to_f64())
    }

    /// Switches the acceleration of a mouse.
    ///
    /// # Errors
    /// As [`Driver::device`], and the errors of writing.
    pub fn set_device_enabled(&self, input: &str, enabled: bool) -> Result<(), DriverError> {
        let path = self.attribute_path(input, "enabled")?;
        present(input, super::write_text(&path, if enabled { "1" } else { "0" }))
    }

    /// Gives a mouse own settings, or with `None` lets it follow the shared ones.
    ///
    /// # Errors
    /// As [`Driver::device`], and the errors of writing.
    pub fn set_device_settings(
        &self,
        input: &str,
        settings: Option<&Settings>,
    ) -> Result<(), DriverError> {
        let path = self.attribute_path(input, "settings")?;
        let text =
            settings.map_or_else(|| "inherit".to_owned(), |own| line::format(&Changes::all(own)));
        present(input, super::write_text(&path, &text))
    }

    fn attribute(&self, input: &str, name: &str) -> Result<String, DriverError> {
        let path = self.attribute_path(input, name)?;
        let text = present(
            input,
            std::fs::read(&path).map_err(|error| DriverError::reading(&path, error)),
        )?;
        // A mouse may call itself anything, also something that is no UTF-8.
        let text = String::from_utf8_lossy(&text);
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    fn attribute_path(&self, input: &str, name: &str) -> Result<Utf8PathBuf, DriverError> {
        if !self.has(Feature::Devices) {
            return Err(DriverError::Lacks(Feature::Devices));
        }
        if number_of(input).is_none() {
            return Err(DriverError::NoSuchDevice(input.to_owned()));
        }
        Ok(self.at(CLASS).join(input).join(name))
    }

    fn garbled(&self, input: &str, name: &str, text: &str, expected: &'static str) -> DriverError {
        let path = self.at(CLASS).join(input).join(name);
        DriverError::Garbled { path, text: text.to_owned(), expected }
    }
}

/// The N of `inputN`; nothing else is a name of an entry, so that no name leaves the folder.
fn number_of(input: &str) -> Option<u32> {
    let digits = input.strip_prefix("input")?;
    let number = digits.parse().ok()?;
    (format!("{number}") == digits).then_some(number)
}

/// An entry that is gone, or goes while it is read, is a mouse that was unplugged.
fn present<T>(input: &str, result: Result<T, DriverError>) -> Result<T, DriverError> {
    /// errno of an attribute whose device went away after it was opened.
    const ENODEV: i32 = 19;
    match result {
        Err(DriverError::Io { source, .. })
            if source.kind() == io::ErrorKind::NotFound
                || source.raw_os_error() == Some(ENODEV) =>
        {
            Err(DriverError::NoSuchDevice(input.to_owned()))
        }
        other => other,
    }
}
