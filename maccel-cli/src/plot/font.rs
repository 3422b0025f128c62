// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one font of PNG pictures (fonts/README.md), so that they look the same on every machine.

/// Its name.
pub(crate) const FAMILY: &str = "Inter";

/// Its file.
pub(crate) const DATA: &[u8] = include_bytes!("../../fonts/inter-subset.otf");
