// SPDX-License-Identifier: MIT OR Apache-2.0
//! `NAME=VALUE` on the command line, as for `set`.

use maccel_core::changes::Changes;
use maccel_core::parameter::{self, Kind, Parameter, ValueError};
use maccel_core::settings::{Mode, Settings};
use serde_json::Value;
use vespera_api::Error;

/// Some parameters with their values.
#[derive(Debug, clap::Args)]
pub(crate) struct Assignments {
    /// A parameter and its value in natural units, for example sens-mult=1.5 or mode=natural
    #[arg(value_name = "NAME=VALUE", required = true)]
    pub(crate) assignments: Vec<String>,
}

/// Reads assignments.
pub(crate) fn parse(assignments: &[String]) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for assignment in assignments {
        let (name, value) = assignment.split_once('=').ok_or_else(|| {
            Error::InvalidValue(format!("'{assignment}' is not of the form NAME=VALUE"))
        })?;
        let parameter = parameter::by_cli_name(name)
            .ok_or_else(|| Error::UnknownParameter(format!("there is no parameter '{name}'")))?;
        let wrong = |what: &str| Error::InvalidValue(format!("{name}: '{value}' is not {what}"));
        let number = |text: &str| text.trim().parse::<f64>().ok();
        match parameter.kind {
            Kind::Mode => {
                let modes =
                    || format!("a mode; there are {}", Mode::ALL.map(Mode::name).join(", "));
                changes.set_mode(Mode::from_name(value).ok_or_else(|| wrong(&modes()))?);
            }
            Kind::Fixed => {
                let number = number(value).ok_or_else(|| wrong("a number"))?;
                // By the name that was typed, not the one of the driver's file or the bus.
                let own = |error: ValueError| {
                    Error::InvalidValue(error.to_string().replacen(&parameter.name, name, 1))
                };
                parameter.check(number).map_err(own)?;
                changes.set(&parameter.name, number)?;
            }
            Kind::Table => {
                let factors: Option<Vec<f64>> = value.split(',').map(number).collect();
                changes.set_lut(&factors.ok_or_else(|| wrong("a list of numbers with commas"))?)?;
            }
        }
    }
    Ok(changes)
}

/// Settings as JSON, in natural units under the names of the command line.
pub(crate) fn json(settings: &Settings) -> serde_json::Result<Value> {
    serde_json::to_value(Changes::all(settings))
}

/// One line for each parameter: name, value, unit.
pub(crate) fn lines(settings: &Settings, wanted: impl Fn(&Parameter) -> bool) -> String {
    let mut text = String::new();
    for parameter in parameter::all().iter().filter(|parameter| wanted(parameter)) {
        let value = match parameter.kind {
            Kind::Mode => settings.mode().name().to_owned(),
            Kind::Fixed => settings.get(&parameter.name).map_or_else(|_| String::new(), short),
            Kind::Table => match settings.lut() {
                Some(table) => table.iter().copied().map(short).collect::<Vec<_>>().join(","),
                None => "none".to_owned(),
            },
        };
        let line = format!("{:<15} {value} {}", parameter.cli_name(), parameter.unit);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number without the digits that only the driver's format has: 0.1, not 0.10000000009.
pub(crate) fn short(number: f64) -> String {
    // A step of Q32.32 is 2.3e-10.
    let rounded = format!("{number:.9}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn assignments_become_one_change() {
        let changes = parse(&words(&["mode=natural", "limit=2", "offset-natural=1.5"])).unwrap();
        let settings = changes.apply(&Settings::default()).unwrap();
        let wanted =
            |parameter: &Parameter| ["MODE", "LIMIT", "OFFSET"].contains(&parameter.name.as_str());
        insta::assert_snapshot!(lines(&settings, wanted), @r"
        mode            natural
        offset          1.5 counts/ms
        limit           2
        ");
        let json = json(&settings).unwrap();
        assert_eq!((&json["limit"], &json["mode"]), (&2.0.into(), &"natural".into()));
    }

    #[test]
    fn what_cannot_be_read_is_quoted_with_what_would_be_right() {
        for (assignment, text) in [
            ("limit", "'limit' is not of the form NAME=VALUE"),
            ("limits=2", "there is no parameter 'limits'"),
            ("limit=two", "limit: 'two' is not a number"),
            ("lut=1,2,x", "lut: '1,2,x' is not a list of numbers with commas"),
            (
                "mode=2",
                "mode: '2' is not a mode; there are linear, natural, synchronous, no-accel, lut",
            ),
            ("limit=1000", "limit: 1000 is out of range, 1 to 100 is valid"),
        ] {
            assert_eq!(parse(&words(&[assignment])).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn numbers_are_shown_as_they_were_typed() {
        let mut settings = Settings::default();
        for (value, text) in [(0.1, "0.1"), (1.0, "1"), (0.055, "0.055"), (100.0, "100")] {
            settings.set("SENS_MULT", value).unwrap();
            assert_eq!(short(settings.get("SENS_MULT").unwrap()), text);
        }
    }
}
