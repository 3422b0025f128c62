// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a registry knows of an image, without a pull.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;
use serde::Deserialize;

use crate::tool::{self, Tools};
use crate::version;

/// What a registry says when it has no such image. Every other failure is no answer: an outage, a
/// wrong password or a typing error must not pass for "not published yet".
const ABSENT: &[&str] = &["manifest unknown", "name unknown", "repository name not known"];
/// Transports of references that are not at a registry.
const TRANSPORTS: &[&str] =
    &["docker://", "oci:", "oci-archive:", "containers-storage:", "docker-archive:", "dir:"];
/// A registry has hiccups; skopeo waits longer before each further try.
const RETRIES: &str = "3";

/// A registry that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It, or the network, failed.
    #[error("no answer about {reference}:\n{reason}")]
    NoAnswer {
        /// What was asked for.
        reference: String,
        /// What the tool said.
        reason: String,
    },
    /// It would not do what it was asked to.
    #[error("{reference}: refused:\n{reason}")]
    Refused {
        /// What was to be changed.
        reference: String,
        /// What the tool said.
        reason: String,
    },
    /// The answer is not one.
    #[error("the answer about {reference} cannot be read: {source}")]
    Unreadable {
        /// What was asked for.
        reference: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The tool is missing.
    #[error(transparent)]
    Tool(#[from] tool::Error),
}

/// What is known of an image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Inspected {
    /// Digest of its manifest.
    pub digest: String,
    /// Its labels.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A place to ask about images.
pub trait Registry: fmt::Debug {
    /// Asks about one image; `None` is the registry's own word that there is none.
    ///
    /// # Errors
    ///
    /// When there is no answer, or no readable one.
    fn inspect(&self, reference: &str) -> Result<Option<Inspected>, Error>;
}

/// Asks by skopeo, with the credentials of its standard auth.json.
#[derive(Debug, Clone, Copy)]
pub struct Skopeo<'a> {
    /// How skopeo is run.
    pub(crate) tools: &'a dyn Tools,
    /// Whether plain HTTP is allowed; for a registry on the same machine.
    pub(crate) insecure: bool,
}

/// What a host asks of an image before it takes it.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The signature policy, as `policy.json`.
    pub file: &'a Utf8Path,
    /// The folder that says where signatures are, as `registries.d`.
    pub registries: &'a Utf8Path,
}

/// A place to put images, too.
pub trait Store: Registry {
    /// Copies an image, under a policy where one is given. What comes from a registry keeps its
    /// bytes, and so its digest.
    ///
    /// # Errors
    ///
    /// When the source, the destination or the policy refuses.
    fn copy(&self, from: &str, to: &str, policy: Option<Policy<'_>>) -> Result<(), Error>;

    /// Deletes a manifest, and with it every tag on it.
    ///
    /// # Errors
    ///
    /// When the registry refuses; some never delete.
    fn delete(&self, reference: &str) -> Result<(), Error>;
}

/// A reference with its transport; without one, it is at a registry.
pub fn with_transport(reference: &str) -> String {
    if TRANSPORTS.iter().any(|transport| reference.starts_with(transport)) {
        return reference.to_owned();
    }
    format!("docker://{reference}")
}

impl<'a> Skopeo<'a> {
    /// The skopeo that is installed, if it is new enough.
    ///
    /// # Errors
    ///
    /// When it is missing or too old.
    pub fn new(tools: &'a dyn Tools, insecure: bool) -> Result<Self, version::Error> {
        version::check(version::SKOPEO, tools)?;
        Ok(Self { tools, insecure })
    }

