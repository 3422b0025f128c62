// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every curve in the running driver against the float64 reference of `maccel-core`.
//!
//! What the table of a curve is worth is measured in user space, to 10^-5; here the whole way
//! counts: file, settings, interval, speed, factor, rounding and carry.

use std::sync::Arc;

use libtest_mimic::Trial;
use maccel_core::curve::{factor, lut_speed, natural};
use maccel_core::settings::{LUT_LEN, Mode, Settings};
use vespera_tests::{Guest, HarnessError};

use crate::group::Group;
use crate::pointer::{MOVEMENTS, check, parameter, play_one, set};

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("all_curves_agree_with_the_reference", all_curves),
        group.test("a_look_up_table_agrees_with_the_reference", table),
    ]
}

/// Scaled up, so that no report comes to nothing: such a one is not delivered.
const SAMPLES: &[(Mode, &[(&str, f64)])] = &[
    (Mode::NoAccel, &[("SENS_MULT", 2.7), ("INPUT_DPI", 1600.0)]),
    (Mode::Linear, &[("ACCEL", 0.05), ("OFFSET", 5.0), ("OUTPUT_CAP", 2.0), ("SENS_MULT", 1.8)]),
    (Mode::Linear, &[("ACCEL", 0.2), ("OUTPUT_CAP", 0.5), ("SENS_MULT", 3.0)]),
    (Mode::Natural, &[("SENS_MULT", 2.0)]),
    (Mode::Natural, &[("DECAY_RATE", 0.03), ("OFFSET", 8.0), ("LIMIT", 8.0), ("SENS_MULT", 2.0)]),
    (Mode::Synchronous, &[("SENS_MULT", 3.0)]),
    (Mode::Synchronous, &[("GAMMA", 2.0), ("SMOOTH", 0.3), ("MOTIVITY", 4.0), ("SENS_MULT", 8.0)]),
    (
        Mode::Synchronous,
        &[("SMOOTH", 0.0), ("SYNC_SPEED", 10.0), ("INPUT_DPI", 800.0), ("SENS_MULT", 3.0)],
    ),
];

fn agree(guest: &Guest, settings: &Settings) -> Result<(), HarnessError> {
    let number = settings.mode().number().to_string();
    guest.write_file(&parameter("MODE"), number)?;
    let record = play_one(guest, MOVEMENTS)?;
    let value = |name| settings.get(name).unwrap();
    let scale = 1000.0 / value("INPUT_DPI");
    check(&record.mice[0].frames(), MOVEMENTS, record.stamped, |speed| {
        value("SENS_MULT") * scale * factor(settings, speed * scale)
    });
    Ok(())
}

fn all_curves(guest: &Guest) -> Result<(), HarnessError> {
    for (mode, changes) in SAMPLES {
        let mut settings = Settings::default();
        settings.set_mode(*mode).unwrap();
        for (name, value) in *changes {
            settings.set(name, *value).unwrap();
        }
        set(guest, changes)?;
        agree(guest, &settings)?;
    }
    set(guest, &[])
}

fn table(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let factors: Vec<f64> =
        (0..LUT_LEN).map(|index| natural(lut_speed(index), 0.05, 2.0, 6.0)).collect();
    let mut settings = Settings::default();
    settings.set_lut(&factors).unwrap();
    settings.set_mode(Mode::Lut).unwrap();
    let raw: Vec<_> =
        factors.iter().map(|factor| format!("{}", (factor * 4_294_967_296.0).round())).collect();
    guest.write_file(&parameter("SETTINGS"), format!("LUT={}", raw.join(",")))?;
    agree(guest, &settings)?;
    set(guest, &[])?;
    guest.write_file(&parameter("SETTINGS"), "LUT=")
}
