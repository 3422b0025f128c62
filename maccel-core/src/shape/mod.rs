// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shapes: curves as people describe them, also those the driver has no formula for.
//!
//! The vocabulary is that of Raw Accel, since its users know it: a *gain* shape is given by the
//! slope of output speed over input speed, the others by the factor itself. [`Shape::curve`]
//! makes a function of the speed, [`crate::compile`] a look-up table of the driver.
//!
//! - `form`: the formulas
//! - `points`: tables and drawn curves
//! - `text`: the form on the command line, `classic acceleration=0.02 cap-output=2`

mod form;
mod points;
mod text;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use text::keys;

/// The family a shape belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Factor 1.
    None,
    /// A power of the speed beyond an offset; with exponent 2 it is the linear curve.
    Classic,
    /// A power of the speed itself.
    Power,
    /// A step, hard or soft.
    Jump,
    /// Approaches a limit.
    Natural,
    /// Goes from 1/motivity to motivity around the sync speed.
    Synchronous,
    /// Straight lines between points.
    Points,
    /// A smooth line through points.
    Drawn,
}

impl Kind {
    /// All families.
    pub const ALL: [Kind; 8] = [
        Kind::None,
        Kind::Classic,
        Kind::Power,
        Kind::Jump,
        Kind::Natural,
        Kind::Synchronous,
        Kind::Points,
        Kind::Drawn,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::None => "none",
            Kind::Classic => "classic",
            Kind::Power => "power",
            Kind::Jump => "jump",
            Kind::Natural => "natural",
            Kind::Synchronous => "synchronous",
            Kind::Points => "points",
            Kind::Drawn => "drawn",
        }
    }
}

/// Which coordinates of a cap count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapMode {
    /// Both: the curve is scaled to go through the cap.
    InOut,
    /// The input speed.
    Input,
    /// The factor, or the slope of a gain shape.
    Output,
}

/// A shape with all that any family needs; a family reads what it knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The family.
    pub kind: Kind,
    /// Whether it describes the slope of output over input speed (for points: output speed).
    pub gain: bool,
    /// Classic, natural: speed up to which the factor is 1, counts/ms.
    pub input_offset: f64,
    /// Power: the factor at speed 0.
    pub output_offset: f64,
    /// Classic: steepness, ms/count.
    pub acceleration: f64,
    /// Natural: how fast the limit is approached, ms/count.
    pub decay_rate: f64,
    /// Synchronous: steepness at the sync speed.
    pub gamma: f64,
    /// Synchronous: largest factor; the smallest is its reciprocal.
    pub motivity: f64,
    /// Classic: the exponent, above 1.
    pub exponent: f64,
    /// Power: what the speed is multiplied by, ms/count.
    pub scale: f64,
    /// Power: the exponent, above 0.
    pub power: f64,
    /// Natural: factor at very high speed; below 1 the curve decelerates.
    pub limit: f64,
    /// Synchronous: speed at which the factor is 1, counts/ms.
    pub sync_speed: f64,
    /// Jump and synchronous: softness, 0 to 1.
    pub smooth: f64,
    /// Classic and power: input speed of the cap, counts/ms, 0 for none. Jump: where it steps.
    pub cap_input: f64,
    /// Classic and power: factor of the cap, 0 for none. Jump: what it steps to.
    pub cap_output: f64,
    /// Which of the two counts.
    pub cap_mode: CapMode,
    /// Points and drawn: speed in counts/ms, and factor (with `gain`: output speed).
    pub points: Vec<(f64, f64)>,
}

impl Default for Shape {
    /// The values that Raw Accel begins with.
    fn default() -> Self {
        Shape {
            kind: Kind::None,
            gain: false,
            input_offset: 0.0,
            output_offset: 0.0,
            acceleration: 0.005,
            decay_rate: 0.1,
            gamma: 1.0,
            motivity: 1.5,
            exponent: 2.0,
            scale: 1.0,
            power: 0.05,
            limit: 1.5,
            sync_speed: 5.0,
            smooth: 0.5,
            cap_input: 15.0,
            cap_output: 1.5,
            cap_mode: CapMode::Output,
            points: Vec::new(),
        }
    }
}

/// Why a shape is no curve.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ShapeError {
    /// A value its family cannot have.
    #[error("{kind} curve: {key} is {value}, it must be {rule}")]
    Value {
        /// The family.
        kind: &'static str,
        /// The value's name on the command line.
        key: &'static str,
        /// The refused value.
        value: f64,
        /// What would be right.
        rule: &'static str,
    },
    /// Too few or too many points, or points out of order.
    #[error("{0}")]
    Points(String),
    /// No such family.
    #[error(
        "there is no curve '{0}'; there are none, classic, power, jump, natural, synchronous, points, drawn"
    )]
    UnknownKind(String),
    /// The family has no such value.
    #[error("a {kind} curve has no '{key}'; it has {known}")]
    UnknownKey {
        /// The family.
        kind: &'static str,
        /// What was given.
        key: String,
        /// What would be right.
        known: String,
    },
    /// A value was given twice.
    #[error("'{0}' is given twice")]
    Repeated(String),
    /// Text that is not a value of this key.
    #[error("'{text}' is not a value of {key}: {rule}")]
    NotAValue {
        /// The key.
        key: String,
        /// The refused text.
        text: String,
        /// What would be right.
        rule: &'static str,
    },
}

