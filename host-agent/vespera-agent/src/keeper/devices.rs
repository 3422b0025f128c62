// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mice: each gets what is saved for it when it comes, and what others write to it is kept.

use maccel_core::changes::Changes;
use maccel_core::driver::{Device, Driver, DriverError};
use maccel_core::settings_file::{DeviceEntry, DeviceMatch, Layers};
use vespera_api::{Error, Result};

use super::{Keeper, error_of};
use crate::journal;

impl Keeper {
    /// All mice of a driver that was not there before.
    pub(super) fn meet_devices(&mut self) {
        for device in self.present_devices() {
            self.meet(device);
        }
    }

    /// A mouse came.
    pub(super) fn device_added(&mut self, input: &str) {
        let device = self.driver.as_ref().map(|driver| driver.device(input));
        match device {
            Some(Ok(device)) => self.meet(device),
            // Already gone again, or not one of ours.
            Some(Err(DriverError::NoSuchDevice(_) | DriverError::Lacks(_))) | None => {}
            Some(Err(error)) => journal::warning(&error.to_string()),
        }
    }

    fn meet(&mut self, device: Device) {
        let device = match self.apply_to(&device, false) {
            Ok(device) => device,
            Err(DriverError::NoSuchDevice(_)) => return,
            Err(error) => {
                journal::warning(&format!("{}: {error}", device.name));
                device
            }
        };
        self.devices.insert(device.input.clone(), device);
    }

    /// Gives each mouse again what is saved for it.
    pub(super) fn restore_devices(&mut self) {
        for device in self.present_devices() {
            // One that is not known yet is met when its event comes.
            if self.devices.contains_key(&device.input) {
                self.meet(device);
            }
        }
    }

    /// Looks whether others wrote to a mouse, and which mice there are.
    pub(super) fn look_at_devices(&mut self) {
        let Some(present) = self.readable_devices() else { return };
        self.devices.retain(|input, _| present.iter().any(|device| device.input == *input));
        for device in present {
            match self.devices.get(&device.input) {
                Some(known) if *known == device => {}
                Some(known) if known.id == device.id && known.uniq == device.uniq => {
                    let known = known.clone();
                    self.keep_outside_device(&known, device);
                }
                _ => self.meet(device),
            }
        }
    }

    /// What others wrote to a mouse is saved for it.
    fn keep_outside_device(&mut self, known: &Device, now: Device) {
        journal::outside(&format!("{} ({})", now.name, now.input));
        let mut layers = self.layers.clone();
        let Ok(entry) = entry_of(&mut layers, &now) else { return };
        if known.enabled != now.enabled {
            entry.enabled = Some(now.enabled);
        }
        if known.settings != now.settings {
            entry.settings = Some(now.settings.as_ref().map(Changes::all).unwrap_or_default());
        }
        if let Err(error) = self.save_layers(layers) {
            journal::warning(&error.to_string());
        }
        // Locked values come back.
        self.meet(now);
    }

    /// Changes what is saved for a mouse and puts it in force, both or neither.
    pub(super) fn change_device(
        &mut self,
        input: &str,
        edit: impl FnOnce(Option<&Changes>, &mut DeviceEntry),
    ) -> Result<()> {
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
        outcome
    }

    /// Puts in force what is saved for the mice of the same kind, or for this one.
    fn apply_to_all(&mut self, model: &Device) -> std::result::Result<(), DriverError> {
        let present = self.present_devices();
        for device in present.iter().filter(|device| device.id == model.id) {
            let forced = device.uniq == model.uniq;
            let device = self.apply_to(device, forced)?;
            self.devices.insert(device.input.clone(), device);
        }
        Ok(())
    }

    /// Puts in force what is saved for a mouse and gives what it then holds. Where nothing is
    /// saved, its own settings stay, unless they are `forced` away.
    fn apply_to(&self, device: &Device, forced: bool) -> std::result::Result<Device, DriverError> {
        let driver = self.driver.as_ref().ok_or(DriverError::NotLoaded)?;
        let Some(shared) = &self.seen else { return Ok(device.clone()) };
        let (enabled, own) = self.layers.device(&device.id, &device.uniq, shared)?;
        if let Some(enabled) = enabled.filter(|enabled| *enabled != device.enabled) {
            driver.set_device_enabled(&device.input, enabled)?;
        }
        if (own.is_some() || forced) && own != device.settings {
            driver.set_device_settings(&device.input, own.as_ref())?;
        }
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
