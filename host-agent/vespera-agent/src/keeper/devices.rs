// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mice: each gets what is saved for it when it comes, and what others write to it is kept.

use std::collections::BTreeMap;

use maccel_core::changes::Changes;
use maccel_core::driver::{Device, Driver, DriverError};
use maccel_core::settings::Settings;
use maccel_core::settings_file::{DeviceEntry, DeviceMatch, Layers};
use vespera_api::{Error, Result};

use super::force::names;
use super::seen::SeenMouse;
use super::trial::{Before, Trial};
use super::{Keeper, error_of};
use crate::journal;

impl Keeper {
    /// All mice of a driver that was not there before.
    pub(super) fn meet_devices(&mut self) {
        // What was on trial when the agent was killed is not the mouse's own.
        let interrupted = self.store.trial_was_running();
        for device in self.present_devices() {
            self.meet(device, interrupted);
        }
    }

    /// What the mice had when they were last seen: the next look finds what others wrote since.
    pub(super) fn recall_devices(&mut self, seen: &BTreeMap<String, SeenMouse>) {
        for device in self.present_devices() {
            if let Some(SeenMouse { enabled, settings }) = seen.get(&device.input).cloned() {
                self.devices.insert(device.input.clone(), Device { enabled, settings, ..device });
            }
        }
    }

    /// Gives the mice their own settings from before a trial that was cut short.
    pub(super) fn put_seen_mice(&self, seen: &BTreeMap<String, SeenMouse>) {
        let Some(driver) = &self.driver else { return };
        for device in self.present_devices() {
            let before = seen.get(&device.input).map(|mouse| &mouse.settings);
            if let Some(own) = before.filter(|own| **own != device.settings)
                && let Err(error) = driver.set_device_settings(&device.input, own.as_ref())
            {
                journal::not_restored(&error.to_string());
            }
        }
    }

    /// A mouse went, and with it what was on trial there.
    pub(super) fn device_removed(&mut self, input: &str) {
        self.devices.remove(input);
        if self.is_on_trial(input) {
            self.trial = None;
            journal::trial_ended("the mouse was unplugged");
            self.forget_trial_note();
        }
        self.judge();
    }

    /// A mouse came.
    pub(super) fn device_added(&mut self, input: &str) {
        self.meet_at(input, false);
        self.judge();
    }

    fn meet_at(&mut self, input: &str, forced: bool) {
        match self.driver.as_ref().map(|driver| driver.device(input)) {
            Some(Ok(device)) => self.meet(device, forced),
            // Already gone again, or not one of ours.
            Some(Err(DriverError::NoSuchDevice(_) | DriverError::Lacks(_))) | None => {}
            Some(Err(error)) => journal::warning(&error.to_string()),
        }
    }

    fn meet(&mut self, device: Device, forced: bool) {
        let device = match self.apply_to(&device, forced) {
            Ok(device) => device,
            Err(DriverError::NoSuchDevice(_)) => return,
            Err(error) => {
                journal::warning(&format!("{}: {error}", device.name));
                // A part of it may have been taken.
                let now = self.driver.as_ref().map(|driver| driver.device(&device.input));
                now.and_then(std::result::Result::ok).unwrap_or(device)
            }
        };
        self.devices.insert(device.input.clone(), device);
    }

    /// What a mouse has other than the files say, on top of these `shared` settings.
    pub(super) fn fault_of(&self, mouse: &Device, shared: &Settings) -> Option<String> {
        let what = match self.layers.device(&mouse.id, &mouse.uniq, shared) {
            Ok((enabled, own)) => {
                let switched = enabled.is_some_and(|enabled| enabled != mouse.enabled);
                let held = mouse.settings.as_ref().unwrap_or(shared);
                let own = own.filter(|own| mouse.settings.as_ref() != Some(own));
                let differing = own.map(|own| match names(&Changes::between(held, &own)) {
                    // It inherits the very values that it should hold as its own.
                    names if names.is_empty() => "settings".to_owned(),
                    names => names,
                });
                let switch = switched.then(|| "enabled".to_owned());
                let words: Vec<_> = switch.into_iter().chain(differing).collect();
                if words.is_empty() {
                    return None;
                }
                format!("has other values: {}", words.join(", "))
            }
            Err(error) => error.to_string(),
        };
        // A mouse may call itself anything.
        Some(format!("{} ({}): {what}", mouse.name.escape_debug(), mouse.input))
    }

    /// Gives each mouse again what is saved for it.
    pub(super) fn restore_devices(&mut self) {
        for device in self.present_devices() {
            // One that is not known yet is met when its event comes.
            if self.devices.contains_key(&device.input) {
                self.meet(device, false);
            }
        }
    }

