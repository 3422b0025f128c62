// SPDX-License-Identifier: MIT OR Apache-2.0
//! The formulas of the families, derived from their definitions: a factor f(v), or a slope g(v)
//! whose mean over 0..v is the factor. v is in counts/ms.

use std::f64::consts::TAU;

use super::{CapMode, Shape};
use crate::curve;

/// What a family gives: the factor of a speed.
pub(super) type Form = Box<dyn Fn(f64) -> f64 + Send + Sync>;

/// Classic. With a and n the acceleration and exponent, o the offset:
/// f = 1 + (a (v-o))^n / (a v), up to the cap. The gain shape has the slope
/// 1 + n (a (v-o))^(n-1), constant from the cap on; its mean is the same up to there.
pub(super) fn classic(shape: &Shape) -> Form {
    let (n, offset) = (shape.exponent, shape.input_offset);
    // A cap below 1 decelerates: the distance from 1 grows downwards.
    let sign =
        if shape.cap_mode != CapMode::Input && 0.0 < shape.cap_output && shape.cap_output < 1.0 {
            -1.0
        } else {
            1.0
        };
    let room = (shape.cap_output - 1.0).abs();
    let x = shape.cap_input;
    // (a (x-o))^n / (a x) = room, and n (a (x-o))^(n-1) = room, solved for a.
    let a = match (shape.cap_mode, shape.gain) {
        (CapMode::InOut, false) => (room * x / (x - offset).powf(n)).powf(1.0 / (n - 1.0)),
        (CapMode::InOut, true) => (room / n).powf(1.0 / (n - 1.0)) / (x - offset),
        _ => shape.acceleration,
    };
    let excess = move |v: f64| {
        if v <= offset { 0.0 } else { a.powf(n - 1.0) * (v - offset).powf(n) / v }
    };
    if !shape.gain {
        let cap = match shape.cap_mode {
            CapMode::Input if x > 0.0 => excess(x),
            CapMode::Output | CapMode::InOut if shape.cap_output > 0.0 => room,
            _ => f64::INFINITY,
        };
        return Box::new(move |v| 1.0 + sign * excess(v).min(cap));
    }
    let slope = move |v: f64| n * (a * (v - offset)).powf(n - 1.0);
    let end = match shape.cap_mode {
        CapMode::Input | CapMode::InOut if x > 0.0 => x,
        CapMode::Output if shape.cap_output > 0.0 => offset + (room / n).powf(1.0 / (n - 1.0)) / a,
        _ => f64::INFINITY,
    };
    Box::new(move |v| 1.0 + sign * straight_after(v, end, excess, slope))
}

/// A mean that grows with the slope it has at `end` from there on.
fn straight_after(v: f64, end: f64, mean: impl Fn(f64) -> f64, slope: impl Fn(f64) -> f64) -> f64 {
    if v <= end {
        return mean(v);
    }
    if end <= 0.0 {
        return slope(end);
    }
    slope(end) + (mean(end) - slope(end)) * end / v
}

/// Power: f = (s v)^n, held at the output offset b below the speed at which its slope
/// (n+1) (s v)^n is b, and continued so that the slope has no step there.
pub(super) fn power(shape: &Shape) -> Form {
    let (n, b) = (shape.power, shape.output_offset);
    // t = s v. From t0 on f = t^n + c / t, where c makes both ends meet.
    let t0 = (b / (n + 1.0)).powf(1.0 / n);
    let c = t0 * b * n / (n + 1.0);
    let of_t = move |t: f64| if t <= t0 { b } else { t.powf(n) + c / t };
    let t_of_slope = move |slope: f64| (slope / (n + 1.0)).powf(1.0 / n);
    let s = match (shape.cap_mode, shape.gain) {
        (CapMode::InOut, true) => t_of_slope(shape.cap_output) / shape.cap_input,
        (CapMode::InOut, false) => solve(of_t, t0, shape.cap_output) / shape.cap_input,
        _ => shape.scale,
    };
    let factor = move |v: f64| if v <= 0.0 { b } else { of_t(s * v) };
    let (x, y) = (shape.cap_input, shape.cap_output);
    if !shape.gain {
        let cap = match shape.cap_mode {
            CapMode::Input if x > 0.0 => factor(x),
            CapMode::Output | CapMode::InOut if y > 0.0 => y,
            _ => f64::INFINITY,
        };
        return Box::new(move |v| factor(v).min(cap));
    }
    let slope = move |v: f64| if s * v <= t0 { b } else { (n + 1.0) * (s * v).powf(n) };
    let end = match shape.cap_mode {
        CapMode::Input | CapMode::InOut if x > 0.0 => x,
        CapMode::Output if y > 0.0 => t_of_slope(y) / s,
        _ => f64::INFINITY,
    };
    Box::new(move |v| straight_after(v, end, factor, slope))
}

