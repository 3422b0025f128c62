// SPDX-License-Identifier: MIT OR Apache-2.0
//! The labels of an image: what the next run compares with, and what people look up.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::config::{Config, Gpu, Source, Variant};

/// Version of the set of labels.
const SCHEMA: &str = "1";

/// Names of the labels.
pub mod label {
    /// When it was built.
    pub const BUILD_DATE: &str = "org.vespera.build.date";
    /// Variant of the base.
    pub const AURORA_VARIANT: &str = "org.vespera.aurora.variant";
    /// Graphics variant.
    pub const GPU_VARIANT: &str = "org.vespera.gpu.variant";
    /// Name of the image.
    pub const IMAGE_VARIANT: &str = "org.vespera.image.variant";
    /// Digest of the base.
    pub const AURORA_DIGEST: &str = "org.vespera.aurora.digest";
    /// Commit, or tree, of the driver.
    pub const MACCEL_COMMIT: &str = "org.vespera.maccel.commit";
    /// Version of this set of labels.
    pub const SCHEMA: &str = "org.vespera.schema";
    /// Hash of the configuration's meaning.
    pub const CONFIG_HASH: &str = "org.vespera.config.hash";
    /// One image or all.
    pub const STRATEGY: &str = "org.vespera.build.strategy";
    /// Kernel of the image.
    pub const KERNEL: &str = "org.vespera.kernel.release";
    /// Digest of the image that the driver was compiled in.
    pub const BUILDER_DIGEST: &str = "org.vespera.builder.digest";
    /// Hash of what the Containerfile copies, driver and configuration aside.
    pub const SOURCES: &str = "org.vespera.sources.hash";
    /// Git revision.
    pub const REVISION: &str = "org.opencontainers.image.revision";
    /// Kernel of the image, by the name that other tools read.
    pub const OSTREE_LINUX: &str = "ostree.linux";
}

/// What is known about a run besides its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Owner of the images at the registry.
    pub owner: Option<String>,
    /// When, RFC 3339.
    pub date: Option<String>,
    /// Git revision of the repository.
    pub revision: Option<String>,
    /// Address of the repository.
    pub source: Option<String>,
    /// Digest of the base.
    pub base_digest: Option<String>,
    /// Commit, or tree, of the driver.
    pub driver: Option<String>,
    /// Kernel release of the base.
    pub kernel: Option<String>,
    /// Digest of the image that the driver is compiled in.
    pub builder_digest: Option<String>,
    /// Hash of what the Containerfile copies, driver and configuration aside.
    pub sources: Option<String>,
}

/// The labels of an image. A base passes its own on to every image built from it, so that each
/// label that would be false here is set, or emptied.
pub fn labels(config: &Config, facts: &Facts, base: &str) -> BTreeMap<String, String> {
    let (name, variant, gpu) = (config.name(), config.base.variant, config.base.gpu);
    let driver = match config.maccel.source {
        Source::Git => config.maccel.commit.clone(),
        Source::Bundled => facts.driver.clone(),
    };
    let known = [
        (label::SCHEMA, Some(SCHEMA.to_owned())),
        (label::CONFIG_HASH, Some(config.hash())),
        (label::STRATEGY, Some(config.build.strategy.word().to_owned())),
        (label::IMAGE_VARIANT, Some(name.clone())),
        (label::AURORA_VARIANT, Some(variant.word().to_owned())),
        (label::GPU_VARIANT, Some(gpu.word().to_owned())),
        (label::AURORA_DIGEST, facts.base_digest.clone()),
        (label::MACCEL_COMMIT, driver.filter(|_| config.maccel.enabled)),
        (label::BUILD_DATE, facts.date.clone()),
        (label::KERNEL, facts.kernel.clone()),
        (label::OSTREE_LINUX, facts.kernel.clone()),
        (label::BUILDER_DIGEST, facts.builder_digest.clone()),
        (label::SOURCES, facts.sources.clone()),
        ("containers.bootc", Some("1".to_owned())),
        ("org.opencontainers.image.title", Some(name)),
        ("org.opencontainers.image.description", Some(description(variant, gpu))),
        ("org.opencontainers.image.version", facts.date.as_deref().map(super::day)),
        ("org.opencontainers.image.created", facts.date.clone()),
        (label::REVISION, facts.revision.clone()),
        ("org.opencontainers.image.source", facts.source.clone()),
        ("org.opencontainers.image.url", facts.source.clone()),
        ("org.opencontainers.image.base.name", Some(base.to_owned())),
        ("org.opencontainers.image.base.digest", facts.base_digest.clone()),
        // Some bases carry a date on which the registry deletes them.
        ("quay.expires-after", Some(String::new())),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn description(variant: Variant, gpu: Gpu) -> String {
    format!("{}{} with mouse acceleration built in", variant.word(), gpu.suffix())
}

impl Config {
    /// Hash of what the configuration means: comments, order of keys and spelled-out defaults do
    /// not change it.
    pub fn hash(&self) -> String {
        // A configuration is plain strings, booleans and lists; these always have a JSON form.
        let meaning = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::digest(meaning.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("c.yaml", text).unwrap().0
    }

    #[test]
    fn hash_follows_the_meaning_not_the_spelling() {
        let plain = config("").hash();
        assert_eq!(plain.len(), 64);
        assert_eq!(config("# comment\nbuild: {strategy: single}\nbase:\n").hash(), plain);
        assert_ne!(config("packages: {add_rpm: [vim]}").hash(), plain);
    }

    #[test]
    fn labels_of_the_base_are_overridden_and_unknown_values_left_out() {
        let facts = Facts {
            date: Some("2026-11-22T02:00:00Z".into()),
            kernel: Some("6.17.1".into()),
            driver: Some("tree".into()),
            ..Facts::default()
        };
        let base = "ghcr.io/ublue-os/aurora:stable";
        let labels = labels(&config(""), &facts, base);
        let expected = [
            (label::GPU_VARIANT, "main"),
            (label::AURORA_VARIANT, "aurora"),
            (label::IMAGE_VARIANT, "vespera"),
            (label::MACCEL_COMMIT, "tree"),
            (label::BUILD_DATE, "2026-11-22T02:00:00Z"),
            (label::OSTREE_LINUX, "6.17.1"),
            ("org.opencontainers.image.title", "vespera"),
            ("org.opencontainers.image.version", "20261122"),
            ("org.opencontainers.image.base.name", base),
            ("quay.expires-after", ""),
        ];
        for (key, value) in expected {
            assert_eq!(labels.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(!labels.contains_key(label::AURORA_DIGEST));
    }

    #[test]
    fn commit_of_a_git_driver_is_the_configured_one_and_a_disabled_driver_has_none() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let git = format!("maccel: {{source: git, repository: /r, commit: '{commit}'}}");
        let of = |text: &str| labels(&config(text), &Facts::default(), "base");
        assert_eq!(of(&git)[label::MACCEL_COMMIT], commit);
        assert!(!of("maccel: {enabled: false}").contains_key(label::MACCEL_COMMIT));
    }
}
