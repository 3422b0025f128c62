// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the program inside a test guest and the harness outside have in common.
//!
//! - [`wire`]: the frames and requests spoken over the virtio-serial port;
//! - [`boot`]: the kernel command line by which the harness steers the guest's init;
//! - [`mouse`]: plans for virtual mice, and what their readers saw;
//! - [`race`]: what is done to a driver while mice move.
//!
//! Nothing here talks to a kernel: the harness links this library too.

pub mod boot;
pub mod mouse;
pub mod race;
pub mod wire;
