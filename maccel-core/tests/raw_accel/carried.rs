// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is carried over, what is noted, what is refused.

use maccel_core::curve;
use maccel_core::raw_accel::{Import, Version, read, write};
use maccel_core::settings::{Mode, Settings};
use maccel_core::shape::Kind;
use proptest::prelude::*;
use serde_json::Value;

use crate::files;

fn values(settings: &Settings, names: &[&str]) -> Vec<f64> {
    names.iter().map(|name| settings.get(name).unwrap()).collect()
}

fn near(ours: &[f64], exact: &[f64]) {
    for (a, b) in ours.iter().zip(exact) {
        assert!((a - b).abs() < 1e-9, "{ours:?} for {exact:?}");
    }
}

const COMMON: [&str; 5] = ["SENS_MULT", "YX_RATIO", "INPUT_DPI", "ANGLE_ROTATION", "ANGLE_SNAP"];

#[test]
fn a_complete_file_of_1_7_is_carried_over_whole() {
    let import = read(files::V17).unwrap();
    assert_eq!((import.version.as_str(), import.notes.len()), ("1.7.0", 0), "{:?}", import.notes);
    let profile = &import.profiles[0];
    assert_eq!((profile.name.as_str(), &profile.notes, profile.error), ("games", &vec![], None));
    assert_eq!(profile.settings.mode(), Mode::Natural);
    near(&values(&profile.settings, &COMMON), &[0.8, 1.25, 1600.0, -7.5, 3.0]);
    near(&values(&profile.settings, &["DECAY_RATE", "OFFSET", "LIMIT"]), &[0.05, 4.0, 2.0]);
    let device = &import.devices[0];
    assert_eq!((device.id.as_deref(), device.dpi), (Some("046d:c08b"), Some(3200.0)));
    assert!(!device.enabled && device.profile == "games" && device.notes.is_empty());
}

#[test]
fn a_complete_file_of_1_6_is_carried_over_whole() {
    let import = read(files::V16).unwrap();
    let profile = &import.profiles[0];
    assert!(import.notes.is_empty() && profile.notes.is_empty(), "{import:?}");
    near(&values(&profile.settings, &COMMON), &[0.75, 1.5, 800.0, 5.0, 10.0]);
    assert_eq!(profile.settings.mode(), Mode::Synchronous);
    // 1.6 says: exp(2 ln M / (1 + e^(e^growth (ln s - ln v))) - ln M)
    for v in [0.5f64, 3.0, 8.0, 9.0, 50.0] {
        let steepness = 0.5f64.exp() * (8f64.ln() - v.ln());
        let exact = (2.0 * 1.5f64.ln() / (1.0 + steepness.exp()) - 1.5f64.ln()).exp();
        assert!((curve::factor(&profile.settings, v) - exact).abs() < 1e-6, "{v}");
    }
}