    /// The mice with settings of their own in the files.
    pub(super) fn saved_mice(&self) -> Vec<String> {
        self.devices
            .values()
            .filter(|mouse| self.is_saved(mouse))
            .map(|m| m.input.clone())
            .collect()
    }

    fn is_saved(&self, mouse: &Device) -> bool {
        let (_, own) = self.layers.device_changes(&mouse.id, &mouse.uniq);
        own.is_some_and(|own| !own.is_empty())
    }

    /// Takes their own settings from mice that the files gave some and give none any more.
    pub(super) fn release(&mut self, mice: &[String]) {
        for input in mice {
            if self.devices.get(input).is_some_and(|mouse| !self.is_saved(mouse)) {
                self.meet_again(input);
            }
        }
    }

    /// Looks whether others wrote to a mouse, and which mice there are. The `shared` settings are
    /// those of now, if they can be read; others may have written these as well. Gives whether
    /// something was written to a mouse.
    pub(super) fn look_at_devices(&mut self, shared: Option<&Settings>) -> bool {
        let mut written = false;
        let Some(present) = self.readable_devices() else { return written };
        self.devices.retain(|input, _| present.iter().any(|device| device.input == *input));
        for device in present {
            match self.devices.get(&device.input) {
                Some(known) if *known == device => {}
                Some(known) if known.id == device.id && known.uniq == device.uniq => {
                    let known = known.clone();
                    self.keep_outside_device(&known, device, shared);
                    written = true;
                }
                _ => self.meet(device, false),
            }
        }
        written
    }

    /// What others wrote to a mouse is saved for it, the rest follows the shared settings. In a
    /// trial of the mouse it is kept with what is tried, or goes with it.
    fn keep_outside_device(&mut self, known: &Device, now: Device, shared: Option<&Settings>) {
        journal::outside(&format!("{} ({})", now.name, now.input));
        let before = known.settings.as_ref().or(shared).or(self.seen.as_ref());
        let written = match (before, &now.settings) {
            (Some(before), Some(own)) => Changes::between(before, own),
            _ => Changes::default(),
        };
        let tried = self.is_on_trial(&now.input);
        if let Some(Trial { changes, .. }) = self.trial.as_mut().filter(|_| tried) {
            changes.merge(&written);
        }
        let mut layers = self.layers.clone();
        let saved = layers.device_changes(&now.id, &now.uniq).1.cloned();
        let Ok(entry) = entry_of(&mut layers, &now) else { return };
        if known.enabled != now.enabled {
            entry.enabled = Some(now.enabled);
        }
        if known.settings != now.settings && !tried {
            let kept = saved.filter(|_| now.settings.is_some());
            entry.settings.insert(kept.unwrap_or_default()).merge(&written);
        }
        self.keep_layers(layers);
        self.devices.insert(now.input.clone(), now);
    }

    /// Changes what is saved for a mouse and puts it in force, both or neither.
    pub(super) fn change_device(
        &mut self,
        input: &str,
        edit: impl FnOnce(Option<&Changes>, &mut DeviceEntry),
    ) -> Result<()> {
        // Also what others have just written is saved by that.
        self.look();
        let device = self.driver()?.device(input).map_err(error_of)?;
        let mut layers = self.layers.clone();
        let own = layers.device_changes(&device.id, &device.uniq).1.cloned();
        edit(own.as_ref(), entry_of(&mut layers, &device)?);
        let before = std::mem::replace(&mut self.layers, layers);
        let outcome = self.apply_to_all(&device).map_err(error_of).and_then(|()| {
            let layers = std::mem::replace(&mut self.layers, before.clone());
            self.save_layers(layers)
        });
        if outcome.is_err() {
            self.layers = before;
            if let Err(error) = self.apply_to_all(&device) {
                journal::not_restored(&error.to_string());
            }
        }
        self.judge();
        outcome
    }

    /// Puts settings in force on a mouse, saved or not.
    pub(super) fn put_on(
        &mut self,
        input: &str,
        own: Option<&Settings>,
    ) -> std::result::Result<(), DriverError> {
        let driver = self.driver.as_ref().ok_or(DriverError::NotLoaded)?;
        driver.set_device_settings(input, own)?;
        self.devices.insert(input.to_owned(), driver.device(input)?);
        Ok(())
    }