    fn change(&self, args: &[&str], reference: &str, purpose: &str) -> Result<(), Error> {
        let outcome = self.tools.outcome("skopeo", args, purpose)?;
        if outcome.success() {
            return Ok(());
        }
        Err(Error::Refused { reference: reference.to_owned(), reason: outcome.output() })
    }
}

impl Store for Skopeo<'_> {
    fn copy(&self, from: &str, to: &str, policy: Option<Policy<'_>>) -> Result<(), Error> {
        let (from, full) = (with_transport(from), with_transport(to));
        let mut args = match policy {
            Some(policy) => {
                let (file, folder) = (policy.file.as_str(), policy.registries.as_str());
                vec!["--policy", file, "--registries.d", folder]
            }
            None => Vec::new(),
        };
        args.extend(["copy", "--quiet", "--retry-times", RETRIES]);
        if self.insecure {
            args.extend(["--src-tls-verify=false", "--dest-tls-verify=false"]);
        }
        if from.starts_with("docker://") {
            args.push("--preserve-digests");
            // Signatures follow the digest. They stay where they are, in the same repository.
            if policy.is_none() {
                args.push("--remove-signatures");
            }
        }
        args.extend([from.as_str(), full.as_str()]);
        self.change(&args, to, "copy an image")
    }

    fn delete(&self, reference: &str) -> Result<(), Error> {
        let full = with_transport(reference);
        let mut args = vec!["delete"];
        if self.insecure {
            args.push("--tls-verify=false");
        }
        args.push(&full);
        self.change(&args, reference, "delete a manifest")
    }
}

impl Registry for Skopeo<'_> {
    fn inspect(&self, reference: &str) -> Result<Option<Inspected>, Error> {
        let full = with_transport(reference);
        let mut args = vec!["inspect", "--no-tags", "--retry-times", RETRIES];
        if self.insecure {
            args.push("--tls-verify=false");
        }
        args.push(&full);
        let outcome = self.tools.outcome("skopeo", &args, "ask a registry about an image")?;
        if outcome.success() {
            let reference = || reference.to_owned();
            return serde_json::from_str(&outcome.stdout)
                .map(Some)
                .map_err(|source| Error::Unreadable { reference: reference(), source });
        }
        let said = outcome.output();
        if ABSENT.iter().any(|absent| said.contains(absent)) {
            return Ok(None);
        }
        Err(Error::NoAnswer { reference: reference.to_owned(), reason: said })
    }
}

fn null_as_empty<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, failed, ok};

    fn ask(tools: &FakeTools, reference: &str) -> Result<Option<Inspected>, Error> {
        Skopeo { tools, insecure: false }.inspect(reference)
    }

    #[test]
    fn digest_and_labels_are_read_without_listing_tags() {
        let tools = FakeTools::default().with("skopeo", |_| {
            ok(r#"{"Name": "x", "Digest": "sha256:1", "Labels": {"a": "b"}, "Layers": []}"#)
        });
        let found = ask(&tools, "ghcr.io/me/vespera:latest").unwrap().unwrap();
        assert_eq!(found.digest, "sha256:1");
        assert_eq!(found.labels["a"], "b");
        assert_eq!(
            tools.calls(),
            ["skopeo inspect --no-tags --retry-times 3 docker://ghcr.io/me/vespera:latest"]
        );
        let tools = FakeTools::default()
            .with("skopeo", |_| ok(r#"{"Digest": "sha256:1", "Labels": null}"#));
        assert!(ask(&tools, "oci:folder").unwrap().unwrap().labels.is_empty());
        assert!(tools.calls()[0].ends_with(" oci:folder"));
    }

    /// What skopeo says, and whether that means that there is no such image.
    #[test]
    fn only_the_registrys_own_word_means_absent() {
        let said = [
            ("reading manifest latest in ghcr.io/me/v: manifest unknown", true),
            (
                "reading manifest 1 in 127.0.0.1:5000/v: name unknown: repository name not known to registry",
                true,
            ),
            ("pinging container registry ghcr.io: dial tcp: lookup ghcr.io: no such host", false),
            ("received unexpected HTTP status: 503 Service Unavailable", false),
            ("requested access to the resource is denied", false),
            ("unauthorized: authentication required", false),
        ];
        for (text, absent) in said {
            let tools = FakeTools::default().with("skopeo", move |_| failed(text));
            match ask(&tools, "ghcr.io/me/v") {
                Ok(None) => assert!(absent, "{text}"),
                Err(Error::NoAnswer { reason, .. }) => {
                    assert!(!absent, "{text}");
                    assert!(reason.contains(text));
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn answer_that_is_not_json_is_an_error() {
        let tools = FakeTools::default().with("skopeo", |_| ok("<html>"));
        assert!(matches!(ask(&tools, "x/y"), Err(Error::Unreadable { .. })));
    }
}
