// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which devices the driver takes, and reports that are unlike those of a virtual mouse.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::json;
use vespera_tests::mouse::event_code::{
    BTN_LEFT, BTN_RIGHT, EV_KEY, EV_REL, REL_DIAL, REL_WHEEL, REL_X, REL_Y,
};
use vespera_tests::mouse::{Kind, MouseRecord, SeenFrame};
use vespera_tests::{Guest, HarnessError, MousePlan};

use crate::group::Group;
use crate::pointer::{parameter, set};

const ERANGE: i32 = 34;

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("sticks_touchpads_and_bare_axes_are_left_alone_until_asked_for", left_alone),
        group.test("dials_and_wheels_are_not_taken", not_taken),
        group.test("a_report_longer_than_the_device_announced_loses_nothing", long_report),
        group.test("a_ps2_mouse_moves_on_after_800_was_written_to_input_dpi", ps2),
        group.test("no_mouse_leaves_an_entry_behind", no_entry_left),
    ]
}

const STEPS: [(i32, i32); 4] = [(3, 1), (-7, 2), (10, -10), (1, 40)];

fn play(guest: &Guest, kind: Kind, enabled: Option<bool>) -> Result<MouseRecord, HarnessError> {
    let mut plan = MousePlan::one_device(kind, enabled);
    for (at_us, (x, y)) in (0..).step_by(8_000).zip(STEPS) {
        plan = plan.movement(0, at_us, x, y);
    }
    Ok(plan.play(guest)?.mice.remove(0))
}

fn movements(record: &MouseRecord) -> Vec<(i32, i32)> {
    record.frames().iter().map(SeenFrame::movement).collect()
}

fn left_alone(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("SENS_MULT", 2.0)])?;
    let twice = STEPS.map(|(x, y)| (2 * x, 2 * y));
    let mouse = play(guest, Kind::Mouse, None)?;
    assert_eq!((mouse.enabled, movements(&mouse)), (Some(true), twice.to_vec()));
    for kind in [Kind::PointingStick, Kind::Touchpad, Kind::Buttonless] {
        let alone = play(guest, kind, None)?;
        assert_eq!((alone.enabled, movements(&alone)), (Some(false), STEPS.to_vec()), "{kind:?}");
        let asked = play(guest, kind, Some(true))?;
        assert_eq!((asked.enabled, movements(&asked)), (Some(true), twice.to_vec()), "{kind:?}");
    }
    set(guest, &[])
}

fn not_taken(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("SENS_MULT", 2.0)])?;
    for (kind, axis) in [(Kind::Dial, REL_DIAL), (Kind::Wheel, REL_WHEEL), (Kind::Wheel, REL_Y)] {
        let plan = MousePlan::one_device(kind, None).frame(0, 0, &[(EV_REL, axis, 5)]);
        let record = plan.play(guest)?.mice.remove(0);
        assert_eq!(record.enabled, None, "{kind:?} has an entry");
        assert_eq!(record.frames()[0].relative(axis), 5, "{kind:?}");
    }
    set(guest, &[])
}

/// The core hands a report on in parts when it has more events than the device announced
/// (`input_event_dispose()` in drivers/input/input.c): there is no room then for another axis.
fn long_report(guest: &Guest) -> Result<(), HarnessError> {
    let mut events = Vec::new();
    for number in 0..12 {
        events.push((EV_KEY, BTN_LEFT, (number + 1) % 2));
        events.push((EV_REL, REL_X, 2));
        events.push((EV_REL, REL_WHEEL, number + 1));
        events.push((EV_KEY, BTN_RIGHT, (number + 1) % 2));
    }
    let others = |event: &(u16, u16, i32)| !(event.0 == EV_REL && event.1 <= REL_Y);
    let sent: Vec<_> = events.iter().copied().filter(others).collect();
    for (degrees, settings) in [(0.0_f64, [("SENS_MULT", 1.5)]), (30.0, [("ANGLE_ROTATION", 30.0)])]
    {
        set(guest, &settings)?;
        // The last report delivers what an axis still owes.
        let plan = MousePlan::one_mouse().frame(0, 0, &events).movement(0, 90_000, 1, 1);
        let frames = plan.play(guest)?.mice.remove(0).frames();
        let seen: Vec<_> = frames
            .iter()
            .flat_map(|frame| &frame.events)
            .map(|event| (event.kind, event.code, event.value))
            .filter(others)
            .collect();
        assert_eq!(seen, sent, "buttons and wheel at {degrees} degrees");
        let factor = if degrees == 0.0 { 1.5 } else { 1.0 };
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let due = (factor * (25.0 * cosine - sine), factor * (25.0 * sine + cosine));
        let (x, y) = frames
            .iter()
            .map(SeenFrame::movement)
            .fold((0.0, 0.0), |(x, y), (dx, dy)| (x + f64::from(dx), y + f64::from(dy)));
        assert!((x - due.0).abs() <= 1.0 && (y - due.1).abs() <= 1.0, "{x}, {y} for {due:?}");
    }
    set(guest, &[])
}

/// The fault: the public driver took 800 as 2^-29 dots for each inch and divided by zero at the
/// next report, in an interrupt. Virtual mice report from a system call, a PS/2 mouse does not.
fn ps2(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("SENS_MULT", 2.0)])?;
    let refusal = guest.write_file(&parameter("INPUT_DPI"), "800").unwrap_err();
    assert_eq!(refusal.errno(), Some(ERANGE), "{refusal}");
    let program = guest.hello().program.clone();
    let watched = AtomicBool::new(false);
    let push = json!({ "events": [
        { "type": "rel", "data": { "axis": "x", "value": 5 } },
        { "type": "rel", "data": { "axis": "y", "value": 5 } },
    ] });
    let output = scope(|scope| {
        // It moves until somebody has seen enough: nobody tells when the watcher is ready.
        let mover = scope.spawn(|| {
            while !watched.load(Ordering::Relaxed) {
                guest.monitor("input-send-event", &push)?;
                sleep(Duration::from_millis(20));
            }
            Ok::<(), HarnessError>(())
        });
        let output = guest.run([&program, "watch", "ImExPS/2", "20"]);
        watched.store(true, Ordering::Relaxed);
        mover.join().unwrap()?;
        output
    })?;
    let record: MouseRecord = serde_json::from_str(&output.success()?.stdout).unwrap();
    assert_eq!(record.enabled, Some(true));
    for (x, y) in movements(&record) {
        // QEMU adds up what the guest was too busy to fetch.
        assert!(x > 0 && x % 10 == 0 && x == y, "({x}, {y})");
    }
    set(guest, &[])
}

/// A mouse that went and kept its entry would show here.
fn no_entry_left(guest: &Guest) -> Result<(), HarnessError> {
    let before = entries(guest)?;
    assert!(before.lines().any(|name| name == "maccel"), "{before}");
    for _ in 0..20 {
        let mouse = play(guest, Kind::Mouse, None)?;
        assert_eq!(mouse.enabled, Some(true));
    }
    assert_eq!(entries(guest)?, before);
    Ok(())
}

fn entries(guest: &Guest) -> Result<String, HarnessError> {
    let list = [guest.hello().program.as_str(), "list", "/sys/class/maccel"];
    Ok(guest.run(list)?.success()?.stdout)
}
