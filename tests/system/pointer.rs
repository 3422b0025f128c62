// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of a mouse's movement, on any guest with the driver.
//!
//! Expectations are computed here in floating point from the formulas of the public driver, and
//! share nothing with the driver's arithmetic or with `maccel-core`.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::mouse::event_code::{
    BTN_LEFT, BTN_RIGHT, EV_KEY, EV_REL, REL_WHEEL, REL_X, REL_Y,
};
use vespera_tests::mouse::{Record, SeenFrame};
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;

/// The parameter files and their values in a fresh driver, as the public tools know them.
pub(crate) const DEFAULTS: &[(&str, i64)] = &[
    ("MODE", 0),
    ("SENS_MULT", 4_294_967_296),
    ("YX_RATIO", 4_294_967_296),
    ("INPUT_DPI", 4_294_967_296_000),
    ("ANGLE_ROTATION", 0),
    ("ACCEL", 0),
    ("OFFSET", 0),
    ("OUTPUT_CAP", 0),
    ("DECAY_RATE", 429_496_730),
    ("LIMIT", 6_442_450_944),
    ("GAMMA", 4_294_967_296),
    ("SMOOTH", 2_147_483_648),
    ("MOTIVITY", 6_442_450_944),
    ("SYNC_SPEED", 21_474_836_480),
];

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("default_settings_leave_movement_unchanged", defaults),
        group.test("linear_acceleration_follows_its_formula", linear),
        group.test("linear_acceleration_stops_at_its_cap", linear_capped),
        group.test("a_fraction_is_carried_to_the_next_report", carry),
        group.test("a_second_mouse_is_independent_of_the_first", second_mouse),
        group.test("wheel_and_buttons_are_untouched", wheel_and_buttons),
    ]
}

/// The path of a parameter file.
pub(crate) fn parameter(name: &str) -> String {
    format!("/sys/module/maccel/parameters/{name}")
}

/// Default settings but for these.
pub(crate) fn set(guest: &Guest, changes: &[(&str, f64)]) -> Result<(), HarnessError> {
    for (name, default) in DEFAULTS {
        guest.write_file(&parameter(name), default.to_string())?;
    }
    for (name, value) in changes {
        // Q32.32, rounded half away from zero, which is what `round` does.
        let raw = (value * 4_294_967_296.0).round();
        guest.write_file(&parameter(name), format!("{raw}"))?;
    }
    Ok(())
}

/// The factor of linear mode at a speed in counts a millisecond.
fn linear_factor(speed: f64, accel: f64, offset: f64, cap: f64) -> f64 {
    if speed <= offset {
        return 1.0;
    }
    let gain = accel * (speed - offset).powi(2) / speed;
    if cap > 0.0 { 1.0 + (cap - 1.0).signum() * gain.min((cap - 1.0).abs()) } else { 1.0 + gain }
}

/// Movements of one mouse; the first is slow, since nobody knows the interval before it.
pub(crate) const MOVEMENTS: &[(u64, i32, i32)] = &[
    (0, 1, 1),
    (8_000, 3, 4),
    (12_000, -12, 5),
    (14_000, 20, -15),
    (15_000, 7, 24),
    (16_000, 30, 40),
    (17_000, -60, 11),
    (25_000, 2, -1),
    (26_000, 90, -90),
    (30_000, 33, 56),
    (34_000, 5, 12),
    (40_000, 1, 1),
    (41_000, 120, 1),
];

fn plan(mouse: usize, movements: &[(u64, i32, i32)], plan: MousePlan) -> MousePlan {
    movements.iter().fold(plan, |plan, &(at_us, x, y)| plan.movement(mouse, at_us, x, y))
}

/// Arrival times reach the reader cut to microseconds, those of the plan are whole.
const TIME_ERROR_US: f64 = 1.0;

