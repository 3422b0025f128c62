// SPDX-License-Identifier: MIT OR Apache-2.0
//! The question of [`crate::detect`], asked for every image of a plan with real answers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::config::Config;
use crate::detect::{self, Decision, Previous, Trigger};
use crate::inspect;
use crate::plan::{self, Facts, Plan};
use crate::registry::Registry;

/// Version of the form of the JSON.
const FORMAT: u32 = 1;
/// The tag that the last published image has.
const PUBLISHED: &str = "latest";

/// The decision about every image of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Version of the form.
    pub format: u32,
    /// Whether any image must be built.
    pub should_build: bool,
    /// One decision per image.
    pub images: Vec<Decision>,
    /// Outputs of the job: the eight of the configured image, and the matrix of those to build.
    pub outputs: BTreeMap<&'static str, String>,
}

/// Asks the registry about every base and every published image.
///
/// # Errors
///
/// When any question goes unanswered: no answer is not "no change".
pub fn survey(
    config: &Config,
    facts: &Facts,
    trigger: Trigger,
    registry: &dyn Registry,
) -> Result<Survey, inspect::Error> {
    let mut plan = plan::plan(config, facts);
    let mut images = Vec::new();
    for image in &mut plan.builds {
        let base = inspect::base(registry, &image.base)?;
        let facts =
            Facts { base_digest: Some(base.digest), kernel: Some(base.kernel), ..facts.clone() };
        let previous = if trigger.forced {
            // A forced build is the way out when the published image is what is in the way.
            Previous::NotAsked
        } else {
            match registry.inspect(&format!("{}:{PUBLISHED}", image.image))? {
                Some(published) => Previous::Labels(published.labels),
                None => Previous::Absent,
            }
        };
        let (variant, gpu) = (image.aurora_variant, image.gpu_variant);
        let own = config.with(variant, gpu);
        // With what the registry said, for the matrix.
        *image = plan::image(config, &facts, variant, gpu);
        images.push(detect::decide(&own, &facts, trigger, &previous));
    }
    Ok(merge(config, plan, images))
}

fn merge(config: &Config, plan: Plan, images: Vec<Decision>) -> Survey {
    let should_build = images.iter().any(|decision| decision.should_build);
    let name = config.name();
    let mut outputs = images
        .iter()
        .find(|decision| decision.image == name)
        .map(|decision| decision.outputs.clone())
        .unwrap_or_default();
    outputs.insert("should_build", should_build.to_string());
    let wanted = |name: &str| images.iter().any(|image| image.should_build && image.image == name);
    let builds = plan.builds.iter().filter(|build| wanted(&build.name)).cloned().collect();
    outputs.insert("matrix", Plan { builds, ..plan }.matrix().to_string());
    Survey { format: FORMAT, should_build, images, outputs }
}

impl Survey {
    /// The outputs in the form of a workflow's output file.
    pub fn output_lines(&self) -> String {
        self.outputs.iter().map(|(key, value)| format!("{key}={value}\n")).collect()
    }

    /// The decisions for a person.
    pub fn text(&self) -> String {
        self.images.iter().map(|image| format!("{}: {}", image.image, image.text())).collect()
    }

