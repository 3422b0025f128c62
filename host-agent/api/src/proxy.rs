// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a client calls. Calls that need an action let polkit ask the person.

use std::collections::HashMap;

use zbus::wire::{OwnedFd, OwnedObjectPath};
use zbus::{OwnedVariant, proxy};

use crate::dict::Dict;
use crate::error::Result;
use crate::record::{BootRecord, CheckRecord, DeploymentRecord};

/// Whether the payload fits this system.
#[proxy(
    interface = "org.vespera.Agent1.Health",
    default_service = "org.vespera.Agent1",
    default_path = "/org/vespera/Agent1"
)]
pub trait Health {
    /// Asks for another check of the module; what it finds comes as changed properties.
    #[zbus(allow_interactive_auth)]
    fn recheck(&self) -> Result<()>;

    /// `healthy`, `degraded`, `broken` or `unknown`.
    #[zbus(property)]
    fn state(&self) -> Result<String>;

    /// The release of the running kernel.
    #[zbus(property)]
    fn kernel(&self) -> Result<String>;

    /// All findings.
    #[zbus(property)]
    fn checks(&self) -> Result<Vec<CheckRecord>>;

    /// The deployments, the next boot first; none on hosts without them.
    #[zbus(property)]
    fn deployments(&self) -> Result<Vec<DeploymentRecord>>;

    /// The boots, the newest first; that is the running one.
    #[zbus(property)]
    fn history(&self) -> Result<Vec<BootRecord>>;

    /// The version of the agent.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> Result<String>;
}

/// The settings of the driver. [`crate::DriverState`] reads all properties in one call.
#[proxy(
    interface = "org.vespera.Agent1.Maccel",
    default_service = "org.vespera.Agent1",
    default_path = "/org/vespera/Agent1"
)]
pub trait Maccel {
    /// Changes some parameters, all or none.
    #[zbus(allow_interactive_auth)]
    fn set(&self, change: &Dict) -> Result<()>;

    /// Goes back to the settings of the system.
    #[zbus(allow_interactive_auth)]
    fn reset(&self) -> Result<()>;

    /// Changes some parameters for a time.
    #[zbus(allow_interactive_auth)]
    fn trial(&self, change: &Dict, seconds: u32) -> Result<u32>;

    /// Keeps the settings on trial.
    #[zbus(allow_interactive_auth)]
    fn confirm_trial(&self, trial: u32) -> Result<()>;

    /// Goes back to the settings before the trial.
    #[zbus(allow_interactive_auth)]
    fn cancel_trial(&self, trial: u32) -> Result<()>;

    /// The factors that changed settings would give at some speeds.
    fn preview(&self, change: &Dict, speeds: &[f64]) -> Result<Vec<(f64, f64)>>;

    /// Opens `/dev/maccel` for reading.
    #[zbus(allow_interactive_auth)]
    fn open_speed(&self) -> Result<OwnedFd>;

    /// The names of all profiles, sorted.
    fn list_profiles(&self) -> Result<Vec<String>>;

    /// The settings of a profile.
    fn get_profile(&self, name: &str) -> Result<Dict>;

    /// Saves the settings in force under a name.
    #[zbus(allow_interactive_auth)]
    fn save_profile(&self, name: &str) -> Result<()>;

    /// Puts the settings of a profile in force.
    #[zbus(allow_interactive_auth)]
    fn apply_profile(&self, name: &str) -> Result<()>;

    /// Deletes a profile.
    #[zbus(allow_interactive_auth)]
    fn delete_profile(&self, name: &str) -> Result<()>;

    /// Whether the driver is there.
    #[zbus(property)]
    fn loaded(&self) -> Result<bool>;

    /// What the driver can do.
    #[zbus(property)]
    fn features(&self) -> Result<Vec<String>>;

    /// The parameters that the administrator has locked.
    #[zbus(property)]
    fn locked(&self) -> Result<Vec<String>>;

    /// The profile whose settings are in force; empty if none.
    #[zbus(property)]
    fn active_profile(&self) -> Result<String>;

    /// The trial that runs; 0 if none.
    #[zbus(property)]
    fn trial_id(&self) -> Result<u32>;
}

/// One mouse.
#[proxy(
    interface = "org.vespera.Agent1.Device",
    default_service = "org.vespera.Agent1",
    assume_defaults = false
)]
pub trait Device {
    /// Lets the driver work on this mouse, or not.
    #[zbus(allow_interactive_auth)]
    fn set_enabled(&self, enabled: bool) -> Result<()>;

    /// Gives this mouse settings of its own.
    #[zbus(allow_interactive_auth)]
    fn set_settings(&self, change: &Dict) -> Result<()>;

    /// Changes its settings for a time.
    #[zbus(allow_interactive_auth)]
    fn trial(&self, change: &Dict, seconds: u32) -> Result<u32>;

    /// Takes them away.
    #[zbus(allow_interactive_auth)]
    fn inherit(&self) -> Result<()>;

    /// What it calls itself.
    #[zbus(property(emits_changed_signal = "const"))]
    fn name(&self) -> Result<String>;

    /// Vendor and product, `vvvv:pppp` in hexadecimal digits.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> Result<String>;

    /// Whether the driver works on it.
    #[zbus(property)]
    fn enabled(&self) -> Result<bool>;

    /// Its own settings; empty if it has none.
    #[zbus(property)]
    fn settings(&self) -> Result<Dict>;
}

/// All objects of the agent below the root object: the mice.
#[proxy(
    interface = "org.freedesktop.DBus.ObjectManager",
    default_service = "org.vespera.Agent1",
    default_path = "/org/vespera/Agent1"
)]
pub trait Objects {
    /// Path, interface, property, value.
    fn get_managed_objects(
        &self,
    ) -> Result<HashMap<OwnedObjectPath, HashMap<String, HashMap<String, OwnedVariant>>>>;

    /// An object came.
    #[zbus(signal)]
    fn interfaces_added(
        &self,
        object: OwnedObjectPath,
        interfaces: HashMap<String, HashMap<String, OwnedVariant>>,
    ) -> Result<()>;

    /// An object went.
    #[zbus(signal)]
    fn interfaces_removed(&self, object: OwnedObjectPath, interfaces: Vec<String>) -> Result<()>;
}
