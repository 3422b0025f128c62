// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any settings survive the way through each notation.
#![allow(clippy::unwrap_used, reason = "a panic is the failed test")]

use maccel_core::changes::Changes;
use maccel_core::driver::line;
use maccel_core::fixed::Fixed;
use maccel_core::parameter::{self, Kind, Parameter};
use maccel_core::reset_script;
use maccel_core::settings::{LUT_LEN, Mode, Settings};
use maccel_core::settings_file::{self, DeviceEntry, DeviceMatch, ProfileName, SettingsFile};
use proptest::prelude::*;

/// Any value of a parameter, to the last bit of its file.
fn raw_value(parameter: &'static Parameter) -> impl Strategy<Value = f64> {
    let raw = |real| Fixed::from_f64(real).unwrap().raw();
    (raw(parameter.minimum)..=raw(parameter.maximum)).prop_map(|raw| Fixed::from_raw(raw).to_f64())
}

prop_compose! {
    fn some_changes()(
        numbers in parameter::all()
            .iter()
            .filter(|p| p.kind == Kind::Fixed)
            .map(|p| (Just(p.name.clone()), proptest::option::of(raw_value(p))))
            .collect::<Vec<_>>(),
        lut in proptest::option::of(prop_oneof![
            Just(Vec::new()),
            proptest::collection::vec(
                raw_value(parameter::by_file_name("LUT").unwrap()),
                LUT_LEN,
            ),
        ]),
        mode in proptest::option::of(proptest::sample::select(Mode::ALL.to_vec())),
    ) -> Changes {
        let mut changes = Changes::default();
        for (name, value) in numbers {
            if let Some(value) = value {
                changes.set(&name, value).unwrap();
            }
        }
        if let Some(mode) = mode {
            changes.set_mode(mode);
        }
        if let Some(lut) = lut {
            changes.set_lut(&lut).unwrap();
        }
        changes
    }
}

fn some_settings() -> impl Strategy<Value = Settings> {
    some_changes().prop_filter_map("mode lut needs a table", |changes| {
        changes.apply(&Settings::default()).ok()
    })
}

proptest! {
    #[test]
    fn changes_survive_toml_json_and_the_line(changes in some_changes()) {
        let toml = toml::to_string(&changes).unwrap();
        prop_assert_eq!(&toml::from_str::<Changes>(&toml).unwrap(), &changes);
        let json = serde_json::to_string(&changes).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Changes>(&json).unwrap(), &changes);
        prop_assert_eq!(&line::parse(&line::format(&changes)).unwrap(), &changes);
    }

    #[test]
    fn a_line_of_any_settings_fits_the_driver(settings in some_settings()) {
        let line = line::format(&Changes::all(&settings));
        prop_assert!(line.len() <= 4095, "{} bytes", line.len());
        prop_assert_eq!(line::parse_settings(&line).unwrap(), settings);
    }

    #[test]
    fn the_difference_of_two_settings_turns_one_into_the_other(
        from in some_settings(),
        to in some_settings(),
    ) {
        let changes = Changes::between(&from, &to);
        prop_assert_eq!(&changes.apply(&from).unwrap(), &to);
        prop_assert!(Changes::between(&to, &to).is_empty());
    }

    #[test]
    fn later_changes_win_and_earlier_ones_stay(
        base in some_settings(),
        earlier in some_changes(),
        later in some_changes(),
    ) {
        let one_by_one = earlier.apply(&base).and_then(|settings| later.apply(&settings));
        let mut merged = earlier.clone();
        merged.merge(&later);
        if let Ok(settings) = one_by_one {
            prop_assert_eq!(merged.apply(&base).unwrap(), settings);
        }
    }

    #[test]
    fn the_short_form_is_stored_as_the_same_number(raw in any::<i64>()) {
        let fixed = Fixed::from_raw(raw >> 1);
        prop_assert_eq!(Fixed::from_f64(fixed.to_short()).unwrap().to_f64(), fixed.to_f64());
    }

    #[test]
    fn a_file_survives_being_written(
        settings in some_changes(),
        profiles in proptest::collection::btree_map("[a-zA-Z0-9_-]{1,64}", some_changes(), 0..3),
        devices in proptest::collection::vec(
            (
                "[0-9a-f]{4}:[0-9a-f]{4}(:[^\\p{Cc}]{1,8})?",
                any::<Option<bool>>(),
                proptest::option::of(some_changes()),
            ),
            0..3,
        ),
        uid in 0..u32::MAX,
    ) {
        let mut file = SettingsFile::default();
        file.settings = settings;
        for (name, changes) in profiles {
            let name = ProfileName::new(&name).unwrap();
            file.users.set(uid, name.clone());
            file.profiles.insert(name, changes);
        }
        for (text, enabled, settings) in devices {
            let matches = DeviceMatch::parse(&text).unwrap();
            file.devices.push(DeviceEntry { matches, enabled, settings });
        }
        let text = settings_file::format(&file).unwrap();
        prop_assert_eq!(settings_file::parse(&text).unwrap(), file);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,200}") {
        let _ = line::parse(&text);
        let _ = toml::from_str::<Changes>(&text);
        let _ = settings_file::parse(&text);
        let _ = reset_script::read_into(&mut Changes::default(), "set_last_MODE_value.sh", &text);
    }
}

#[test]
fn refusals_name_the_parameter_and_point_at_the_value() {
    let texts = [
        "mode = \"linear\"\nsens-mult = 0\n",
        "sensitivity = 1\n",
        "mode = \"fast\"\n",
        "lut = [1, 2]\n",
        "sens-mult = \"1\"\n",
    ];
    let refusals: Vec<_> =
        texts.iter().map(|text| toml::from_str::<Changes>(text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    TOML parse error at line 2, column 13
      |
    2 | sens-mult = 0
      |             ^
    SENS_MULT: 0 is out of range, 0.01 to 100 is valid

    TOML parse error at line 1, column 1
      |
    1 | sensitivity = 1
      | ^^^^^^^^^^^
    there is no parameter 'sensitivity'; the parameters are mode, sens-mult, yx-ratio, input-dpi, angle-rotation, accel, offset, output-cap, decay-rate, limit, gamma, smooth, motivity, sync-speed, angle-snap, lut

    TOML parse error at line 1, column 8
      |
    1 | mode = "fast"
      |        ^^^^^^
    there is no mode 'fast'; the modes are linear, natural, synchronous, no-accel, lut

    TOML parse error at line 1, column 7
      |
    1 | lut = [1, 2]
      |       ^^^^^^
    a look-up table has 121 factors, not 2

    TOML parse error at line 1, column 13
      |
    1 | sens-mult = "1"
      |             ^^^
    invalid type: string "1", expected f64
    "#);
}
