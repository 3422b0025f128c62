// SPDX-License-Identifier: MIT OR Apache-2.0
//! What bootc and rpm-ostree know of deployments and the layout on disk does not tell: the digest
//! of the image, and its reference where the origin names none.
//!
//! Read leniently: older versions say less, newer ones more.

use serde_json::Value;

use crate::deployments::Deployment;

/// One deployment in the words of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The commit.
    pub checksum: String,
    /// Tells deployments of one commit apart.
    pub serial: u32,
    /// The image it was made from.
    pub reference: Option<String>,
    /// The digest of that image.
    pub digest: Option<String>,
    /// The version of that image.
    pub version: Option<String>,
}

/// Reads `bootc status --json` (`org.containers.bootc/v1`).
pub fn parse_bootc(text: &str) -> serde_json::Result<Vec<Told>> {
    let host: Value = serde_json::from_str(text)?;
    let status = &host["status"];
    let others = status["otherDeployments"].as_array().into_iter().flatten();
    let entries = [&status["staged"], &status["booted"], &status["rollback"]];
    Ok(entries.into_iter().chain(others).filter_map(bootc_entry).collect())
}

fn bootc_entry(entry: &Value) -> Option<Told> {
    let ostree = &entry["ostree"];
    let image = &entry["image"];
    let name = text(&image["image"]["image"]);
    let reference = name.map(|name| match image["image"]["transport"].as_str() {
        None | Some("registry") => name,
        Some(transport) => format!("{transport}:{name}"),
    });
    Some(Told {
        checksum: text(&ostree["checksum"])?,
        serial: number(&ostree["deploySerial"]),
        reference,
        digest: text(&image["imageDigest"]),
        version: text(&image["version"]),
    })
}

/// Reads `rpm-ostree status --json`.
pub fn parse_rpm_ostree(text: &str) -> serde_json::Result<Vec<Told>> {
    let status: Value = serde_json::from_str(text)?;
    let deployments = status["deployments"].as_array().into_iter().flatten();
    Ok(deployments.filter_map(rpm_ostree_entry).collect())
}

fn rpm_ostree_entry(entry: &Value) -> Option<Told> {
    let digest = text(&entry["container-image-reference-digest"]);
    Some(Told {
        checksum: text(&entry["checksum"])?,
        serial: number(&entry["serial"]),
        reference: text(&entry["container-image-reference"]),
        digest: digest.or_else(|| text(&entry["base-commit-meta"]["ostree.manifest-digest"])),
        version: text(&entry["version"]),
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Absent where it is 0, in some versions.
fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// Completes `deployments` by what was told; what the layout itself says counts more.
pub fn complete(deployments: &mut [Deployment], told: &[Told]) {
    for deployment in deployments {
        let same = |told: &&Told| {
            (&told.checksum, told.serial) == (&deployment.checksum, deployment.serial)
        };
        let Some(told) = told.iter().find(same) else { continue };
        deployment.digest = deployment.digest.take().or_else(|| told.digest.clone());
        deployment.reference = deployment.reference.take().or_else(|| told.reference.clone());
        deployment.version = deployment.version.take().or_else(|| told.version.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use crate::deployments::Role;

    const BOOTC: &str = include_str!("../tests/status/bootc-status.json");
    const LAYERED: &str = include_str!("../tests/status/bootc-status-layered.json");
    const RPM_OSTREE: &str = include_str!("../tests/status/rpm-ostree-status.json");

    fn digest(digit: char) -> Option<String> {
        Some(format!("sha256:{}", digit.to_string().repeat(64)))
    }

    #[test]
    fn both_tools_tell_the_same_about_the_same_deployments() {
        let bootc = parse_bootc(BOOTC).unwrap();
        let rpm_ostree = parse_rpm_ostree(RPM_OSTREE).unwrap();
        let identity = |told: &Told| (told.checksum.clone(), told.serial, told.version.clone());
        assert_eq!(bootc.len(), 3);
        assert_eq!(
            bootc.iter().map(identity).collect::<Vec<_>>(),
            rpm_ostree.iter().map(identity).collect::<Vec<_>>()
        );
        assert_eq!(bootc[0].digest, digest('3'));
        assert_eq!(bootc[0].reference.as_deref(), Some("ghcr.io/someone/vespera:stable"));
        assert_eq!(rpm_ostree[1].digest, digest('1'));
        assert_eq!(rpm_ostree[2].digest, None);
    }

    #[test]
    fn layered_hosts_have_no_image_and_that_is_no_error() {
        let told = parse_bootc(LAYERED).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0].reference, &told[0].digest), (&None, &None));
    }

    #[test]
    fn other_json_tells_nothing_and_noise_is_an_error() {
        for text in ["{}", "[]", "null", "{\"status\":7}", "{\"deployments\":[{\"serial\":-1}]}"] {
            assert_eq!(parse_bootc(text).unwrap(), []);
            assert_eq!(parse_rpm_ostree(text).unwrap(), []);
        }
        assert!(parse_bootc("error: not root").is_err());
        assert!(parse_rpm_ostree("").is_err());
    }

    #[test]
    fn deployments_are_matched_by_commit_and_serial_and_keep_what_they_know() {
        let deployment = |digit: char, serial, reference: Option<&str>| Deployment {
            role: Role::Booted,
            next: true,
            stateroot: "default".to_owned(),
            checksum: digit.to_string().repeat(64),
            serial,
            version: None,
            reference: reference.map(str::to_owned),
            digest: None,
            kernel: None,
            state: State::Healthy,
            checks: Vec::new(),
        };
        let mut found = [
            deployment('a', 0, None),
            deployment('b', 1, Some("ostree-image-signed:docker://x/y:z")),
            deployment('b', 0, None),
        ];
        complete(&mut found, &parse_bootc(BOOTC).unwrap());
        assert_eq!(found[0].digest, digest('1'));
        assert_eq!(found[0].version.as_deref(), Some("44.20260819"));
        assert_eq!(found[0].reference.as_deref(), Some("ghcr.io/someone/vespera:stable"));
        assert_eq!(found[1].digest, digest('2'));
        assert_eq!(found[1].reference.as_deref(), Some("ostree-image-signed:docker://x/y:z"));
        assert_eq!(found[2].digest, None, "another deployment of the same commit");
    }
}
