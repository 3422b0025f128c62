// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel set`: parameters, the mode and the curve, all or nothing.

use anyhow::{Context, bail};
use maccel_core::changes::Changes;
use maccel_core::compile::{self, CompileError};
use maccel_core::shape::Shape;
use serde_json::Value;

use crate::args::{Common, SetAll, SetCommand};
use crate::host::Host;
use crate::output::{self, Output, document};
use crate::public::{self, Name};
use crate::write;

/// What a command asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Parameters, with the values as they were typed.
    Values(Vec<(Name, f64)>),
    /// A mode.
    Mode(maccel_core::settings::Mode),
    /// A curve.
    Curve(Box<Shape>),
    /// Nothing: the mode without parameters.
    Nothing,
}

/// Runs the command.
pub(crate) fn run(common: &Common, command: SetCommand) -> anyhow::Result<Output> {
    let request = request(command)?;
    let nothing = request == Request::Nothing;
    if nothing && !common.json {
        return Ok(Output { text: String::new(), note: format!("{}\n", public::NO_ACCEL_NOTE) });
    }
    let host = Host::open(common)?;
    let (changes, error) = changes(&host, &request)?;
    let mut note = write::change(&host, &changes)?;
    if nothing {
        note = format!("{}\n", public::NO_ACCEL_NOTE);
    }
    let mut text = String::new();
    if common.json {
        let mut map = output::settings(&host.reopened()?.settings()?)?;
        if matches!(request, Request::Curve(_)) {
            map.insert("compile-error".to_owned(), serde_json::to_value(error)?);
        }
        text = document(&Value::Object(map))?;
    } else if let Request::Curve(_) = request {
        text = compiled(error);
    }
    Ok(Output { text, note })
}

/// How well a curve was compiled, for people.
pub(crate) fn compiled(error: Option<CompileError>) -> String {
    match error {
        None => "the driver's own formula, exact\n".to_owned(),
        Some(CompileError { relative, speed }) => format!(
            "the driver's look-up table; it differs most at {speed:.3} counts/ms, by {:.3} %\n",
            relative * 100.0
        ),
    }
}

/// What was typed as a request.
pub(crate) fn request(command: SetCommand) -> anyhow::Result<Request> {
    Ok(match command {
        SetCommand::Param { name, value } => Request::Values(vec![(name, value)]),
        SetCommand::Mode { mode } => Request::Mode(mode.mode()),
        SetCommand::Curve { words } => Request::Curve(Box::new(words.join(" ").parse()?)),
        SetCommand::All(all) => match all {
            SetAll::Common { sens_mult, yx_ratio, input_dpi, angle_rotation } => {
                Request::Values(vec![
                    (Name::SensMult, sens_mult),
                    (Name::YxRatio, yx_ratio),
                    (Name::InputDpi, input_dpi),
                    (Name::AngleRotation, angle_rotation),
                ])
            }
            SetAll::Linear { accel, offset_linear, output_cap } => Request::Values(vec![
                (Name::Accel, accel),
                (Name::OffsetLinear, offset_linear),
                (Name::OutputCap, output_cap),
            ]),
            SetAll::Natural { decay_rate, offset_natural, limit } => Request::Values(vec![
                (Name::DecayRate, decay_rate),
                (Name::OffsetNatural, offset_natural),
                (Name::Limit, limit),
            ]),
            SetAll::Synchronous { gamma, smooth, motivity, sync_speed } => Request::Values(vec![
                (Name::Gamma, gamma),
                (Name::Smooth, smooth),
                (Name::Motivity, motivity),
                (Name::SyncSpeed, sync_speed),
            ]),
            SetAll::NoAccel => Request::Nothing,
        },
    })
}

/// The changes that make a request true, checked against the settings in force.
pub(crate) fn changes(
    host: &Host,
    request: &Request,
) -> anyhow::Result<(Changes, Option<CompileError>)> {
    let mut changes = Changes::default();
    let mut error = None;
    match request {
        Request::Nothing => {}
        Request::Values(values) => {
            for (name, value) in values {
                changes.set(name.file(), *value)?;
            }
        }
        Request::Mode(mode) => {
            changes.set_mode(*mode);
            if *mode == maccel_core::settings::Mode::Lut && host.settings()?.lut().is_none() {
                bail!("mode lut needs a look-up table; to make one: maccel set curve ...");
            }
        }
        Request::Curve(shape) => {
            let before = host.settings()?;
            let mut after = before.clone();
            error = compile::apply(shape, &mut after)
                .with_context(|| format!("cannot compile '{shape}'"))?;
            changes = Changes::between(&before, &after);
        }
    }
    Ok((changes, error))
}