/// Compares what came out with what went in times `factor` of the speed.
///
/// Only whole counts come out and the rest is carried on. So after each report the sum of all
/// that came out is less than one count from the sum of all that should have, in each direction,
/// however a driver rounds.
pub(crate) fn check(
    frames: &[SeenFrame],
    movements: &[(u64, i32, i32)],
    stamped: bool,
    factor: impl Fn(f64) -> f64,
) {
    assert_eq!(frames.len(), movements.len(), "one report for each: {frames:#?}");
    let error_us = if stamped { 0.0 } else { TIME_ERROR_US };
    let mut sums = [Sum::default(), Sum::default()];
    for (number, (frame, &(at_us, x, y))) in frames.iter().zip(movements).enumerate() {
        let distance = f64::from(x).hypot(f64::from(y));
        // The driver goes by the times the reader gets; on a kernel that does not take over the
        // plan's times they are those of the arrival.
        let factors = if number == 0 {
            [factor(0.0); 2]
        } else {
            let interval_us = (frame.at_us - frames[number - 1].at_us) as f64;
            [-error_us, error_us].map(|error| factor(distance / ((interval_us + error) / 1000.0)))
        };
        let (out_x, out_y) = frame.movement();
        for (sum, (sent, seen)) in sums.iter_mut().zip([(x, out_x), (y, out_y)]) {
            sum.add(f64::from(sent), factors, f64::from(seen));
        }
        assert!(
            sums.iter().all(Sum::agrees),
            "report {number} at {} us (planned {at_us}), ({x}, {y}), factor {factors:?}, came \
             out as ({out_x}, {out_y}): {sums:?}",
            frame.at_us
        );
    }
}

/// Movement along one axis since the start.
#[derive(Debug, Default)]
struct Sum {
    least_due: f64,
    most_due: f64,
    seen: f64,
}

impl Sum {
    fn add(&mut self, sent: f64, factors: [f64; 2], seen: f64) {
        let due = factors.map(|factor| sent * factor);
        self.least_due += due[0].min(due[1]);
        self.most_due += due[0].max(due[1]);
        self.seen += seen;
    }

    /// Less than one count apart; the last digits belong to the driver's fixed point.
    fn agrees(&self) -> bool {
        self.seen > self.least_due - 1.001 && self.seen < self.most_due + 1.001
    }
}

pub(crate) fn play_one(
    guest: &Guest,
    movements: &[(u64, i32, i32)],
) -> Result<Record, HarnessError> {
    play_apart(guest, &plan(0, movements, MousePlan::one_mouse()))
}

/// The driver takes reports within 62.5 us of each other for one instant's (MACCEL_INTERVAL_MIN).
const TOGETHER_US: i64 = 100;

/// Plays until no two reports of a mouse come at one instant. They are planned apart; on a kernel
/// that does not take over the plan's times a host that stood still for a moment bunches them, and
/// then they share an interval that nobody planned.
fn play_apart(guest: &Guest, plan: &MousePlan) -> Result<Record, HarnessError> {
    const TIMES: usize = 20;
    for _ in 0..TIMES {
        let record = plan.play(guest)?;
        let times = record
            .mice
            .iter()
            .map(|mouse| mouse.frames().iter().map(|frame| frame.at_us).collect::<Vec<_>>());
        let bunched = |times: Vec<i64>| times.windows(2).any(|two| two[1] - two[0] < TOGETHER_US);
        if record.stamped || !times.into_iter().any(bunched) {
            return Ok(record);
        }
    }
    panic!("in {TIMES} plays this machine has never kept the reports apart");
}

fn defaults(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let record = play_one(guest, MOVEMENTS)?;
    let out: Vec<_> = record.mice[0].frames().iter().map(SeenFrame::movement).collect();
    let sent: Vec<_> = MOVEMENTS.iter().map(|&(_, x, y)| (x, y)).collect();
    assert_eq!(out, sent);
    if record.stamped {
        let times: Vec<_> = record.mice[0].frames().iter().map(|frame| frame.at_us).collect();
        let planned: Vec<_> = MOVEMENTS.iter().map(|&(at_us, ..)| at_us.cast_signed()).collect();
        assert_eq!(times, planned);
    }
    Ok(())
}

