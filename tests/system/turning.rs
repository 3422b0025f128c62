// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rotation of movement along one axis, snapping to an axis, and long pauses.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::mouse::SeenFrame;
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{parameter, set};

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("rotation_by_45_degrees_turns_a_single_axis", by_45),
        group.test("rotation_by_90_degrees_turns_a_single_axis", by_90),
        group.test("movement_near_an_axis_follows_it_and_keeps_its_length", snap),
        group.test("a_pause_of_2_to_the_32_nanoseconds_is_a_rest", pause),
        group.test("reports_of_one_instant_share_their_interval", one_instant),
    ]
}

/// From 6.11.7 on a handler may add events to a frame.
fn frames_resize(guest: &Guest) -> bool {
    let mut numbers = guest.hello().release.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        panic!("release {}", guest.hello().release);
    };
    (major, minor) >= (6, 12)
}

fn sum(frames: &[SeenFrame]) -> (i32, i32) {
    frames.iter().map(SeenFrame::movement).fold((0, 0), |(x, y), (dx, dy)| (x + dx, y + dy))
}

/// Twenty movements along X, then one along Y, where an axis that had to wait is delivered.
fn turn(guest: &Guest, degrees: f64) -> Result<(), HarnessError> {
    set(guest, &[("ANGLE_ROTATION", degrees)])?;
    let along_x = (0..20)
        .fold(MousePlan::one_mouse(), |plan, number| plan.movement(0, number * 4_000, 10, 0));
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let near = |seen: (i32, i32), due: (f64, f64)| {
        let apart = |seen: i32, due: f64| (f64::from(seen) - due).abs();
        assert!(apart(seen.0, due.0) <= 1.0 && apart(seen.1, due.1) <= 1.0, "{seen:?} for {due:?}");
    };
    if frames_resize(guest) {
        let frames = along_x.play(guest)?.mice[0].frames();
        assert_eq!(frames.len(), 20, "one report for each: {frames:#?}");
        for frame in &frames {
            // Both axes in the one report, each at most once.
            assert!(frame.events.len() <= 2, "{frame:?}");
            near(frame.movement(), (10.0 * cosine, 10.0 * sine));
        }
        near(sum(&frames), (200.0 * cosine, 200.0 * sine));
        return Ok(());
    }
    let frames = along_x.movement(0, 100_000, 1, 1).play(guest)?.mice[0].frames();
    let due = (201.0 * cosine - sine, 201.0 * sine + cosine);
    near(sum(&frames), due);
    Ok(())
}

fn by_45(guest: &Guest) -> Result<(), HarnessError> {
    for degrees in [45.0, -45.0, 135.0] {
        turn(guest, degrees)?;
    }
    set(guest, &[])
}

fn by_90(guest: &Guest) -> Result<(), HarnessError> {
    for degrees in [90.0, -90.0] {
        turn(guest, degrees)?;
    }
    set(guest, &[])
}

/// Within 15 degrees of an axis; the length of (30, 40) is 50, that of (40, 9) is 41, and so on.
fn snap(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    guest.write_file(&parameter("SETTINGS"), format!("ANGLE_SNAP={}", 15_i64 << 32))?;
    for ((x, y), due) in [
        ((40, 9), (41, 0)),
        ((-40, 9), (-41, 0)),
        ((40, -9), (41, 0)),
        ((9, 40), (0, 41)),
        ((-9, -40), (0, -41)),
        ((24, -7), (24, -7)),
        ((30, 40), (30, 40)),
        ((12, 0), (12, 0)),
    ] {
        let frames = MousePlan::one_mouse().movement(0, 0, x, y).play(guest)?.mice[0].frames();
        assert_eq!(frames.len(), 1, "{frames:#?}");
        assert_eq!(frames[0].movement(), due, "({x}, {y})");
    }
    guest.write_file(&parameter("SETTINGS"), "ANGLE_SNAP=0")?;
    set(guest, &[])
}

/// The public driver cut intervals to 32 bits of nanoseconds: half of that gave a negative one,
/// all of it none. Times are in microseconds, so both neighbours of each are tried.
fn pause(guest: &Guest) -> Result<(), HarnessError> {
    // Linear with 1 + 0.3 x speed; the longest interval is 100 ms, hence 50 counts mean 0.5/ms.
    set(guest, &[("ACCEL", 0.3)])?;
    let rest = |pauses: &[u64]| -> Result<(), HarnessError> {
        let mut at_us = 0;
        let mut plan = MousePlan::one_mouse().movement(0, 0, 30, 40);
        for pause in pauses {
            at_us += pause;
            plan = plan.movement(0, at_us, 30, 40);
        }
        let seen: Vec<_> =
            plan.play(guest)?.mice[0].frames().iter().map(SeenFrame::movement).collect();
        let (mut x, mut y) = (0.0, 0.0);
        for (number, (dx, dy)) in seen.iter().enumerate() {
            (x, y) = (x + f64::from(*dx), y + f64::from(*dy));
            let reports = (number + 1) as f64;
            let near = (x - 34.5 * reports).abs() <= 1.0 && (y - 46.0 * reports).abs() <= 1.0;
            assert!(near, "after {pauses:?} us: {seen:?}");
        }
        assert_eq!(seen.len(), pauses.len() + 1);
        Ok(())
    };
    rest(&[2_147_483, 4_294_967])?;
    rest(&[2_147_484, 4_294_968])?;
    set(guest, &[])
}

fn one_instant(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("ACCEL", 0.3)])?;
    let plan = [0, 8_000, 8_000, 8_000, 16_000, 16_000]
        .iter()
        .fold(MousePlan::one_mouse(), |plan, &at_us| plan.movement(0, at_us, 30, 40));
    let frames = plan.play(guest)?.mice[0].frames();
    assert_eq!(frames.len(), 6);
    // Three reports of 50 counts in one interval, however short it came to be: 0.0625 ms at least.
    let most = 1.0 + 0.3 * 150.0 / 0.0625;
    for (x, y) in frames.iter().map(SeenFrame::movement) {
        let (x, y) = (f64::from(x), f64::from(y));
        let sane = x >= 30.0 && x <= 30.0 * most + 1.0 && y >= 40.0 && y <= 40.0 * most + 1.0;
        assert!(sane, "({x}, {y})");
    }
    set(guest, &[])
}