/// A curve ready to be asked: speed in counts/ms to factor.
pub struct Curve(Box<dyn Fn(f64) -> f64 + Send + Sync>);

impl Curve {
    /// A curve by its formula.
    pub fn new(factor: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Curve(Box::new(factor))
    }

    /// The factor at a speed in counts/ms, neither below 0 nor NaN.
    pub fn factor(&self, speed: f64) -> f64 {
        let factor = (self.0)(speed);
        if factor.is_nan() { 1.0 } else { factor.max(0.0) }
    }
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Curve").finish_non_exhaustive()
    }
}

impl Shape {
    /// A shape of this family with Raw Accel's values, without a cap where the family has one.
    pub fn of(kind: Kind) -> Self {
        let capped = kind == Kind::Jump;
        Shape {
            kind,
            cap_input: if capped { 15.0 } else { 0.0 },
            cap_output: if capped { 1.5 } else { 0.0 },
            ..Shape::default()
        }
    }

    /// Checks the values the family reads.
    ///
    /// # Errors
    /// [`ShapeError`] with the first that cannot be, and what would be right.
    pub fn check(&self) -> Result<(), ShapeError> {
        match self.kind {
            Kind::Points | Kind::Drawn => return points::check(&self.points),
            Kind::None => return Ok(()),
            Kind::Classic | Kind::Power | Kind::Jump | Kind::Natural | Kind::Synchronous => {}
        }
        for (key, value, good, rule) in self.rules() {
            if !(value.is_finite() && good) {
                return Err(ShapeError::Value { kind: self.kind.name(), key, value, rule });
            }
        }
        Ok(())
    }

    /// Name, value, whether it is right, and what would be right.
    fn rules(&self) -> Vec<(&'static str, f64, bool, &'static str)> {
        let offset = ("offset", self.input_offset, self.input_offset >= 0.0, "0 or more");
        let smooth = ("smooth", self.smooth, (0.0..=1.0).contains(&self.smooth), "from 0 to 1");
        let caps = [
            ("cap-input", self.cap_input, self.cap_input >= 0.0, "0 (no cap) or more"),
            ("cap-output", self.cap_output, self.cap_output >= 0.0, "0 (no cap) or more"),
        ];
        let in_out = self.cap_mode == CapMode::InOut;
        let by_input = self.cap_mode != CapMode::Output && self.cap_input > 0.0;
        match self.kind {
            Kind::Classic => {
                let mut rules = vec![
                    offset,
                    ("exponent", self.exponent, self.exponent > 1.0, "above 1"),
                    caps[0],
                    caps[1],
                ];
                if !in_out {
                    let good = self.acceleration > 0.0;
                    rules.push(("acceleration", self.acceleration, good, "above 0"));
                }
                if by_input || in_out {
                    let good = self.cap_input > self.input_offset;
                    rules.push(("cap-input", self.cap_input, good, "above the offset"));
                }
                if in_out {
                    rules.push(("cap-output", self.cap_output, self.cap_output > 0.0, "above 0"));
                }
                rules
            }
            Kind::Power => {
                let mut rules = vec![
                    ("exponent", self.power, self.power > 0.0, "above 0"),
                    ("output-offset", self.output_offset, self.output_offset >= 0.0, "0 or more"),
                    caps[0],
                    caps[1],
                ];
                if in_out {
                    rules.push(("cap-input", self.cap_input, self.cap_input > 0.0, "above 0"));
                    let good = self.cap_output > self.output_offset;
                    rules.push(("cap-output", self.cap_output, good, "above the output offset"));
                } else {
                    rules.push(("scale", self.scale, self.scale > 0.0, "above 0"));
                }
                if self.cap_mode == CapMode::Output && self.cap_output > 0.0 {
                    let good = self.cap_output >= self.output_offset;
                    rules.push(("cap-output", self.cap_output, good, "at least the output offset"));
                }
                rules
            }
            Kind::Jump => vec![
                ("input", self.cap_input, self.cap_input > 0.0, "above 0"),
                ("output", self.cap_output, self.cap_output >= 0.0, "0 or more"),
                smooth,
            ],
            Kind::Natural => vec![
                offset,
                ("decay-rate", self.decay_rate, self.decay_rate > 0.0, "above 0"),
                ("limit", self.limit, self.limit >= 0.0, "0 or more"),
            ],
            Kind::Synchronous => vec![
                ("gamma", self.gamma, self.gamma > 0.0, "above 0"),
                ("motivity", self.motivity, self.motivity > 1.0, "above 1"),
                ("sync-speed", self.sync_speed, self.sync_speed > 0.0, "above 0"),
                smooth,
            ],
            Kind::None | Kind::Points | Kind::Drawn => Vec::new(),
        }
    }

    /// The curve.
    ///
    /// # Errors
    /// As [`Shape::check`].
    pub fn curve(&self) -> Result<Curve, ShapeError> {
        self.check()?;
        Ok(Curve(match self.kind {
            Kind::None => Box::new(|_| 1.0),
            Kind::Classic => form::classic(self),
            Kind::Power => form::power(self),
            Kind::Jump => form::jump(self),
            Kind::Natural => form::natural(self),
            Kind::Synchronous => form::synchronous(self),
            Kind::Points => points::straight(&self.points, self.gain),
            Kind::Drawn => points::smooth(&self.points, self.gain),
        }))
    }
}

#[cfg(test)]
mod tests;
