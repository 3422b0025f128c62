// SPDX-License-Identifier: MIT OR Apache-2.0
//! Curves beyond the driver's own, and JSON.

use maccel_core::settings::Settings;

use crate::place::Place;

#[test]
fn a_curve_the_driver_knows_is_set_as_its_mode() {
    let place = Place::public();
    let said = place.run("set curve natural decay-rate=0.05 limit=2 gain").text();
    assert_eq!(said, "the driver's own formula, exact\n");
    assert_eq!(place.parameter("MODE"), "1");
    assert_eq!(place.parameter("LIMIT"), "8589934592");
}

#[test]
fn another_curve_becomes_a_table_and_the_error_is_reported() {
    let place = Place::ours();
    let outcome = place.run("set curve classic acceleration=0.02 exponent=3 cap-output=2 gain");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.stdout.starts_with("the driver's look-up table; it differs most at "));
    assert!(outcome.stdout.ends_with(" %\n"));
    let line = place.parameter("SETTINGS");
    assert!(line.contains("MODE=64") && line.contains("LUT=42949"), "{line}");
}

#[test]
fn the_public_driver_has_no_table_and_nothing_is_changed() {
    let place = Place::public();
    let outcome = place.run("set curve jump input=10 output=2");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1));
    assert_eq!(outcome.stderr, "Error: the loaded driver lacks the feature 'lut'\n");
    assert_eq!(place.parameter("MODE"), "0\n");
}

#[test]
fn a_curve_that_cannot_be_says_why() {
    let outcome = Place::ours().run("set curve classic exponent=1");
    assert_eq!(
        (outcome.stderr.as_str(), outcome.code),
        ("Error: classic curve: exponent is 1, it must be above 1\n", 1)
    );
}

#[test]
fn mode_lut_has_a_title_and_needs_a_table() {
    let place = Place::ours();
    let outcome = place.run("set mode lut");
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("maccel set curve"), "{outcome:?}");
    place.write("sys/module/maccel/parameters/MODE", "64\n");
    assert!(place.run("get mode").text().starts_with("Look-up Table\n\nSens-Multiplier:"));
}

#[test]
fn every_value_can_be_had_as_json() {
    let place = Place::ours();
    insta::assert_snapshot!(place.run("get mode --json").text(), @r#"
    {
      "accel": 0.0,
      "format": 1,
      "mode": "linear",
      "offset": 0.0,
      "output-cap": 0.0
    }
    "#);
    insta::assert_snapshot!(place.run("get param decay-rate --json").text(), @r#"
    {
      "decay-rate": 0.1,
      "format": 1
    }
    "#);
    let all: serde_json::Value =
        serde_json::from_str(&place.run("set --json limit 3").stdout).unwrap();
    assert_eq!(all["format"], 1);
    let curve: serde_json::Value =
        serde_json::from_str(&place.run("set --json curve drawn 1:1 20:2").stdout).unwrap();
    assert!(curve["compile-error"]["relative"].as_f64().unwrap() < 0.01, "{curve}");
}

#[test]
fn one_mouse_is_named_by_entry_number_or_name() {
    let place = Place::ours();
    for (input, name, id, settings) in [
        ("input5", "Logitech G Pro", "046d:c08b", "inherit"),
        ("input7", "Logitech M100", "046d:c05a", "inherit"),
    ] {
        for (attribute, text) in [
            ("name", name),
            ("id", id),
            ("uniq", ""),
            ("phys", "usb-1"),
            ("enabled", "1"),
            ("settings", settings),
        ] {
            place.write(&format!("sys/class/maccel/{input}/{attribute}"), &format!("{text}\n"));
        }
    }
    for mouse in ["input5", "046d:c08b", "046D:C08B", "g pro"] {
        let said = place.run_with(&["get", "param", "limit", "--device", mouse], "");
        assert_eq!(said.text(), "1.500000000\n", "{mouse}");
    }
    let outcome = place.run("get param limit --device logitech");
    assert_eq!(
        outcome.stderr,
        "Error: 'logitech' is more than one mouse: input5 (046d:c08b, Logitech G Pro), \
         input7 (046d:c05a, Logitech M100)\n"
    );
    let outcome = place.run("set limit 3 --device input5");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let own = place.read("sys/class/maccel/input5/settings");
    assert!(own.contains("LIMIT=12884901888") && own.contains("SMOOTH=2147483648"), "{own}");
    assert_eq!(place.run("get param limit --device input5").text(), "3.000000000\n");
    assert_eq!(place.run("get param limit").text(), "1.500000000\n");
    insta::assert_snapshot!(place.run("devices").text(), @r"
    input5    046d:c08b  own settings     Logitech G Pro
    input7    046d:c05a  shared settings  Logitech M100
    ");
    place.run("devices --device input7 --accelerate off").text();
    assert_eq!(place.read("sys/class/maccel/input7/enabled"), "0");
    place.run("devices --device input5 --inherit").text();
    assert_eq!(place.read("sys/class/maccel/input5/settings"), "inherit");
}

#[test]
fn settings_of_our_driver_are_read_as_a_whole() {
    let place = Place::ours();
    let mut settings = Settings::default();
    settings.set("ANGLE_SNAP", 4.0).unwrap();
    place.settings(&settings);
    assert_eq!(place.run("get param angle-snap").text(), "4.000000000\n");
}