    /// The same after a trial: what is saved for the mouse by now, or what it had: `own`, unless
    /// that came from what `was_saved` and is not any more.
    pub(super) fn put_back_on(
        &mut self,
        input: &str,
        own: Option<&Settings>,
        was_saved: bool,
    ) -> std::result::Result<(), DriverError> {
        let driver = self.driver.as_ref().ok_or(DriverError::NotLoaded)?;
        let saved = match (driver.device(input), &self.seen) {
            (Ok(device), Some(shared)) => self.layers.device(&device.id, &device.uniq, shared).ok(),
            _ => None,
        };
        let back = match &saved {
            Some((_, Some(saved))) => Some(saved),
            Some((_, None)) => own.filter(|_| !was_saved),
            // It contradicts itself.
            None => own,
        };
        let outcome = match self.put_on(input, back) {
            Err(error) if back != own && !matches!(error, DriverError::NoSuchDevice(_)) => {
                journal::not_restored(&error.to_string());
                self.put_on(input, own)
            }
            outcome => outcome,
        };
        match outcome {
            // It went together with what was tried on it.
            Err(DriverError::NoSuchDevice(_)) => Ok(()),
            outcome => outcome,
        }
    }

    /// Saves what was tried on a mouse on top of what is saved for it.
    pub(super) fn keep_own(&mut self, input: &str, changes: &Changes) -> Result<()> {
        let device = self.driver()?.device(input).map_err(error_of)?;
        self.change_device(input, |own, entry| {
            let mut kept = own.cloned().unwrap_or_default();
            kept.merge(changes);
            // Somebody may have taken its own settings away during the trial.
            entry.settings =
                Some(if device.settings.is_some() { kept } else { Changes::default() });
        })
    }

    /// Gives a mouse exactly what is saved for it.
    pub(super) fn meet_again(&mut self, input: &str) {
        self.meet_at(input, true);
    }

    /// What is to come back after a trial of a mouse, and what it would have with changes, unless a
    /// lock forbids one.
    pub(super) fn own_with(
        &mut self,
        input: &str,
        changes: &Changes,
    ) -> Result<(Before, Settings)> {
        // Also what others have just written to the mouse is saved by that.
        let shared = self.in_force()?;
        let device = self.driver()?.device(input).map_err(error_of)?;
        let before = device.settings.clone().unwrap_or(shared);
        let wanted = self.allowed(&before, changes)?;
        let saved = self.is_saved(&device);
        Ok((Before::One { input: input.to_owned(), own: device.settings, saved }, wanted))
    }

    /// Puts in force what is saved for the mice of the same kind, or for this one.
    fn apply_to_all(&mut self, model: &Device) -> std::result::Result<(), DriverError> {
        let present = self.present_devices();
        self.apply_to_each(&present, model)
    }

    /// The same for mice that were present a moment ago.
    pub(super) fn apply_to_each(
        &mut self,
        present: &[Device],
        model: &Device,
    ) -> std::result::Result<(), DriverError> {
        for device in present.iter().filter(|device| device.id == model.id) {
            let forced = device.uniq == model.uniq;
            match self.apply_to(device, forced) {
                Ok(device) => drop(self.devices.insert(device.input.clone(), device)),
                // A twin that was unplugged takes nothing from the mouse that was meant.
                Err(DriverError::NoSuchDevice(_)) if device.input != model.input => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Puts in force what is saved for a mouse and gives what it then holds. Where nothing is
    /// saved, its own settings stay, unless they are `forced` away.
    fn apply_to(&self, device: &Device, forced: bool) -> std::result::Result<Device, DriverError> {
        let driver = self.driver.as_ref().ok_or(DriverError::NotLoaded)?;
        let Some(shared) = &self.seen else { return Ok(device.clone()) };
        let (enabled, own) = self.layers.device(&device.id, &device.uniq, shared)?;
        let switched = match enabled.filter(|enabled| *enabled != device.enabled) {
            Some(enabled) => driver.set_device_enabled(&device.input, enabled),
            None => Ok(()),
        };
        let free = !self.is_on_trial(&device.input);
        if (own.is_some() || forced) && own != device.settings && free {
            driver.set_device_settings(&device.input, own.as_ref())?;
        }
        // One that cannot be switched has its settings all the same.
        switched?;
        driver.device(&device.input)
    }

    fn present_devices(&self) -> Vec<Device> {
        self.readable_devices().unwrap_or_default()
    }

    /// All mice; `None` if they cannot be read, which does not mean that there are none.
    fn readable_devices(&self) -> Option<Vec<Device>> {
        let Some(driver) = &self.driver else { return Some(Vec::new()) };
        match driver.devices() {
            Ok(devices) => Some(devices),
            Err(error) => {
                journal::warning(&error.to_string());
                None
            }
        }
    }

    fn driver(&self) -> Result<&Driver> {
        self.driver.as_ref().ok_or_else(|| error_of(DriverError::NotLoaded))
    }
}

/// The run-time entry for a mouse.
fn entry_of<'a>(layers: &'a mut Layers, device: &Device) -> Result<&'a mut DeviceEntry> {
    let matches = DeviceMatch::narrowest(&device.id, &device.uniq)
        .map_err(|error| Error::InvalidValue(error.to_string()))?;
    Ok(layers.device_entry(&matches))
}
