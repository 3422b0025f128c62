// SPDX-License-Identifier: MIT OR Apache-2.0
//! The JSON schema of the configuration, made from the types that read it.
//!
//! A copy is committed for editors, which the first line of the configuration points to, and so
//! that a change of the schema shows in review.

use schemars::schema_for;

use crate::config::ConfigFile;

/// Where the committed copy lies in the repository. A schema that older files do not pass gets a
/// new number.
pub const PATH: &str = "image/schema/vespera-config-v1.json";

/// The schema as the text of a file.
pub fn text() -> String {
    format!("{:#}\n", schema_for!(ConfigFile).as_value())
}

/// A committed schema that is not the one of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schema is not current; run `cargo run -p image -- schema > {PATH}`")]
pub struct Stale;

/// Compares a committed schema with the one of this program.
///
/// # Errors
///
/// [`Stale`], with the command that brings it up to date.
pub fn check(committed: &str) -> Result<(), Stale> {
    if committed == text() { Ok(()) } else { Err(Stale) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const COMMITTED: &str = include_str!("../schema/vespera-config-v1.json");

    #[test]
    fn committed_schema_is_current() {
        assert_eq!(check(COMMITTED), Ok(()));
        assert!(check("{}").unwrap_err().to_string().contains(PATH));
    }

    #[test]
    fn shipped_configuration_names_the_schema_in_its_first_line() {
        let first = include_str!("../../vespera-config.yaml").lines().next();
        assert_eq!(first, Some(format!("# yaml-language-server: $schema={PATH}").as_str()));
    }

    #[test]
    fn schema_lists_the_choices_and_refuses_other_keys() {
        let schema: Value = serde_json::from_str(&text()).unwrap();
        let base = &schema["$defs"]["BaseFile"];
        assert_eq!(base["properties"]["gpu_variant"]["enum"][1], "nvidia-open");
        assert_eq!(base["additionalProperties"], false);
    }
}
