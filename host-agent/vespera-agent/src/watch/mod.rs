// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens elsewhere, told to the keeper as events. Each watcher sleeps in its descriptor.
//!
//! - [`files`][]: inotify
//! - [`devices`][]: udev
//! - [`logind`]: wake-ups, the active session
//! - [`descriptor`]: what the first two sleep in

mod descriptor;
pub(crate) mod devices;
pub(crate) mod files;
pub(crate) mod logind;
