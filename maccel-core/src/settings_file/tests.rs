// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file, its refusals, and what follows from three of them.

use super::*;
use crate::settings::{Mode, Settings, SettingsError};

const WHOLE: &str = r#"version = 1
locked = ["sens-mult"]

[settings]
mode = "natural"
sens-mult = 1.2
decay-rate = 0.1

[profiles.slow]
sens-mult = 0.5

[[device]]
match = "046d:c088:A1B2"
enabled = false

[device.settings]
input-dpi = 1600.0

[users]
1000 = "slow"
"#;

fn file(text: &str) -> SettingsFile {
    parse(&format!("version = 1\n{text}")).unwrap()
}

fn layers(image: &str, admin: &str, state: &str) -> Layers {
    let (image, admin, state) = (file(image), file(admin), file(state));
    Layers { image, admin, state, ..Layers::default() }
}

fn sens(settings: &Settings) -> f64 {
    settings.get("SENS_MULT").unwrap()
}

#[test]
fn a_file_is_written_as_it_was_read() {
    let whole = parse(WHOLE).unwrap();
    assert_eq!(format(&whole).unwrap(), WHOLE);
    assert_eq!(format(&SettingsFile::default()).unwrap(), "version = 1\n");
}

#[test]
fn refusals_show_the_line_and_what_would_be_right() {
    let texts = [
        "[settings]\n",
        "version = 2\n",
        "version = 0\n",
        "version = 1\nsettings = 5\n",
        "version = 1\n[setting]\nmode = \"linear\"\n",
        "version = 1\n[settings]\nsens-mult = 500\n",
        "version = 1\n[profiles.\"\"]\n",
        "version = 1\nlocked = [\"speed\"]\n",
        "version = 1\n[[device]]\nmatch = \"Logitech\"\n",
        "version = 1\n[[device]]\nenabled = true\n",
        "version = 1\n[users]\nmary = \"slow\"\n",
    ];
    let refusals: Vec<_> = texts.iter().map(|text| parse(text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(refusals.join("\n\n"), @r#"
    TOML parse error at line 1, column 1
      |
    1 | [settings]
      | ^
    missing field `version`

    its version is 2, known are 1 to 1: it was written by a newer Vespera

    TOML parse error at line 1, column 11
      |
    1 | version = 0
      |           ^
    there is no version 0

    TOML parse error at line 2, column 12
      |
    2 | settings = 5
      |            ^
    invalid type: integer `5`, expected a table of parameters

    TOML parse error at line 2, column 2
      |
    2 | [setting]
      |  ^^^^^^^
    unknown field `setting`, expected one of `version`, `locked`, `settings`, `profiles`, `device`, `users`

    TOML parse error at line 3, column 13
      |
    3 | sens-mult = 500
      |             ^^^
    SENS_MULT: 500 is out of range, 0.01 to 100 is valid

    TOML parse error at line 2, column 11
      |
    2 | [profiles.""]
      |           ^^
    '' cannot name a profile: 1 to 64 letters a to z, digits, '-' and '_' are right

    TOML parse error at line 2, column 10
      |
    2 | locked = ["speed"]
      |          ^^^^^^^^^
    there is no parameter 'speed'

    TOML parse error at line 3, column 9
      |
    3 | match = "Logitech"
      |         ^^^^^^^^^^
    'Logitech' is not vvvv:pppp or vvvv:pppp:serial with lower-case hexadecimal v and p

    TOML parse error at line 2, column 1
      |
    2 | [[device]]
      | ^^^^^^^^^^
    missing field `match`

    TOML parse error at line 3, column 1
      |
    3 | mary = "slow"
      | ^^^^
    'mary' is not a user id, for example 1000
    "#);
}

#[test]
fn a_later_layer_wins_value_by_value() {
    let layers = layers(
        "[settings]\nmode = \"natural\"\nsens-mult = 1.1\nlimit = 2\n",
        "[settings]\nsens-mult = 1.2\nlimit = 3\n",
        "[settings]\nsens-mult = 1.25\n",
    );
    let settings = layers.settings().unwrap();
    assert_eq!(settings.mode(), Mode::Natural);
    assert_eq!((sens(&settings), settings.get("LIMIT").unwrap()), (1.25, 3.0));
    assert_eq!(layers.base().unwrap().get("LIMIT").unwrap(), 3.0);
}

#[test]
fn a_locked_value_is_the_administrators_whatever_was_set() {
    let mut layers = layers(
        "",
        "locked = [\"sens-mult\"]\n[settings]\nsens-mult = 2\n",
        "[settings]\nsens-mult = 4\nlimit = 3\n[profiles.fast]\nsens-mult = 8\n\
         [[device]]\nmatch = \"046d:c088\"\nsettings = { sens-mult = 16, limit = 5 }\n",
    );
    let settings = layers.settings().unwrap();
    assert_eq!((sens(&settings), settings.get("LIMIT").unwrap()), (2.0, 3.0));
    assert_eq!(sens(&layers.profile("fast").unwrap().unwrap()), 2.0);
    let (_, own) = layers.device("046d:c088", "", &settings).unwrap();
    let own = own.unwrap();
    assert_eq!((sens(&own), own.get("LIMIT").unwrap()), (2.0, 5.0));

    let mut other = settings.clone();
    other.set("LIMIT", 4.0).unwrap();
    assert!(layers.lock_broken_by(&settings, &other).is_none());
    other.set("SENS_MULT", 1.0).unwrap();
    assert_eq!(layers.lock_broken_by(&settings, &other).unwrap().name, "SENS_MULT");
    layers.remember(&other).unwrap();
    assert_eq!(layers.state.settings.number("SENS_MULT"), None);
    assert_eq!(layers.state.settings.number("LIMIT"), Some(4.0));
}

#[test]
fn only_the_administrator_locks() {
    let file = parse(WHOLE).unwrap();
    assert_eq!(Layer::Admin.accepts(&file), Ok(()));
    assert_eq!(Layer::State.accepts(&file), Err(FileError::Locked));
    assert_eq!(Layer::Image.accepts(&file), Err(FileError::Locked));
}

#[test]
fn what_is_remembered_follows_the_layers_below_where_it_equals_them() {
    let mut layers = layers("[settings]\nlimit = 2\n", "", "");
    let mut wanted = layers.settings().unwrap();
    wanted.set("SENS_MULT", 2.0).unwrap();
    layers.remember(&wanted).unwrap();
    assert_eq!(layers.settings().unwrap(), wanted);
    layers.admin = file("[settings]\nlimit = 3\nsens-mult = 5\n");
    let settings = layers.settings().unwrap();
    assert_eq!((sens(&settings), settings.get("LIMIT").unwrap()), (2.0, 3.0));
}

#[test]
fn options_of_the_module_hold_where_no_file_says_otherwise() {
    let mut layers = layers("", "[settings]\nlimit = 3\n", "");
    layers.options.set("INPUT_DPI", 1600.0).unwrap();
    layers.options.set("LIMIT", 5.0).unwrap();
    let settings = layers.settings().unwrap();
    let value = |name| settings.get(name).unwrap();
    assert_eq!((value("INPUT_DPI"), value("LIMIT")), (1600.0, 3.0));
    layers.remember(&settings).unwrap();
    assert!(layers.state.settings.is_empty());
}

#[test]
fn profiles_and_users_of_a_later_layer_win() {
    let layers = layers(
        "[profiles.slow]\nsens-mult = 0.5\n[users]\n1000 = \"slow\"\n",
        "[users]\n1001 = \"slow\"\n",
        "[profiles.slow]\nsens-mult = 0.25\n[profiles.fast]\nsens-mult = 4\n[users]\n1000 = \"fast\"\n",
    );
    let names: Vec<_> = layers.profiles().into_keys().map(ProfileName::as_str).collect();
    assert_eq!(names, ["fast", "slow"]);
    assert_eq!(sens(&layers.profile("slow").unwrap().unwrap()), 0.25);
    assert!(layers.profile("none").is_none());
    let users = layers.users();
    assert_eq!(users.profile_of(1000).unwrap().as_str(), "fast");
    assert_eq!(users.profile_of(1001).unwrap().as_str(), "slow");
    assert_eq!(users.profile_of(1002), None);
}

#[test]
fn a_profile_given_at_run_time_is_noted_where_it_differs_and_goes_with_the_profile() {
    let mut layers = layers(
        "",
        "[profiles.slow]\nsens-mult = 0.5\n[users]\n1000 = \"slow\"\n",
        "[profiles.slow]\nsens-mult = 0.25\n[profiles.fast]\nsens-mult = 4\n",
    );
    let name = |text: &str| ProfileName::new(text).unwrap();
    let of = |layers: &Layers| layers.users().profile_of(1000).unwrap().as_str().to_owned();
    layers.give_profile(1000, &name("fast"));
    assert_eq!(of(&layers), "fast");
    layers.give_profile(1000, &name("slow"));
    assert!(layers.state.users.is_empty(), "the administrator's word is enough");
    layers.give_profile(1000, &name("fast"));
    layers.give_profile(1001, &name("slow"));
    assert!(layers.delete_profile("slow"));
    assert_eq!(layers.users().profile_of(1001).unwrap().as_str(), "slow", "there is one left");
    assert!(layers.delete_profile("fast"));
    assert_eq!(of(&layers), "slow");
    for name in ["fast", "slow", "../fast"] {
        assert!(!layers.delete_profile(name), "{name}");
    }
}

#[test]
fn a_single_mouse_wins_over_its_kind_and_then_the_later_layer() {
    let layers = layers(
        "[[device]]\nmatch = \"046d:c088\"\nenabled = false\nsettings = { sens-mult = 2 }\n",
        "[[device]]\nmatch = \"046d:c088:A\"\nsettings = { sens-mult = 3 }\n",
        "[[device]]\nmatch = \"046d:c088\"\nsettings = { sens-mult = 4 }\n",
    );
    let shared = Settings::default();
    let of = |id: &str, uniq: &str| {
        let (enabled, own) = layers.device(id, uniq, &shared).unwrap();
        (enabled, own.map(|own| sens(&own)))
    };
    assert_eq!(of("046d:c088", "A"), (Some(false), Some(3.0)));
    assert_eq!(of("046d:c088", "B"), (Some(false), Some(4.0)));
    assert_eq!(of("046d:c089", "A"), (None, None));
    let mut layers = layers.clone();
    let one = DeviceMatch::parse("046d:c088:A").unwrap();
    layers.device_entry(&one).settings = Some(Changes::default());
    assert_eq!(layers.device("046d:c088", "A", &shared).unwrap(), (Some(false), None));
}

#[test]
fn mode_lut_without_a_table_in_any_layer_is_an_error_of_the_whole() {
    let layers = layers("", "[settings]\nmode = \"lut\"\n", "");
    assert_eq!(layers.settings(), Err(SettingsError::LutMissing));
}

#[test]
fn matches_and_names_that_mean_nothing_are_refused() {
    for text in ["", "046d", "046d:c08", "046D:C088", "046d:c088:", "046d-c088", "046d:c088:a\n"] {
        assert!(DeviceMatch::parse(text).is_err(), "{text:?}");
    }
    for text in ["046d:c088", "046d:c088:A1", "046d:c088:with:colons"] {
        assert_eq!(DeviceMatch::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(DeviceMatch::narrowest("046d:c088", "").unwrap().to_string(), "046d:c088");
    assert_eq!(DeviceMatch::narrowest("046d:c088", "A").unwrap().to_string(), "046d:c088:A");
    let long = "x".repeat(65);
    for text in ["", " a", "a b", "a\n", "../a", "\u{e9}", long.as_str()] {
        assert!(ProfileName::new(text).is_err(), "{text:?}");
    }
    assert!(ProfileName::new("My_profile-2").is_ok());
}

#[test]
fn the_documentation_shows_a_file_and_a_fault_as_they_are() {
    let text = include_str!("../../../docs/settings.md");
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = parse(example).unwrap();
    assert_eq!(Layer::Admin.accepts(&file), Ok(()));
    for name in ["slow", "games"] {
        assert!(file.profiles.keys().any(|known| known.as_str() == name), "{name}");
    }
    let fault = "version = 1\n\n[settings]\nmode = \"natural\"\nlimit = 0.5\n";
    let shown = format!("/etc/vespera/maccel.toml: {}", parse(fault).unwrap_err());
    assert!(text.contains(&shown), "{shown}");
}
