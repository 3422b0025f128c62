// SPDX-License-Identifier: MIT OR Apache-2.0
//! The curves in float64: the reference the driver is measured against.
//!
//! Speeds are normalised, in counts/ms at 1000 DPI; factors are pure numbers. The formulas are
//! those of the public interface, written so that they neither cancel nor overflow in float64.

use crate::settings::{Mode, Settings};

/// Exponent of the synchronous curve from which on its ends are cut hard.
const HARD_POWER: f64 = 16.0;

/// The factor of `settings` at `speed` (counts/ms, not negative), before `SENS_MULT`,
/// `YX_RATIO` and the DPI scale. Mode [`Mode::Lut`] without a table gives 1.
pub fn factor(settings: &Settings, speed: f64) -> f64 {
    let value = |name| settings.get(name).unwrap_or(f64::NAN);
    match settings.mode() {
        Mode::NoAccel => 1.0,
        Mode::Linear => linear(speed, value("ACCEL"), value("OFFSET"), value("OUTPUT_CAP")),
        Mode::Natural => natural(speed, value("DECAY_RATE"), value("OFFSET"), value("LIMIT")),
        Mode::Synchronous => synchronous(
            speed,
            value("GAMMA"),
            value("SMOOTH"),
            value("MOTIVITY"),
            value("SYNC_SPEED"),
        ),
        Mode::Lut => settings.lut().map_or(1.0, |table| lut(speed, table)),
    }
}

/// Linear: 1 up to the offset o, then 1 + s min(a (v-o)^2 / v, c), where a cap > 0 gives
/// c = |cap - 1| and s its sign, and a cap of 0 means none.
pub fn linear(v: f64, accel: f64, offset: f64, cap: f64) -> f64 {
    if v <= offset {
        return 1.0;
    }
    let gain = accel * (v - offset).powi(2) / v;
    if cap <= 0.0 {
        return 1.0 + gain;
    }
    let bound = cap - 1.0;
    if bound == 0.0 { 1.0 } else { 1.0 + bound.signum() * gain.min(bound.abs()) }
}

/// Natural: 1 up to the offset o, then 1 + (L (v-o) - (L/k) (1 - e^(-k(v-o)))) / v with
/// L = limit - 1 and k = decay / L.
pub fn natural(v: f64, decay: f64, offset: f64, limit: f64) -> f64 {
    let range = limit - 1.0;
    if v <= offset || range <= 0.0 || decay <= 0.0 {
        return 1.0;
    }
    let distance = v - offset;
    let y = decay / range * distance;
    1.0 + range * distance / v * approach(y)
}

/// 1 - (1 - e^-y) / y without the cancellation near 0.
fn approach(y: f64) -> f64 {
    if y > 0.5 {
        return 1.0 + (-y).exp_m1() / y;
    }
    // y/2! - y^2/3! + y^3/4! - ...
    let (mut sum, mut term) = (0.0, -1.0);
    for n in 2..24 {
        term *= -y / f64::from(n);
        sum += term;
    }
    sum
}

/// Synchronous: exp(+-ln M tanh((g |ln(v/s)|)^p)^(1/p)), g = gamma / ln M, p = 0.5 / smooth,
/// plus above the sync speed s; from p = 16 on the exponent is cut hard at +-ln M.
pub fn synchronous(v: f64, gamma: f64, smooth: f64, motivity: f64, sync_speed: f64) -> f64 {
    let range = motivity.ln();
    let (x, sign) = if v > 0.0 {
        let way = (v / sync_speed).ln();
        (gamma / range * way.abs(), if way < 0.0 { -1.0 } else { 1.0 })
    } else {
        (f64::INFINITY, -1.0)
    };
    let power = if smooth > 0.0 { 0.5 / smooth } else { HARD_POWER };
    let bend = if power >= HARD_POWER { x.min(1.0) } else { soft(x, power) };
    (sign * range * bend).exp()
}

