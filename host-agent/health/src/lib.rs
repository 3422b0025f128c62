// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks of a Vespera host, over any root folder.
//!
//! Everything here reads files under a root and judges what it read. It changes nothing, prints
//! nothing and knows no bus: `vespera-module`, the agent and `vesperactl` show the same findings
//! because they get them here.
//!
//! - [`check`]: one finding, and the state that follows from all of them
//! - [`catalogue`]: every check there is, with its words and its remedy
//! - [`survey`]: runs the checks of a host; [`unbooted`]: those of a system that does not run
//! - [`module`], [`secure_boot`], [`blacklist`], [`loaded`], [`permissions`], [`group`]: the areas
//! - [`origin`]: where the module comes from, and what brings another
//! - [`firmware`]: what UEFI and shim tell
//! - [`ostree`], [`deployments`]: the next boot and the one to go back to
//! - [`status_json`]: what bootc and rpm-ostree add to them
//! - [`person`]: who asks
//! - [`desktop`]: the desktop's own acceleration
//! - [`flatpak`]: applications that the image lists
//! - [`mice`]: the devices the driver serves
//! - [`host`]: facts that are shown but not judged (kernel, image, boot)
//! - [`report`][]: `/run/vespera/module.json`
//! - [`load_error`], [`kernel_log`]: what the kernel's refusals mean, and its own words
//! - [`timestamp`]: the one notation of times

pub mod blacklist;
pub mod catalogue;
pub mod check;
pub mod deployments;
pub mod desktop;
pub mod firmware;
pub mod flatpak;
pub mod group;
pub mod host;
pub mod kernel_log;
pub mod load_error;
pub mod loaded;
pub mod mice;
pub mod module;
pub mod origin;
pub mod ostree;
pub mod permissions;
pub mod person;
pub mod report;
pub mod secure_boot;
pub mod status_json;
pub mod survey;
pub mod timestamp;
pub mod unbooted;

pub use check::{Check, Severity, State, Status};
pub use module_check::Root;
pub use survey::Survey;

/// The name of the kernel module, of its class and of the group that may write its settings.
pub const MACCEL: &str = "maccel";
