// SPDX-License-Identifier: MIT OR Apache-2.0
//! Privileged boot-time oneshot: check, load, permissions.

fn main() {}
