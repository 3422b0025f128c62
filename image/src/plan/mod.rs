// SPDX-License-Identifier: MIT OR Apache-2.0
//! What would be built: names, tags, labels, build arguments.

mod labels;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub use labels::{Facts, label, labels};

use crate::config::choice::{RETIRED_GPU, RETIRED_GPU_REASON};
use crate::config::{Config, Gpu, Strategy, Variant};

/// Version of the form of the JSON.
const FORMAT: u32 = 1;
/// Where the owner belongs in a reference whose owner is not known.
pub const OWNER_PLACEHOLDER: &str = "owner";

/// Everything that one run would build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Version of the form.
    pub format: u32,
    /// One or all.
    pub strategy: Strategy,
    /// The images.
    pub builds: Vec<Image>,
    /// Combinations that cannot be built.
    pub skipped: Vec<Skipped>,
    /// What is allowed but surely not meant.
    pub warnings: Vec<String>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Its name with the suffixes of its variant.
    pub name: String,
    /// Its repository: registry, owner and name.
    pub image: String,
    /// The base it is built from.
    pub base: String,
    /// Variant of the base.
    pub aurora_variant: Variant,
    /// Graphics variant.
    pub gpu_variant: Gpu,
    /// Final tags.
    pub tags: Vec<String>,
    /// The platform, as a list of one.
    pub platforms: Vec<String>,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Labels, as far as their values are known.
    pub labels: BTreeMap<String, String>,
}

/// A combination that is not built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The name it would have had.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// Plans the images of a configuration.
pub fn plan(config: &Config, facts: &Facts) -> Plan {
    let mut warnings = Vec::new();
    let combinations: Vec<(Variant, Gpu)> = match config.build.strategy {
        Strategy::Single => vec![(config.base.variant, config.base.gpu)],
        Strategy::Matrix => Variant::ALL
            .iter()
            .flat_map(|&variant| Gpu::ALL.iter().map(move |&gpu| (variant, gpu)))
            .collect(),
    };
    let skipped = match config.build.strategy {
        Strategy::Single => Vec::new(),
        Strategy::Matrix => Variant::ALL
            .iter()
            .map(|variant| Skipped {
                name: format!("{}{}-{RETIRED_GPU}", config.build.image_name, variant.suffix()),
                reason: RETIRED_GPU_REASON.to_owned(),
            })
            .collect(),
    };
    if config.build.strategy == Strategy::Matrix && config.base.digest.is_some() {
        warnings.push(format!(
            "base.digest is one image's: only {} is pinned to it, the others follow the tag",
            config.name()
        ));
    }
    if config.build.platforms.iter().any(|platform| platform != "linux/amd64") {
        warnings.push(
            "Aurora is published for linux/amd64 only; a build for another platform needs \
             another base.registry"
                .to_owned(),
        );
    }
    if owner(config, facts).is_none() {
        warnings.push(format!(
            "the owner at the registry is not known and shown as `{OWNER_PLACEHOLDER}`: name one \
             with --owner or in build.image_name"
        ));
    }
    let builds =
        combinations.into_iter().map(|(variant, gpu)| image(config, facts, variant, gpu)).collect();
    Plan { format: FORMAT, strategy: config.build.strategy, builds, skipped, warnings }
}

