// SPDX-License-Identifier: MIT OR Apache-2.0
//! Profiles of the public command line, one JSON file each: a name, a mode, values under the names
//! of the driver's files, a date.
//!
//! They lie where a person writes, and the public tool takes any name in them for a file name and
//! skips what it does not know. Here one form is understood, whole or not at all, and the name is
//! only shown.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use thiserror::Error;

use crate::changes::Changes;
use crate::parameter::{self, Kind, Parameter};
use crate::settings::{Mode, Settings, SettingsError};

/// The most bytes of a name that is shown.
const LONGEST_NAME: usize = 200;

/// A profile.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicProfile {
    /// What it is called.
    pub name: String,
    /// Its mode and its values.
    pub changes: Changes,
}

/// Why a profile is not taken.
#[derive(Debug, Error)]
pub enum PublicProfileError {
    /// The text is not of the one form.
    #[error("not a profile of the public command: {0}")]
    Form(#[from] serde_json::Error),
    /// A name that no file of the driver has.
    #[error(
        "'{}' is no parameter of the public driver; those are {}", .0.escape_debug(), names()
    )]
    Parameter(String),
    /// A mode that the public driver has not.
    #[error("'{}' is no mode of the public driver; those are {}", .0.escape_debug(), modes())]
    Mode(String),
    /// A name that cannot be shown.
    #[error("its name has more than {LONGEST_NAME} bytes, or characters that cannot be shown")]
    Name,
    /// A value out of range.
    #[error(transparent)]
    Value(#[from] SettingsError),
}

/// The file; its fields are written in this way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct File {
    name: String,
    mode: String,
    params: Values,
    /// Says nothing about the settings.
    #[serde(rename = "CreatedAt", default)]
    _created_at: Option<String>,
}

/// The values; one that stands twice is an error, since only one of them can be meant.
struct Values(Vec<(String, f64)>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Values;

            fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
                text.write_str("an object of parameters and numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut pairs: Vec<(String, f64)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, f64>()? {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        let name = name.escape_debug();
                        return Err(de::Error::custom(format!("'{name}' stands there twice")));
                    }
                    pairs.push((name, value));
                }
                Ok(Values(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Whether JSON looks like one of these profiles.
pub fn is_it(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object.contains_key("Params") && object.contains_key("Mode"),
        _ => false,
    }
}

/// Reads a profile.
///
/// # Errors
/// [`PublicProfileError`]; nothing of the profile is used then.
pub fn read(text: &str) -> Result<PublicProfile, PublicProfileError> {
    let file: File = serde_json::from_str(text)?;
    if file.name.len() > LONGEST_NAME || file.name.chars().any(char::is_control) {
        return Err(PublicProfileError::Name);
    }
    let mode = mode(&file.mode).ok_or_else(|| PublicProfileError::Mode(file.mode.clone()))?;
    let mut changes = Changes::default();
    changes.set_mode(mode);
    for (name, value) in file.params.0 {
        match numbers().find(|parameter| parameter.name == name) {
            Some(parameter) => changes.set(&parameter.name, value)?,
            None => return Err(PublicProfileError::Parameter(name)),
        }
    }
    Ok(PublicProfile { name: file.name, changes })
}

/// Writes a profile in the form that the public tool reads. It knows no look-up table: that curve
/// is none there, as is what has no file in the public driver.
pub fn write(name: &str, settings: &Settings) -> String {
    let mode = Some(settings.mode()).filter(|mode| known_modes().any(|known| known == *mode));
    let values = numbers().map(|parameter| {
        let value = settings.get(&parameter.name).unwrap_or(parameter.default);
        (parameter.name.clone(), Value::from(value))
    });
    let file = json!({
        "Name": name,
        "Mode": title(mode.unwrap_or(Mode::NoAccel)),
        "Params": values.collect::<serde_json::Map<_, _>>(),
    });
    format!("{file:#}\n")
}

/// `NoAccel` of `no-accel`.
fn title(mode: Mode) -> String {
    let words = mode.name().split('-');
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    words.map(capital).collect()
}

/// The modes that the public tools know: no table comes with a profile.
fn known_modes() -> impl Iterator<Item = Mode> {
    Mode::ALL.into_iter().filter(|mode| *mode != Mode::Lut)
}

/// A mode as the public tool writes it, `NoAccel`, or as its command line takes it, `no-accel`.
fn mode(text: &str) -> Option<Mode> {
    let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
    known_modes().find(|mode| plain(mode.name()) == plain(text))
}

/// The parameters of the public driver that are numbers.
fn numbers() -> impl Iterator<Item = &'static Parameter> {
    parameter::all().iter().filter(|parameter| parameter.file && parameter.kind == Kind::Fixed)
}