/// tanh(x^p)^(1/p), also where x^p is too small to be told from 0.
fn soft(x: f64, power: f64) -> f64 {
    let y = x.powf(power);
    if y < 1e-5 { x } else { y.tanh().powf(1.0 / power) }
}

/// The speed of entry `index` of a look-up table, in counts/ms: 2^(index/8 - 5).
pub fn lut_speed(index: usize) -> f64 {
    (index as f64 / 8.0 - 5.0).exp2()
}

/// Look-up table: monotone cubic interpolation in log2(speed), constant beyond the ends.
/// Slopes are the harmonic mean of the two neighbouring differences, 0 where they differ in sign
/// and at both ends (Fritsch and Butland, 1984). An empty table gives 1.
pub fn lut(v: f64, table: &[f64]) -> f64 {
    let (Some(&first), Some(&last)) = (table.first(), table.last()) else {
        return 1.0;
    };
    let position = (v.log2() + 5.0) * 8.0;
    if position.is_nan() || position <= 0.0 {
        return first;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "is positive")]
    let index = position as usize;
    if index + 1 >= table.len() {
        return last;
    }
    let slope = |i: usize| {
        if i == 0 || i + 1 == table.len() {
            return 0.0;
        }
        let (left, right) = (table[i] - table[i - 1], table[i + 1] - table[i]);
        if left * right <= 0.0 { 0.0 } else { 2.0 * left * right / (left + right) }
    };
    let s = position - index as f64;
    let (from, to) = (table[index], table[index + 1]);
    let (out, into) = (slope(index), slope(index + 1));
    let rise = to - from;
    from + s * (out + s * (3.0 * rise - 2.0 * out - into + s * (out + into - 2.0 * rise)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_meet_the_published_values() {
        for (v, f) in [(1.0, 1.046_827), (10.0, 1.283_834), (100.0, 1.475)] {
            assert!((natural(v, 0.1, 0.0, 1.5) - f).abs() < 1e-6, "natural {v}");
        }
        for (v, f) in [(1.0, 0.666_859), (4.0, 0.816_240), (10.0, 1.461_924)] {
            assert!((synchronous(v, 1.0, 0.5, 1.5, 5.0) - f).abs() < 1e-6, "synchronous {v}");
        }
    }

    #[test]
    fn linear_follows_its_definition() {
        for (v, accel, offset, cap, f) in [
            (4.0, 0.1, 5.0, 0.0, 1.0),
            (10.0, 0.1, 0.0, 0.0, 2.0),
            (10.0, 0.1, 5.0, 0.0, 1.25),
            (100.0, 0.1, 0.0, 2.0, 2.0),
            (100.0, 0.1, 0.0, 0.5, 0.5),
            (100.0, 0.1, 0.0, 1.0, 1.0),
        ] {
            assert_eq!(linear(v, accel, offset, cap), f, "v={v} offset={offset} cap={cap}");
        }
    }

    #[test]
    fn a_hard_synchronous_curve_is_a_clamped_power() {
        let f = |v| synchronous(v, 1.0, 0.0, 1.5, 5.0);
        assert!((f(5.5) - 1.1).abs() < 1e-12);
        assert!((f(100.0) - 1.5).abs() < 1e-12);
        assert!((f(0.0) - 1.0 / 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_table_is_met_at_its_entries_and_is_monotone_between() {
        let table: Vec<f64> = (0..121).map(|i| f64::from(i / 7)).collect();
        for (i, &f) in table.iter().enumerate() {
            assert!((lut(lut_speed(i), &table) - f).abs() < 1e-9, "{i}");
        }
        let samples: Vec<f64> = (0..4000)
            .map(|i| lut(lut_speed(0) * f64::from(i).mul_add(0.004, 0.0).exp2(), &table))
            .collect();
        assert!(samples.windows(2).all(|w| w[0] <= w[1] + 1e-12));
        assert_eq!((lut(0.0, &table), lut(1e6, &table)), (0.0, 17.0));
    }
}
