// SPDX-License-Identifier: MIT OR Apache-2.0
//! vespera-image: from vespera-config.yaml to a verified image.

fn main() {}