/// Plans one image, whichever combination the configuration names.
pub fn image(config: &Config, facts: &Facts, variant: Variant, gpu: Gpu) -> Image {
    let name = config.name_of(variant, gpu);
    let path = path(config, facts, &name);
    let base = base(config, variant, gpu);
    let mut tags = vec!["latest".to_owned()];
    tags.extend(facts.date.as_deref().map(day));
    // Elsewhere the name says it already.
    if variant == Variant::default() && gpu == Gpu::default() {
        tags.push(gpu.word().to_owned());
    }
    for tag in &config.build.tags {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    let known = |value: &Option<String>| value.clone();
    let facts_of_the_run = [
        ("BASE_DIGEST", known(&facts.base_digest)),
        ("BUILD_DATE", known(&facts.date)),
        ("IMAGE_VERSION", facts.date.as_deref().map(day)),
        ("SOURCE_REVISION", known(&facts.revision)),
    ];
    let build_args = [
        ("BASE_IMAGE", by_digest(&base, facts)),
        ("AURORA_VARIANT", variant.word().to_owned()),
        ("GPU_VARIANT", gpu.word().to_owned()),
        ("AURORA_DATE", base_tag(config).to_owned()),
        ("IMAGE_REGISTRY", registry_host(config).to_owned()),
        // Without its owner it would be somebody else's, and the image would say so.
        ("IMAGE_NAME", owner(config, facts).map_or_else(String::new, |_| path.clone())),
    ]
    .into_iter()
    .chain(facts_of_the_run.into_iter().filter_map(|(key, value)| Some((key, value?))))
    .map(|(key, value)| (key.to_owned(), value));
    Image {
        image: format!("{}/{path}", registry_host(config)),
        labels: labels(&config.with(variant, gpu), facts, &base),
        name,
        base,
        aurora_variant: variant,
        gpu_variant: gpu,
        tags,
        platforms: config.build.platforms.clone(),
        build_args: build_args.collect(),
    }
}

/// The reference of a base: by digest where the configuration pins it, else by tag.
pub fn base(config: &Config, variant: Variant, gpu: Gpu) -> String {
    let name = format!("{}/{}{}", config.base.registry, variant.word(), gpu.suffix());
    let pinned = (variant, gpu) == (config.base.variant, config.base.gpu);
    match &config.base.digest {
        // Tools do not agree on a reference with both; the digest is the one that decides.
        Some(digest) if pinned => format!("{name}@{digest}"),
        _ => format!("{name}:{}", base_tag(config)),
    }
}

/// The base as it was when it was asked for: its tag may move before it is pulled.
pub(crate) fn by_digest(base: &str, facts: &Facts) -> String {
    match (&facts.base_digest, base.rsplit_once(':')) {
        (Some(digest), Some((name, _))) if !base.contains('@') => format!("{name}@{digest}"),
        _ => base.to_owned(),
    }
}

fn base_tag(config: &Config) -> &str {
    config.base.tag.as_deref().unwrap_or(config.base.stream.word())
}

/// The registry without an owner that may follow it.
fn registry_host(config: &Config) -> &str {
    config.build.registry.split('/').next().unwrap_or(&config.build.registry)
}

/// Owner and name.
fn path(config: &Config, facts: &Facts, name: &str) -> String {
    format!("{}/{name}", owner(config, facts).as_deref().unwrap_or(OWNER_PLACEHOLDER))
}

/// The owner comes from the image name, the registry or whoever runs the build, in this order;
/// registries take lower case only.
fn owner(config: &Config, facts: &Facts) -> Option<String> {
    let of_registry = config.build.registry.split_once('/').map(|(_, owner)| owner);
    let configured = config.build.owner.as_deref().or(of_registry);
    configured.or(facts.owner.as_deref()).map(str::to_lowercase)
}

/// `20261122` of `2026-11-22T20:09:28Z`.
pub fn day(date: &str) -> String {
    date.chars().take_while(|&c| c != 'T').filter(char::is_ascii_digit).collect()
}

fn label_of<'a>(image: &'a Image, key: &str) -> &'a str {
    image.labels.get(key).map_or("", String::as_str)
}

impl Plan {
    /// The matrix that a workflow starts one job per image from.
    pub fn matrix(&self) -> Value {
        let include: Vec<Value> = self
            .builds
            .iter()
            .map(|build| {
                json!({
                    "name": build.name,
                    "image": build.image,
                    "aurora_variant": build.aurora_variant,
                    "gpu_variant": build.gpu_variant,
                    "base_digest": label_of(build, label::AURORA_DIGEST),
                    "kernel": label_of(build, label::KERNEL),
                    "sources": label_of(build, label::SOURCES),
                    "date": label_of(build, label::BUILD_DATE),
                })
            })
            .collect();
        json!({ "include": include })
    }

