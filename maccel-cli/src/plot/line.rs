// SPDX-License-Identifier: MIT OR Apache-2.0
//! One curve, sampled: sensitivity, velocity and gain over the input speed.

use maccel_core::curve;
use maccel_core::fixed::Fixed;
use maccel_core::settings::Settings;
use maccel_core::shape::{Shape, ShapeError};
use serde::Serialize;

/// Samples of a line.
const SAMPLES: u32 = 500;

/// What can be drawn over the input speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Output counts for each input count.
    Sensitivity,
    /// Output speed, counts/ms.
    Velocity,
    /// Slope of the output speed.
    Gain,
}

impl Quantity {
    /// The next one, round and round.
    pub(crate) const fn next(self) -> Self {
        match self {
            Quantity::Sensitivity => Quantity::Velocity,
            Quantity::Velocity => Quantity::Gain,
            Quantity::Gain => Quantity::Sensitivity,
        }
    }

    /// What it is called.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Quantity::Sensitivity => "Sensitivity",
            Quantity::Velocity => "Velocity",
            Quantity::Gain => "Gain",
        }
    }

    /// Its axis.
    pub(crate) const fn axis(self) -> &'static str {
        match self {
            Quantity::Sensitivity => "output / input",
            Quantity::Velocity => "output speed [counts/ms]",
            Quantity::Gain => "d output / d input",
        }
    }
}

/// One curve. Speeds are in counts/ms at 1000 DPI.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    /// Its name in the legend.
    pub(crate) name: String,
    /// What Y is scaled by beyond X.
    #[serde(rename = "yx-ratio")]
    pub(crate) yx: f64,
    /// Speed, sensitivity, velocity and gain of the X axis.
    points: Vec<[f64; 4]>,
}

impl Line {
    /// The curve of settings up to a speed.
    pub(crate) fn sampled(name: &str, settings: &Settings, fastest: f64) -> Self {
        Self::of(name, settings, fastest, |speed| curve::factor(settings, speed))
    }

    /// The curve of a shape as it is meant, not as it was compiled.
    pub(crate) fn of_shape(
        name: &str,
        shape: &Shape,
        settings: &Settings,
        fastest: f64,
    ) -> Result<Self, ShapeError> {
        let curve = shape.curve()?;
        Ok(Self::of(name, settings, fastest, |speed| curve.factor(speed)))
    }

    fn of(name: &str, settings: &Settings, fastest: f64, factor: impl Fn(f64) -> f64) -> Self {
        let get = |parameter| settings.get(parameter).unwrap_or(1.0);
        let scale = get("SENS_MULT");
        let step = fastest / f64::from(SAMPLES);
        let velocity = |speed: f64| scale * factor(speed) * speed;
        let points = (0..=SAMPLES)
            .map(|i| {
                let speed = (f64::from(i) * step).max(step / 100.0);
                let reach = step / 4.0;
                let (low, high) = ((speed - reach).max(0.0), speed + reach);
                let gain = (velocity(high) - velocity(low)) / (high - low);
                [speed, scale * factor(speed), velocity(speed), gain]
            })
            .collect();
        Line { name: name.to_owned(), yx: get("YX_RATIO"), points }
    }

    /// What Y is scaled by, in the fewest digits that give it.
    pub(crate) fn yx_short(&self) -> f64 {
        Fixed::from_f64(self.yx).map_or(self.yx, Fixed::to_short)
    }

    /// The X axis of a quantity.
    pub(crate) fn x(&self, quantity: Quantity) -> Vec<(f64, f64)> {
        let column = match quantity {
            Quantity::Sensitivity => 1,
            Quantity::Velocity => 2,
            Quantity::Gain => 3,
        };
        self.points.iter().map(|point| (point[0], point[column])).collect()
    }

    /// The sampled point of the X axis next to a speed, if the line goes that far.
    pub(crate) fn near(&self, quantity: Quantity, speed: f64) -> Option<(f64, f64)> {
        let points = self.x(quantity);
        points.iter().find(|point| point.0 >= speed).copied()
    }

    /// The Y axis of a quantity, where it differs from X.
    pub(crate) fn y(&self, quantity: Quantity) -> Option<Vec<(f64, f64)>> {
        if self.yx == 1.0 {
            return None;
        }
        Some(self.x(quantity).into_iter().map(|(speed, value)| (speed, value * self.yx)).collect())
    }
}

/// How far an axis must reach for these lines: its lower and its upper end.
pub(crate) fn reach(lines: &[Line], quantity: Quantity) -> (f64, f64) {
    let mut low = f64::INFINITY;
    let mut high: f64 = 0.0;
    for line in lines {
        for points in [Some(line.x(quantity)), line.y(quantity)].into_iter().flatten() {
            for (_, value) in points {
                low = low.min(value);
                high = high.max(value);
            }
        }
    }
    let low = if low > 0.0 && quantity != Quantity::Velocity { 0.0 } else { low.min(0.0) };
    (low, (high * 1.08).max(low + 0.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_is_the_slope_of_velocity_and_y_is_scaled() {
        let mut settings = Settings::default();
        settings.set("ACCEL", 0.05).unwrap();
        settings.set("SENS_MULT", 2.0).unwrap();
        settings.set("YX_RATIO", 1.5).unwrap();
        let line = Line::sampled("a", &settings, 100.0);
        // velocity = 2 v (1 + 0.05 v), so that the slope is 2 + 0.2 v
        for (v, gain) in line.x(Quantity::Gain).into_iter().skip(1) {
            assert!((gain - (2.0 + 0.2 * v)).abs() < 1e-6, "{v}: {gain}");
        }
        let (x, y) = (line.x(Quantity::Velocity), line.y(Quantity::Velocity).unwrap());
        assert!((y[250].1 - 1.5 * x[250].1).abs() < 1e-12);
        let (low, high) = reach(&[line], Quantity::Sensitivity);
        assert!(low == 0.0 && (high - 2.0 * 6.0 * 1.5 * 1.08).abs() < 1e-6, "{high}");
        assert!(Line::sampled("a", &Settings::default(), 1.0).y(Quantity::Gain).is_none());
    }
}
