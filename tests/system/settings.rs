// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings as a whole, those of single mice, and the speed that is read back.

use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use vespera_tests::mouse::SeenFrame;
use vespera_tests::race::{RacePlan, Write, X, Y, run};
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{DEFAULTS, parameter, set};

const EINVAL: i32 = 22;
const ERANGE: i32 = 34;
const ONE: i64 = 1 << 32;

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("settings_are_taken_whole_or_not_at_all", whole),
        group.test("settings_read_back_as_they_are_written", read_back),
        group.test("a_look_up_table_scales_and_is_checked", table),
        group.test("a_mouse_has_settings_of_its_own_and_can_be_left_alone", own),
        group.test("the_speed_is_read_polled_and_forgotten", speed),
    ]
}

fn line(guest: &Guest) -> Result<String, HarnessError> {
    guest.read_file(&parameter("SETTINGS"))
}

fn refused(guest: &Guest, text: &str) -> Result<Option<i32>, HarnessError> {
    match guest.write_file(&parameter("SETTINGS"), text) {
        Ok(()) => Ok(None),
        Err(error) if error.errno().is_some() => Ok(error.errno()),
        Err(error) => Err(error),
    }
}

/// Everything at its default, also what has no file.
fn reset(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    guest.write_file(&parameter("SETTINGS"), "ANGLE_SNAP=0 LUT=")
}

fn whole(guest: &Guest) -> Result<(), HarnessError> {
    reset(guest)?;
    let before = line(guest)?;
    for (text, errno) in [
        ("SENS_MULT=8589934592 LIMIT=abc", EINVAL),
        ("SENS_MULT=8589934592 LIMIT=1", ERANGE),
        ("SENS_MULT=8589934592 UNKNOWN=1", EINVAL),
        ("SENS_MULT=8589934592 sens_mult=1", EINVAL),
        ("SENS_MULT=8589934592 SENS_MULT=8589934592", EINVAL),
        ("SENS_MULT=8589934592 MODE=64", EINVAL),
        ("SENS_MULT=8589934592 LUT=1,2,3", EINVAL),
        ("SENS_MULT=8589934592 LIMIT", EINVAL),
        ("SENS_MULT=8589934592 =1", EINVAL),
        ("SENS_MULT=8589934592\nLIMIT=8589934592", EINVAL),
        ("ANGLE_SNAP=-1", ERANGE),
        ("\n", EINVAL),
        (" \n", EINVAL),
    ] {
        assert_eq!(refused(guest, text)?, Some(errno), "{text:?}");
        assert_eq!(line(guest)?, before, "after {text:?}");
    }
    let over_long = format!("SENS_MULT=8589934592{}", " ".repeat(4096));
    assert!(refused(guest, &over_long)?.is_some());
    assert_eq!(line(guest)?, before);
    Ok(())
}

fn read_back(guest: &Guest) -> Result<(), HarnessError> {
    reset(guest)?;
    let defaults: Vec<_> = DEFAULTS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(line(guest)?, format!("{} ANGLE_SNAP=0 LUT=\n", defaults.join(" ")));
    guest.write_file(&parameter("SETTINGS"), "LIMIT=8589934592  MODE=1\n")?;
    assert_eq!(guest.read_file(&parameter("LIMIT"))?, "8589934592\n");
    assert_eq!(guest.read_file(&parameter("MODE"))?, "1\n");
    // What was not named keeps its value, and what is read can be written.
    let changed = line(guest)?;
    reset(guest)?;
    guest.write_file(&parameter("SETTINGS"), &changed)?;
    assert_eq!(line(guest)?, changed);
    reset(guest)
}