    /// The plan for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for build in &self.builds {
            text.push_str(&format!("build {}\n", build.image));
            text.push_str(&format!("  from   {}\n", build.base));
            text.push_str(&format!("  tags   {}\n", build.tags.join(", ")));
            for (key, value) in &build.build_args {
                text.push_str(&format!("  arg    {key}={value}\n"));
            }
            for (key, value) in &build.labels {
                text.push_str(&format!("  label  {key}={value}\n"));
            }
        }
        for skipped in &self.skipped {
            text.push_str(&format!("skip {}\n  {}\n", skipped.name, skipped.reason));
        }
        for warning in &self.warnings {
            text.push_str(&format!("warning: {warning}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("c.yaml", text).unwrap().0
    }

    fn facts() -> Facts {
        Facts {
            owner: Some("Me".into()),
            date: Some("2026-11-22T02:00:00Z".into()),
            ..Facts::default()
        }
    }

    #[test]
    fn single_strategy_plans_the_configured_image_only() {
        let plan = plan(&config("base: {variant: aurora-dx, gpu_variant: nvidia-open}"), &facts());
        assert_eq!(plan.builds.len(), 1);
        let build = &plan.builds[0];
        assert_eq!(build.image, "ghcr.io/me/vespera-dx-nvidia-open");
        assert_eq!(build.base, "ghcr.io/ublue-os/aurora-dx-nvidia-open:stable");
        assert_eq!(build.tags, ["latest", "20261122"]);
        assert_eq!(build.build_args["IMAGE_NAME"], "me/vespera-dx-nvidia-open");
        assert_eq!(build.build_args["GPU_VARIANT"], "nvidia-open");
        assert_eq!(build.build_args["AURORA_DATE"], "stable");
        assert!(plan.skipped.is_empty());
    }

    #[test]
    fn matrix_builds_the_four_that_exist_and_skips_two_with_the_reason() {
        let plan = plan(&config("build: {strategy: matrix}"), &facts());
        let names: Vec<&str> = plan.builds.iter().map(|build| build.name.as_str()).collect();
        assert_eq!(
            names,
            ["vespera", "vespera-nvidia-open", "vespera-dx", "vespera-dx-nvidia-open"]
        );
        let bases: Vec<&str> = plan.builds.iter().map(|build| build.base.as_str()).collect();
        assert_eq!(bases[0], "ghcr.io/ublue-os/aurora:stable");
        assert_eq!(bases[3], "ghcr.io/ublue-os/aurora-dx-nvidia-open:stable");
        let skipped: Vec<&str> = plan.skipped.iter().map(|skip| skip.name.as_str()).collect();
        assert_eq!(skipped, ["vespera-nvidia", "vespera-dx-nvidia"]);
        assert!(plan.skipped[0].reason.contains("use `nvidia-open`"));
        let matrix = plan.matrix();
        assert_eq!(matrix["include"].as_array().unwrap().len(), 4);
        assert_eq!(matrix["include"][1]["gpu_variant"], "nvidia-open");
    }

    #[test]
    fn graphics_tag_is_on_the_base_image_only() {
        let plan = plan(&config("build: {strategy: matrix, tags: [mine, latest]}"), &facts());
        let tags: Vec<&[String]> = plan.builds.iter().map(|build| build.tags.as_slice()).collect();
        assert_eq!(tags[0], ["latest", "20261122", "main", "mine"]);
        for others in &tags[1..] {
            assert_eq!(*others, ["latest", "20261122", "mine"]);
        }
    }

    #[test]
    fn digest_of_the_configuration_reaches_the_base_reference() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned = plan(&config(&format!("base: {{digest: '{digest}'}}")), &facts());
        assert_eq!(pinned.builds[0].base, format!("ghcr.io/ublue-os/aurora@{digest}"));
        assert_eq!(pinned.builds[0].build_args["BASE_IMAGE"], pinned.builds[0].base);
        let text = format!("base: {{digest: '{digest}'}}\nbuild: {{strategy: matrix}}");
        let matrix = plan(&config(&text), &facts());
        assert!(matrix.builds[1].base.ends_with("aurora-nvidia-open:stable"));
        assert!(matrix.warnings[0].contains("only vespera is pinned"), "{:?}", matrix.warnings);
    }

    #[test]
    fn base_that_was_asked_for_is_the_one_that_is_pulled() {
        let facts = Facts { base_digest: Some("sha256:1".into()), ..facts() };
        let plan = plan(&config(""), &facts);
        let build = &plan.builds[0];
        assert_eq!(build.build_args["BASE_IMAGE"], "ghcr.io/ublue-os/aurora@sha256:1");
        // For people, its name stays the one that moves.
        assert_eq!(build.base, "ghcr.io/ublue-os/aurora:stable");
        assert_eq!(build.build_args["IMAGE_VERSION"], "20261122");
        assert!(!build.build_args.contains_key("SOURCE_REVISION"));
    }

    #[test]
    fn owner_comes_from_name_then_registry_then_whoever_builds() {
        let cases = [
            ("build: {image_name: a/vespera, registry: quay.io/b}", "quay.io/a/vespera"),
            ("build: {registry: quay.io/b}", "quay.io/b/vespera"),
            ("build: {registry: docker.io}", "docker.io/me/vespera"),
        ];
        for (text, expected) in cases {
            assert_eq!(plan(&config(text), &facts()).builds[0].image, expected, "{text}");
        }
        let unknown = plan(&config(""), &Facts::default());
        assert_eq!(unknown.builds[0].image, "ghcr.io/owner/vespera");
        assert!(unknown.warnings[0].contains("not known"), "{:?}", unknown.warnings);
    }

    /// `podman build .` without arguments must give what the shipped configuration says.
    #[test]
    fn defaults_of_the_containerfile_are_the_shipped_configuration() {
        let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let read = |name: &str| std::fs::read_to_string(format!("{top}/{name}")).unwrap();
        let containerfile = read("Containerfile");
        let defaults: BTreeMap<&str, &str> = containerfile
            .lines()
            .take_while(|line| !line.starts_with("FROM "))
            .filter_map(|line| line.strip_prefix("ARG ")?.split_once('='))
            .collect();
        let plan = plan(&config(&read("vespera-config.yaml")), &facts());
        let planned = &plan.builds[0].build_args;
        for key in ["AURORA_VARIANT", "GPU_VARIANT", "AURORA_DATE", "IMAGE_REGISTRY"] {
            assert_eq!(defaults.get(key).copied(), Some(planned[key].as_str()), "{key}");
        }
        // A digest that Renovate has pinned must be the one of both.
        let pinned = planned["BASE_IMAGE"].contains('@').then(|| planned["BASE_IMAGE"].as_str());
        assert_eq!(defaults.get("BASE_IMAGE").copied(), Some(pinned.unwrap_or_default()));
    }
}
