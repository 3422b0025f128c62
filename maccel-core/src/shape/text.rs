// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shapes as text: the family, then `key=value`, separated by blanks; points as `speed:factor`.
//!
//! `classic acceleration=0.02 offset=5 cap-output=2`, `points 1:1 10:1.5 40:3`

use std::fmt;
use std::str::FromStr;

use super::{CapMode, Kind, Shape, ShapeError};

/// A value of a shape by name.
enum Value<'a> {
    Number(&'a mut f64),
    Switch(&'a mut bool),
}

/// The keys of a family, in the order they are written.
pub fn keys(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::None => &[],
        Kind::Classic => &["acceleration", "exponent", "offset", "cap-input", "cap-output", "gain"],
        Kind::Power => &["scale", "exponent", "output-offset", "cap-input", "cap-output", "gain"],
        Kind::Jump => &["input", "output", "smooth", "gain"],
        Kind::Natural => &["decay-rate", "offset", "limit", "gain"],
        Kind::Synchronous => &["gamma", "smooth", "motivity", "sync-speed", "gain"],
        Kind::Points | Kind::Drawn => &["velocity"],
    }
}

fn value<'a>(shape: &'a mut Shape, key: &str) -> Option<Value<'a>> {
    if !keys(shape.kind).contains(&key) {
        return None;
    }
    Some(Value::Number(match key {
        "acceleration" => &mut shape.acceleration,
        "exponent" if shape.kind == Kind::Power => &mut shape.power,
        "exponent" => &mut shape.exponent,
        "offset" => &mut shape.input_offset,
        "output-offset" => &mut shape.output_offset,
        "scale" => &mut shape.scale,
        "cap-input" | "input" => &mut shape.cap_input,
        "cap-output" | "output" => &mut shape.cap_output,
        "smooth" => &mut shape.smooth,
        "decay-rate" => &mut shape.decay_rate,
        "limit" => &mut shape.limit,
        "gamma" => &mut shape.gamma,
        "motivity" => &mut shape.motivity,
        "sync-speed" => &mut shape.sync_speed,
        _ => return Some(Value::Switch(&mut shape.gain)),
    }))
}

/// The mode that two coordinates of a cap ask for.
fn cap_mode(input: f64, output: f64) -> CapMode {
    match (input > 0.0, output > 0.0) {
        (true, true) => CapMode::InOut,
        (true, false) => CapMode::Input,
        (false, _) => CapMode::Output,
    }
}

impl FromStr for Shape {
    type Err = ShapeError;

    /// Reads a shape and checks it.
    fn from_str(text: &str) -> Result<Self, ShapeError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| ShapeError::UnknownKind(name.to_owned()))?;
        let mut shape = Shape::of(kind);
        let mut seen: Vec<&str> = Vec::new();
        for word in words {
            match word.split_once('=') {
                None if matches!(kind, Kind::Points | Kind::Drawn) && word != "velocity" => {
                    shape.points.push(point(word)?);
                }
                pair => {
                    let (key, text) = pair.unwrap_or((word, "yes"));
                    if seen.contains(&key) {
                        return Err(ShapeError::Repeated(key.to_owned()));
                    }
                    seen.push(key);
                    assign(&mut shape, key, text)?;
                }
            }
        }
        if kind != Kind::Jump {
            shape.cap_mode = cap_mode(shape.cap_input, shape.cap_output);
        }
        if shape.cap_mode == CapMode::InOut && seen.contains(&"acceleration") {
            return Err(ShapeError::Points(
                "a classic curve through a cap of both speed and factor has no acceleration of \
                 its own: leave out one of acceleration, cap-input, cap-output"
                    .to_owned(),
            ));
        }
        shape.check()?;
        Ok(shape)
    }
}

fn assign(shape: &mut Shape, key: &str, text: &str) -> Result<(), ShapeError> {
    let kind = shape.kind;
    let fault = |rule| ShapeError::NotAValue { key: key.to_owned(), text: text.to_owned(), rule };
    match value(shape, key) {
        Some(Value::Number(number)) => {
            let given: f64 = text.parse().map_err(|_| fault("a number is"))?;
            if !given.is_finite() {
                return Err(fault("a finite number is"));
            }
            *number = given;
        }
        Some(Value::Switch(switch)) => {
            *switch = match text {
                "yes" | "true" => true,
                "no" | "false" => false,
                _ => return Err(fault("yes or no is")),
            };
        }
        None => {
            return Err(ShapeError::UnknownKey {
                kind: kind.name(),
                key: key.to_owned(),
                known: if keys(kind).is_empty() {
                    "none".to_owned()
                } else {
                    keys(kind).join(", ")
                },
            });
        }
    }
    Ok(())
}

/// `speed:factor`
fn point(word: &str) -> Result<(f64, f64), ShapeError> {
    let fault = || ShapeError::NotAValue {
        key: "a point".to_owned(),
        text: word.to_owned(),
        rule: "speed:factor is, as 10:1.5",
    };
    let (x, y) = word.split_once(':').ok_or_else(fault)?;
    Ok((x.parse().map_err(|_| fault())?, y.parse().map_err(|_| fault())?))
}

impl fmt::Display for Shape {
    /// The text that gives this shape again; values the family does not read are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        let mut shape = self.clone();
        let mut left_out = Vec::new();
        if matches!(self.kind, Kind::Classic | Kind::Power) {
            match self.cap_mode {
                CapMode::InOut if self.kind == Kind::Classic => left_out.push("acceleration"),
                CapMode::InOut => left_out.push("scale"),
                CapMode::Input => left_out.push("cap-output"),
                CapMode::Output => left_out.push("cap-input"),
            }
        }
        for key in keys(self.kind).iter().filter(|key| !left_out.contains(key)) {
            match value(&mut shape, key) {
                Some(Value::Number(number)) if key.starts_with("cap-") && *number == 0.0 => {}
                Some(Value::Number(number)) => write!(f, " {key}={number}")?,
                Some(Value::Switch(true)) => write!(f, " {key}=yes")?,
                Some(Value::Switch(false)) | None => {}
            }
        }
        if matches!(self.kind, Kind::Points | Kind::Drawn) {
            for (x, y) in &self.points {
                write!(f, " {x}:{y}")?;
            }
        }
        Ok(())
    }
}