fn table(guest: &Guest) -> Result<(), HarnessError> {
    reset(guest)?;
    let list = |value: i64, count: usize| vec![value.to_string(); count].join(",");
    let flat = format!("MODE=64 LUT={}", list(3 * ONE, 121));
    guest.write_file(&parameter("SETTINGS"), &flat)?;
    assert!(line(guest)?.ends_with(&format!("LUT={}\n", list(3 * ONE, 121))));
    let record =
        MousePlan::one_mouse().movement(0, 0, 5, -4).movement(0, 9_000, 7, 1).play(guest)?;
    let seen: Vec<_> = record.mice[0].frames().iter().map(SeenFrame::movement).collect();
    assert_eq!(seen, [(15, -12), (21, 3)]);
    let before = line(guest)?;
    for text in [
        format!("LUT={}", list(ONE, 120)),
        format!("LUT={}", list(ONE, 122)),
        format!("LUT={},", list(ONE, 120)),
        format!("LUT={}", list(-1, 121)),
        format!("LUT={},{}", list(ONE, 120), 65_537 * ONE),
        format!("LUT={},x", list(ONE, 120)),
        // The mode in force needs it.
        "LUT=".into(),
    ] {
        assert!(matches!(refused(guest, &text)?, Some(EINVAL | ERANGE)), "{text}");
        assert_eq!(line(guest)?, before);
    }
    reset(guest)
}

/// Plays a mouse while its attributes are written, and gives the movements it made.
fn movements(guest: &Guest, values: &[(&str, &str)]) -> Result<Vec<(i32, i32)>, HarnessError> {
    let writes = values
        .iter()
        .map(|(name, value)| Write { path: format!("*/{name}"), value: (*value).into() })
        .collect();
    let plan = RacePlan { mice: 1, frames: 3_000, writes, ..RacePlan::default() };
    let record = run(guest, &plan, std::time::Duration::from_secs(120))?;
    assert_eq!(record.mice[0].whole, record.mice[0].sent, "{:?}", record.mice[0].others);
    Ok(record.mice[0].movements.iter().map(|(movement, _)| *movement).collect())
}

fn own(guest: &Guest) -> Result<(), HarnessError> {
    reset(guest)?;
    guest.write_file(&parameter("SENS_MULT"), (3 * ONE).to_string())?;
    let (bare, shared, own) = ((X, Y), (3 * X, 3 * Y), (5 * X, 5 * Y));
    assert_eq!(movements(guest, &[])?, [shared]);
    // The shared value until the attribute is written, then the mouse's own.
    let five = format!("SENS_MULT={}", 5 * ONE);
    changes(&movements(guest, &[("settings", &five)])?, shared, own);
    changes(&movements(guest, &[("enabled", "0")])?, shared, bare);
    assert_eq!(movements(guest, &[("settings", "inherit")])?, [shared]);
    assert_eq!(movements(guest, &[("settings", "SENS_MULT=0")])?, [shared]);
    reset(guest)?;
    attributes(guest)
}

/// From one movement to the other; the first may be over before the first report.
fn changes(seen: &[(i32, i32)], from: (i32, i32), to: (i32, i32)) {
    assert!(seen.contains(&to), "{seen:?}");
    assert!(seen.iter().all(|movement| [from, to].contains(movement)), "{seen:?}");
}

fn attributes(guest: &Guest) -> Result<(), HarnessError> {
    let program = guest.hello().program.clone();
    let seen = guest.run([program, "attributes".into()])?.success()?.stdout;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    let settings = line(guest)?;
    let expected = json!({
        "name": "watched mouse\n", "id": "1209:7000\n", "uniq": "\n", "phys": "\n",
        "enabled": "1\n", "settings": "inherit\n", "speed": "0\n",
        "own": settings.replace("LIMIT=6442450944", "LIMIT=8589934592"),
        "refused": [EINVAL, EINVAL, ERANGE],
        "inherited": "inherit\n",
    });
    assert_eq!(seen, expected);
    Ok(())
}

fn speed(guest: &Guest) -> Result<(), HarnessError> {
    reset(guest)?;
    let program = guest.hello().program.clone();
    let account = guest.run([program, "speed".into()])?.success()?.stdout;
    let account: Value = serde_json::from_str(&account).unwrap();
    assert_eq!(account["short"], EINVAL, "{account}");
    assert_eq!(account["at_rest"], json!([0, false]), "{account}");
    assert_eq!(account["woken"], true, "{account}");
    // 50 counts or 100 in 0.0625 to 100 ms.
    let moved = account["moved"][0].as_i64().unwrap();
    assert!((ONE / 2..=1600 * ONE).contains(&moved), "{account}");
    assert_eq!(account["moved"][1], false, "{account}");
    assert_eq!(account["rested"], json!([0, false]), "{account}");
    Ok(())
}
