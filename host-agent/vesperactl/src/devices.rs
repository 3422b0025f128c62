// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl devices`: the mice the driver serves.

use anyhow::Context;
use health::mice::{self, Mouse};
use health::{Root, loaded};
use serde::Serialize;

use crate::args::Show;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize)]
struct DevicesReport {
    format: u32,
    loaded: bool,
    devices: Vec<Mouse>,
}

/// Lists.
pub(crate) fn run(root: &Root, show: &Show) -> anyhow::Result<Outcome> {
    let devices = mice::list(root).context("cannot list /sys/class/maccel")?;
    let loaded = loaded::find(root).is_some();
    // Without the driver there is nothing to list, which is no empty answer.
    let code = if loaded { exit::HEALTHY } else { exit::BROKEN };
    if show.json {
        let report = DevicesReport { format: FORMAT, loaded, devices };
        return Ok(Outcome { text: serde_json::to_string_pretty(&report)? + "\n", code });
    }
    let mut text = String::new();
    for mouse in &devices {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let enabled = match mouse.enabled {
            Some(true) => "on",
            Some(false) => "off",
            None => "unknown",
        };
        text.push_str(&format!(
            "{:<8} {:<9} {:<7} {:<30} {}\n",
            mouse.input,
            word(&mouse.id),
            enabled,
            word(&mouse.name),
            word(&mouse.settings),
        ));
    }
    if devices.is_empty() {
        text = match loaded {
            true => "the driver serves no mouse, or is the public one, which does not list them\n",
            false => "the module is not loaded; see vesperactl status\n",
        }
        .to_owned();
    }
    Ok(Outcome { text, code })
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn each_mouse_has_one_line_and_no_driver_is_no_empty_list() {
        let fixture = FixtureRoot::new();
        let text = |json| run(fixture.root(), &Show { json }).unwrap();
        let outcome = text(false);
        assert_eq!((outcome.code, outcome.text.contains("not loaded")), (2, true));
        fixture.file("sys/module/maccel/initstate", b"live\n");
        assert!(text(false).text.starts_with("the driver serves no mouse"));
        for (attribute, value) in
            [("name", "Mouse"), ("id", "046d:c08b"), ("enabled", "1"), ("settings", "inherit")]
        {
            fixture.file(&format!("sys/class/maccel/input5/{attribute}"), value.as_bytes());
        }
        let outcome = text(false);
        assert_eq!(
            (outcome.code, outcome.text.as_str()),
            (0, "input5   046d:c08b on      Mouse                          inherit\n")
        );
        let json: serde_json::Value = serde_json::from_str(&text(true).text).unwrap();
        assert_eq!(json["devices"][0]["id"], "046d:c08b");
    }
}
