// SPDX-License-Identifier: MIT OR Apache-2.0
//! Must there be a build? A pure comparison of what is with what was built last.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::config::{Config, Source};
use crate::plan::{Facts, day, label};

/// Who asks for the build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trigger {
    /// A person wants it, changes or not.
    pub forced: bool,
    /// Something was pushed that goes into the image.
    pub push: bool,
}

/// What is known of the image published last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// The registry answered that there is none. An unanswered question is no answer: whoever
    /// asks the registry must fail instead of giving this.
    Absent,
    /// Nobody asked, since the build was forced.
    NotAsked,
    /// Its labels.
    Labels(BTreeMap<String, String>),
}

/// One reason to build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// Asked for.
    Forced,
    /// Pushed.
    Push,
    /// Nothing was published yet, or without labels of ours.
    NoPreviousMetadata,
    /// A value differs.
    Changed {
        /// What it is, as `base-digest`.
        what: &'static str,
        /// The label that it was compared with.
        label: &'static str,
        /// The published value.
        from: Option<String>,
        /// The value now.
        to: Option<String>,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced => write!(f, "forced: the build was asked for"),
            Self::Push => write!(f, "push: a file changed that goes into the image"),
            Self::NoPreviousMetadata => {
                write!(f, "no-previous-metadata: nothing of ours was published under this name")
            }
            Self::Changed { what, from, to, .. } => {
                let show = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
                write!(f, "{what}: {} -> {}", show(from), show(to))
            }
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Version of the form.
    pub format: u32,
    /// Name of the image.
    pub image: String,
    /// Whether to build.
    pub should_build: bool,
    /// Every reason, not only the first.
    pub reasons: Vec<Reason>,
    /// The eight outputs of the job, as a workflow's later jobs read them.
    pub outputs: BTreeMap<&'static str, String>,
}

/// Compares.
///
/// What is not known now (`facts`) is not compared: the caller has failed before where a question
/// went unanswered, and what it never asks, it does not want compared.
pub fn decide(config: &Config, facts: &Facts, trigger: Trigger, previous: &Previous) -> Decision {
    let mut reasons = Vec::new();
    if trigger.forced {
        reasons.push(Reason::Forced);
    }
    if trigger.push {
        reasons.push(Reason::Push);
    }
    let driver = driver(config, facts);
    match previous {
        Previous::Labels(labels) if labels.contains_key(label::SCHEMA) => {
            let optional = [
                ("base-digest", label::AURORA_DIGEST, &facts.base_digest),
                ("builder-digest", label::BUILDER_DIGEST, &facts.builder_digest),
                ("kernel", label::KERNEL, &facts.kernel),
                // Programs, files, Containerfile: also of a push whose own build failed.
                ("sources", label::SOURCES, &facts.sources),
            ];
            let compared = optional
                .into_iter()
                .filter_map(|(what, label, now)| Some((what, label, Some(now.clone()?))));
            let always = [
                // Compared also when there is none: a driver that was switched off is a change.
                ("driver-commit", label::MACCEL_COMMIT, driver.clone()),
                ("aurora-variant", label::AURORA_VARIANT, word(config.base.variant.word())),
                ("gpu-variant", label::GPU_VARIANT, word(config.base.gpu.word())),
                ("build-strategy", label::STRATEGY, word(config.build.strategy.word())),
                ("configuration", label::CONFIG_HASH, Some(config.hash())),
            ];
            for (what, label, to) in compared.chain(always) {
                let from = labels.get(label).cloned();
                if from != to {
                    reasons.push(Reason::Changed { what, label, from, to });
                }
            }
        }
        Previous::NotAsked => {}
        // Labels without our schema are the base's, or those of a tool we know nothing of.
        Previous::Absent | Previous::Labels(_) => reasons.push(Reason::NoPreviousMetadata),
    }
    let should_build = !reasons.is_empty();
    let outputs = BTreeMap::from([
        ("should_build", should_build.to_string()),
        ("aurora_version", facts.base_digest.clone().unwrap_or_default()),
        ("aurora_variant", config.base.variant.word().to_owned()),
        ("gpu_variant", config.base.gpu.word().to_owned()),
        ("build_strategy", config.build.strategy.word().to_owned()),
        ("vespera_image_name", config.name()),
        ("maccel_commit", driver.unwrap_or_default()),
        ("build_date", facts.date.as_deref().map(day).unwrap_or_default()),
    ]);
    Decision { format: 1, image: config.name(), should_build, reasons, outputs }
}

fn word(word: &str) -> Option<String> {
    Some(word.to_owned())
}

fn driver(config: &Config, facts: &Facts) -> Option<String> {
    if !config.maccel.enabled {
        return None;
    }
    match config.maccel.source {
        Source::Git => config.maccel.commit.clone(),
        Source::Bundled => facts.driver.clone(),
    }
}

impl Decision {
    /// The decision for a person.
    pub fn text(&self) -> String {
        if !self.should_build {
            return "no build: nothing has changed since the published image\n".to_owned();
        }
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        format!("build, since {}\n", reasons.join("; "))
    }
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