/// Where a function that grows beyond `low` reaches `value`, by halving.
fn solve(f: impl Fn(f64) -> f64, low: f64, value: f64) -> f64 {
    let (mut low, mut high) = (low, low.max(1e-9));
    while f(high) < value && high < 1e300 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if f(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Jump: 1, and from the step x on y. Soft: 1 + (y-1) / (1 + e^(r (x-v))), r = tau / (x smooth).
/// The gain shape takes this as the slope.
pub(super) fn jump(shape: &Shape) -> Form {
    let (x, rise) = (shape.cap_input, shape.cap_output - 1.0);
    if shape.smooth <= 0.0 {
        return if shape.gain {
            Box::new(move |v| if v <= x { 1.0 } else { 1.0 + rise * (v - x) / v })
        } else {
            Box::new(move |v| if v < x { 1.0 } else { 1.0 + rise })
        };
    }
    let r = TAU / (x * shape.smooth);
    if !shape.gain {
        return Box::new(move |v| 1.0 + rise / (1.0 + (r * (x - v)).exp()));
    }
    // The integral of 1 / (1 + e^(r (x-v))) is ln(1 + e^(r (v-x))) / r.
    let integral = move |v: f64| softplus(r * (v - x)) / r;
    let start = integral(0.0);
    let first = 1.0 + rise / (1.0 + (r * x).exp());
    Box::new(move |v| if v <= 0.0 { first } else { 1.0 + rise * (integral(v) - start) / v })
}

/// ln(1 + e^y) without overflow.
fn softplus(y: f64) -> f64 {
    y.max(0.0) + (-y.abs()).exp().ln_1p()
}

/// Natural. With L = limit - 1 and k = decay / |L|: f = 1 + L (1 - o/v) (1 - e^(-k (v-o))). The
/// gain shape has the slope 1 + L (1 - e^(-k (v-o))).
pub(super) fn natural(shape: &Shape) -> Form {
    let (decay, offset, rise) = (shape.decay_rate, shape.input_offset, shape.limit - 1.0);
    if rise == 0.0 {
        return Box::new(|_| 1.0);
    }
    if shape.gain {
        // The driver's natural curve; below 1 it is mirrored.
        return Box::new(move |v| {
            1.0 + rise.signum() * (curve::natural(v, decay, offset, 1.0 + rise.abs()) - 1.0)
        });
    }
    let k = decay / rise.abs();
    Box::new(move |v| {
        if v <= offset {
            return 1.0;
        }
        1.0 - rise * (v - offset) / v * (-k * (v - offset)).exp_m1()
    })
}

/// Synchronous: the driver's curve, or the mean of it.
pub(super) fn synchronous(shape: &Shape) -> Form {
    let (gamma, smooth) = (shape.gamma, shape.smooth);
    let (motivity, sync_speed) = (shape.motivity, shape.sync_speed);
    let f = move |v: f64| curve::synchronous(v, gamma, smooth, motivity, sync_speed);
    if shape.gain { mean(f) } else { Box::new(f) }
}

/// Panels per power of two, and the span, of the integral in [`mean`].
const PANELS: u32 = 16;
const FIRST_OCTAVE: i32 = -20;
const OCTAVES: u32 = 40;

/// The mean of a function over 0..v: five-point Gauss integrals over narrow panels, summed once.
/// Below 2^-20 counts/ms the function counts as constant.
fn mean(f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Form {
    let edge = |i: u32| (f64::from(i) / f64::from(PANELS) + f64::from(FIRST_OCTAVE)).exp2();
    let mut sum = f(edge(0)) * edge(0);
    let mut sums = vec![sum];
    for i in 0..OCTAVES * PANELS {
        sum += gauss(&f, edge(i), edge(i + 1));
        sums.push(sum);
    }
    Box::new(move |v| {
        if v <= edge(0) {
            return f(v);
        }
        let position = (v.log2() - f64::from(FIRST_OCTAVE)) * f64::from(PANELS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "is positive")]
        let index = (position as u32).min(OCTAVES * PANELS);
        (sums[index as usize] + gauss(&f, edge(index), v)) / v
    })
}

/// The integral of `f`, by Gauss and Legendre's rule of five points.
fn gauss(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
    const POINTS: [(f64, f64); 3] = [
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
        (0.906_179_845_938_664, 0.236_926_885_056_189_08),
    ];
    let (middle, half) = (f64::midpoint(from, to), (to - from) / 2.0);
    POINTS
        .iter()
        .map(|&(x, weight)| {
            let (left, right) = (f(middle - half * x), f(middle + half * x));
            if x == 0.0 { weight * left } else { weight * (left + right) }
        })
        .sum::<f64>()
        * half
}
