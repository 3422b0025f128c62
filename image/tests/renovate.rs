// SPDX-License-Identifier: MIT OR Apache-2.0
//! A digest that Renovate pins reaches the base of the build: its patterns find the two places,
//! and what it writes there is what the plan hands to `FROM`.

// Every function here is a test, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use image::config::Config;
use image::plan::{Facts, plan};
use regex::{Captures, Regex};
use serde_json::Value;

fn read(name: &str) -> String {
    let path = format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

/// The manager that reads a file.
fn manager(file: &str) -> Value {
    let renovate: Value = serde_json::from_str(&read(".github/renovate.json")).unwrap();
    let managers = renovate["customManagers"].as_array().unwrap();
    let reads = |manager: &&Value| {
        let files = manager["managerFilePatterns"][0].as_str().unwrap();
        Regex::new(files.trim_matches('/')).unwrap().is_match(file)
    };
    managers.iter().find(reads).unwrap_or_else(|| panic!("nothing reads {file}")).clone()
}

/// Its patterns, of which Renovate takes every one that fits.
fn patterns(manager: &Value) -> Vec<Regex> {
    let patterns = manager["matchStrings"].as_array().unwrap().iter();
    patterns.map(|pattern| Regex::new(pattern.as_str().unwrap()).unwrap()).collect()
}

/// What exactly one of its patterns finds.
fn only_one<'t>(patterns: &[Regex], text: &'t str) -> Captures<'t> {
    let mut found: Vec<Captures<'_>> =
        patterns.iter().filter_map(|pattern| pattern.captures(text)).collect();
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

/// The image that the digest is looked up at, by the manager's template.
fn image(manager: &Value, found: &Captures<'_>) -> String {
    let group = |name: &str| found.name(name).map_or("", |group| group.as_str());
    let template = manager["depNameTemplate"].as_str().unwrap();
    let (head, rest) = template.split_once("{{#if gpu}}").unwrap();
    let (inner, tail) = rest.split_once("{{/if}}").unwrap();
    let inner = if group("gpu").is_empty() { "" } else { inner };
    let text = format!("{head}{inner}{tail}");
    text.replace("{{{variant}}}", group("variant")).replace("{{{gpu}}}", group("gpu"))
}

/// As Renovate does: the digest that was found is replaced by another one.
fn updated(text: &str, found: &Captures<'_>, to: &str) -> String {
    let at = found.name("currentDigest").unwrap().range();
    format!("{}{to}{}", &text[..at.start], &text[at.end..])
}

#[test]
fn digest_that_renovate_writes_into_the_configuration_is_what_is_built_from() {
    let shipped = read("vespera-config.yaml");
    let manager = manager("vespera-config.yaml");
    let patterns = patterns(&manager);
    // Nothing is pinned as it is shipped: the place is a comment.
    assert!(patterns.iter().all(|pattern| pattern.captures(&shipped).is_none()));
    for (variant, gpu, name) in [
        ("aurora", "main", "aurora"),
        ("aurora", "nvidia-open", "aurora-nvidia-open"),
        ("aurora-dx", "main", "aurora-dx"),
        ("aurora-dx", "nvidia-open", "aurora-dx-nvidia-open"),
    ] {
        let pinned = shipped
            .replace("  variant: aurora\n", &format!("  variant: {variant}\n"))
            .replace("  gpu_variant: main\n", &format!("  gpu_variant: {gpu}\n"))
            .replace("  # digest: sha256:...", &format!("  digest: {}", digest('a')));
        let found = only_one(&patterns, &pinned);
        assert_eq!(
            (image(&manager, &found).as_str(), &found["currentValue"]),
            (format!("ghcr.io/ublue-os/{name}").as_str(), "stable")
        );
        assert_eq!(found["currentDigest"], digest('a'));
        let text = updated(&pinned, &found, &digest('b'));
        let (config, _) = Config::parse("c.yaml", &text).unwrap();
        let planned = &plan(&config, &Facts::default()).builds[0].build_args["BASE_IMAGE"];
        assert_eq!(*planned, format!("ghcr.io/ublue-os/{name}@{}", digest('b')));
    }
}

/// Where a tag is written, the digest is that tag's; where a line is left out, its default counts.
#[test]
fn digest_is_looked_up_at_the_tag_that_the_configuration_names() {
    let manager = manager("vespera-config.yaml");
    let patterns = patterns(&manager);
    let digest = digest('a');
    let tagged = read("vespera-config.yaml")
        .replace("  # tag: stable-20260902.1", "  tag: stable-20260902.1")
        .replace("  # digest: sha256:...", &format!("  digest: {digest}"));
    assert_eq!(&only_one(&patterns, &tagged)["currentValue"], "stable-20260902.1");
    let short = format!("base:\n  variant: aurora-dx\n  stream: latest\n  digest: {digest}\n");
    let found = only_one(&patterns, &short);
    assert_eq!(image(&manager, &found), "ghcr.io/ublue-os/aurora-dx");
    assert_eq!(&found["currentValue"], "latest");
}

#[test]
fn digest_that_renovate_writes_into_the_containerfile_is_the_default_of_from() {
    let shipped = read("Containerfile");
    let patterns = patterns(&manager("Containerfile"));
    assert!(patterns[0].captures(&shipped).is_none());
    let pin = format!("\nARG BASE_IMAGE=ghcr.io/ublue-os/aurora@{}\n", digest('a'));
    let pinned = shipped.replacen("\nARG BASE_IMAGE=\n", &pin, 1);
    let found = only_one(&patterns, &pinned);
    assert_eq!(&found["depName"], "ghcr.io/ublue-os/aurora");
    assert_eq!(&found["currentValue"], "stable");
    let text = updated(&pinned, &found, &digest('b'));
    // The argument stands before the first stage, and that stage takes it.
    let (arguments, stages) = text.split_once("\nFROM ").unwrap();
    assert!(arguments.contains(&digest('b')), "{arguments}");
    assert!(stages.starts_with("${BASE_IMAGE:-"), "{stages}");
}
