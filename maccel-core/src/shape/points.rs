// SPDX-License-Identifier: MIT OR Apache-2.0
//! Curves through points: straight lines as in Raw Accel's look-up mode, or a smooth line, for
//! curves that are drawn.

use super::ShapeError;
use super::form::Form;

/// As many points as Raw Accel takes.
pub(super) const MOST: usize = 257;

/// Checks number and order.
pub(super) fn check(points: &[(f64, f64)]) -> Result<(), ShapeError> {
    let fault = |text: String| Err(ShapeError::Points(text));
    if points.len() < 2 || points.len() > MOST {
        return fault(format!("{} points: a curve takes 2 to {MOST}", points.len()));
    }
    for (i, &(x, y)) in points.iter().enumerate() {
        if !(x.is_finite() && y.is_finite() && x > 0.0 && y >= 0.0) {
            return fault(format!("point {x}:{y}: the speed must be above 0, the other 0 or more"));
        }
        if i > 0 && x <= points[i - 1].0 {
            return fault(format!("point {x}:{y}: the speed must be above that of the last point"));
        }
    }
    Ok(())
}

/// The interval a speed falls into: its first point and the way through it, beyond 0..1 outside.
fn place(points: &[(f64, f64)], v: f64) -> (usize, f64) {
    let i = points.partition_point(|p| p.0 <= v).clamp(1, points.len() - 1) - 1;
    (i, (v - points[i].0) / (points[i + 1].0 - points[i].0))
}

/// Straight lines. The factor is constant below the first point; beyond the last the last line
/// goes on. With `velocity` the points are output speeds.
pub(super) fn straight(points: &[(f64, f64)], velocity: bool) -> Form {
    let points = points.to_vec();
    Box::new(move |v| {
        let (x0, y0) = points[0];
        if v <= x0 {
            return if velocity { y0 / x0 } else { y0 };
        }
        let (i, t) = place(&points, v);
        let y = points[i].1 + t * (points[i + 1].1 - points[i].1);
        if velocity { y / v } else { y }
    })
}

/// A line through the points that is monotone between them: cubics whose slopes are the weighted
/// harmonic means of the neighbouring differences (Fritsch and Butland, 1984). Constant beyond
/// both ends; with `velocity` the factor is.
pub(super) fn smooth(points: &[(f64, f64)], velocity: bool) -> Form {
    let points = points.to_vec();
    let last = points.len() - 1;
    let rise = |i: usize| (points[i + 1].1 - points[i].1) / (points[i + 1].0 - points[i].0);
    let mut slopes = vec![0.0; points.len()];
    if velocity {
        (slopes[0], slopes[last]) = (rise(0), rise(last - 1));
    }
    for i in 1..last {
        let (left, right) = (rise(i - 1), rise(i));
        if left * right > 0.0 {
            let (h0, h1) = (points[i].0 - points[i - 1].0, points[i + 1].0 - points[i].0);
            let (w0, w1) = (h0 + 2.0 * h1, 2.0 * h0 + h1);
            slopes[i] = (w0 + w1) / (w0 / left + w1 / right);
        }
    }
    Box::new(move |v| {
        let per_speed = |x: f64, y: f64| if velocity { y / x } else { y };
        if v <= points[0].0 {
            return per_speed(points[0].0, points[0].1);
        }
        if v >= points[last].0 {
            return per_speed(points[last].0, points[last].1);
        }
        let (i, t) = place(&points, v);
        let width = points[i + 1].0 - points[i].0;
        let (m0, m1) = (slopes[i] * width, slopes[i + 1] * width);
        let (y0, y1) = (points[i].1, points[i + 1].1);
        let rise = y1 - y0;
        let y = y0 + t * (m0 + t * (3.0 * rise - 2.0 * m0 - m1 + t * (m0 + m1 - 2.0 * rise)));
        per_speed(v, y)
    })
}
