// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes: new values for some parameters, the others untouched.
//!
//! In TOML and JSON they are a table of natural units under the names of the command line:
//! `sens-mult = 1.5`, `mode = "natural"`, `lut = [...]`. An empty `lut` takes the table away.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::fixed::Fixed;
use crate::parameter::{self, Kind, Parameter};
use crate::settings::{Mode, Settings, SettingsError};

/// New values for some parameters. Each is in range by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    mode: Option<Mode>,
    /// By index in the table of parameters.
    numbers: BTreeMap<usize, f64>,
    /// Empty for "no table".
    lut: Option<Vec<f64>>,
}

impl Changes {
    /// All values of `settings`.
    pub fn all(settings: &Settings) -> Self {
        let mut changes = Changes { mode: Some(settings.mode()), ..Changes::default() };
        for (index, parameter) in parameter::all().iter().enumerate() {
            if let Ok(value) = settings.get(&parameter.name) {
                changes.numbers.insert(index, value);
            }
        }
        changes.lut = Some(settings.lut().map(<[f64]>::to_vec).unwrap_or_default());
        changes
    }

    /// What turns `from` into `to`.
    pub fn between(from: &Settings, to: &Settings) -> Self {
        let old = Changes::all(from);
        let mut changes = Changes::all(to);
        changes.mode = changes.mode.filter(|_| old.mode != changes.mode);
        changes.numbers.retain(|index, value| old.numbers.get(index) != Some(value));
        changes.lut = changes.lut.take().filter(|lut| old.lut.as_ref() != Some(lut));
        changes
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.mode.is_none() && self.numbers.is_empty() && self.lut.is_none()
    }

    /// The new mode.
    pub fn mode(&self) -> Option<Mode> {
        self.mode
    }

    /// The new value of a single-number parameter, by file name.
    pub fn number(&self, name: &str) -> Option<f64> {
        let index = parameter::all().iter().position(|p| p.name == name)?;
        self.numbers.get(&index).copied()
    }

    /// The new look-up table; empty if it goes.
    pub fn lut(&self) -> Option<&[f64]> {
        self.lut.as_deref()
    }

