// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel import`: settings from Raw Accel, YeetMouse, libinput's custom profile, from a
//! maccel.toml, from reset scripts and profiles of the public command.
//!
//! What a file says is shown with all that cannot be carried over; only `--apply` changes
//! anything.

use std::fs;
use std::io::{self, Read};

use anyhow::{Context, bail};
use camino::Utf8Path;
use maccel_core::changes::Changes;
use maccel_core::compile::CompileError;
use maccel_core::settings::Settings;
use maccel_core::{libinput, public_profile, raw_accel, reset_script, settings_file, yeetmouse};
use serde_json::{Value, json};

use crate::args::{Common, Import};
use crate::host::Host;
use crate::output::{self, Output, document};
use crate::set::compiled;
use crate::write;

/// A file that is larger is none of those that are read.
const LARGEST: u64 = 4 << 20;

/// What was found in a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// The format, for people.
    format: &'static str,
    /// The profile that was taken.
    profile: Option<String>,
    /// The curve in words, if the file describes one.
    curve: Option<String>,
    /// The error of a curve that was compiled; `None` inside for none.
    error: Option<Option<CompileError>>,
    /// The new values.
    changes: Changes,
    /// What could not be carried over.
    notes: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(common: &Common, import: &Import) -> anyhow::Result<Output> {
    let found = find(&import.file, import.profile.as_deref())?;
    let mut note = String::new();
    if import.apply {
        note = write::change(&Host::open(common)?, &found.changes)?;
    }
    let text = if common.json { found.document(import.apply)? } else { found.text(import)? };
    Ok(Output { text, note })
}

/// What is in a file, or in a folder of reset scripts.
fn find(file: &Utf8Path, profile: Option<&str>) -> anyhow::Result<Found> {
    if file.is_dir() {
        return reset_scripts(&read_folder(file)?);
    }
    let text = read(file)?;
    parse(file.as_str(), &text, profile).with_context(|| format!("cannot import {file}"))
}

/// The name of a file's profile, and its settings on top of the defaults.
pub(crate) fn settings(file: &Utf8Path) -> anyhow::Result<(String, Settings)> {
    let found = find(file, None)?;
    let name = found.profile.clone().unwrap_or_else(|| file.to_string());
    Ok((name, found.changes.apply(&Settings::default())?))
}

/// Finds out the format of a text, and reads it.
pub(crate) fn parse(file: &str, text: &str, profile: Option<&str>) -> anyhow::Result<Found> {
    let name = Utf8Path::new(file).file_name().unwrap_or(file);
    if reset_script::parameter_of(name).is_some() {
        return reset_scripts(&[(name.to_owned(), text.to_owned())]);
    }
    if reset_script::is_it(text) {
        return lines_of_scripts(text);
    }
    if public_profile::is_it(text) {
        return one_profile(text, profile);
    }
    let first = text.trim_start_matches('\u{feff}').trim_start().chars().next();
    if matches!(first, Some('{' | '[')) && serde_json::from_str::<Value>(text).is_ok()
        || first == Some('{')
    {
        return raw_accel(text, profile);
    }
    let single = if yeetmouse::is_it(text) {
        let import = yeetmouse::read(text)?;
        found("YeetMouse", import.curve, import.error, &import.settings, import.notes)
    } else if libinput::is_it(text) {
        let import = libinput::read(text)?;
        found("libinput", import.shape.to_string(), import.error, &import.settings, import.notes)
    } else {
        return maccel_toml(text, profile);
    };
    match profile {
        Some(name) => bail!("there is no profile '{name}': {} files have none", single.format),
        None => Ok(single),
    }
}

/// What a file of another program gives.
fn found(
    format: &'static str,
    curve: String,
    error: Option<CompileError>,
    settings: &Settings,
    notes: Vec<String>,
) -> Found {
    let mut changes = Changes::all(settings);
    // A table that is in force stays: it does no harm in other modes.
    if settings.lut().is_none() {
        changes.forget("LUT");
    }
    let (curve, error) = (Some(curve), Some(error));
    Found { format, profile: None, curve, error, changes, notes }
}

/// A profile of the public command line: a file of its own each.
fn one_profile(text: &str, wanted: Option<&str>) -> anyhow::Result<Found> {
    let profile = public_profile::read(text)?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != profile.name) {
        bail!("there is no profile '{wanted}'; there is {}", profile.name);
    }
    let (profile, changes) = (Some(profile.name), profile.changes);
    Ok(Found { format: "public maccel", profile, changes, ..Found::default() })
}