fn names() -> String {
    numbers().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn modes() -> String {
    known_modes().map(Mode::name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{
  "Name": "games",
  "Mode": "Natural",
  "Params": {
    "SENS_MULT": 1.5, "YX_RATIO": 1.0, "INPUT_DPI": 1600.0, "ANGLE_ROTATION": -5.0,
    "ACCEL": 0.3, "OFFSET": 2.0, "OUTPUT_CAP": 2.0, "DECAY_RATE": 0.1, "LIMIT": 1.5,
    "GAMMA": 1.0, "SMOOTH": 0.5, "MOTIVITY": 1.5, "SYNC_SPEED": 5.0
  },
  "CreatedAt": "2026-03-01T12:00:00Z"
}"#;

    fn with(from: &str, to: &str) -> String {
        assert!(WHOLE.contains(from), "{from}");
        WHOLE.replace(from, to)
    }

    #[test]
    fn what_the_public_tool_writes_is_understood() {
        assert!(is_it(WHOLE));
        let profile = read(WHOLE).unwrap();
        assert_eq!(profile.name, "games");
        assert_eq!(profile.changes.mode(), Some(Mode::Natural));
        assert_eq!(profile.changes.number("ANGLE_ROTATION"), Some(-5.0));
        // Mode and all numbers that have a file.
        assert_eq!(profile.changes.parameters().len(), 14);
        for (written, right) in [("NoAccel", Mode::NoAccel), ("no-accel", Mode::NoAccel)] {
            let profile = read(&with("\"Natural\"", &format!("\"{written}\""))).unwrap();
            assert_eq!(profile.changes.mode(), Some(right));
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_a_table_is_no_acceleration() {
        for mode in known_modes() {
            let mut settings = Settings::default();
            settings.set("LIMIT", 1.25).unwrap();
            settings.set_mode(mode).unwrap();
            let text = write("games", &settings);
            assert!(is_it(&text), "{text}");
            let read = read(&text).unwrap();
            assert_eq!(read.name, "games");
            assert_eq!(read.changes.apply(&Settings::default()).unwrap(), settings);
        }
        let mut table = Settings::default();
        table.set_lut(&[1.0; crate::settings::LUT_LEN]).unwrap();
        table.set_mode(Mode::Lut).unwrap();
        assert!(write("games", &table).contains("\"Mode\": \"NoAccel\""));
    }

    #[test]
    fn a_profile_with_anything_else_is_refused_whole_and_says_why() {
        for (text, why) in [
            (with("\"LIMIT\": 1.5", "\"LIMIT\": 1e9"), "LIMIT"),
            (with("\"LIMIT\": 1.5", "\"LIMIT\": \"1.5\""), "expected f64"),
            (with("\"LIMIT\": 1.5", "\"LIMIT\": null"), "expected f64"),
            (with("\"LIMIT\": 1.5", "\"LIMIT\": 1.5, \"LIMIT\": 2"), "'LIMIT' stands there twice"),
            (with("\"LIMIT\": 1.5", "\"LUT\": 1.5"), "'LUT' is no parameter of the public driver"),
            (with("\"LIMIT\": 1.5", "\"../../etc\": 1"), "'../../etc' is no parameter"),
            (with("\"INPUT_DPI\": 1600.0", "\"INPUT_DPI\": 0"), "INPUT_DPI"),
            (with("\"Natural\"", "\"Lut\""), "those are linear, natural, synchronous, no-accel"),
            (with("\"Natural\"", "1"), "expected a string"),
            (with("\"Mode\"", "\"Command\""), "unknown field `Command`"),
            (with("\"games\"", "\"ga\\u001b[2Jmes\""), "characters that cannot be shown"),
            (with("\"games\"", &format!("\"{}\"", "g".repeat(201))), "more than 200 bytes"),
            (with("\n}", "\n} {}"), "trailing characters"),
            ("{\"Name\": \"games\", \"Mode\": \"Linear\"}".to_owned(), "missing field `Params`"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn files_of_others_do_not_look_like_one() {
        for text in ["", "{}", "[]", "{\"version\": \"1.7.0\", \"profiles\": []}", "mode = 1"] {
            assert!(!is_it(text), "{text}");
        }
    }
}
