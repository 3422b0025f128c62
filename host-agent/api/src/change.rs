// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings, and parts of them, as dictionaries in natural units.
//!
//! Keys are the names of the properties of the interface `Maccel`: `Mode` is text, `Lut` an array
//! of numbers, everything else one number.

use std::collections::{BTreeMap, HashMap};

use maccel_core::parameter::{self, Kind, Parameter};
use maccel_core::settings::{Mode, Settings};
use zbus::{OwnedVariant, Variant};

use crate::error::{Error, Result};

/// A dictionary `a{sv}`.
pub type Dict = HashMap<String, OwnedVariant>;

/// Values for some parameters, each valid by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    mode: Option<Mode>,
    lut: Option<Vec<f64>>,
    /// By file name.
    numbers: BTreeMap<&'static str, f64>,
}

impl Change {
    /// Every value of `settings`.
    pub fn of(settings: &Settings) -> Self {
        let number = |p: &'static Parameter| Some((p.name.as_str(), settings.get(&p.name).ok()?));
        Self {
            mode: Some(settings.mode()),
            lut: settings.lut().map(<[f64]>::to_vec),
            numbers: parameter::all().iter().filter_map(number).collect(),
        }
    }

    /// Changes the mode.
    pub fn mode(&mut self, mode: Mode) {
        self.mode = Some(mode);
    }

    /// Changes the look-up table: factors at speeds 2^(i/8-5) counts/ms, i = 0..120.
    ///
    /// # Errors
    /// [`Error::InvalidValue`]; nothing is changed then.
    pub fn lut(&mut self, factors: &[f64]) -> Result<()> {
        let mut settings = Settings::default();
        settings.set_lut(factors)?;
        self.lut = settings.lut().map(<[f64]>::to_vec);
        Ok(())
    }

    /// Changes a parameter that is one number, in its natural unit.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] or, for `MODE` and `LUT`, [`Error::UnknownParameter`].
    pub fn number(&mut self, parameter: &'static Parameter, value: f64) -> Result<()> {
        if parameter.kind != Kind::Fixed {
            let text = format!("{} is not one number", parameter.bus_name());
            return Err(Error::UnknownParameter(text));
        }
        self.numbers.insert(&parameter.name, parameter.check(value)?.to_f64());
        Ok(())
    }

    /// The names on the bus of what is changed, in table order.
    pub fn names(&self) -> Vec<String> {
        let is_in = |p: &&Parameter| match p.kind {
            Kind::Mode => self.mode.is_some(),
            Kind::Table => self.lut.is_some(),
            Kind::Fixed => self.numbers.contains_key(p.name.as_str()),
        };
        parameter::all().iter().filter(is_in).map(Parameter::bus_name).collect()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `settings` with these values in place of the old ones.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for mode `lut` where neither has a table.
    pub fn apply(&self, settings: &Settings) -> Result<Settings> {
        let mut changed = settings.clone();
        // The table first: mode lut needs one.
        if let Some(lut) = &self.lut {
            changed.set_lut(lut)?;
        }
        for (name, value) in &self.numbers {
            changed.set(name, *value)?;
        }
        if let Some(mode) = self.mode {
            changed.set_mode(mode)?;
        }
        Ok(changed)
    }

    /// Reads a dictionary. Numbers may come in any type of the bus: `2` is as good as `2.0`.
    ///
    /// # Errors
    /// [`Error::UnknownParameter`] and [`Error::InvalidValue`], with the key.
    pub fn from_dict(dict: &Dict) -> Result<Self> {
        let mut change = Self::default();
        let mut keys: Vec<_> = dict.iter().collect();
        // The same dictionary is refused for the same key each time.
        keys.sort_by_key(|(key, _)| key.as_str());
        for (key, value) in keys {
            let parameter = parameter::by_bus_name(key)
                .ok_or_else(|| Error::UnknownParameter(format!("there is no parameter '{key}'")))?;
            match parameter.kind {
                Kind::Mode => change.mode(mode_of(key, value)?),
                Kind::Table => change.lut(&numbers_of(key, value)?)?,
                Kind::Fixed => {
                    let number = number_of(value).ok_or_else(|| wrong(key, "a number", value))?;
                    change.number(parameter, number)?;
                }
            }
        }
        Ok(change)
    }

    /// The dictionary for a call.
    pub fn to_dict(&self) -> Dict {
        let mut dict = Dict::new();
        let mut insert = |file_name: &str, value: Variant<'_>| {
            // Text and numbers always have an owned form; only open files may have none.
            if let (Some(parameter), Ok(value)) =
                (parameter::by_file_name(file_name), OwnedVariant::try_from(value))
            {
                dict.insert(parameter.bus_name(), value);
            }
        };
        if let Some(mode) = self.mode {
            insert("MODE", mode.name().into());
        }
        if let Some(lut) = &self.lut {
            insert("LUT", lut.clone().into());
        }
        for (name, value) in &self.numbers {
            insert(name, (*value).into());
        }
        dict
    }
}

