// SPDX-License-Identifier: MIT OR Apache-2.0
//! YeetMouse's settings as text: `/etc/yeetmouse.conf`, and what `yeetmousectl dump` prints.
//!
//! One `KEY=VALUE` on each line. There the input is only measured in other units (`preScale`),
//! here it is scaled; the sensitivity makes up for it. Curves that its modes share with ours
//! become the driver's formulas, the others its look-up table.
//!
//! - `file`: the lines
//! - `curve`: its modes as shapes

mod curve;
mod file;

use thiserror::Error;

use crate::compile::{self, CompileError, CompileFault};
use crate::settings::{Settings, SettingsError};
use crate::shape::Curve;

use curve::Form;
use file::File;

pub use file::is_it;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The curve in words.
    pub curve: String,
    /// What the driver gets for it.
    pub settings: Settings,
    /// The error of the look-up table, if the curve needs one.
    pub error: Option<CompileError>,
    /// What could not be carried over.
    pub notes: Vec<String>,
}

/// Why a text could not be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReadError {
    /// A line that is none.
    #[error("line {0}: not KEY=VALUE")]
    Line(usize),
    /// The form for the compiler.
    #[error("line {0}: this is a config.h; have YeetMouse write its text with: yeetmousectl dump")]
    Header(usize),
    /// A key once more.
    #[error("line {line}: {key} is there already")]
    Repeated {
        /// The line.
        line: usize,
        /// The key.
        key: String,
    },
    /// A value of the wrong kind.
    #[error("line {line}: {key}={} is not {wanted}", .text.escape_debug())]
    Value {
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// What is there.
        text: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// A key that the mode needs.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// A curve that cannot be.
    #[error("the curve: {0}")]
    Curve(#[from] CompileFault),
    /// A value beyond the driver's ranges.
    #[error("{key}: {source}")]
    Range {
        /// The key.
        key: &'static str,
        /// What is wrong.
        source: SettingsError,
    },
}

/// Reads a text.
///
/// # Errors
/// [`ReadError`].
pub fn read(text: &str) -> Result<Import, ReadError> {
    let file = File::parse(text)?;
    let mut notes = Vec::new();
    let mut settings = Settings::default();
    let scale = file.number("preScale", 1.0)?;
    let sensitivity = file.number("sens", 1.0)?;
    let mut set = |parameter, value: f64, key| {
        let value = if value.is_finite() { value } else { 0.0 };
        settings.set(parameter, value).map_err(|source| ReadError::Range { key, source })
    };
    set("INPUT_DPI", 1000.0 / scale, "preScale")?;
    set("SENS_MULT", sensitivity / scale, "sens")?;
    set("YX_RATIO", ratio(&file, &mut notes)?, "ratioYX")?;
    set("ANGLE_ROTATION", file.number("rotation", 0.0)? % 360.0, "rotation")?;

    let form = curve::form(&file)?;
    let offset = file.number("offset", 0.0)?.max(0.0);
    let cap = file.number("outCap", 0.0)?;
    let cap = if cap > 0.0 { cap / sensitivity } else { f64::INFINITY };
    let (words, error) = apply(form, offset, cap, &mut settings)?;

    if file.number("inCap", 0.0)? > 0.0 {
        notes.push("inCap: the driver does not cap the length of a report".to_owned());
    }
    if file.number("as_threshold", 0.0)? > 0.0 {
        notes.push(
            "as_threshold, as_angle: the driver snaps to both axes alike; to try it: maccel set \
             angle-snap DEGREES"
                .to_owned(),
        );
    }
    notes.extend(file.neutral_or_lost()?);
    Ok(Import { curve: words, settings, error, notes })
}

/// The factor of the vertical axis, under the name of either version.
fn ratio(file: &File<'_>, notes: &mut Vec<String>) -> Result<f64, ReadError> {
    let ratio = file.number("ratioYX", 1.0)?;
    let old = file.number("sens_Y", 1.0)?;
    if old == 1.0 || file.has("ratioYX") {
        return Ok(ratio);
    }
    notes.push(format!(
        "sens_Y={old} was taken as a ratio to sens, as YeetMouse does since 0.9.3; before, it was \
         the sensitivity of the vertical axis itself"
    ));
    Ok(old)
}

/// Puts a curve into settings, moved by an offset and cut at a factor; gives it in words.
fn apply(
    mut form: Form,
    offset: f64,
    cap: f64,
    settings: &mut Settings,
) -> Result<(String, Option<CompileError>), ReadError> {
    if offset == 0.0 && form.takes_cap(cap) {
        let Form::Shape(shape) = &mut form else { return Err(ReadError::Missing("accelMode")) };
        shape.cap_output = cap;
        return Ok((shape.to_string(), compile::apply(shape, settings)?));
    }
    let mut words = form.to_string();
    if let (Form::Shape(shape), true, true) = (&form, offset == 0.0, cap.is_infinite()) {
        return Ok((words, compile::apply(shape, settings)?));
    }
    if offset > 0.0 {
        words.push_str(&format!(", from {offset} counts/ms on"));
    }
    if cap.is_finite() {
        words.push_str(&format!(", at most {cap}"));
    }
    let inner = form.curve()?;
    let curve = Curve::new(move |speed| {
        if speed <= offset { cap.min(1.0) } else { inner.factor(speed - offset).min(cap) }
    });
    let error = compile::apply_curve(&curve, settings).map_err(CompileFault::from)?;
    Ok((words, Some(error)))
}

#[cfg(test)]
mod tests;
