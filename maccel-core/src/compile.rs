// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shapes compiled to what the driver has: a mode of its own where the formula is the same, else
//! its look-up table, with the error that the table makes.

use serde::Serialize;

use crate::curve;
use crate::fixed::Fixed;
use crate::settings::{LUT_LEN, Mode, Settings, SettingsError};
use crate::shape::{CapMode, Curve, Kind, Shape, ShapeError};

/// Speeds over which the error is looked for, counts/ms.
const SLOWEST: f64 = 0.01;
const FASTEST: f64 = 1000.0;

/// Samples for each interval of the table.
const SAMPLES: u32 = 32;

/// The largest difference between a shape and what the driver makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CompileError {
    /// Relative to the factor of the shape (absolute where that is below 0.001).
    pub relative: f64,
    /// Speed at which it is found, counts/ms.
    pub speed: f64,
}

/// What a shape became.
#[derive(Clone, Debug, PartialEq)]
pub enum Compiled {
    /// The driver has this formula: mode and parameters, by file name.
    Formula(Mode, Vec<(&'static str, f64)>),
    /// A look-up table.
    Table(Vec<f64>, CompileError),
}

/// Why a shape could not be compiled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CompileFault {
    /// It is no curve.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The driver refuses what came out.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// Compiles a shape: to a formula of the driver if its values are in the driver's ranges, else
/// to a table.
///
/// # Errors
/// [`CompileFault`].
pub fn compile(shape: &Shape) -> Result<Compiled, CompileFault> {
    let curve = shape.curve()?;
    if let Some((mode, values)) = formula(shape) {
        let mut settings = Settings::default();
        if values.iter().all(|&(name, value)| settings.set(name, value).is_ok()) {
            return Ok(Compiled::Formula(mode, values));
        }
    }
    let table = table(&curve)?;
    let error = error_of(&curve, &table);
    Ok(Compiled::Table(table, error))
}

/// Compiles a shape into settings; all but the curve stays as it is. Gives the error of the
/// table, if it is one.
///
/// # Errors
/// [`CompileFault`]; nothing is changed then.
pub fn apply(shape: &Shape, settings: &mut Settings) -> Result<Option<CompileError>, CompileFault> {
    let mut changed = settings.clone();
    let error = match compile(shape)? {
        Compiled::Formula(mode, values) => {
            for (name, value) in values {
                changed.set(name, value)?;
            }
            changed.set_mode(mode)?;
            None
        }
        Compiled::Table(table, error) => {
            changed.set_lut(&table)?;
            changed.set_mode(Mode::Lut)?;
            Some(error)
        }
    };
    *settings = changed;
    Ok(error)
}

/// Puts any curve into settings as a table; all but the curve stays as it is.
///
/// # Errors
/// [`SettingsError`] if the table cannot hold it; nothing is changed then.
pub fn apply_curve(curve: &Curve, settings: &mut Settings) -> Result<CompileError, SettingsError> {
    let table = table(curve)?;
    let error = error_of(curve, &table);
    settings.set_lut(&table)?;
    settings.set_mode(Mode::Lut)?;
    Ok(error)
}

/// The driver's own formula for a shape.
fn formula(shape: &Shape) -> Option<(Mode, Vec<(&'static str, f64)>)> {
    let capped_below = shape.cap_mode == CapMode::Output;
    match (shape.kind, shape.gain) {
        (Kind::None, _) => Some((Mode::NoAccel, Vec::new())),
        (Kind::Classic, false) if shape.exponent == 2.0 && capped_below => Some((
            Mode::Linear,
            vec![
                ("ACCEL", shape.acceleration),
                ("OFFSET", shape.input_offset),
                ("OUTPUT_CAP", shape.cap_output),
            ],
        )),
        (Kind::Natural, true) if shape.limit >= 1.0 => Some((
            Mode::Natural,
            vec![
                ("DECAY_RATE", shape.decay_rate),
                ("OFFSET", shape.input_offset),
                ("LIMIT", shape.limit),
            ],
        )),
        (Kind::Synchronous, false) => Some((
            Mode::Synchronous,
            vec![
                ("GAMMA", shape.gamma),
                ("SMOOTH", shape.smooth),
                ("MOTIVITY", shape.motivity),
                ("SYNC_SPEED", shape.sync_speed),
            ],
        )),
        _ => None,
    }
}

/// The shape of the driver's own curve, if its mode has one.
pub fn shape_of(settings: &Settings) -> Option<Shape> {
    let get = |name| settings.get(name).unwrap_or_default();
    Some(match settings.mode() {
        Mode::NoAccel => Shape::of(Kind::None),
        Mode::Linear => Shape {
            acceleration: get("ACCEL"),
            input_offset: get("OFFSET"),
            cap_output: get("OUTPUT_CAP"),
            ..Shape::of(Kind::Classic)
        },
        Mode::Natural => Shape {
            decay_rate: get("DECAY_RATE"),
            input_offset: get("OFFSET"),
            limit: get("LIMIT"),
            gain: true,
            ..Shape::of(Kind::Natural)
        },
        Mode::Synchronous => Shape {
            gamma: get("GAMMA"),
            smooth: get("SMOOTH"),
            motivity: get("MOTIVITY"),
            sync_speed: get("SYNC_SPEED"),
            ..Shape::of(Kind::Synchronous)
        },
        Mode::Lut => return None,
    })
}

/// The factors of the curve at the table's speeds, as the driver stores them.
fn table(curve: &Curve) -> Result<Vec<f64>, SettingsError> {
    let factors: Vec<f64> = (0..LUT_LEN).map(|i| curve.factor(curve::lut_speed(i))).collect();
    let mut settings = Settings::default();
    settings.set_lut(&factors)?;
    Ok(factors.iter().map(|&f| Fixed::from_f64(f).map_or(f, Fixed::to_f64)).collect())
}

/// Where the table, interpolated as the driver does, differs most from the curve.
fn error_of(curve: &Curve, table: &[f64]) -> CompileError {
    let (first, last) = (SLOWEST.log2() * 8.0, FASTEST.log2() * 8.0);
    let step = 1.0 / f64::from(SAMPLES);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let count = ((last - first) / step) as u32;
    (0..=count)
        .map(|i| {
            let speed = ((first + f64::from(i) * step) / 8.0).exp2();
            let exact = curve.factor(speed);
            let relative = (curve::lut(speed, table) - exact).abs() / exact.max(1e-3);
            CompileError { relative, speed }
        })
        .max_by(|a, b| a.relative.total_cmp(&b.relative))
        .unwrap_or(CompileError { relative: 0.0, speed: SLOWEST })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Compiled {
        compile(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn shapes_that_the_driver_knows_become_its_modes() {
        for (text, mode) in [
            ("none", Mode::NoAccel),
            ("classic acceleration=0.02 offset=3 cap-output=2", Mode::Linear),
            ("natural limit=3 gain", Mode::Natural),
            ("synchronous gamma=2 smooth=0.3", Mode::Synchronous),
        ] {
            let shape: Shape = text.parse().unwrap();
            let mut settings = Settings::default();
            assert_eq!(apply(&shape, &mut settings), Ok(None), "{text}");
            assert_eq!(settings.mode(), mode);
            let curve = shape.curve().unwrap();
            for speed in [0.01, 0.7, 3.0, 3.1, 20.0, 900.0] {
                let ours = curve::factor(&settings, speed);
                // the settings are rounded to what the driver stores
                assert!((ours - curve.factor(speed)).abs() < 1e-6, "{text} at {speed}");
            }
            let again = shape_of(&settings).unwrap().curve().unwrap();
            assert!((again.factor(17.0) - curve.factor(17.0)).abs() < 1e-6, "{text}");
        }
    }

    #[test]
    fn other_shapes_become_tables_with_their_error() {
        for (text, worst) in [
            ("classic acceleration=0.02 exponent=3 gain=yes cap-output=2", 0.01),
            ("synchronous gain=yes", 1e-3),
            ("natural limit=2", 5e-3),
            ("jump input=10 output=2 smooth=0.5 gain=yes", 0.01),
            ("power scale=0.1 exponent=0.5 output-offset=0.5 gain", 0.01),
            ("drawn 1:1 8:1.5 30:2.5", 0.01),
        ] {
            let Compiled::Table(table, error) = compiled(text) else { panic!("{text}") };
            assert_eq!(table.len(), LUT_LEN);
            assert!(error.relative > 0.0 && error.relative < worst, "{text}: {error:?}");
        }
    }

    #[test]
    fn a_hard_step_is_reported_as_badly_compiled() {
        let Compiled::Table(_, error) = compiled("jump input=10 output=3 smooth=0") else {
            panic!("a table");
        };
        assert!(error.relative > 0.5 && (9.0..11.0).contains(&error.speed), "{error:?}");
    }

    #[test]
    fn values_beyond_the_drivers_ranges_go_through_a_table() {
        let Compiled::Table(..) = compiled("natural limit=300 gain") else { panic!("a table") };
    }

    #[test]
    fn a_shape_that_the_table_cannot_hold_changes_nothing() {
        let shape: Shape = "points 1:1 2:100000".parse().unwrap();
        let mut settings = Settings::default();
        assert!(matches!(apply(&shape, &mut settings), Err(CompileFault::Settings(_))));
        assert_eq!(settings, Settings::default());
    }
}