fn mode_of(key: &str, value: &Variant<'_>) -> Result<Mode> {
    let Variant::Str(name) = value else { return Err(wrong(key, "the name of a mode", value)) };
    Mode::from_name(name).ok_or_else(|| {
        let modes = Mode::ALL.map(Mode::name).join(", ");
        Error::InvalidValue(format!("{key}: there is no mode '{name}', there are {modes}"))
    })
}

fn numbers_of(key: &str, value: &Variant<'_>) -> Result<Vec<f64>> {
    let Variant::Array(array) = value else { return Err(wrong(key, "an array of numbers", value)) };
    let number = |one: &Variant<'_>| number_of(one).ok_or_else(|| wrong(key, "numbers", one));
    array.iter().map(number).collect()
}

#[expect(clippy::cast_precision_loss, reason = "no parameter reaches where integers are lost")]
fn number_of(value: &Variant<'_>) -> Option<f64> {
    Some(match value {
        Variant::F64(number) => *number,
        Variant::U8(number) => f64::from(*number),
        Variant::I16(number) => f64::from(*number),
        Variant::U16(number) => f64::from(*number),
        Variant::I32(number) => f64::from(*number),
        Variant::U32(number) => f64::from(*number),
        Variant::I64(number) => *number as f64,
        Variant::U64(number) => *number as f64,
        Variant::Variant(inner) => return number_of(inner),
        _ => return None,
    })
}

fn wrong(key: &str, right: &str, value: &Variant<'_>) -> Error {
    let signature = value.value_signature();
    Error::InvalidValue(format!("{key}: {right} is needed, not a value of type '{signature}'"))
}

#[cfg(test)]
mod tests {
    use maccel_core::settings::LUT_LEN;

    use super::*;

    fn dict(entries: &[(&str, Variant<'static>)]) -> Dict {
        let entry = |(key, value): &(&str, Variant<'static>)| {
            ((*key).to_owned(), OwnedVariant::try_from(value.clone()).unwrap())
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn settings_survive_the_way_over_the_bus() {
        let mut settings = Settings::default();
        settings.set("SENS_MULT", 0.7).unwrap();
        settings.set_lut(&[1.25; LUT_LEN]).unwrap();
        settings.set_mode(Mode::Lut).unwrap();
        let dict = Change::of(&settings).to_dict();
        assert_eq!(dict.len(), 16);
        let read = Change::from_dict(&dict).unwrap();
        assert_eq!(read.apply(&Settings::default()).unwrap(), settings);
    }

    #[test]
    fn only_what_is_named_changes() {
        let change = Change::from_dict(&dict(&[
            ("Mode", "natural".into()),
            ("Limit", 2_i32.into()),
            ("InputDpi", 1600_u16.into()),
        ]))
        .unwrap();
        assert_eq!(change.names(), ["Mode", "InputDpi", "Limit"]);
        let changed = change.apply(&Settings::default()).unwrap();
        let mut right = Settings::default();
        right.set("LIMIT", 2.0).unwrap();
        right.set("INPUT_DPI", 1600.0).unwrap();
        right.set_mode(Mode::Natural).unwrap();
        assert_eq!(changed, right);
    }

    #[test]
    fn a_refusal_names_the_key_and_what_would_be_right() {
        for (key, value, text) in [
            ("Sens", 1.0.into(), "there is no parameter 'Sens'"),
            ("SENS_MULT", 1.0.into(), "there is no parameter 'SENS_MULT'"),
            ("SensMult", "1".into(), "SensMult: a number is needed, not a value of type 's'"),
            ("SensMult", 0.0.into(), "SensMult: 0 is out of range, 0.01 to 100 is valid"),
            ("SensMult", f64::NAN.into(), "SensMult: not a finite number"),
            ("Mode", 1_u32.into(), "Mode: the name of a mode is needed, not a value of type 'u'"),
            (
                "Mode",
                "power".into(),
                "Mode: there is no mode 'power', there are linear, natural, synchronous, \
                 no-accel, lut",
            ),
            ("Lut", vec![1.0].into(), "Lut: a look-up table has 121 factors, not 1"),
            ("Lut", 1.0.into(), "Lut: an array of numbers is needed, not a value of type 'd'"),
        ] {
            let error = Change::from_dict(&dict(&[(key, value)])).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        let lut = Change::from_dict(&dict(&[("Mode", "lut".into())])).unwrap();
        let error = lut.apply(&Settings::default()).unwrap_err();
        assert_eq!(error.to_string(), "Mode: mode lut needs a look-up table");
    }
}
