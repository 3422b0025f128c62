// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that must not get into the driver, among them each that stopped a kernel with the
//! public one: they are refused, the old value stands, and the mouse moves on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use vespera_tests::mouse::SeenFrame;
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{DEFAULTS, parameter, set};

const EINVAL: i32 = 22;
const ERANGE: i32 = 34;

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("no_value_that_stopped_a_kernel_gets_in", trapping),
        group.test("an_input_dpi_of_800_is_refused_and_the_mouse_moves", unscaled_dpi),
        group.test("what_is_no_number_is_refused_by_every_file", no_numbers),
        group.test("what_is_out_of_range_is_refused_by_every_file", out_of_range),
        group.test("a_refusal_is_logged_with_its_reason", reason),
        group.test("a_bad_option_is_left_out_and_the_module_loads", options),
    ]
}

/// Mode in which the value trapped, file, and what was written to it.
const TRAPPING: &[(&str, &str, &[&str])] = &[
    (
        "3",
        "INPUT_DPI",
        &[
            "0",
            "\n",
            "abc",
            "1.0",
            "-1",
            "1",
            "800",
            "1600",
            "2000",
            "2001",
            "18446744073709551616",
        ],
    ),
    (
        "2",
        "MOTIVITY",
        &["0", "1", "2", "4294967296", "4294967297", "4294967298", "-4294967296", "2147483648"],
    ),
    ("2", "SMOOTH", &["1", "4611686018427387904", "9223372036854775807", "-9223372036854775808"]),
    ("2", "GAMMA", &["9223372036854775807", "-4294967296", "4294967296000000000"]),
    ("2", "SYNC_SPEED", &["0", "-1"]),
    ("1", "LIMIT", &["9223372036854775807", "2147483648000"]),
    ("1", "DECAY_RATE", &["1", "0", "429497", "9223372036854775807"]),
    ("1", "OFFSET", &["-9223372036854775808", "-1"]),
    ("0", "OFFSET", &["-214748364800000", "9223372036854775807"]),
    ("0", "ACCEL", &["429496729600000000", "9223372036854775807", "-1"]),
    ("3", "SENS_MULT", &["0", "9223372036854775807", "-9223372036854775808"]),
    ("3", "YX_RATIO", &["0", "9223372036854775807", "-9223372036854775808"]),
    ("3", "MODE", &["7", "4", "-1", "63", "64", "65"]),
];

/// Values that trapped the public driver and are in range here: harmless, alone and together.
const HARMLESS: &[(&str, &str)] =
    &[("SMOOTH", "1"), ("LIMIT", "429496729600"), ("DECAY_RATE", "429497")];

fn write(guest: &Guest, name: &str, value: &str) -> Result<Option<i32>, HarnessError> {
    match guest.write_file(&parameter(name), value) {
        Ok(()) => Ok(None),
        Err(error) if error.errno().is_some() => Ok(error.errno()),
        Err(error) => Err(error),
    }
}

/// The mouse still moves, and by no more than the settings can mean.
fn moves(guest: &Guest) -> Result<(), HarnessError> {
    let plan = (0..4)
        .fold(MousePlan::one_mouse(), |plan, number| plan.movement(0, number * 8_000, 40, -30));
    let record = plan.play(guest)?;
    let (x, y) = record.mice[0]
        .frames()
        .iter()
        .map(SeenFrame::movement)
        .fold((0_i64, 0_i64), |(x, y), (dx, dy)| (x + i64::from(dx), y + i64::from(dy)));
    assert!((1..=16_000).contains(&x) && (-12_000..=-1).contains(&y), "({x}, {y})");
    Ok(())
}

