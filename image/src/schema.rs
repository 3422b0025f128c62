// SPDX-License-Identifier: MIT OR Apache-2.0
//! The JSON schema of the configuration, made from the types that read it.

use schemars::schema_for;

use crate::config::ConfigFile;

/// The schema as the text of a file.
pub fn text() -> String {
    format!("{:#}\n", schema_for!(ConfigFile).as_value())
}