    /// Changes the mode.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = Some(mode);
    }

    /// Changes a single-number parameter, by file name, rounded to what the driver's file holds.
    ///
    /// # Errors
    /// [`SettingsError::Unknown`] or [`SettingsError::Value`].
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), SettingsError> {
        let found = parameter::all().iter().enumerate().find(|(_, p)| p.name == name);
        let Some((index, parameter)) = found.filter(|(_, p)| p.kind == Kind::Fixed) else {
            return Err(SettingsError::Unknown(name.to_owned()));
        };
        self.numbers.insert(index, parameter.check(value)?.to_f64());
        Ok(())
    }

    /// Changes the look-up table; an empty one takes it away.
    ///
    /// # Errors
    /// [`SettingsError::LutLength`] or [`SettingsError::Value`].
    pub fn set_lut(&mut self, factors: &[f64]) -> Result<(), SettingsError> {
        let mut settings = Settings::default();
        if !factors.is_empty() {
            settings.set_lut(factors)?;
        }
        self.lut = Some(settings.lut().map(<[f64]>::to_vec).unwrap_or_default());
        Ok(())
    }

    /// The parameters that change, in table order.
    pub fn parameters(&self) -> Vec<&'static Parameter> {
        let changed = |(index, parameter): &(usize, &Parameter)| match parameter.kind {
            Kind::Mode => self.mode.is_some(),
            Kind::Fixed => self.numbers.contains_key(index),
            Kind::Table => self.lut.is_some(),
        };
        parameter::all().iter().enumerate().filter(changed).map(|(_, p)| p).collect()
    }

    /// Leaves a parameter, by file name, as it is after all.
    pub fn forget(&mut self, name: &str) {
        let found = parameter::all().iter().enumerate().find(|(_, p)| p.name == name);
        match found.map(|(index, p)| (index, p.kind)) {
            Some((_, Kind::Mode)) => self.mode = None,
            Some((index, Kind::Fixed)) => {
                self.numbers.remove(&index);
            }
            Some((_, Kind::Table)) => self.lut = None,
            None => {}
        }
    }

    /// Adds `later` changes, which win.
    pub fn merge(&mut self, later: &Changes) {
        self.mode = later.mode.or(self.mode);
        self.numbers.extend(&later.numbers);
        if later.lut.is_some() {
            self.lut.clone_from(&later.lut);
        }
    }

    /// `settings` with these changes.
    ///
    /// # Errors
    /// [`SettingsError::LutMissing`] for mode `lut` without a table.
    pub fn apply(&self, settings: &Settings) -> Result<Settings, SettingsError> {
        let mut changed = settings.clone();
        for (index, value) in &self.numbers {
            changed.set(&parameter::all()[*index].name, *value)?;
        }
        let mode = self.mode.unwrap_or(settings.mode());
        match self.lut.as_deref() {
            Some([]) => {
                // The mode may be about to leave the table behind.
                changed.set_mode(if mode == Mode::Lut { settings.mode() } else { mode })?;
                changed.clear_lut()?;
            }
            Some(factors) => changed.set_lut(factors)?,
            None => {}
        }
        changed.set_mode(mode)?;
        Ok(changed)
    }
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let short = |value: f64| Fixed::from_f64(value).map_or(value, Fixed::to_short);
        let mut map = serializer.serialize_map(None)?;
        for parameter in self.parameters() {
            let key = parameter.cli_name();
            match (parameter.kind, self.mode, self.number(&parameter.name), &self.lut) {
                (Kind::Mode, Some(mode), _, _) => map.serialize_entry(&key, mode.name())?,
                (Kind::Fixed, _, Some(value), _) => map.serialize_entry(&key, &short(value))?,
                (Kind::Table, _, _, Some(lut)) => {
                    let factors: Vec<f64> = lut.iter().copied().map(short).collect();
                    map.serialize_entry(&key, &factors)?;
                }
                _ => {}
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = Changes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Changes, A::Error> {
                let mut changes = Changes::default();
                while let Some(parameter) = map.next_key_seed(Key)? {
                    map.next_value_seed(Value { parameter, changes: &mut changes })?;
                }
                Ok(changes)
            }
        }

        deserializer.deserialize_map(Table)
    }
}

/// The name of a parameter.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static Parameter;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        parameter::all().iter().find(|p| p.cli_name() == name).ok_or_else(|| {
            let names: Vec<_> = parameter::all().iter().map(Parameter::cli_name).collect();
            de::Error::custom(format!(
                "there is no parameter '{name}'; the parameters are {}",
                names.join(", ")
            ))
        })
    }
}

/// The value of a parameter; its errors point at the value.
struct Value<'a> {
    parameter: &'static Parameter,
    changes: &'a mut Changes,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let twice = || de::Error::custom(format!("'{}' is given twice", self.parameter.cli_name()));
        if self.changes.parameters().iter().any(|p| p.name == self.parameter.name) {
            return Err(twice());
        }
        match self.parameter.kind {
            Kind::Mode => {
                let name = String::deserialize(deserializer)?;
                let mode = Mode::from_name(&name).ok_or_else(|| {
                    let names = Mode::ALL.map(Mode::name).join(", ");
                    de::Error::custom(format!("there is no mode '{name}'; the modes are {names}"))
                })?;
                self.changes.set_mode(mode);
                Ok(())
            }
            Kind::Fixed => {
                let value = f64::deserialize(deserializer)?;
                self.changes.set(&self.parameter.name, value).map_err(de::Error::custom)
            }
            Kind::Table => {
                let factors = Vec::<f64>::deserialize(deserializer)?;
                self.changes.set_lut(&factors).map_err(de::Error::custom)
            }
        }
    }
}