fn trapping(guest: &Guest) -> Result<(), HarnessError> {
    for (mode, name, values) in TRAPPING {
        set(guest, &[])?;
        write(guest, "MODE", mode)?;
        let before = guest.read_file(&parameter(name))?;
        for value in *values {
            let refused = write(guest, name, value)?;
            if refused.is_none() {
                let known = HARMLESS.contains(&(name, value));
                assert!(known, "{name} takes {value:?}");
                assert_eq!(guest.read_file(&parameter(name))?.trim(), *value);
                moves(guest)?;
                guest.write_file(&parameter(name), before.trim())?;
            } else {
                assert!(matches!(refused, Some(EINVAL | ERANGE)), "{name} {value:?}: {refused:?}");
                assert_eq!(guest.read_file(&parameter(name))?, before, "{name} after {value:?}");
            }
        }
        moves(guest)?;
    }
    // Those in range, together: (limit - 1)^2 / decay was a quotient too large.
    set(guest, &[])?;
    for (name, value) in HARMLESS {
        guest.write_file(&parameter(name), value)?;
    }
    for mode in ["1", "2"] {
        write(guest, "MODE", mode)?;
        moves(guest)?;
    }
    set(guest, &[])
}

fn unscaled_dpi(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    // As a shell's echo writes it.
    assert_eq!(write(guest, "INPUT_DPI", "800\n")?, Some(ERANGE));
    assert_eq!(guest.read_file(&parameter("INPUT_DPI"))?, "4294967296000\n");
    let record = MousePlan::one_mouse().movement(0, 0, 10, -7).play(guest)?;
    assert_eq!(record.mice[0].frames()[0].movement(), (10, -7));
    Ok(())
}

fn refused_everywhere(guest: &Guest, values: &[&str]) -> Result<(), HarnessError> {
    set(guest, &[])?;
    for (name, default) in DEFAULTS {
        for value in values {
            let refused = write(guest, name, value)?;
            assert_eq!(refused, Some(EINVAL), "{name} {value:.40?}");
        }
        assert_eq!(guest.read_file(&parameter(name))?, format!("{default}\n"), "{name}");
    }
    moves(guest)
}

fn no_numbers(guest: &Guest) -> Result<(), HarnessError> {
    let over_long = "1".repeat(65);
    let page_long = "0".repeat(4095);
    // A newline where the longest number ends once hid what follows it.
    let behind_newline = format!("{:064}\nxyz", 4_294_967_296_u64);
    // A write of nothing at all never reaches a driver: sysfs itself takes it.
    let values = [
        "\n",
        " ",
        "-",
        "+1",
        "--1",
        "abc",
        "1.0",
        "0x10",
        "1e3",
        "nan",
        "inf",
        "1 ",
        " 1",
        "1\n1",
        "1\n\n",
        "\u{661}",
        "1,0",
        over_long.as_str(),
        page_long.as_str(),
        behind_newline.as_str(),
    ];
    refused_everywhere(guest, &values)
}

fn out_of_range(guest: &Guest) -> Result<(), HarnessError> {
    let overflowing = [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
    ];
    set(guest, &[])?;
    for (name, default) in DEFAULTS {
        for value in overflowing {
            let refused = write(guest, name, value)?;
            assert!(matches!(refused, Some(EINVAL | ERANGE)), "{name} {value}: {refused:?}");
            // What is no Q32.32 at all is out of range for the mode, too.
            assert!(*name == "MODE" || refused == Some(ERANGE), "{name} {value}: {refused:?}");
        }
        assert_eq!(guest.read_file(&parameter(name))?, format!("{default}\n"), "{name}");
    }
    // Just outside of the documented ranges (maccel-core/parameters.toml), and their ends.
    let one = 4_294_967_296.0_f64;
    for (name, minimum, maximum) in RANGES {
        let (low, high) = ((minimum * one).round(), (maximum * one).round());
        for outside in [low - 2.0, high + 2.0] {
            let refused = write(guest, name, &outside.to_string())?;
            assert_eq!(refused, Some(ERANGE), "{name} {outside}");
        }
        for inside in [low + 1.0, high - 1.0] {
            assert_eq!(write(guest, name, &inside.to_string())?, None, "{name} {inside}");
            assert_eq!(guest.read_file(&parameter(name))?, format!("{inside}\n"));
        }
    }
    moves(guest)?;
    set(guest, &[])
}

