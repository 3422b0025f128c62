// SPDX-License-Identifier: MIT OR Apache-2.0
//! The person's command on a Vespera host.

fn main() {}
