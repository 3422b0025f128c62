// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver as this command meets it: what is read, for all mice or for one, and why it cannot
//! be read or written.

use anyhow::{Context, bail};
use camino::Utf8PathBuf;
use health::{Root, Survey};
use maccel_core::driver::{Device, Driver, DriverError, Feature};
use maccel_core::fixed::Fixed;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::{Mode, Settings};

use crate::args::Common;
use crate::public::Name;

/// Why single mice cannot be had.
pub(crate) const PUBLIC: &str = "the public driver tells nothing of single mice; ours is needed";

/// The driver, and the mouse if one was named.
#[derive(Debug)]
pub(crate) struct Host {
    /// The root folder.
    pub(crate) root: Utf8PathBuf,
    /// The driver.
    pub(crate) driver: Driver,
    /// The mouse that is worked on; all mice without one.
    pub(crate) device: Option<Device>,
}

impl Host {
    /// Finds the driver and the mouse.
    pub(crate) fn open(common: &Common) -> anyhow::Result<Self> {
        let driver = Driver::open(&common.root).map_err(|error| explained(&common.root, error))?;
        let device = match &common.device {
            None => None,
            Some(_) if !driver.has(Feature::Devices) => bail!(PUBLIC),
            Some(wanted) => Some(choose(&driver.devices()?, wanted)?),
        };
        Ok(Host { root: common.root.clone(), driver, device })
    }

    /// The settings in force, for the mouse or for all.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        match self.device.as_ref().and_then(|device| device.settings.clone()) {
            Some(own) => Ok(own),
            None => self.driver.settings().map_err(|error| explained(&self.root, error)),
        }
    }

    /// One parameter as the driver stores it, in range or not.
    pub(crate) fn value(&self, name: Name) -> anyhow::Result<Fixed> {
        let own = self.device.as_ref().and_then(|device| device.settings.as_ref());
        let parameter = parameter::by_file_name(name.file())
            .with_context(|| format!("there is no parameter {}", name.file()))?;
        if own.is_some() || !parameter.file {
            return Ok(Fixed::from_f64(self.settings()?.get(name.file())?)?);
        }
        let raw = self.driver.raw(parameter).map_err(|error| explained(&self.root, error))?;
        Ok(Fixed::from_raw(raw))
    }

    /// The mode. The public driver takes any number; it is shown as the public command does.
    pub(crate) fn mode(&self) -> anyhow::Result<Mode> {
        if let Some(own) = self.device.as_ref().and_then(|device| device.settings.as_ref()) {
            return Ok(own.mode());
        }
        let parameter = parameter::all()
            .iter()
            .find(|parameter| parameter.kind == Kind::Mode)
            .context("there is no parameter MODE")?;
        let raw = self.driver.raw(parameter).map_err(|error| explained(&self.root, error))?;
        let shown = if raw == i64::from(Mode::Lut.number()) { raw } else { raw.rem_euclid(4) };
        u8::try_from(shown)
            .ok()
            .and_then(Mode::from_number)
            .with_context(|| format!("MODE holds {raw}, which is no mode"))
    }
}

/// The mice that `wanted` means: by their entry or id, else by a part of their name.
pub(crate) fn meant<'a>(devices: &'a [Device], wanted: &str) -> Vec<&'a Device> {
    let lower = wanted.to_lowercase();
    let exact: Vec<&Device> =
        devices.iter().filter(|d| d.input == wanted || d.id == lower).collect();
    if exact.is_empty() {
        devices.iter().filter(|d| d.name.to_lowercase().contains(&lower)).collect()
    } else {
        exact
    }
}

/// Mice for people.
pub(crate) fn list(devices: &[&Device]) -> String {
    let list: Vec<String> =
        devices.iter().map(|d| format!("{} ({}, {})", d.input, d.id, d.name)).collect();
    list.join(", ")
}

/// The one mouse that `wanted` names.
fn choose(devices: &[Device], wanted: &str) -> anyhow::Result<Device> {
    match &meant(devices, wanted)[..] {
        [one] => Ok((*one).clone()),
        [] => bail!("the driver serves no mouse '{wanted}'; to list them: maccel devices"),
        several => bail!("'{wanted}' is more than one mouse: {}", list(several)),
    }
}

/// An error of the driver, with what is missing and what mends it, in the words of
/// `vesperactl doctor`.
pub(crate) fn explained(root: &Utf8PathBuf, error: DriverError) -> anyhow::Error {
    let wanted: &[&str] = match error {
        DriverError::NotLoaded => &["module-", "secure-"],
        DriverError::Permission { .. } => &["group-", "permissions-"],
        _ => return error.into(),
    };
    let hint = match error {
        DriverError::NotLoaded => "to load the driver: sudo modprobe maccel",
        _ => "members of the group maccel may change settings: sudo vesperactl group add",
    };
    let findings: Vec<String> = Survey::make(&Root::new(root.as_str()), None)
        .checks
        .into_iter()
        .filter(|check| check.is_failed() && wanted.iter().any(|area| check.code.starts_with(area)))
        .map(|check| match check.remedy {
            Some(remedy) => format!("{}; to mend it: {remedy}", check.title),
            None => check.title.into_owned(),
        })
        .collect();
    let mut why = anyhow::Error::msg(hint);
    for finding in findings.into_iter().rev() {
        why = why.context(finding);
    }
    why.context(error)
}
