// SPDX-License-Identifier: MIT OR Apache-2.0
//! What everyone may see at one moment. Reading it waits for nothing.

use std::collections::BTreeMap;

use maccel_core::settings::Settings;
use vespera_api::{BootRecord, CheckRecord, DeploymentRecord};

/// All that the bus shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// Counts the snapshots.
    pub(crate) serial: u64,
    /// Which loading of the module it is; `None` while it is not there.
    pub(crate) instance: Option<u64>,
    /// The settings in force; `None` while the driver is not there.
    pub(crate) settings: Option<Settings>,
    /// What the driver can do.
    pub(crate) features: Vec<String>,
    /// The locked parameters by their names on the bus.
    pub(crate) locked: Vec<String>,
    /// The profile whose settings are in force; empty if none.
    pub(crate) active_profile: String,
    /// The profiles.
    pub(crate) profiles: BTreeMap<String, Settings>,
    /// The trial that runs.
    pub(crate) trial: Option<TrialView>,
    /// The mice, by the kernel's name.
    pub(crate) devices: BTreeMap<String, DeviceView>,
    /// Whether the payload fits.
    pub(crate) health: HealthView,
}

/// The trial that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrialView {
    /// Its number, never 0.
    pub(crate) id: u32,
    /// When it ends, in microseconds of CLOCK_MONOTONIC.
    pub(crate) end: u64,
}

/// One mouse.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DeviceView {
    /// What it calls itself.
    pub(crate) name: String,
    /// `vvvv:pppp`.
    pub(crate) id: String,
    /// Whether it is accelerated.
    pub(crate) enabled: bool,
    /// Its own settings.
    pub(crate) settings: Option<Settings>,
}

/// What is known of the payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HealthView {
    /// `healthy`, `degraded`, `broken` or `unknown`.
    pub(crate) state: String,
    /// The running kernel.
    pub(crate) kernel: String,
    /// The findings.
    pub(crate) checks: Vec<CheckRecord>,
    /// The deployments.
    pub(crate) deployments: Vec<DeploymentRecord>,
    /// The boots.
    pub(crate) history: Vec<BootRecord>,
}
