// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl devices enable|disable|set|settings|inherit`: one mouse.

use anyhow::Context;
use health::Root;
use health::mice::{self, Mouse};
use maccel_core::settings::Settings;
use serde_json::json;
use vespera_api::names::device_path;
use vespera_api::{DeviceProxy, Error, dict};

use crate::agent::{self, Wait};
use crate::args::Show;
use crate::assignment::{self, Assignments};
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum DeviceCommand {
    /// Let the driver work on a mouse
    Enable {
        #[command(flatten)]
        mouse: Which,
    },
    /// Keep the driver off a mouse
    Disable {
        #[command(flatten)]
        mouse: Which,
    },
    /// Give a mouse settings of its own
    Set {
        #[command(flatten)]
        mouse: Which,
        #[command(flatten)]
        assignments: Assignments,
    },
    /// Show the settings that a mouse has of its own
    Settings {
        #[command(flatten)]
        mouse: Which,
        #[command(flatten)]
        show: Show,
    },
    /// Let a mouse follow the settings of the driver again
    Inherit {
        #[command(flatten)]
        mouse: Which,
    },
}

/// A mouse.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Which {
    /// The mouse, as listed: inputN, or vvvv:pppp if only one has it
    #[arg(value_name = "MOUSE")]
    mouse: String,
}

/// Does one of these.
pub(crate) fn run(root: &Root, command: &DeviceCommand) -> anyhow::Result<Outcome> {
    let (DeviceCommand::Enable { mouse }
    | DeviceCommand::Disable { mouse }
    | DeviceCommand::Set { mouse, .. }
    | DeviceCommand::Settings { mouse, .. }
    | DeviceCommand::Inherit { mouse }) = command;
    let mice = mice::list(root).context("cannot list /sys/class/maccel")?;
    let path = object(&mouse.mouse, &mice)?;
    let changes = match command {
        DeviceCommand::Set { assignments, .. } => assignment::parse(&assignments.assignments)?,
        _ => maccel_core::changes::Changes::default(),
    };
    let wait = match command {
        DeviceCommand::Settings { .. } => Wait::Ready,
        _ => Wait::Person,
    };
    let own = agent::ask(root, wait, async |bus| {
        let device = DeviceProxy::new(bus, path.as_str()).await?;
        match command {
            DeviceCommand::Enable { .. } => device.set_enabled(true).await?,
            DeviceCommand::Disable { .. } => device.set_enabled(false).await?,
            DeviceCommand::Set { .. } => device.set_settings(&dict::write(&changes)).await?,
            DeviceCommand::Inherit { .. } => device.inherit().await?,
            DeviceCommand::Settings { .. } => return Ok(Some(device.settings().await?)),
        }
        Ok(None)
    })?;
    let text = match (command, own) {
        (DeviceCommand::Settings { show, .. }, Some(own)) if !own.is_empty() => {
            let own = dict::read(&own)?.apply(&Settings::default())?;
            settings(&mouse.mouse, Some(&own), show)?
        }
        (DeviceCommand::Settings { show, .. }, _) => settings(&mouse.mouse, None, show)?,
        _ => String::new(),
    };
    Ok(Outcome { text, code: exit::HEALTHY })
}

/// The object of the mouse that is meant.
fn object(mouse: &str, mice: &[Mouse]) -> Result<String, Error> {
    let means = |one: &&Mouse| one.input == mouse || one.id.as_deref() == Some(mouse);
    let meant: Vec<_> = mice.iter().filter(means).collect();
    let wrong = |text: String| Err(Error::InvalidValue(text));
    match meant.as_slice() {
        [one] => match device_path(&one.input) {
            Some(path) => Ok(path),
            None => wrong(format!("'{}' is no name of a mouse", one.input)),
        },
        [] => wrong(format!("there is no mouse '{mouse}'; vesperactl devices lists them")),
        several => {
            let inputs: Vec<_> = several.iter().map(|one| one.input.as_str()).collect();
            wrong(format!("several mice are {mouse}; name one of {}", inputs.join(", ")))
        }
    }
}

fn settings(mouse: &str, own: Option<&Settings>, show: &Show) -> anyhow::Result<String> {
    if show.json {
        let settings = own.map(assignment::json).transpose()?;
        let report = json!({ "format": FORMAT, "mouse": mouse, "settings": settings });
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    Ok(match own {
        Some(own) => assignment::lines(own, |_| true),
        None => "none of its own; it follows the settings of the driver\n".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mouse(input: &str, id: &str) -> Mouse {
        Mouse {
            input: input.to_owned(),
            name: None,
            id: Some(id.to_owned()),
            enabled: None,
            settings: None,
        }
    }

    #[test]
    fn a_mouse_goes_by_its_entry_or_by_an_identity_that_only_it_has() {
        let mice = [
            mouse("input5", "046d:c088"),
            mouse("input6", "1532:0084"),
            mouse("input7", "046d:c088"),
        ];
        let input6 = "/org/vespera/Agent1/devices/input6";
        for (name, found) in [
            ("input6", Ok(input6)),
            ("1532:0084", Ok(input6)),
            ("046d:c088", Err("several mice are 046d:c088; name one of input5, input7")),
            ("input8", Err("there is no mouse 'input8'; vesperactl devices lists them")),
        ] {
            let object = object(name, &mice).map_err(|error| error.to_string());
            assert_eq!(object.as_deref().map_err(String::as_str), found);
        }
    }

    #[test]
    fn a_mouse_without_settings_of_its_own_says_what_it_follows() {
        let text = settings("input5", None, &Show { json: false }).unwrap();
        assert!(text.contains("follows the settings of the driver"));
        let json = settings("input5", None, &Show { json: true }).unwrap();
        assert!(json.contains("\"settings\": null"), "{json}");
    }
}
