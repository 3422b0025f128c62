// SPDX-License-Identifier: MIT OR Apache-2.0
//! What makes hosts enforce the image's signature: an entry of `policy.json`, the public key, and
//! the word that signatures lie beside the images.
//!
//! The readers of these files look below `/etc` only, so this is the one place where an image
//! writes there. A host whose administrator has changed `policy.json` keeps its own.

use std::fs;

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::{Error, Report, file_error, files};
use crate::publish::policy::{attachments, requirement};

/// The public key, where hosts find it.
pub const KEY: &str = "usr/share/vespera/image-signing.pub";
/// The policy of all images that a host takes.
pub const POLICY: &str = "etc/containers/policy.json";
/// Where the signatures of a repository are.
pub const REGISTRIES: &str = "etc/containers/registries.d/vespera.yaml";

/// Writes the policy for the images of one repository.
///
/// # Errors
///
/// When the base's policy is not JSON, or a file cannot be written.
pub fn write(
    root: &Utf8Path,
    repository: &str,
    key: &Utf8Path,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let public = fs::read(key).map_err(file_error("read", key))?;
    files::write(&root.join(KEY), &public, files::PLAIN)?;
    let path = root.join(POLICY);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => return Err(file_error("read", &path)(error)),
    };
    let policy = with_entry(&before, repository).map_err(|error| {
        Error::Refused(format!("{path} of the base is not as containers-policy.json(5): {error}"))
    })?;
    files::write(&path, policy.as_bytes(), files::PLAIN)?;
    files::write(&root.join(REGISTRIES), attachments(repository).as_bytes(), files::PLAIN)?;
    report.line(&format!("policy: hosts take {repository} only with a signature by /{KEY}"));
    Ok(())
}

/// The policy with an entry for a repository, everything else as it was.
fn with_entry(text: &str, repository: &str) -> Result<String, serde_json::Error> {
    let mut policy: Map<String, Value> = serde_json::from_str(text)?;
    policy.entry("default").or_insert_with(|| json!([{ "type": "insecureAcceptAnything" }]));
    let transports: &mut Map<String, Value> = object(&mut policy, "transports")?;
    let docker = object(transports, "docker")?;
    docker.insert(repository.to_owned(), requirement(&Utf8Path::new("/").join(KEY)));
    Ok(format!("{:#}\n", Value::Object(policy)))
}

fn object<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> Result<&'a mut Map<String, Value>, serde_json::Error> {
    use serde::de::Error as _;
    parent
        .entry(key)
        .or_insert_with(|| json!({}))
        .as_object_mut()
        .ok_or_else(|| serde_json::Error::custom(format!("`{key}` is not an object")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    #[test]
    fn entry_is_added_and_everything_else_stays() {
        let root = Root::new();
        let base = r#"{"default": [{"type": "reject"}],
            "transports": {"docker": {"ghcr.io/ublue-os": [{"type": "sigstoreSigned"}]}}}"#;
        root.file(POLICY, base);
        let key = root.file("cosign.pub", "PUBLIC\n");
        let mut report: Vec<String> = Vec::new();
        write(root.path(), "ghcr.io/me/vespera", &key, &mut report).unwrap();
        let policy: Value = serde_json::from_str(&root.read(POLICY)).unwrap();
        assert_eq!(policy["default"][0]["type"], "reject");
        let docker = &policy["transports"]["docker"];
        assert_eq!(docker["ghcr.io/ublue-os"][0]["type"], "sigstoreSigned");
        assert_eq!(docker["ghcr.io/me/vespera"][0]["keyPath"], format!("/{KEY}"));
        assert_eq!(root.read(KEY), "PUBLIC\n");
        assert!(root.read(REGISTRIES).contains("ghcr.io/me/vespera:\n    use-sigstore"));
        let first = root.read(POLICY);
        write(root.path(), "ghcr.io/me/vespera", &key, &mut report).unwrap();
        assert_eq!(root.read(POLICY), first);
    }

    #[test]
    fn policy_of_the_base_that_nobody_could_read_is_refused() {
        assert!(with_entry("[]", "x").is_err());
        assert!(with_entry(r#"{"transports": []}"#, "x").is_err());
        assert!(with_entry("{}", "x").unwrap().contains("insecureAcceptAnything"));
    }
}