fn raw_accel(text: &str, wanted: Option<&str>) -> anyhow::Result<Found> {
    let import = raw_accel::read(text)?;
    let names: Vec<&str> = import.profiles.iter().map(|one| one.name.as_str()).collect();
    let Some(profile) = import.profiles.iter().find(|one| wanted.is_none_or(|w| w == one.name))
    else {
        bail!("there is no profile '{}'; there are {}", wanted.unwrap_or(""), names.join(", "));
    };
    let mut notes = import.notes.clone();
    notes.extend(profile.notes.clone());
    if wanted.is_none() && names.len() > 1 {
        notes.push(format!(
            "the first of {} profiles was taken; the others: {} (--profile NAME)",
            names.len(),
            names[1..].join(", ")
        ));
    }
    for device in &import.devices {
        let id = device.id.as_deref().unwrap_or("unknown");
        let mut settings = vec![format!("profile '{}'", device.profile)];
        settings.extend(device.dpi.map(|dpi| format!("input-dpi {dpi}")));
        if !device.enabled {
            settings.push("not accelerated".to_owned());
        }
        notes.push(format!(
            "mouse {} ({id}) has {}: set it with --device {id}",
            device.name,
            settings.join(", ")
        ));
        notes.extend(device.notes.clone());
    }
    let curve = profile.shape.to_string();
    let found = found("Raw Accel", curve, profile.error, &profile.settings, notes);
    Ok(Found { profile: Some(profile.name.clone()), ..found })
}

fn maccel_toml(text: &str, wanted: Option<&str>) -> anyhow::Result<Found> {
    let file = settings_file::parse(text)?;
    let profiles: Vec<(&str, &Changes)> =
        file.profiles.iter().map(|(name, changes)| (name.as_str(), changes)).collect();
    let names = profiles.iter().map(|profile| profile.0).collect::<Vec<_>>().join(", ");
    let found = |profile: Option<&str>, changes: &Changes| Found {
        format: "maccel.toml",
        profile: profile.map(str::to_owned),
        changes: changes.clone(),
        ..Found::default()
    };
    match (wanted, &profiles[..]) {
        (None, _) if !file.settings.is_empty() => Ok(found(None, &file.settings)),
        (None, [(name, changes)]) => Ok(found(Some(name), changes)),
        (None, []) => bail!("it holds no settings"),
        (None, _) => bail!("it has several profiles, name one with --profile: {names}"),
        (Some(wanted), _) => match profiles.iter().find(|profile| profile.0 == wanted) {
            Some((name, changes)) => Ok(found(Some(name), changes)),
            None => bail!("there is no profile '{wanted}'; there are: {names}"),
        },
    }
}

/// Public reset scripts, by name and text. None is ever run.
fn reset_scripts(files: &[(String, String)]) -> anyhow::Result<Found> {
    let mut found = Found { format: "reset scripts", ..Found::default() };
    for (name, text) in files {
        if let Err(error) = reset_script::read_into(&mut found.changes, name, text) {
            found.notes.push(format!("{}: {error}", name.escape_debug()));
        }
    }
    found.of_scripts()
}

/// The same, one on each line.
fn lines_of_scripts(text: &str) -> anyhow::Result<Found> {
    let (changes, refused) = reset_script::read_lines(text);
    let notes = refused.into_iter().map(|(line, error)| format!("line {line}: {error}")).collect();
    Found { format: "reset scripts", changes, notes, ..Found::default() }.of_scripts()
}

fn read(file: &Utf8Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> = if file == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(fs::File::open(file).with_context(|| format!("cannot read {file}"))?)
    };
    source
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {file}"))?;
    if text.len() as u64 > LARGEST {
        bail!("{file} is larger than any settings file");
    }
    Ok(text)
}

fn read_folder(folder: &Utf8Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot read {folder}"))? {
        let path = entry?.into_path();
        if path.extension() == Some("sh") {
            files.push((path.file_name().unwrap_or_default().to_owned(), read(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

impl Found {
    fn of_scripts(self) -> anyhow::Result<Self> {
        if self.changes.is_empty() {
            bail!("no reset script there can be used\n{}", self.notes.join("\n"));
        }
        Ok(self)
    }

    fn text(&self, import: &Import) -> anyhow::Result<String> {
        let profile =
            self.profile.as_ref().map_or(String::new(), |name| format!(", profile {name}"));
        let mut text = format!("{}{profile}\n", self.format);
        if let Some(curve) = &self.curve {
            text.push_str(&format!("curve: {curve}\n"));
        }
        if let Some(error) = self.error {
            text.push_str(&format!("compiled: {}", compiled(error)));
        }
        if let Value::Object(values) = serde_json::to_value(&self.changes)? {
            for (key, value) in values {
                let value = match value {
                    Value::String(word) => word,
                    Value::Array(list) => format!("{} factors", list.len()),
                    other => other.to_string(),
                };
                text.push_str(&format!("  {key:<14} {value}\n"));
            }
        }
        for note in &self.notes {
            text.push_str(&format!("not carried over: {note}\n"));
        }
        text.push_str(if import.apply {
            "in force now\n"
        } else {
            "nothing was changed; to put it in force, add --apply\n"
        });
        Ok(text)
    }

    fn document(&self, applied: bool) -> anyhow::Result<String> {
        document(&json!({
            "format": output::FORMAT,
            "source": self.format,
            "profile": self.profile,
            "curve": self.curve,
            "compile-error": self.error.flatten(),
            "settings": self.changes,
            "not-carried-over": self.notes,
            "applied": applied,
        }))
    }
}
