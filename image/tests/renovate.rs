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

/// The pattern of the manager that reads a file.
fn pattern(file: &str) -> Regex {
    let renovate: Value = serde_json::from_str(&read(".github/renovate.json")).unwrap();
    let managers = renovate["customManagers"].as_array().unwrap();
    let reads = |manager: &&Value| {
        let files = manager["managerFilePatterns"][0].as_str().unwrap();
        Regex::new(files.trim_matches('/')).unwrap().is_match(file)
    };
    let manager = managers.iter().find(reads).unwrap_or_else(|| panic!("nothing reads {file}"));
    Regex::new(manager["matchStrings"][0].as_str().unwrap()).unwrap()
}

/// As Renovate does: the digest that was found is replaced by another one.
fn updated(text: &str, found: &Captures<'_>, to: &str) -> String {
    let at = found.name("currentDigest").unwrap().range();
    format!("{}{to}{}", &text[..at.start], &text[at.end..])
}

#[test]
fn digest_that_renovate_writes_into_the_configuration_is_what_is_built_from() {
    let shipped = read("vespera-config.yaml");
    let pattern = pattern("vespera-config.yaml");
    // Nothing is pinned as it is shipped: the place is a comment.
    assert!(pattern.captures(&shipped).is_none());
    let pinned = shipped.replace("  # digest: sha256:...", &format!("  digest: {}", digest('a')));
    let found = pattern.captures(&pinned).unwrap();
    assert_eq!((&found["variant"], &found["currentValue"]), ("aurora", "stable"));
    assert_eq!(found["currentDigest"], digest('a'));
    let text = updated(&pinned, &found, &digest('b'));
    let (config, _) = Config::parse("c.yaml", &text).unwrap();
    let planned = &plan(&config, &Facts::default()).builds[0].build_args["BASE_IMAGE"];
    assert_eq!(*planned, format!("ghcr.io/ublue-os/aurora@{}", digest('b')));
}

#[test]
fn digest_that_renovate_writes_into_the_containerfile_is_the_default_of_from() {
    let shipped = read("Containerfile");
    let pattern = pattern("Containerfile");
    assert!(pattern.captures(&shipped).is_none());
    let pin = format!("\nARG BASE_IMAGE=ghcr.io/ublue-os/aurora@{}\n", digest('a'));
    let pinned = shipped.replacen("\nARG BASE_IMAGE=\n", &pin, 1);
    let found = pattern.captures(&pinned).unwrap();
    assert_eq!(&found["depName"], "ghcr.io/ublue-os/aurora");
    let text = updated(&pinned, &found, &digest('b'));
    // The argument stands before the first stage, and that stage takes it.
    let (arguments, stages) = text.split_once("\nFROM ").unwrap();
    assert!(arguments.contains(&digest('b')), "{arguments}");
    assert!(stages.starts_with("${BASE_IMAGE:-"), "{stages}");
}
