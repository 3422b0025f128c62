// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes and settings as dictionaries, in natural units.
//!
//! Keys are the names of the properties of the interface `Maccel`: `Mode` is text, `Lut` an array
//! of numbers, everything else one number.

use std::collections::HashMap;

use maccel_core::changes::Changes;
use maccel_core::fixed::Fixed;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Mode;
use zbus::{OwnedVariant, Variant};

use crate::error::{Error, Result};

/// A dictionary `a{sv}`.
pub type Dict = HashMap<String, OwnedVariant>;

/// Reads changes. Numbers may come in any type of the bus: `2` is as good as `2.0`.
///
/// # Errors
/// [`Error::UnknownParameter`] and [`Error::InvalidValue`], with the key.
pub fn read(dict: &Dict) -> Result<Changes> {
    let mut changes = Changes::default();
    let mut keys: Vec<_> = dict.iter().collect();
    // The same dictionary is refused for the same key each time.
    keys.sort_by_key(|(key, _)| key.as_str());
    for (key, value) in keys {
        let parameter = parameter::by_bus_name(key)
            .ok_or_else(|| Error::UnknownParameter(format!("there is no parameter '{key}'")))?;
        match parameter.kind {
            Kind::Mode => changes.set_mode(mode_of(key, value)?),
            Kind::Table => changes.set_lut(&numbers_of(key, value)?)?,
            Kind::Fixed => {
                let number = number_of(value).ok_or_else(|| wrong(key, "a number", value))?;
                changes.set(&parameter.name, number)?;
            }
        }
    }
    Ok(changes)
}

/// The dictionary of changes; of [`Changes::all`] it is that of whole settings. Numbers are the
/// shortest that are stored as the same.
pub fn write(changes: &Changes) -> Dict {
    let mut dict = Dict::new();
    for parameter in changes.parameters() {
        let value: Option<Variant<'_>> = match parameter.kind {
            Kind::Mode => changes.mode().map(|mode| mode.name().into()),
            Kind::Table => {
                changes.lut().map(|lut| lut.iter().copied().map(short).collect::<Vec<_>>().into())
            }
            Kind::Fixed => changes.number(&parameter.name).map(short).map(Into::into),
        };
        // Text and numbers always have an owned form; only open files may have none.
        if let Some(value) = value.and_then(|value| OwnedVariant::try_from(value).ok()) {
            dict.insert(parameter.bus_name(), value);
        }
    }
    dict
}

/// What a person would have written: 0.1 rather than the number that the driver holds for it.
fn short(value: f64) -> f64 {
    Fixed::from_f64(value).map_or(value, Fixed::to_short)
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
    use maccel_core::settings::{LUT_LEN, Settings};

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
        let plain = settings.clone();
        settings.set_lut(&[1.25; LUT_LEN]).unwrap();
        settings.set_mode(Mode::Lut).unwrap();
        for settings in [plain, settings] {
            let dict = write(&Changes::all(&settings));
            assert_eq!(dict.len(), parameter::all().len());
            assert_eq!(read(&dict).unwrap().apply(&Settings::default()).unwrap(), settings);
        }
    }

    #[test]
    fn only_what_is_named_changes() {
        let changes = read(&dict(&[
            ("Mode", "natural".into()),
            ("Limit", 2_i32.into()),
            ("InputDpi", 1600_u16.into()),
        ]))
        .unwrap();
        let changed = changes.apply(&Settings::default()).unwrap();
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
            assert_eq!(read(&dict(&[(key, value)])).unwrap_err().to_string(), text);
        }
        let lut = read(&dict(&[("Mode", "lut".into())])).unwrap();
        let error: Error = lut.apply(&Settings::default()).unwrap_err().into();
        assert_eq!(error.to_string(), "Mode: mode lut needs a look-up table");
    }
}