    /// The decisions for the summary of a workflow.
    pub fn markdown(&self) -> String {
        let mut text = "## Changes\n\n| image | build | reasons |\n|---|---|---|\n".to_owned();
        for image in &self.images {
            let reasons: Vec<String> = image.reasons.iter().map(ToString::to_string).collect();
            let row = json!(image.should_build);
            text.push_str(&format!("| `{}` | {row} | {} |\n", image.image, reasons.join("<br>")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::label::OSTREE_LINUX;
    use crate::registry::{Error, Inspected};

    /// A registry with these images; it gives no answer about `broken`.
    #[derive(Debug, Default)]
    struct FakeRegistry {
        images: BTreeMap<String, Inspected>,
        broken: Option<&'static str>,
    }

    impl FakeRegistry {
        fn with(mut self, reference: &str, digest: &str, labels: BTreeMap<String, String>) -> Self {
            let inspected = Inspected { digest: digest.into(), labels };
            self.images.insert(reference.into(), inspected);
            self
        }

        fn with_bases(mut self) -> Self {
            for name in ["aurora", "aurora-nvidia-open", "aurora-dx", "aurora-dx-nvidia-open"] {
                let labels =
                    BTreeMap::from([(OSTREE_LINUX.into(), "6.17.1-300.fc43.x86_64".into())]);
                let reference = format!("ghcr.io/ublue-os/{name}:stable");
                self = self.with(&reference, &format!("sha256:{name}"), labels);
            }
            self
        }
    }

    impl Registry for FakeRegistry {
        fn inspect(&self, reference: &str) -> Result<Option<Inspected>, Error> {
            if self.broken.is_some_and(|broken| reference.contains(broken)) {
                let reason = "503 Service Unavailable".to_owned();
                return Err(Error::NoAnswer { reference: reference.to_owned(), reason });
            }
            Ok(self.images.get(reference).cloned())
        }
    }

    fn config(text: &str) -> Config {
        Config::parse("c.yaml", text).unwrap().0
    }

    fn facts() -> Facts {
        Facts {
            owner: Some("me".into()),
            driver: Some("tree".into()),
            date: Some("2026-11-22T02:00:00Z".into()),
            ..Facts::default()
        }
    }

    /// The registry after every image of the plan was built from its answers.
    fn published(config: &Config, names: &[&str]) -> FakeRegistry {
        let mut registry = FakeRegistry::default().with_bases();
        for image in plan::plan(config, &facts()).builds {
            let base = registry.images[&image.base].digest.clone();
            let facts = Facts {
                base_digest: Some(base),
                kernel: Some("6.17.1-300.fc43.x86_64".into()),
                ..facts()
            };
            let (variant, gpu) = (image.aurora_variant, image.gpu_variant);
            let labels = plan::image(config, &facts, variant, gpu).labels;
            if names.contains(&image.name.as_str()) {
                registry = registry.with(&format!("{}:latest", image.image), "sha256:old", labels);
            }
        }
        registry
    }

    #[test]
    fn image_that_was_published_from_the_same_answers_is_not_built_again() {
        let config = config("");
        let registry = published(&config, &["vespera"]);
        let survey = survey(&config, &facts(), Trigger::default(), &registry).unwrap();
        assert!(!survey.should_build, "{}", survey.text());
        assert_eq!(survey.outputs["should_build"], "false");
        assert_eq!(survey.outputs["matrix"], r#"{"include":[]}"#);
        assert_eq!(survey.outputs.len(), 9);
        let forced = Trigger { forced: true, push: false };
        let forced = super::survey(&config, &facts(), forced, &registry).unwrap();
        assert_eq!(forced.outputs["should_build"], "true");
    }

    #[test]
    fn matrix_holds_only_the_images_that_must_be_built() {
        let config = config("build: {strategy: matrix}");
        let registry = published(&config, &["vespera"]);
        let survey = survey(&config, &facts(), Trigger::default(), &registry).unwrap();
        assert!(survey.should_build);
        assert!(survey.text().starts_with("vespera: no build"), "{}", survey.text());
        let matrix: serde_json::Value = serde_json::from_str(&survey.outputs["matrix"]).unwrap();
        assert_eq!(matrix["include"].as_array().unwrap().len(), 3);
        assert_eq!(matrix["include"][0]["base_digest"], "sha256:aurora-nvidia-open");
        assert_eq!(matrix["include"][0]["kernel"], "6.17.1-300.fc43.x86_64");
        assert!(survey.markdown().contains("| `vespera` | false |  |"), "{}", survey.markdown());
    }

    #[test]
    fn matrix_that_is_published_whole_is_not_built_again() {
        let config = config("build: {strategy: matrix}");
        let all = ["vespera", "vespera-nvidia-open", "vespera-dx", "vespera-dx-nvidia-open"];
        let registry = published(&config, &all);
        let survey = survey(&config, &facts(), Trigger::default(), &registry).unwrap();
        assert!(!survey.should_build, "{}", survey.text());
    }

    #[test]
    fn unanswered_question_is_an_error_never_no_change() {
        let config = config("");
        for broken in ["ublue-os", "me/vespera"] {
            let registry = FakeRegistry { broken: Some(broken), ..FakeRegistry::default() };
            let registry = registry.with_bases();
            let error =
                survey(&config, &facts(), Trigger::default(), &registry).unwrap_err().to_string();
            assert!(error.contains("503"), "{error}");
        }
        // A published image that cannot be asked about must not stop a forced build.
        let registry = FakeRegistry { broken: Some("me/vespera"), ..FakeRegistry::default() };
        let forced = Trigger { forced: true, push: false };
        assert!(survey(&config, &facts(), forced, &registry.with_bases()).unwrap().should_build);
    }

    #[test]
    fn base_that_does_not_exist_is_named() {
        let error = survey(&config(""), &facts(), Trigger::default(), &FakeRegistry::default())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("ghcr.io/ublue-os/aurora:stable does not exist"), "{error}");
    }
}
