// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel` in the image, on the real driver: the drop-in table again, and what a folder of
//! files cannot show.

use std::sync::Arc;

use libtest_mimic::Trial;
use maccel_core::parameter::Kind;
use vespera_tests::mouse::SeenFrame;
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{parameter, set};
use crate::table::{READING, WRITING};

/// Where the public command keeps values; without an agent so does ours.
const RESETS: &str = "/var/opt/maccel/resets";

/// What each parameter is set to, as `get param` then prints it: a number that has no end in
/// binary is cut there.
const PRINTED: [(&str, &str); 14] = [
    ("sens-mult", "0.699999999"),
    ("yx-ratio", "1.250000000"),
    ("input-dpi", "1600.000000000"),
    ("angle-rotation", "15.000000000"),
    ("accel", "0.054999999"),
    ("offset-linear", "2.199999999"),
    ("output-cap", "2.000000000"),
    ("decay-rate", "0.300000000"),
    ("offset-natural", "8.000000000"),
    ("limit", "3.000000000"),
    ("gamma", "2.000000000"),
    ("smooth", "0.250000000"),
    ("motivity", "2.000000000"),
    ("sync-speed", "10.000000000"),
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
    for (command, stdout, stderr, code) in READING {
        let output = guest.run(words(command))?;
        let right = (stdout, stderr, code);
        let seen = (output.stdout.as_str(), output.stderr.as_str(), output.code);
        assert_eq!(seen, right, "maccel {command}");
    }
    for (command, file, raw) in WRITING {
        // Another value before, so that each row writes.
        set(guest, &[])?;
        guest.write_file(&parameter(file), differing(file, raw))?;
        assert_ne!(guest.read_file(&parameter(file))?, format!("{raw}\n"), "{file}");
        assert_eq!(maccel(guest, command)?, "", "maccel {command}");
        assert_eq!(guest.read_file(&parameter(file))?, format!("{raw}\n"), "maccel {command}");
        if let Some(name) =
            command.strip_prefix("set param ").and_then(|rest| rest.split(' ').next())
            && let Some((_, printed)) = PRINTED.iter().find(|(parameter, _)| *parameter == name)
        {
            assert_eq!(maccel(guest, &format!("get param {name}"))?, format!("{printed}\n"));
        }
    }
    set(guest, &[])
}

/// A value in range that is not this one.
fn differing(file: &str, raw: &str) -> String {
    let parameter = maccel_core::parameter::by_file_name(file).expect("a parameter");
    let other = match parameter.kind {
        Kind::Mode => 3.0 - raw.parse::<f64>().expect("a number of a mode"),
        _ => parameter.maximum,
    };
    parameter.raw_of(other).expect("in range").to_string()
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
