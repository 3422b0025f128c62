// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel devices`: the mice, and which of them are accelerated.

use anyhow::{Context, bail};
use maccel_core::driver::{Device, Feature};
use serde_json::{Value, json};

use crate::agent::{self, Sent, Wait};
use crate::args::{Common, Switch};
use crate::host::{Host, PUBLIC, explained};
use crate::output::{self, FORMAT, Output, document};

/// Runs the command.
pub(crate) fn run(
    common: &Common,
    accelerate: Option<Switch>,
    inherit: bool,
) -> anyhow::Result<Output> {
    let host = Host::open(common)?;
    if accelerate.is_some() || inherit {
        let device = host.device.as_ref().context("name the mouse: --device MOUSE")?;
        switch(&host, &device.input, accelerate)?;
    }
    let devices = host.driver.devices()?;
    if common.json {
        let list = devices.iter().map(json_of).collect::<anyhow::Result<Vec<Value>>>()?;
        let text = document(&json!({"format": FORMAT, "devices": list}))?;
        return Ok(Output::text(text));
    }
    if !host.driver.has(Feature::Devices) {
        bail!(PUBLIC);
    }
    let text: String = devices.iter().map(line).collect();
    Ok(Output::text(if text.is_empty() { "no mouse is connected\n".to_owned() } else { text }))
}

/// Switches the acceleration of a mouse, or lets it follow the shared settings.
pub(crate) fn switch(host: &Host, input: &str, accelerate: Option<Switch>) -> anyhow::Result<()> {
    let enabled = accelerate.map(|switch| switch == Switch::On);
    let answer = agent::ask(&host.root, Wait::Person, async |bus| {
        let proxy = agent::proxy(&bus, input).await?;
        match enabled {
            Some(enabled) => proxy.set_enabled(enabled).await,
            None => proxy.inherit().await,
        }
    });
    if agent::sent(answer)? == Sent::Done {
        return Ok(());
    }
    let written = match enabled {
        Some(enabled) => host.driver.set_device_enabled(input, enabled),
        None => host.driver.set_device_settings(input, None),
    };
    written.map_err(|error| explained(&host.root, error))
}

fn line(device: &Device) -> String {
    let state = match (device.enabled, &device.settings) {
        (false, _) => "not accelerated",
        (true, None) => "shared settings",
        (true, Some(_)) => "own settings",
    };
    format!("{:<9} {}  {:<15}  {}\n", device.input, device.id, state, device.name)
}

fn json_of(device: &Device) -> anyhow::Result<Value> {
    let own = device.settings.as_ref().map(output::settings).transpose()?;
    Ok(json!({
        "device": device.input,
        "name": device.name,
        "id": device.id,
        "uniq": device.uniq,
        "phys": device.phys,
        "enabled": device.enabled,
        "settings": own,
    }))
}