const RANGES: &[(&str, f64, f64)] = &[
    ("SENS_MULT", 0.01, 100.0),
    ("YX_RATIO", 0.05, 20.0),
    ("INPUT_DPI", 50.0, 50_000.0),
    ("ANGLE_ROTATION", -360.0, 360.0),
    ("ACCEL", 0.0, 10.0),
    ("OFFSET", 0.0, 100.0),
    ("OUTPUT_CAP", 0.0, 1000.0),
    ("DECAY_RATE", 0.000_01, 100.0),
    ("LIMIT", 1.0, 100.0),
    ("GAMMA", 0.001, 100.0),
    ("SMOOTH", 0.0, 1.0),
    ("MOTIVITY", 1.001, 100.0),
    ("SYNC_SPEED", 0.01, 1000.0),
];

/// Messages are rate-limited: one may be left out, but not for ever.
const LOG_LIMIT: Duration = Duration::from_secs(60);

fn reason(guest: &Guest) -> Result<(), HarnessError> {
    let dpi = parameter("INPUT_DPI");
    let mouse = some_mouse(guest)?;
    for (path, value, words) in [
        (dpi.clone(), "800", "INPUT_DPI refused: \"800\" is out of range"),
        (dpi.clone(), "fast", "INPUT_DPI refused: \"fast\" is not a whole decimal number"),
        (dpi, "\n", "INPUT_DPI refused: \"\" is not a whole decimal number"),
        // Nobody writes lines of their own into the log. A backslash reads as \x5c there.
        (
            parameter("LIMIT"),
            "1\n<0>maccel: forged",
            "LIMIT refused: \"1\\x5cn<0>maccel: forged\" is not a whole decimal number",
        ),
        (
            parameter("SETTINGS"),
            "DPI=1",
            "SETTINGS refused: \"DPI\" is not the name of a parameter",
        ),
        (format!("{mouse}/settings"), "LIMIT=1", "SETTINGS refused: \"1\" is out of range"),
        (format!("{mouse}/enabled"), "perhaps", "enabled refused: \"perhaps\" is neither 0 nor 1"),
    ] {
        let deadline = Instant::now() + LOG_LIMIT;
        loop {
            assert!(guest.write_file(&path, value).is_err(), "{path} takes {value:?}");
            let log = guest.kernel_log()?;
            if log.contains(words) {
                break;
            }
            assert!(Instant::now() < deadline, "not logged: {words}\n{log}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    let before = guest.kernel_log()?.matches(" refused: ").count();
    for _ in 0..100 {
        write(guest, "INPUT_DPI", "800")?;
    }
    let more = guest.kernel_log()?.matches(" refused: ").count() - before;
    assert!(more < 50, "not rate-limited: {more} of 100");
    Ok(())
}

/// The folder of a mouse that is always there: the machine has a PS/2 mouse.
fn some_mouse(guest: &Guest) -> Result<String, HarnessError> {
    let list = [guest.hello().program.as_str(), "list", "/sys/class/maccel"];
    let entries = guest.run(list)?.success()?.stdout;
    let mouse = entries.lines().find(|name| name.starts_with("input")).expect("a mouse");
    Ok(format!("/sys/class/maccel/{mouse}"))
}

fn options(guest: &Guest) -> Result<(), HarnessError> {
    let reload = |options: &str| -> Result<(), HarnessError> {
        guest.remove_module("maccel")?;
        guest.insert_module("/mods/maccel.ko", options)
    };
    reload(
        "INPUT_DPI=800 LIMIT=x MOTIVITY= GAMMA MODE=9 SETTINGS=NONSENSE=1 SENS_MULT=8589934592",
    )?;
    for (name, default) in DEFAULTS {
        let expected = if *name == "SENS_MULT" { 8_589_934_592 } else { *default };
        assert_eq!(guest.read_file(&parameter(name))?, format!("{expected}\n"), "{name}");
    }
    let record = MousePlan::one_mouse().movement(0, 0, 10, -7).play(guest)?;
    assert_eq!(record.mice[0].frames()[0].movement(), (20, -14));
    reload("")?;
    assert_eq!(guest.read_file(&parameter("SENS_MULT"))?, "4294967296\n");
    Ok(())
}
