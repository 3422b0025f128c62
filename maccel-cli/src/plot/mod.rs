// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel plot`: curves as this community draws them, as a picture or as text.
//!
//! - `line`: what is drawn, sampled
//! - `picture`: SVG, and PNG made of it
//! - `text`: for terminals; `graph`: the axes and lines there
//! - `font`: what PNG writes with

mod font;
pub(crate) mod graph;
pub(crate) mod line;
mod picture;
mod text;

use std::fs;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use maccel_core::compile;
use maccel_core::settings::{Mode, Settings};
use maccel_core::shape::Shape;
#[cfg(test)]
use maccel_core::shape::ShapeError;
use serde_json::json;

use crate::args::{Common, Plot};
use crate::host::Host;
use crate::output::{FORMAT, Output, document};
use crate::plot::line::Line;
use crate::{import, profile};

/// Runs the command.
pub(crate) fn run(common: &Common, plot: &Plot) -> anyhow::Result<Output> {
    let lines = lines(common, plot)?;
    let made = if common.json {
        document(&json!({"format": FORMAT, "curves": lines}))?.into_bytes()
    } else if plot.png {
        picture::png(&picture::svg(&lines)?)?
    } else if plot.svg {
        picture::svg(&lines)?.into_bytes()
    } else {
        text::draw(&lines, text::size()).into_bytes()
    };
    match &plot.output {
        Some(file) => {
            fs::write(file, &made).with_context(|| format!("cannot write {file}"))?;
            Ok(Output::default())
        }
        None if common.json => Ok(Output::text(String::from_utf8_lossy(&made))),
        None if plot.png && io::stdout().is_terminal() => {
            bail!("a picture is nothing for a terminal; name a file: --output curve.png")
        }
        None if plot.png => {
            io::stdout().lock().write_all(&made).context("cannot write the picture")?;
            Ok(Output::default())
        }
        None => Ok(Output::text(String::from_utf8_lossy(&made))),
    }
}

/// All that was asked for; without a word, the settings in force.
fn lines(common: &Common, plot: &Plot) -> anyhow::Result<Vec<Line>> {
    let base = Settings::default();
    let mut lines = Vec::new();
    for text in &plot.curve {
        let shape: Shape = text.parse()?;
        let mut settings = base.clone();
        compile::apply(&shape, &mut settings)?;
        lines.push(Line::of_shape(text, &shape, &settings, plot.speed)?);
    }
    for file in &plot.file {
        let (name, settings) = import::settings(file)?;
        lines.push(Line::sampled(&name, &settings, plot.speed));
    }
    for name in &plot.profile {
        let settings = profile::settings(common, name)?;
        lines.push(Line::sampled(name, &settings, plot.speed));
    }
    if lines.is_empty() || plot.current {
        let settings = Host::open(common)?.settings()?;
        lines.insert(0, Line::sampled(&describe(&settings), &settings, plot.speed));
    }
    Ok(lines)
}

/// The picture of some curves, for documents.
#[cfg(test)]
pub(crate) fn of(curves: &[&str], fastest: f64) -> anyhow::Result<String> {
    let lines: Result<Vec<Line>, ShapeError> = curves
        .iter()
        .map(|text| Line::of_shape(text, &text.parse()?, &Settings::default(), fastest))
        .collect();
    picture::svg(&lines?)
}

/// The curve of settings in a few words.
pub(crate) fn describe(settings: &Settings) -> String {
    match settings.mode() {
        Mode::Lut => "look-up table".to_owned(),
        Mode::NoAccel => "no acceleration".to_owned(),
        _ => compile::shape_of(settings)
            .map_or_else(String::new, |shape| shape.to_string().replace(" gain=yes", "")),
    }
}
