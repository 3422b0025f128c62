// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing settings: through the agent where there is one, else to the driver itself.
//!
//! The agent asks polkit, saves and announces. Without it the values are saved the way the public
//! command does, as one line for each parameter in the folder of reset scripts.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Context;
use camino::Utf8Path;
use maccel_core::changes::Changes;
use maccel_core::driver::PARAMETERS;
use maccel_core::parameter::{self, Kind, Parameter};
use maccel_core::settings::Settings;

use crate::agent::{self, Sent};
use crate::host::{Host, explained};

/// Where the public command keeps its scripts, from the root.
pub(crate) const RESETS: &str = "var/opt/maccel/resets";

/// What is told of settings of one mouse without an agent.
pub(crate) const UNTIL_UNPLUGGED: &str =
    "NOTE: in force until the mouse is unplugged: no agent is there to keep it.\n";

/// Makes changes, all or nothing, and has them kept. Gives a note where they are in force but not
/// kept.
pub(crate) fn change(host: &Host, changes: &Changes) -> anyhow::Result<String> {
    if changes.is_empty() {
        return Ok(String::new());
    }
    let device = host.device.as_ref().map(|device| device.input.as_str());
    let wanted = match device {
        // A mouse without settings of its own begins with the shared ones.
        Some(_) => Changes::all(&changes.apply(&host.settings()?)?),
        None => changes.clone(),
    };
    if agent::change(&host.root, device, &wanted)? == Sent::Done {
        return Ok(String::new());
    }
    let settings = put(host, changes)?;
    Ok(match device {
        Some(_) => UNTIL_UNPLUGGED.to_owned(),
        None => keep(&host.root, &settings, changes),
    })
}

/// Puts changes in force in the driver alone: nobody keeps them. Gives the settings then.
pub(crate) fn put(host: &Host, changes: &Changes) -> anyhow::Result<Settings> {
    let failed = |error| explained(&host.root, error);
    match &host.device {
        Some(device) => {
            let settings = changes.apply(&host.settings()?)?;
            host.driver.set_device_settings(&device.input, Some(&settings)).map_err(failed)?;
            Ok(settings)
        }
        None => host.driver.change(changes).map_err(failed),
    }
}

/// Saves what was changed, as the public command does. The values are in force already, so that
/// a failure is a note and no error.
pub(crate) fn keep(root: &Utf8Path, settings: &Settings, changes: &Changes) -> String {
    let folder = root.join(RESETS);
    let mut lost = Vec::new();
    let mut reason = "reset scripts have no line for it".to_owned();
    for line in scripts(settings) {
        if !changes.parameters().iter().any(|parameter| parameter.name == line.parameter) {
            continue;
        }
        if let Err(error) = replace(&folder.join(line.file_name()), &line.text()) {
            reason = format!("/{RESETS}: {error}");
            lost.push(line.parameter);
        }
    }
    // What is as after every boot need not be kept.
    let told = |parameter: &&Parameter| match parameter.kind {
        Kind::Table => changes.lut().is_some_and(|lut| !lut.is_empty()),
        _ => changes.number(&parameter.name) != Some(parameter.default),
    };
    let without_file = changes.parameters().into_iter().filter(|parameter| !parameter.file);
    lost.extend(without_file.filter(told).map(|parameter| parameter.name.clone()));
    if lost.is_empty() {
        return String::new();
    }
    let mut note = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        note,
        "NOTE: in force, but not kept for the next boot: {} ({reason}, and no agent is there).",
        lost.join(", ")
    );
    note
}

/// One reset script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// The parameter's file.
    pub(crate) parameter: String,
    raw: i64,
}

impl Script {
    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        format!("set_last_{}_value.sh", self.parameter)
    }

    /// All that it holds.
    pub(crate) fn text(&self) -> String {
        format!("echo {} > /{PARAMETERS}/{};", self.raw, self.parameter)
    }
}

/// The scripts of all parameters that have files.
pub(crate) fn scripts(settings: &Settings) -> Vec<Script> {
    parameter::all()
        .iter()
        .filter(|parameter| parameter.file)
        .filter_map(|parameter| {
            let raw = match parameter.kind {
                Kind::Mode => i64::from(settings.mode().number()),
                _ => parameter.raw_of(settings.get(&parameter.name).ok()?).ok()?,
            };
            Some(Script { parameter: parameter.name.clone(), raw })
        })
        .collect()
}

/// Replaces a file as a whole. A link that someone else of the group put there is replaced, not
/// followed.
fn replace(path: &Utf8Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

impl Host {
    /// The same, with the mouse as it is now.
    pub(crate) fn reopened(&self) -> anyhow::Result<Host> {
        let device = match &self.device {
            Some(device) => {
                Some(self.driver.device(&device.input).context("the mouse has gone meanwhile")?)
            }
            None => None,
        };
        Ok(Host { root: self.root.clone(), driver: self.driver.clone(), device })
    }
}
