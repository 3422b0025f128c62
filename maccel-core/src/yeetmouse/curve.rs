// SPDX-License-Identifier: MIT OR Apache-2.0
//! YeetMouse's modes. Its four values mean something else in each of them.

use std::fmt;

use super::ReadError;
use super::file::File;
use crate::compile::CompileFault;
use crate::shape::{CapMode, Curve, Kind, Shape};

/// A cap of 0 is one there, and none in a shape.
const NEARLY_ZERO: f64 = 1e-6;
/// Where jumps are hard: softness times place is less.
const HARD: f64 = 1.0;

/// A curve of the file.
pub(super) enum Form {
    /// One that we have, too.
    Shape(Box<Shape>),
    /// 1 + (accel - 1) / (1 + e^(midpoint - v))
    Motivity { accel: f64, midpoint: f64 },
}

impl Form {
    /// Whether the shape itself holds this cap: a linear curve without another one.
    pub(super) fn takes_cap(&self, cap: f64) -> bool {
        matches!(self, Form::Shape(shape) if shape.kind == Kind::Classic
            && !shape.gain && shape.exponent == 2.0 && shape.cap_output == 0.0)
            && cap.is_finite()
            && cap > 1.0
    }

    pub(super) fn curve(self) -> Result<Curve, ReadError> {
        match self {
            Form::Shape(shape) => Ok(shape.curve().map_err(CompileFault::from)?),
            Form::Motivity { accel, midpoint } => {
                Ok(Curve::new(move |speed| 1.0 + (accel - 1.0) / (1.0 + (midpoint - speed).exp())))
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Shape(shape) => shape.fmt(f),
            Form::Motivity { accel, midpoint } => {
                write!(f, "YeetMouse's motivity, to {accel} around {midpoint} counts/ms")
            }
        }
    }
}

/// The modes, in the order of their numbers since 0.9.3, and those numbers before.
const MODES: [(&str, Option<u8>); 10] = [
    ("current", Some(0)),
    ("linear", Some(1)),
    ("power", Some(2)),
    ("classic", Some(3)),
    ("motivity", Some(4)),
    ("synchronous", None),
    ("natural", None),
    ("jump", Some(5)),
    ("lut", Some(6)),
    ("customcurve", Some(7)),
];

fn mode(file: &File<'_>) -> Result<&'static str, ReadError> {
    let text = file.text("accelMode").ok_or(ReadError::Missing("accelMode"))?;
    let lower = text.to_ascii_lowercase();
    let word = lower.strip_prefix("accelmode_").unwrap_or(&lower);
    // A number is of an old file: new ones have words.
    let number: Option<u8> = word.parse().ok();
    MODES
        .into_iter()
        .find(|(name, old)| *name == word || (number.is_some() && *old == number))
        .map(|found| found.0)
        .ok_or_else(|| file.wrong("accelMode", "a mode that is known"))
}

/// The curve of a file.
pub(super) fn form(file: &File<'_>) -> Result<Form, ReadError> {
    let accel = || file.needed(if file.has("acceleration") { "acceleration" } else { "accel" });
    let exponent = || file.needed("exponent");
    let midpoint = || file.needed("midpoint");
    let gain = file.switch("useSmoothing")?;
    let legacy_cap = file.number("legacyCap", 0.0)?;
    let of = |kind, shape: Shape| Shape { kind, gain, cap_mode: CapMode::Output, ..shape };
    let plain = Shape { cap_input: 0.0, cap_output: 0.0, ..Shape::default() };
    let classic = |exponent: f64, offset: f64| -> Result<Shape, ReadError> {
        // The smooth cap is one of the slope, the other one of the factor.
        let cap_output = if gain { midpoint()?.max(NEARLY_ZERO) } else { legacy_cap };
        let acceleration = accel()?;
        let shape =
            Shape { acceleration, exponent, input_offset: offset, cap_output, ..plain.clone() };
        Ok(of(Kind::Classic, shape))
    };
    let shape = match mode(file)? {
        "linear" => classic(2.0, 0.0)?,
        "classic" => classic(exponent()?, file.number("inputOffset", 0.0)?)?,
        "power" => {
            let cap_output = if gain { file.needed("motivity")? } else { legacy_cap };
            let (scale, power, output_offset) = (accel()?, exponent()?, midpoint()?);
            of(Kind::Power, Shape { scale, power, output_offset, cap_output, ..plain })
        }
        "motivity" => return Ok(Form::Motivity { accel: accel()?, midpoint: midpoint()? }),
        "synchronous" => {
            let (sync_speed, gamma, smooth) = (accel()?, exponent()?, midpoint()?);
            let motivity = file.needed("motivity")?;
            of(Kind::Synchronous, Shape { sync_speed, gamma, smooth, motivity, ..plain })
        }
        "natural" => {
            let (decay_rate, limit, input_offset) = (accel()?, exponent()?, midpoint()?);
            of(Kind::Natural, Shape { decay_rate, limit, input_offset, ..plain })
        }
        "jump" => {
            let (smooth, cap_input) = (exponent()?, midpoint()?);
            let smooth = if smooth * cap_input < HARD { 0.0 } else { smooth };
            of(Kind::Jump, Shape { smooth, cap_input, cap_output: accel()?, ..plain })
        }
        "lut" | "customcurve" => {
            let points = points(file)?;
            Shape { gain: file.switch("lutVelocity")?, points, ..Shape::of(Kind::Points) }
        }
        _ => Shape::of(Kind::None),
    };
    shape.check().map_err(CompileFault::from)?;
    Ok(Form::Shape(Box::new(shape)))
}

/// `x,y;x,y;`, in older files `x;y;x;y;`.
fn points(file: &File<'_>) -> Result<Vec<(f64, f64)>, ReadError> {
    let text = file.text("LUT_data").ok_or(ReadError::Missing("LUT_data"))?;
    let wrong = || file.wrong("LUT_data", "a list of points x,y;x,y;");
    let list = text.strip_suffix(';').unwrap_or(text);
    let numbers: Vec<f64> = list
        .split([',', ';'])
        .map(|number| number.trim().parse().ok().filter(|number: &f64| number.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let pairs = numbers.chunks_exact(2);
    let size = file.number("LUT_size", pairs.len() as f64)?;
    if !pairs.remainder().is_empty() || size != pairs.len() as f64 {
        return Err(wrong());
    }
    Ok(pairs.map(|pair| (pair[0].max(NEARLY_ZERO), pair[1])).collect())
}
