// SPDX-License-Identifier: MIT OR Apache-2.0
//! A manifest without a layer, for a tag that is to name nothing any more.
//!
//! It remembers, as a label, the digest that the tag named: a run that was ended between the
//! overwriting and the deletion finds there what it had published.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const VERSION: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The annotation that makes the manifest of each tag another one: two tags on one digest would
/// go together.
const OF: &str = "org.vespera.removed-tag";
/// The label with the digest that was published from the tag.
pub(super) const PUBLISHED: &str = "org.vespera.published-digest";

/// The manifest for a tag from which a digest was published, to the byte.
pub fn manifest(tag: &str, published: &str) -> String {
    let config = config(published);
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": CONFIG, "digest": digest(&config), "size": config.len() },
        "layers": [],
        "annotations": { OF: tag },
    })
    .to_string()
}

fn config(published: &str) -> String {
    json!({ "config": { "Labels": { PUBLISHED: published } } }).to_string()
}

/// Writes it as an OCI layout; returns the layout's reference and the manifest's digest.
pub(super) fn layout(
    scratch: &Utf8Path,
    tag: &str,
    published: &str,
) -> Result<(String, String), (Utf8PathBuf, io::Error)> {
    let (config, manifest) = (config(published), manifest(tag, published));
    let own = digest(&manifest);
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{ "mediaType": MANIFEST, "digest": own, "size": manifest.len() }],
    });
    let folder = scratch.join("removed-tag");
    let blob = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
    for (path, text) in [
        ("oci-layout".to_owned(), VERSION.to_owned()),
        ("index.json".to_owned(), index.to_string()),
        (blob(&digest(&config)), config),
        (blob(&own), manifest),
    ] {
        let path = folder.join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| (path, error))?;
    }
    Ok((format!("oci:{folder}"), own))
}

fn digest(text: &str) -> String {
    let sum = Sha256::digest(text.as_bytes());
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    #[test]
    fn each_tag_has_a_manifest_of_its_own_without_a_layer() {
        let scratch = Root::new();
        let (reference, one) = layout(scratch.path(), "staging-1", "sha256:1").unwrap();
        let (_, two) = layout(scratch.path(), "staging-2", "sha256:1").unwrap();
        assert_ne!(one, two);
        let folder = reference.strip_prefix("oci:").unwrap();
        let path = format!("{folder}/blobs/{}", one.replace(':', "/"));
        let written: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(written["layers"], json!([]));
        let config = written["config"]["digest"].as_str().unwrap().replace(':', "/");
        let config: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(format!("{folder}/blobs/{config}")).unwrap())
                .unwrap();
        assert_eq!(config["config"]["Labels"][PUBLISHED], "sha256:1");
    }
}