fn linear(guest: &Guest) -> Result<(), HarnessError> {
    for (accel, offset) in [(0.05, 2.0), (0.3, 2.0), (0.01, 15.5)] {
        set(guest, &[("ACCEL", accel), ("OFFSET", offset)])?;
        let record = play_one(guest, MOVEMENTS)?;
        check(&record.mice[0].frames(), MOVEMENTS, record.stamped, |speed| {
            linear_factor(speed, accel, offset, 0.0)
        });
    }
    Ok(())
}

fn linear_capped(guest: &Guest) -> Result<(), HarnessError> {
    for cap in [1.75, 4.0] {
        set(guest, &[("ACCEL", 0.2), ("OFFSET", 2.0), ("OUTPUT_CAP", cap)])?;
        let record = play_one(guest, MOVEMENTS)?;
        check(&record.mice[0].frames(), MOVEMENTS, record.stamped, |speed| {
            linear_factor(speed, 0.2, 2.0, cap)
        });
    }
    Ok(())
}

fn carry(guest: &Guest) -> Result<(), HarnessError> {
    // 1.25 counts a report: 1, 1, 1, 2 in some order, whatever the rounding.
    set(guest, &[("SENS_MULT", 1.25)])?;
    let movements: Vec<_> = (0..40).map(|number| (number * 4000, 1, -1)).collect();
    let record = play_one(guest, &movements)?;
    check(&record.mice[0].frames(), &movements, record.stamped, |_| 1.25);
    Ok(())
}

fn second_mouse(guest: &Guest) -> Result<(), HarnessError> {
    let (accel, offset) = (0.15, 2.0);
    set(guest, &[("ACCEL", accel), ("OFFSET", offset)])?;
    // Between the reports of the first: were clocks or carries shared, both would go wrong.
    let other: Vec<_> =
        MOVEMENTS.iter().map(|&(at_us, x, y)| (at_us * 3 + 500, y + 1, x)).collect();
    let together = plan(0, MOVEMENTS, MousePlan::one_mouse().and_mouse("the other"));
    let record = play_apart(guest, &plan(1, &other, together))?;
    for (mouse, movements) in record.mice.iter().zip([MOVEMENTS, other.as_slice()]) {
        check(&mouse.frames(), movements, record.stamped, |speed| {
            linear_factor(speed, accel, offset, 0.0)
        });
    }
    Ok(())
}

fn wheel_and_buttons(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("SENS_MULT", 3.0)])?;
    let record = MousePlan::one_mouse()
        .frame(0, 0, &[(EV_REL, REL_WHEEL, -1)])
        .frame(0, 5_000, &[(EV_KEY, BTN_LEFT, 1), (EV_REL, REL_X, 2), (EV_REL, REL_WHEEL, 2)])
        .frame(0, 9_000, &[(EV_KEY, BTN_LEFT, 0), (EV_KEY, BTN_RIGHT, 1)])
        .frame(0, 12_000, &[(EV_REL, REL_Y, -5), (EV_KEY, BTN_RIGHT, 0)])
        .play(guest)?;
    let mut frames: Vec<Vec<(u16, u16, i32)>> = record.mice[0]
        .frames()
        .iter()
        .map(|frame| {
            frame.events.iter().map(|event| (event.kind, event.code, event.value)).collect()
        })
        .collect();
    // The order within a report carries no meaning.
    frames.iter_mut().for_each(|frame| frame.sort_unstable());
    let expected = [
        vec![(EV_REL, REL_WHEEL, -1)],
        vec![(EV_KEY, BTN_LEFT, 1), (EV_REL, REL_X, 6), (EV_REL, REL_WHEEL, 2)],
        vec![(EV_KEY, BTN_LEFT, 0), (EV_KEY, BTN_RIGHT, 1)],
        vec![(EV_KEY, BTN_RIGHT, 0), (EV_REL, REL_Y, -15)],
    ];
    assert_eq!(frames, expected);
    Ok(())
}