/// Each place of a file that holds a value that is no object, as a JSON pointer.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (i, value) in list.iter().enumerate() {
                places(value, &format!("{path}/{i}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// What a reader is told of a file, notes included.
fn told(import: &Result<Import, maccel_core::raw_accel::ReadError>) -> String {
    format!("{import:?}")
}

#[test]
fn every_key_is_read_as_what_it_is() {
    for text in [files::V16, files::V17] {
        let file: Value = serde_json::from_str(text).unwrap();
        let mut found = Vec::new();
        places(&file, "", &mut found);
        assert!(found.len() > 40);
        for place in found.iter().filter(|place| !place.contains("###")) {
            let mut changed = file.clone();
            *changed.pointer_mut(place).unwrap() = Value::Null;
            let error = read(&changed.to_string()).unwrap_err().to_string();
            assert!(error.contains("null is not "), "{place}: {error}");
        }
    }
}

#[test]
fn every_key_in_force_changes_what_is_carried_over_or_is_noted() {
    // Curve values count in the mode that reads them alone.
    let of_other_modes = [
        "outputOffset",
        "acceleration",
        "gamma",
        "motivity",
        "exponentClassic",
        "scale",
        "exponentPower",
        "syncSpeed",
        "smooth",
        "Cap",
        "growthRate",
        "decayRate",
        "limit",
        "inputOffset",
        "midpoint",
        "data",
    ];
    for text in [files::V16, files::V17] {
        let file: Value = serde_json::from_str(text).unwrap();
        let before = told(&read(text));
        let mut found = Vec::new();
        places(&file, "", &mut found);
        for place in found {
            let last = place.rsplit('/').next().unwrap();
            let silent = place.contains("###")
                || last == "setExtraInfo"
                || place.contains("Vertical")
                || of_other_modes.iter().any(|key| place.contains(&format!("/{key}")));
            if silent {
                continue;
            }
            let mut changed = file.clone();
            let value = changed.pointer_mut(&place).unwrap();
            *value = match &*value {
                Value::Bool(switch) => Value::Bool(!switch),
                Value::Number(number) => (number.as_f64().unwrap() + 2.0).into(),
                Value::String(_) if last == "mode" => "noaccel".into(),
                Value::String(_) if last == "Cap mode" => "input".into(),
                Value::String(text) => format!("{text}x").replace("VID_", "VID_1").into(),
                _ => continue,
            };
            assert_ne!(told(&read(&changed.to_string())), before, "{place} is ignored silently");
        }
    }
}

#[test]
fn each_mode_reads_its_own_values() {
    let with = |changes: &[(&str, Value)]| {
        let mut file: Value = serde_json::from_str(files::V17).unwrap();
        let args = file
            .pointer_mut("/profiles/0/Whole or horizontal accel parameters")
            .unwrap()
            .as_object_mut()
            .unwrap();
        for (key, value) in changes {
            args.insert((*key).to_owned(), value.clone());
        }
        read(&file.to_string()).unwrap().profiles.remove(0)
    };
    for (mode, keys) in [
        ("classic", &["acceleration", "inputOffset", "exponentClassic", "Cap / Jump"][..]),
        ("jump", &["smooth", "Cap / Jump"]),
        ("natural", &["decayRate", "inputOffset", "limit"]),
        ("synchronous", &["gamma", "smooth", "motivity", "syncSpeed"]),
        ("power", &["scale", "exponentPower", "outputOffset", "Cap / Jump"]),
        ("lut", &["data"]),
    ] {
        let data = serde_json::json!([0, 1, 5, 6, 20, 50]);
        let base = with(&[("mode", mode.into()), ("data", data.clone())]);
        for gain in [true, false] {
            let gain_is = ("Gain / Velocity", Value::Bool(gain));
            let base = with(&[("mode", mode.into()), ("data", data.clone()), gain_is.clone()]);
            for key in keys {
                let new = match *key {
                    "Cap / Jump" => serde_json::json!({"x": 30.0, "y": 1.3}),
                    "data" => serde_json::json!([0, 1, 5, 6.5, 20, 50]),
                    "smooth" => 0.13.into(),
                    _ => 1.13.into(),
                };
                let changed = with(&[
                    ("mode", mode.into()),
                    ("data", data.clone()),
                    gain_is.clone(),
                    (key, new),
                ]);
                let same = changed.settings == base.settings;
                assert!(!same, "{mode} does not read {key}, gain {gain}");
            }
        }
        let flat = with(&[
            ("mode", mode.into()),
            ("data", data.clone()),
            ("Gain / Velocity", false.into()),
        ]);
        assert_ne!(base.settings, flat.settings, "{mode} does not read Gain / Velocity");
    }
}

#[test]
fn what_the_driver_lacks_is_noted() {
    let text = files::V17
        .replace("\"lpNorm\": 2.0", "\"lpNorm\": 4.0")
        .replace(
            "an input is weighted at half its original value.\": 0.0",
            "an input is weighted at half its original value.\": 8.0",
        )
        .replace("\"Input Speed Cap\": 0.0", "\"Input Speed Cap\": 30.0, \"Tilt\": 1")
        .replace(
            "\"L/R output DPI ratio (left sens multiplier)\": 1.0",
            "\"L/R output DPI ratio (left sens multiplier)\": 0.9",
        )
        .replace(
            "(set false for 'by component' mode)\": true",
            "(set false for 'by component' mode)\": false",
        );
    let mut notes = read(&text).unwrap().profiles.remove(0).notes;
    notes.sort();
    insta::assert_snapshot!(notes.join("\n"), @r#"
    profiles[0]."Input Speed Cap" = 30: the driver does not cap the input speed
    profiles[0]."Input speed calculation parameters"."Time in ms after which an input is weighted at half its original value." = 8: the driver does not smooth over time
    profiles[0]."Input speed calculation parameters"."Whole/combined accel (set false for 'by component' mode)": the driver takes the speed of the whole movement; the horizontal curve is used for both axes
    profiles[0]."Input speed calculation parameters".lpNorm = 4: the driver's distance is the usual one, with 2
    profiles[0]."L/R output DPI ratio (left sens multiplier)" = 0.9: the driver treats left and right alike
    profiles[0].Tilt: not known, left out
    "#);
}

#[test]
fn faults_say_where_and_what_would_be_right() {
    let change = |from: &str, to: &str| {
        assert!(files::V17.contains(from), "{from}");
        read(&files::V17.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let faults = [
        change("\"natural\"", "\"cubic\""),
        change("\"limit\": 2.0", "\"limit\": \"high\""),
        change("\"decayRate\": 0.05", "\"decayRate\": 0"),
        change("\"Output DPI\": 800.0", "\"Output DPI\": 1e9"),
        change("\"Whole or horizontal accel parameters\"", "\"Whole\""),
        change("\"profiles\"", "\"profile\""),
        change("\"devices\": [", "\"devices\": "),
        read("[]").unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(faults.join("\n"), @r#"
    profiles[0]."Whole or horizontal accel parameters".mode: "cubic" is not one of classic, jump, natural, synchronous, motivity, power, lut, noaccel
    profiles[0]."Whole or horizontal accel parameters".limit: "high" is not a number
    profiles[0]: natural curve: decay-rate is 0, it must be above 0
    profiles[0]."Output DPI": SENS_MULT: 1000000 is out of range, 0.01 to 100 is valid
    profiles[0] has no "Whole or horizontal accel parameters": not a settings.json of Raw Accel 1.6 or 1.7
    the file has no "profiles": not a settings.json of Raw Accel 1.6 or 1.7
    not JSON: expected `,` or `}` at line 86 column 3
    the file: [] is not an object
    "#);
}

fn settings() -> impl Strategy<Value = Settings> {
    (0..5usize, prop::collection::vec(0.0..1.0f64, 20), prop::collection::vec(0.1..4.0f64, 121))
        .prop_map(|(mode, places, lut)| {
            let mut settings = Settings::default();
            let parameters = maccel_core::parameter::all();
            for (p, place) in parameters.iter().zip(places) {
                // Resolutions are whole numbers in the file.
                let value = p.minimum + (p.maximum - p.minimum) * place.powi(3);
                let value = if p.name == "INPUT_DPI" { value.round() } else { value };
                let _ = settings.set(&p.name, value);
            }
            settings.set_lut(&lut).unwrap();
            settings.set_mode(Mode::ALL[mode]).unwrap();
            settings
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_the_same_again(settings in settings(), v in 0.05..900.0f64) {
        let text = write("mine", &settings, Version::V17);
        let profile = read(&text).unwrap().profiles.remove(0);
        prop_assert!(profile.notes.is_empty(), "{:?}", profile.notes);
        for name in COMMON {
            let (a, b) = (settings.get(name).unwrap(), profile.settings.get(name).unwrap());
            prop_assert!((a - b).abs() < 1e-6, "{name}: {a} {b}");
        }
        if settings.mode() == Mode::Lut {
            prop_assert_eq!(profile.shape.kind, Kind::Points);
            prop_assert_eq!(profile.settings.lut(), settings.lut());
        } else {
            let (a, b) = (curve::factor(&settings, v), curve::factor(&profile.settings, v));
            prop_assert!((a - b).abs() <= 2e-3 * a, "{v}: {a} {b}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_fail_otherwise_than_by_an_error(text in "\\PC{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_damage_makes_the_reader_fail_otherwise_than_by_an_error(
        at in 0..files::V17.len(),
        length in 0..40usize,
        new in "[\\[\\]{}:,\"0-9a-z.-]{0,6}",
    ) {
        let mut text = files::V17.to_owned();
        text.replace_range(at..(at + length).min(text.len()), &new);
        let _ = read(&text);
    }
}

#[test]
fn a_file_written_for_1_6_has_its_spelling() {
    let mut settings = Settings::default();
    settings.set("SMOOTH", 0.5).unwrap();
    settings.set("GAMMA", 1.2).unwrap();
    settings.set_mode(Mode::Synchronous).unwrap();
    let text = write("old", &settings, Version::V16);
    for key in ["growthRate", "midpoint", "Sensitivity multiplier", "normalizes sens to 1000dpi"] {
        assert!(text.contains(key), "{key}: {text}");
    }
    let read = read(&text).unwrap().profiles.remove(0);
    for v in [1.0, 5.0, 12.0] {
        let (a, b) = (curve::factor(&settings, v), curve::factor(&read.settings, v));
        assert!((a - b).abs() < 1e-6, "{v}: {a} {b}");
    }
}
