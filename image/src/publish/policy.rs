// SPDX-License-Identifier: MIT OR Apache-2.0
//! By which signature a host takes an image: the same entries serve the hosts, in the image, and
//! the tags, when they are set.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::registry::Policy;

/// The entry of `policy.json` for a repository: a signature by this key, made for any tag of the
/// same repository.
pub fn requirement(key: &Utf8Path) -> Value {
    json!([{
        "type": "sigstoreSigned",
        "keyPath": key,
        "signedIdentity": { "type": "matchRepository" },
    }])
}

/// The file of `registries.d` for a repository: its signatures lie beside its images.
pub fn attachments(repository: &str) -> String {
    format!("docker:\n  {repository}:\n    use-sigstore-attachments: true\n")
}

/// Files with a policy that takes one repository's images only, and only if they are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    file: Utf8PathBuf,
    registries: Utf8PathBuf,
}

impl Files {
    /// The files as skopeo takes them.
    pub fn as_policy(&self) -> Policy<'_> {
        Policy { file: &self.file, registries: &self.registries }
    }
}

/// Writes such a policy below a folder.
///
/// # Errors
///
/// When a file cannot be written; the error names it.
pub fn write(
    folder: &Utf8Path,
    repository: &str,
    public_key: &str,
) -> Result<Files, (Utf8PathBuf, io::Error)> {
    let registries = folder.join("registries.d");
    let (file, key) = (folder.join("policy.json"), folder.join("signing.pub"));
    fs::create_dir_all(&registries).map_err(|error| (registries.clone(), error))?;
    let policy = json!({
        "default": [{ "type": "reject" }],
        "transports": { "docker": { repository: requirement(&key) } },
    });
    for (path, text) in [
        (&key, public_key.to_owned()),
        (&file, policy.to_string()),
        (&registries.join("repository.yaml"), attachments(repository)),
    ] {
        fs::write(path, text).map_err(|error| (path.clone(), error))?;
    }
    Ok(Files { file, registries })
}
