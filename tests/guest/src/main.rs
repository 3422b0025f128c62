// SPDX-License-Identifier: MIT OR Apache-2.0
//! The init and command agent inside a test guest.

fn main() {}
