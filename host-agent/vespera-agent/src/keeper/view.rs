// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the keeper shows of its state.

use maccel_core::driver::{Device, Driver};
use maccel_core::parameter::Parameter;
use maccel_core::settings::Settings;

use super::Keeper;
use crate::snapshot::{DeviceView, Snapshot, TrialView};

impl Keeper {
    /// Makes the snapshot anew; a new one only if something differs.
    pub(super) fn publish(&mut self) {
        let snapshot = Snapshot { serial: self.snapshot.serial, ..self.view() };
        if snapshot != self.snapshot || snapshot.serial == 0 {
            if snapshot.devices != self.snapshot.devices {
                self.remember();
            }
            let serial = self.snapshot.serial + 1;
            self.snapshot = Snapshot { serial, ..snapshot };
        }
    }

    fn view(&self) -> Snapshot {
        let features = self.driver.as_ref().map(Driver::features).unwrap_or_default();
        let profiles = self.layers.profiles().into_keys().filter_map(|name| {
            let settings = self.layers.profile(name.as_str())?.ok()?;
            Some((name.as_str().to_owned(), settings))
        });
        Snapshot {
            serial: 0,
            instance: self.instance.filter(|_| self.driver.is_some()),
            settings: self.seen.clone(),
            features: features.into_iter().map(|feature| feature.name().to_owned()).collect(),
            locked: self.layers.locked().parameters().map(Parameter::bus_name).collect(),
            active_profile: self.active_profile(),
            profiles: profiles.collect(),
            trial: self.trial.as_ref().map(|trial| TrialView { id: trial.id, end: trial.end }),
            devices: self
                .devices
                .iter()
                .map(|(input, device)| (input.clone(), device_view(device)))
                .collect(),
            health: self.health_view(),
        }
    }

    /// The profile whose settings are in force; of several the one that was applied last.
    fn active_profile(&self) -> String {
        let Some(seen) = &self.seen else { return String::new() };
        let holds = |name: &str| match self.layers.profile(name) {
            Some(Ok(settings)) => same(&settings, seen),
            _ => false,
        };
        let applied = [&self.applied_profile, &self.user_profile].into_iter().flatten();
        applied
            .chain(self.layers.profiles().into_keys())
            .find(|name| holds(name.as_str()))
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default()
    }
}

/// Whether two settings move the mouse alike; a table that the mode does not use is no difference.
fn same(one: &Settings, other: &Settings) -> bool {
    let without_table = |settings: &Settings| {
        let mut settings = settings.clone();
        // Refused, as it should be, where the mode needs the table.
        let _ = settings.clear_lut();
        settings
    };
    without_table(one) == without_table(other)
}

fn device_view(device: &Device) -> DeviceView {
    DeviceView {
        name: device.name.clone(),
        id: device.id.clone(),
        enabled: device.enabled,
        settings: device.settings.clone(),
    }
}
