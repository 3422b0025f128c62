// SPDX-License-Identifier: MIT OR Apache-2.0
//! The factor over the whole box of parameters and speeds.

use maccel_core::curve;
use maccel_core::parameter;
use maccel_core::settings::{LUT_LEN, Mode, Settings};

use crate::probe::Script;
use crate::random::Random;

/// Settings tried for each mode, and speeds tried for each of them.
const SETTINGS: usize = 150;
const SPEEDS: usize = 200;

/// No factor of the driver exceeds this.
const FACTOR_LIMIT: f64 = 32767.0;

/// Speeds for which the bounds hold, counts/ms.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 1000.0;

struct Sample {
    speed: f64,
    command: String,
}

/// A movement that has a random speed, logarithmic over the range.
fn sample(random: &mut Random, dpi: f64) -> Sample {
    loop {
        let wanted = random.logarithmic(SLOWEST, FASTEST);
        let interval = random.logarithmic(62_500.0, 1e8).round();
        let distance = wanted * interval / 1e6 * dpi / 1000.0;
        let angle = random.between(0.0, std::f64::consts::TAU);
        let (dx, dy) = ((distance * angle.cos()).round(), (distance * angle.sin()).round());
        let speed = dx.hypot(dy) * 1e9 / dpi / interval;
        if dx.abs().max(dy.abs()) < 32_768.0 && (SLOWEST..FASTEST).contains(&speed) {
            return Sample { speed, command: format!("factor {dx} {dy} {interval}") };
        }
    }
}

/// Near the offset and the sync speed, too, where curves bend.
fn sample_near(random: &mut Random, dpi: f64, centre: f64) -> Sample {
    for _ in 0..1000 {
        let wanted = centre * (1.0 + random.logarithmic(1e-6, 0.3));
        let interval = random.logarithmic(62_500.0, 1e8).round();
        let dx = (wanted * interval / 1e6 * dpi / 1000.0).round();
        let speed = dx * 1e9 / dpi / interval;
        if dx < 32_768.0 && (SLOWEST..FASTEST).contains(&speed) {
            return Sample { speed, command: format!("factor {dx} 0 {interval}") };
        }
    }
    sample(random, dpi)
}

/// Random settings: ends of the ranges, defaults and all between.
fn settings(random: &mut Random, mode: Mode) -> Settings {
    let mut settings = Settings::default();
    for p in parameter::all().iter().filter(|p| p.kind == parameter::Kind::Fixed) {
        let value = match random.bits() % 8 {
            0 => p.minimum,
            1 => p.maximum,
            2 | 3 => p.default,
            4 => random.between(p.minimum, p.maximum),
            _ => random.logarithmic(p.minimum.max(1e-9), p.maximum),
        };
        settings.set(&p.name, value).unwrap();
    }
    if mode == Mode::Lut {
        let mut factor = random.logarithmic(0.01, 10.0);
        let lut: Vec<f64> = (0..LUT_LEN)
            .map(|_| {
                factor = (factor * random.logarithmic(0.8, 1.3)).clamp(0.001, 65536.0);
                factor
            })
            .collect();
        settings.set_lut(&lut).unwrap();
    }
    settings.set_mode(mode).unwrap();
    settings
}

/// The largest relative error of a mode, with what it was measured on.
fn worst(mode: Mode, seed: u64) -> (f64, String) {
    let mut random = Random::new(seed);
    let mut script = Script::default();
    let mut cases = Vec::new();
    for _ in 0..SETTINGS {
        let settings = settings(&mut random, mode);
        script.settings(&settings);
        let dpi = settings.get("INPUT_DPI").unwrap();
        let bend = settings.get(if mode == Mode::Synchronous { "SYNC_SPEED" } else { "OFFSET" });
        let bend = bend.unwrap();
        let samples: Vec<Sample> = (0..SPEEDS)
            .map(|i| match i % 4 {
                0 => sample_near(&mut random, dpi, bend),
                _ => sample(&mut random, dpi),
            })
            .collect();
        for s in &samples {
            script.command(&s.command);
        }
        cases.push((settings, samples));
    }
    let mut lines = script.run().into_iter();
    let mut worst = (0.0, String::new());
    for (settings, samples) in cases {
        let cells = lines.next().unwrap();
        assert!(cells[0] <= 8192, "{settings:?} take {} cells", cells[0]);
        let get = |name| settings.get(name).unwrap();
        let scale = get("SENS_MULT") * 1000.0 / get("INPUT_DPI");
        for s in samples {
            let line = lines.next().unwrap();
            let limit = FACTOR_LIMIT / get("YX_RATIO").max(1.0);
            let exact = (curve::factor(&settings, s.speed) * scale).min(limit);
            let one = (line[3] as f64).exp2();
            let ours = line[1] as f64 / one;
            let ours_y = line[2] as f64 / one / get("YX_RATIO");
            // Below 1 a decelerating line is a difference of numbers near 1.
            let base = if mode == Mode::Linear { exact.max(scale) } else { exact };
            let error = ((ours - exact).abs() / base).max((ours_y - exact).abs() / base);
            if error > worst.0 {
                worst = (
                    error,
                    format!(
                        "{error:.2e} at {} of {settings:?}: {ours} for {exact}, cells {cells:?}",
                        s.speed
                    ),
                );
            }
        }
    }
    worst
}

#[test]
fn no_mode_exceeds_its_error_bound() {
    let bounds = [
        (Mode::NoAccel, 1e-8),
        (Mode::Linear, 1e-8),
        (Mode::Natural, 1e-5),
        (Mode::Synchronous, 1e-5),
        (Mode::Lut, 1e-5),
    ];
    let mut faults = Vec::new();
    for (mode, bound) in bounds {
        let (error, case) = worst(mode, 1);
        println!("max_rel_error {} {error:.2e}", mode.name());
        if error > bound {
            faults.push(format!("{}: {case}", mode.name()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
