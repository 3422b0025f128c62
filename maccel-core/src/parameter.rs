// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameters: identity, range, default, and the name in each notation.
//!
//! `parameters.toml` is the source; this module reads it once and gives typed access.

use std::sync::LazyLock;

use serde::Deserialize;
use thiserror::Error;

use crate::fixed::{Fixed, FixedError};

/// The text of the table.
const TABLE: &str = include_str!("../parameters.toml");

/// How a parameter's value is written in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A small decimal integer.
    Mode,
    /// A Q32.32 number.
    Fixed,
    /// A comma-separated list of Q32.32 numbers.
    Table,
}

/// One row of the table. Values are in natural units, both ends of the range are valid.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The name of the driver's file, for example `SENS_MULT`.
    pub name: String,
    /// The form of the value.
    pub kind: Kind,
    /// Whether the driver has a file of its own for it (else `SETTINGS` only).
    #[serde(default = "yes")]
    pub file: bool,
    /// The value in force when nothing was set.
    pub default: f64,
    /// The smallest valid value.
    pub minimum: f64,
    /// The largest valid value.
    pub maximum: f64,
    /// Single valid values outside the range.
    #[serde(default)]
    pub also: Vec<f64>,
    /// The unit, empty for a pure number.
    pub unit: String,
    /// What it does, one line.
    pub meaning: String,
}

/// Why a value is refused.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ValueError {
    /// Not a number the driver can hold.
    #[error("{name}: {source}")]
    Number {
        /// The parameter.
        name: String,
        /// What is wrong with the number.
        source: FixedError,
    },
    /// Outside the range of the parameter.
    #[error("{name}: {value} is out of range, {minimum} to {maximum} is valid")]
    OutOfRange {
        /// The parameter.
        name: String,
        /// The refused value.
        value: f64,
        /// The smallest valid value.
        minimum: f64,
        /// The largest valid value.
        maximum: f64,
    },
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Table {
    parameter: Vec<Parameter>,
}

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the table is part of the program and tested")]
    toml::from_str::<Table>(TABLE).expect("parameters.toml is valid").parameter
});

/// All parameters in table order.
pub fn all() -> &'static [Parameter] {
    &PARAMETERS
}

/// The parameter with this file name, for example `SENS_MULT`.
pub fn by_file_name(name: &str) -> Option<&'static Parameter> {
    all().iter().find(|p| p.name == name)
}

/// The parameter with this command line name, for example `sens-mult`. The two public aliases
/// `offset-linear` and `offset-natural` name `OFFSET`.
pub fn by_cli_name(name: &str) -> Option<&'static Parameter> {
    match name {
        "offset-linear" | "offset-natural" => by_file_name("OFFSET"),
        _ => all().iter().find(|p| p.cli_name() == name),
    }
}

/// The parameter with this D-Bus property name, for example `SensMult`.
pub fn by_bus_name(name: &str) -> Option<&'static Parameter> {
    all().iter().find(|p| p.bus_name() == name)
}

impl Parameter {
    /// The name on the command line, in TOML and in JSON: `sens-mult`.
    pub fn cli_name(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }

    /// The name of the D-Bus property: `SensMult`.
    pub fn bus_name(&self) -> String {
        self.name
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_owned() + &rest.to_ascii_lowercase()
            })
            .collect()
    }

    /// The raw value of a real one in this parameter's file: Q32.32, or the integer itself for
    /// a mode.
    ///
    /// # Errors
    /// [`FixedError`] if the file cannot hold it.
    pub fn raw_of(&self, real: f64) -> Result<i64, FixedError> {
        let raw = Fixed::from_f64(real)?.raw();
        Ok(if self.kind == Kind::Mode { raw >> 32 } else { raw })
    }

    /// Checks a value in natural units and gives what is stored for it.
    ///
    /// # Errors
    /// [`ValueError`] naming the parameter and what would be right.
    pub fn check(&self, real: f64) -> Result<Fixed, ValueError> {
        let number = |source| ValueError::Number { name: self.name.clone(), source };
        let value = Fixed::from_f64(real).map_err(number)?;
        let whole = self.kind != Kind::Mode || real.fract() == 0.0;
        let low = Fixed::from_f64(self.minimum).map_err(number)?;
        let high = Fixed::from_f64(self.maximum).map_err(number)?;
        if whole && ((low..=high).contains(&value) || self.also.contains(&real)) {
            return Ok(value);
        }
        Err(ValueError::OutOfRange {
            name: self.name.clone(),
            value: real,
            minimum: self.minimum,
            maximum: self.maximum,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_files_have_their_public_defaults() {
        let public = [
            ("MODE", 0),
            ("SENS_MULT", 4_294_967_296),
            ("YX_RATIO", 4_294_967_296),
            ("INPUT_DPI", 4_294_967_296_000),
            ("ANGLE_ROTATION", 0),
            ("ACCEL", 0),
            ("OFFSET", 0),
            ("OUTPUT_CAP", 0),
            ("DECAY_RATE", 429_496_730),
            ("LIMIT", 6_442_450_944),
            ("GAMMA", 4_294_967_296),
            ("SMOOTH", 2_147_483_648),
            ("MOTIVITY", 6_442_450_944),
            ("SYNC_SPEED", 21_474_836_480),
        ];
        let ours: Vec<_> = all()
            .iter()
            .filter(|p| p.file)
            .map(|p| (p.name.as_str(), p.raw_of(p.default).unwrap()))
            .collect();
        assert_eq!(ours, public);
    }

    #[test]
    fn each_notation_names_the_same_parameter() {
        for p in all() {
            assert_eq!(by_cli_name(&p.cli_name()).unwrap().name, p.name);
            assert_eq!(by_bus_name(&p.bus_name()).unwrap().name, p.name);
            assert!(p.check(p.default).is_ok(), "{}", p.name);
        }
        let sens = by_file_name("SENS_MULT").unwrap();
        assert_eq!((sens.cli_name().as_str(), sens.bus_name().as_str()), ("sens-mult", "SensMult"));
        assert_eq!(by_cli_name("offset-natural").unwrap().name, "OFFSET");
        assert!(by_cli_name("sensitivity").is_none());
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        let dpi = by_file_name("INPUT_DPI").unwrap();
        let error = dpi.check(0.0).unwrap_err().to_string();
        assert_eq!(error, "INPUT_DPI: 0 is out of range, 50 to 50000 is valid");
        assert!(dpi.check(f64::NAN).is_err());
        let mode = by_file_name("MODE").unwrap();
        for (value, good) in [(0.0, true), (3.0, true), (64.0, true), (4.0, false), (1.5, false)] {
            assert_eq!(mode.check(value).is_ok(), good, "{value}");
        }
    }
}
