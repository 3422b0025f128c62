// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole movements: rounding, carry, intervals, rotation, snapping.

use maccel_core::curve;
use maccel_core::settings::{LUT_LEN, Mode, Settings};

use crate::probe::Script;
use crate::random::Random;

const TURN_ONE: f64 = 1_099_511_627_776.0;

fn settings(mode: Mode, values: &[(&str, f64)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in values {
        settings.set(name, *value).unwrap();
    }
    settings.set_mode(mode).unwrap();
    settings
}

/// The outputs of reports at `(ns, dx, dy)`.
fn outputs(settings: &Settings, reports: &[(i64, i64, i64)]) -> Vec<(i64, i64)> {
    let mut script = Script::default();
    script.settings(settings);
    for (ns, dx, dy) in reports {
        script.command(&format!("move {ns} {dx} {dy}"));
    }
    script.run()[1..].iter().map(|line| (line[0], line[1])).collect()
}

#[test]
fn halves_are_rounded_away_from_zero_in_both_directions() {
    let settings = settings(Mode::NoAccel, &[("SENS_MULT", 0.5)]);
    for (delta, wanted) in [(1, [1, 0, 1, 0, 1, 0]), (-1, [-1, 0, -1, 0, -1, 0])] {
        let reports: Vec<_> = (0..6).map(|i| (i * 1_000_000, delta, delta)).collect();
        for (output, wanted) in outputs(&settings, &reports).into_iter().zip(wanted) {
            assert_eq!(output, (wanted, wanted));
        }
    }
}

#[test]
fn movement_is_unchanged_without_settings() {
    let mut random = Random::new(3);
    let reports: Vec<(i64, i64, i64)> =
        (0..2000).map(|i| (i * 1_000_000, delta(&mut random), delta(&mut random))).collect();
    let unchanged: Vec<_> = reports.iter().map(|&(_, dx, dy)| (dx, dy)).collect();
    assert_eq!(outputs(&Settings::default(), &reports), unchanged);
}

/// Mostly small, sometimes as large as any mouse reports.
fn delta(random: &mut Random) -> i64 {
    let largest = if random.bits().is_multiple_of(8) { 32767.0 } else { 40.0 };
    #[expect(clippy::cast_possible_truncation, reason = "is small")]
    let delta = random.between(-largest, largest).round() as i64;
    delta
}

#[test]
fn the_sum_never_drifts_by_more_than_a_count() {
    for (seed, sens) in [(1, 0.3), (2, 0.999), (3, 7.77), (4, 0.01)] {
        let settings = settings(Mode::NoAccel, &[("SENS_MULT", sens), ("YX_RATIO", 1.3)]);
        let sens = settings.get("SENS_MULT").unwrap();
        let yx = settings.get("YX_RATIO").unwrap();
        let mut random = Random::new(seed);
        let reports: Vec<(i64, i64, i64)> =
            (0..20_000).map(|i| (i * 1_000_000, delta(&mut random), delta(&mut random))).collect();
        let (mut wanted, mut got) = ((0.0, 0.0), (0, 0));
        for (output, report) in outputs(&settings, &reports).into_iter().zip(&reports) {
            wanted.0 += report.1 as f64 * sens;
            wanted.1 += report.2 as f64 * sens * yx;
            got = (got.0 + output.0, got.1 + output.1);
            assert!((wanted.0 - got.0 as f64).abs() < 0.51, "x {wanted:?} {got:?}");
            assert!((wanted.1 - got.1 as f64).abs() < 0.51, "y {wanted:?} {got:?}");
        }
    }
}

#[test]
fn rotation_and_snapping_are_exact() {
    let mut random = Random::new(5);
    for i in 0..200 {
        let degrees =
            if i < 9 { f64::from(i) * 90.0 - 360.0 } else { random.between(-360.0, 360.0) };
        let snap = if i % 3 == 0 { random.between(0.1, 45.0) } else { 0.0 };
        let settings =
            settings(Mode::NoAccel, &[("ANGLE_ROTATION", degrees), ("ANGLE_SNAP", snap)]);
        let angle = settings.get("ANGLE_ROTATION").unwrap().to_radians();
        let mut script = Script::default();
        script.settings(&settings);
        let movements: Vec<(i64, i64)> =
            (0..50).map(|_| (delta(&mut random), delta(&mut random))).collect();
        for (dx, dy) in &movements {
            script.command(&format!("turn {dx} {dy}"));
        }
        for (line, (dx, dy)) in script.run()[1..].iter().zip(movements) {
            let (x, y) = (dx as f64, dy as f64);
            let (mut tx, mut ty) =
                (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos());
            let length = x.hypot(y);
            let off = tx.abs().min(ty.abs()).atan2(tx.abs().max(ty.abs())).to_degrees();
            if (off - snap).abs() < 1e-6 {
                continue;
            }
            if off < snap && tx.abs() > ty.abs() {
                (tx, ty) = (length.copysign(tx), 0.0);
            } else if off < snap {
                (tx, ty) = (0.0, length.copysign(ty));
            }
            let (ours_x, ours_y) = (line[0] as f64 / TURN_ONE, line[1] as f64 / TURN_ONE);
            let error = (ours_x - tx).abs().max((ours_y - ty).abs());
            assert!(error <= length * 1e-8, "{degrees} {snap}: ({dx} {dy}) off by {error:e}");
        }
    }
}

#[test]
fn a_movement_on_the_edge_of_snapping_is_snapped_whatever_its_signs() {
    for (degrees, snap) in [(0.0, 45.0), (90.0, 45.0), (-45.0, 45.0), (45.0, 45.0)] {
        let settings =
            settings(Mode::NoAccel, &[("ANGLE_ROTATION", degrees), ("ANGLE_SNAP", snap)]);
        for (dx, dy) in [(1, 1), (7, 7), (7, 0), (0, 1000)] {
            for (x, y) in [(dx, dy), (-dx, dy), (dx, -dy), (-dx, -dy)] {
                let output = outputs(&settings, &[(0, x, y)])[0];
                assert!(output.0 == 0 || output.1 == 0, "{degrees}: {x} {y} gives {output:?}");
            }
        }
    }
}

#[test]
fn the_smallest_rotations_turn_too() {
    // Their cosine is rounded to 1; once the sine was then taken for 0.
    let settings = settings(Mode::NoAccel, &[("ANGLE_ROTATION", 5e-5)]);
    let reports: Vec<_> = (0..100).map(|i| (i * 1_000_000, 32_767, 0)).collect();
    let across: i64 = outputs(&settings, &reports).iter().map(|(_, y)| y).sum();
    // 100 * 32767 * sin(5e-5 degrees) = 2.86 counts
    assert_eq!(across, 3);
}

#[test]
fn the_longest_turned_reports_keep_their_sign() {
    // A diagonal that becomes one axis once was more than an event's value can hold.
    let extreme = [("ACCEL", 10.0), ("SENS_MULT", 100.0), ("INPUT_DPI", 50.0)];
    for turn in [("ANGLE_ROTATION", 45.0), ("ANGLE_SNAP", 45.0)] {
        let mut settings = settings(Mode::Linear, &extreme);
        settings.set(turn.0, turn.1).unwrap();
        for report in [(32_767, -32_767), (-32_767, 32_767)] {
            let reports = [(0, 1, 0), (1_000_000, report.0, report.1)];
            let (x, _) = outputs(&settings, &reports)[1];
            assert_eq!(x.signum(), report.0.signum(), "{turn:?} {report:?} gives {x}");
            assert!(x.abs() > 1_000_000_000, "{turn:?} {report:?} gives {x}");
        }
    }
}

#[test]
fn bunched_reports_share_their_interval() {
    // 10 counts in 1 ms, then 10 more 10 us later: 20 counts in that 1 ms.
    let settings = settings(Mode::Linear, &[("ACCEL", 0.1)]);
    let ms = 1_000_000;
    let reports = [(0, 1, 0), (ms, 10, 0), (ms + 10_000, 10, 0), (2 * ms, 10, 0)];
    let got = outputs(&settings, &reports);
    assert_eq!(got[1..], [(20, 0), (30, 0), (20, 0)]);
}

#[test]
fn snapping_keeps_the_length_of_a_bunched_report() {
    // The interval holds 30 and 40 counts along X; each report keeps its own length.
    let settings = settings(Mode::NoAccel, &[("ANGLE_SNAP", 10.0)]);
    let reports = [(0, 1, 0), (1_000_000, 30, 1), (1_010_000, 40, -1), (1_020_000, 1, 40)];
    assert_eq!(outputs(&settings, &reports)[1..], [(30, 0), (40, 0), (0, 40)]);
}

#[test]
fn pauses_and_clocks_that_jump_count_as_rest() {
    let settings = settings(Mode::Linear, &[("ACCEL", 1.0)]);
    // At the clamp of 100 ms, 10 counts are 0.1 counts/ms: factor 1.1.
    for pause in
        [100_000_000, 4_294_967_296, 3_000_000_000, i64::from(u32::MAX) * 1000, -5_000_000_000]
    {
        let reports = [(10_000_000_000, 100, 0), (10_000_000_000 + pause, 10, 0)];
        assert_eq!(outputs(&settings, &reports)[1], (11, 0), "{pause}");
    }
}

#[test]
fn curves_rise_steadily_and_do_not_jump_at_the_sync_speed() {
    let lut: Vec<f64> = (0..LUT_LEN).map(|i| 1.0 + i as f64 / 40.0).collect();
    let mut table = Settings::default();
    table.set_lut(&lut).unwrap();
    table.set_mode(Mode::Lut).unwrap();
    let cases = [
        settings(Mode::Linear, &[("ACCEL", 0.05), ("OFFSET", 5.0), ("OUTPUT_CAP", 2.0)]),
        settings(Mode::Natural, &[("OFFSET", 3.0)]),
        settings(Mode::Synchronous, &[]),
        settings(Mode::Synchronous, &[("SMOOTH", 1.0), ("GAMMA", 5.0)]),
        settings(Mode::Synchronous, &[("SMOOTH", 0.1)]),
        settings(Mode::Synchronous, &[("SMOOTH", 0.0)]),
        table,
    ];
    for settings in cases {
        let mut script = Script::default();
        script.settings(&settings);
        let counts: Vec<i64> = (1..20_000).collect();
        for dx in &counts {
            script.command(&format!("factor {dx} 0 100000000"));
        }
        let mut last = (0.0, 0.0);
        for (line, dx) in script.run()[1..].iter().zip(counts) {
            let factor = line[1] as f64 / (line[3] as f64).exp2();
            let exact = curve::factor(&settings, dx as f64 / 100.0);
            assert!(factor >= last.0 - 1e-9, "{settings:?} falls at {dx}");
            let step = (factor - last.0) - (exact - last.1);
            assert!(dx == 1 || step.abs() < 1e-5, "{settings:?} jumps at {dx} by {step:e}");
            last = (factor, exact);
        }
    }
}
