// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel` in the image, on the real driver: the drop-in table again, and what a folder of
//! files cannot show.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::mouse::SeenFrame;
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{parameter, set};

/// Where the public command keeps values; without an agent so does ours.
const RESETS: &str = "/var/opt/maccel/resets";

/// Name, value as it is typed, what the driver's file then holds, what is printed for it.
const PARAMETERS: &[(&str, &str, &str, &str, &str)] = &[
    ("sens-mult", "0.7", "SENS_MULT", "3006477107", "0.699999999"),
    ("yx-ratio", "1.25", "YX_RATIO", "5368709120", "1.250000000"),
    ("input-dpi", "1600", "INPUT_DPI", "6871947673600", "1600.000000000"),
    ("angle-rotation", "-5", "ANGLE_ROTATION", "-21474836480", "-5.000000000"),
    ("accel", "0.055", "ACCEL", "236223201", "0.054999999"),
    ("offset-linear", "2.2", "OFFSET", "9448928051", "2.199999999"),
    ("output-cap", "2", "OUTPUT_CAP", "8589934592", "2.000000000"),
    ("decay-rate", "0.3", "DECAY_RATE", "1288490189", "0.300000000"),
    ("offset-natural", "8", "OFFSET", "34359738368", "8.000000000"),
    ("limit", "3", "LIMIT", "12884901888", "3.000000000"),
    ("gamma", "2", "GAMMA", "8589934592", "2.000000000"),
    ("smooth", "0.25", "SMOOTH", "1073741824", "0.250000000"),
    ("motivity", "2", "MOTIVITY", "8589934592", "2.000000000"),
    ("sync-speed", "10", "SYNC_SPEED", "42949672960", "10.000000000"),
];

/// What the command prints where the driver has its default values.
const PRINTED: &[(&str, &str)] = &[
    (
        "get all linear",
        "Accel:  \t0.000000000\nOffset:  \t0.000000000\nOutput-Cap:  \t0.000000000\n",
    ),
    ("get all -q natural", "0.100000000\n0.000000000\n1.500000000\n"),
    ("get all --oneline --quiet synchronous", "1.000000000 0.500000000 1.500000000 5.000000000 "),
    (
        "get all --oneline natural",
        "Decay-Rate:  \t0.100000000 Offset:  \t0.000000000 Limit:  \t1.500000000 ",
    ),
    (
        "get mode",
        "Linear Acceleration\n\nAccel:  \t0.000000000\nOffset:  \t0.000000000\nOutput-Cap:  \t0.000000000\n",
    ),
];

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("maccel_is_the_public_command_on_the_real_driver", table),
        group.test("maccel_refuses_before_the_kernel_and_sets_all_or_nothing", refused),
        group.test("maccel_compiles_a_curve_that_the_mouse_then_follows", curve),
    ]
}

fn words(command: &str) -> Vec<String> {
    ["maccel"].into_iter().chain(command.split(' ')).map(str::to_owned).collect()
}

/// Runs a command that has to succeed without a word on standard error.
fn maccel(guest: &Guest, command: &str) -> Result<String, HarnessError> {
    let output = guest.run(words(command))?;
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "maccel {command}: {output:#?}");
    Ok(output.stdout)
}

fn fresh(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["mkdir", "-p", RESETS])?.success()?;
    set(guest, &[])
}

fn table(guest: &Guest) -> Result<(), HarnessError> {
    fresh(guest)?;
    for (command, printed) in PRINTED {
        assert_eq!(maccel(guest, command)?, *printed, "maccel {command}");
    }
    for (name, typed, file, raw, printed) in PARAMETERS {
        assert_eq!(maccel(guest, &format!("set param {name} {typed}"))?, "");
        assert_eq!(guest.read_file(&parameter(file))?, format!("{raw}\n"), "{name}");
        assert_eq!(maccel(guest, &format!("get param {name}"))?, format!("{printed}\n"));
    }
    for (mode, raw) in
        [("natural", "1\n"), ("synchronous", "2\n"), ("no-accel", "3\n"), ("linear", "0\n")]
    {
        assert_eq!(maccel(guest, &format!("set mode {mode}"))?, "");
        assert_eq!(guest.read_file(&parameter("MODE"))?, raw, "{mode}");
    }
    assert_eq!(maccel(guest, "set all natural 0.03 8 1.5")?, "");
    assert_eq!(
        maccel(guest, "get all --oneline -q natural")?,
        "0.030000000 8.000000000 1.500000000 "
    );
    set(guest, &[])
}

fn refused(guest: &Guest) -> Result<(), HarnessError> {
    fresh(guest)?;
    let before = guest.read_file(&parameter("SETTINGS"))?;
    for command in [
        "set all natural 0.03 8 0.5",
        "set all common 1 1 0 0",
        "set param input-dpi 0",
        "set param motivity 1.0000000001",
        "set param limit nan",
        "set mode lut",
    ] {
        let output = guest.run(words(command))?;
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "maccel {command}: {output:#?}");
        assert!(output.stderr.starts_with("Error: "), "maccel {command}: {output:#?}");
        assert_eq!(guest.read_file(&parameter("SETTINGS"))?, before, "maccel {command}");
    }
    Ok(())
}

fn curve(guest: &Guest) -> Result<(), HarnessError> {
    fresh(guest)?;
    let said = guest.run(words("set curve points 0.01:3 1000:3"))?.success()?.stdout;
    assert!(said.starts_with("the driver's look-up table"), "{said}");
    assert_eq!(guest.read_file(&parameter("MODE"))?, "64\n");
    let record =
        MousePlan::one_mouse().movement(0, 0, 5, -4).movement(0, 9_000, 7, 1).play(guest)?;
    let seen: Vec<_> = record.mice[0].frames().iter().map(SeenFrame::movement).collect();
    assert_eq!(seen, [(15, -12), (21, 3)]);
    set(guest, &[])?;
    guest.write_file(&parameter("SETTINGS"), "LUT=")
}
