// SPDX-License-Identifier: MIT OR Apache-2.0
//! The D-Bus contract of the Vespera agent, for the service and for every client.
//!
//! What each member means is written once, in the interface files that are shipped:
//! `packaging/rootfs/usr/share/dbus-1/interfaces/org.vespera.Agent1.*.xml`. This crate gives the
//! same contract types. It knows nothing of sysfs and nothing of how a check is made.
//!
//! - [`names`]: the bus name, the objects, the interfaces
//! - [`proxy`]: what a client calls
//! - [`dict`]: changes and settings as dictionaries, in natural units
//! - [`driver_state`]: all properties of the driver at once
//! - [`record`]: checks, deployments and boots as dictionaries
//! - [`access`]: which method needs which polkit action
//! - [`error`]: the errors and their names
//! - [`wait`]: how long a client waits for an answer

pub mod access;
pub mod dict;
pub mod driver_state;
pub mod error;
pub mod names;
pub mod proxy;
pub mod record;
pub mod wait;

pub use dict::Dict;
pub use driver_state::DriverState;
pub use error::{Error, Result};
pub use proxy::{DeviceProxy, HealthProxy, MaccelProxy};
pub use record::{BootRecord, CheckRecord, DeploymentRecord};
