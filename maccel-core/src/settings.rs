// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings: one checked value for each parameter.

use thiserror::Error;

use crate::fixed::Fixed;
use crate::parameter::{self, Kind, Parameter, ValueError};

/// Number of factors in a look-up table.
pub const LUT_LEN: usize = 121;

/// What turns speed into a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Factor grows with speed beyond an offset.
    Linear,
    /// Factor approaches a limit.
    Natural,
    /// Factor goes from 1/motivity to motivity around the sync speed.
    Synchronous,
    /// Factor 1.
    NoAccel,
    /// Factor from a table of [`LUT_LEN`] values.
    Lut,
}

impl Mode {
    /// All modes in the order of their numbers.
    pub const ALL: [Mode; 5] =
        [Mode::Linear, Mode::Natural, Mode::Synchronous, Mode::NoAccel, Mode::Lut];

    /// The number in the driver's `MODE` file.
    pub const fn number(self) -> u8 {
        match self {
            Mode::Linear => 0,
            Mode::Natural => 1,
            Mode::Synchronous => 2,
            Mode::NoAccel => 3,
            Mode::Lut => 64,
        }
    }

    /// The mode of a number in the driver's `MODE` file.
    pub fn from_number(number: u8) -> Option<Mode> {
        Mode::ALL.into_iter().find(|m| m.number() == number)
    }

    /// The mode of what a `MODE` file holds.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub fn from_raw(raw: i64) -> Result<Mode, SettingsError> {
        let mode = u8::try_from(raw).ok().and_then(Mode::from_number);
        mode.ok_or_else(|| {
            let parameter = parameter::by_file_name("MODE");
            match parameter.map(|parameter| parameter.check(raw as f64)) {
                Some(Err(error)) => error.into(),
                _ => SettingsError::Unknown(format!("MODE {raw}")),
            }
        })
    }

    /// The name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Linear => "linear",
            Mode::Natural => "natural",
            Mode::Synchronous => "synchronous",
            Mode::NoAccel => "no-accel",
            Mode::Lut => "lut",
        }
    }

    /// The mode with this name.
    pub fn from_name(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// A full set of settings in natural units, every value in range.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    mode: Mode,
    values: Vec<f64>,
    lut: Option<Vec<f64>>,
}

/// Why settings are refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SettingsError {
    /// There is no such parameter, or it is not a single number.
    #[error("there is no parameter '{0}' that takes a number")]
    Unknown(String),
    /// The value is not valid for the parameter.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A look-up table of the wrong length.
    #[error("a look-up table has {LUT_LEN} factors, not {0}")]
    LutLength(usize),
    /// Mode `lut` without a table.
    #[error("mode lut needs a look-up table")]
    LutMissing,
}

impl Default for Settings {
    fn default() -> Self {
        // As the driver's files hold them: 0.1 is not a Q32.32 number.
        let held = |p: &Parameter| p.check(p.default).map_or(p.default, Fixed::to_f64);
        let values = parameter::all().iter().map(held).collect();
        Settings { mode: Mode::Linear, values, lut: None }
    }
}

impl Settings {
    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Sets the mode.
    ///
    /// # Errors
    /// [`SettingsError::LutMissing`] for mode `lut` while there is no table.
    pub fn set_mode(&mut self, mode: Mode) -> Result<(), SettingsError> {
        if mode == Mode::Lut && self.lut.is_none() {
            return Err(SettingsError::LutMissing);
        }
        self.mode = mode;
        Ok(())
    }

    /// The value of a single-number parameter, by file name.
    ///
    /// # Errors
    /// [`SettingsError::Unknown`].
    pub fn get(&self, name: &str) -> Result<f64, SettingsError> {
        let (index, _) = number_parameter(name)?;
        Ok(self.values[index])
    }

    /// Sets a single-number parameter, by file name. The value is rounded to what the driver's
    /// file holds.
    ///
    /// # Errors
    /// [`SettingsError::Unknown`] or [`SettingsError::Value`]; nothing is changed then.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), SettingsError> {
        let (index, parameter) = number_parameter(name)?;
        self.values[index] = parameter.check(value)?.to_f64();
        Ok(())
    }

    /// The look-up table, if there is one.
    pub fn lut(&self) -> Option<&[f64]> {
        self.lut.as_deref()
    }

    /// Sets the look-up table: factors at speeds 2^(i/8-5) counts/ms, i = 0..120.
    ///
    /// # Errors
    /// [`SettingsError::LutLength`] or [`SettingsError::Value`]; nothing is changed then.
    pub fn set_lut(&mut self, factors: &[f64]) -> Result<(), SettingsError> {
        if factors.len() != LUT_LEN {
            return Err(SettingsError::LutLength(factors.len()));
        }
        let Some(parameter) = parameter::by_file_name("LUT") else {
            return Err(SettingsError::Unknown("LUT".to_owned()));
        };
        let checked: Result<Vec<f64>, ValueError> =
            factors.iter().map(|&f| parameter.check(f).map(Fixed::to_f64)).collect();
        self.lut = Some(checked?);
        Ok(())
    }

    /// Removes the look-up table.
    ///
    /// # Errors
    /// [`SettingsError::LutMissing`] while the mode is `lut`.
    pub fn clear_lut(&mut self) -> Result<(), SettingsError> {
        if self.mode == Mode::Lut {
            return Err(SettingsError::LutMissing);
        }
        self.lut = None;
        Ok(())
    }
}

fn number_parameter(name: &str) -> Result<(usize, &'static Parameter), SettingsError> {
    parameter::all()
        .iter()
        .enumerate()
        .find(|(_, p)| p.name == name && p.kind == Kind::Fixed)
        .ok_or_else(|| SettingsError::Unknown(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut settings = Settings::default();
        assert!(settings.set("LIMIT", 0.5).is_err());
        assert!(settings.set("MODE", 1.0).is_err());
        assert_eq!(settings.set_mode(Mode::Lut), Err(SettingsError::LutMissing));
        assert_eq!(settings.set_lut(&[1.0]), Err(SettingsError::LutLength(1)));
        assert_eq!(settings, Settings::default());
        settings.set_lut(&[1.0; LUT_LEN]).unwrap();
        settings.set_mode(Mode::Lut).unwrap();
    }

    #[test]
    fn values_are_what_the_file_holds() {
        let mut settings = Settings::default();
        settings.set("DECAY_RATE", 0.7).unwrap();
        assert_eq!(settings.get("DECAY_RATE").unwrap() * 4_294_967_296.0, 3_006_477_107.0);
        let default = Settings::default().get("DECAY_RATE").unwrap();
        assert_eq!(default * 4_294_967_296.0, 429_496_730.0, "also when nothing was set");
    }

    #[test]
    fn modes_go_by_number_and_name() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_number(mode.number()), Some(mode));
            assert_eq!(Mode::from_name(mode.name()), Some(mode));
        }
        assert_eq!(Mode::from_number(4), None);
    }
}
