// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the interface `Health` tells, as dictionaries. What is not known has no key; keys that are
//! not known are skipped, so that a client understands a newer agent.

use zbus::{DeserializeDict, SerializeDict, Type};

/// One finding. The words are those of `vesperactl doctor --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, SerializeDict, DeserializeDict, Type)]
#[zbus(signature = "dict")]
pub struct CheckRecord {
    /// Stable name, area and fault in kebab case.
    pub code: String,
    /// `ok`, `failed` or `unknown`.
    pub status: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// One line for people.
    pub title: String,
    /// What exactly was seen.
    pub detail: String,
    /// The command that mends it, if there is one.
    pub remedy: Option<String>,
    /// The code of the check whose fault would explain this one.
    pub after: Option<String>,
    /// The root folder that was looked at.
    pub root: String,
}

/// A bootable root and the module in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, SerializeDict, DeserializeDict, Type)]
#[zbus(signature = "dict")]
pub struct DeploymentRecord {
    /// `booted`, `staged`, `pending` or `rollback`.
    pub role: String,
    /// Whether the next boot starts it.
    pub next: bool,
    /// The stateroot it belongs to.
    pub stateroot: String,
    /// The commit.
    pub checksum: String,
    /// Tells deployments of one commit apart.
    pub serial: u32,
    /// The version of the image.
    pub version: Option<String>,
    /// The image it was made from.
    pub reference: Option<String>,
    /// The digest of that image, where a tool could tell it.
    pub digest: Option<String>,
    /// Its kernel.
    pub kernel: Option<String>,
    /// `healthy`, `degraded`, `broken` or `unknown`: whether that kernel has a fitting module.
    pub state: String,
    /// The findings about the module.
    pub checks: Vec<CheckRecord>,
}

/// One boot of this system.
#[derive(Clone, Debug, Default, PartialEq, Eq, SerializeDict, DeserializeDict, Type)]
#[zbus(signature = "dict")]
pub struct BootRecord {
    /// The kernel's random name of the boot.
    pub boot_id: String,
    /// When the agent first ran in it, as RFC 3339 in UTC.
    pub time: String,
    /// The kernel release.
    pub kernel: String,
    /// `healthy`, `degraded`, `broken` or `unknown`: the last state of that boot.
    pub state: String,
    /// The name of the image or the system.
    pub image: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The version of the module that was loaded.
    pub module: Option<String>,
    /// Its source version, which changes with every change of its code.
    pub srcversion: Option<String>,
    /// The codes of the checks that failed.
    pub faults: Vec<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use zbus::wire::{LE, serialized::Context, to_bytes};
    use zbus::{OwnedVariant, Variant};

    use super::*;

    #[test]
    fn records_are_dictionaries_without_keys_for_what_is_unknown() {
        let deployment = DeploymentRecord {
            role: "staged".to_owned(),
            next: true,
            state: "broken".to_owned(),
            kernel: Some("6.1.0".to_owned()),
            checks: vec![CheckRecord { code: "module-missing".to_owned(), ..Default::default() }],
            ..Default::default()
        };
        assert_eq!(DeploymentRecord::SIGNATURE.to_string(), "a{sv}");
        let bytes = to_bytes(Context::new(LE, 0), &deployment).unwrap();
        let (read, _): (DeploymentRecord, _) = bytes.deserialize().unwrap();
        assert_eq!(read, deployment);
        let (dict, _): (HashMap<String, OwnedVariant>, _) = bytes.deserialize().unwrap();
        assert!(!dict.contains_key("version"));
        assert_eq!(dict["checks"].value_signature().to_string(), "aa{sv}");
    }

    #[test]
    fn a_key_of_a_newer_agent_is_skipped() {
        let mut dict: HashMap<&str, Variant<'_>> = HashMap::from([("colour", "blue".into())]);
        for key in ["code", "status", "severity", "title", "detail", "root"] {
            dict.insert(key, "x".into());
        }
        let bytes = to_bytes(Context::new(LE, 0), &dict).unwrap();
        let (read, _): (CheckRecord, _) = bytes.deserialize().unwrap();
        assert_eq!((read.code.as_str(), read.remedy), ("x", None));
    }
}
