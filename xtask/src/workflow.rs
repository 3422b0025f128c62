// SPDX-License-Identifier: MIT OR Apache-2.0
//! A workflow as far as it is run locally: its jobs, steps and expressions.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A workflow.
#[derive(Debug, Deserialize)]
pub(crate) struct Workflow {
    pub(crate) jobs: BTreeMap<String, Job>,
}

/// A job.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) steps: Vec<Step>,
}

/// A step: somebody else's action, or a command.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) uses: Option<String>,
    #[serde(default)]
    pub(crate) run: Option<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
}

impl Workflow {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        serde_saphyr::from_str(text).context("the workflow cannot be read")
    }

    pub(crate) fn job(&self, name: &str) -> Result<&Job> {
        self.jobs.get(name).with_context(|| format!("the workflow has no job {name}"))
    }
}

/// What expressions may ask for, by the whole text between the braces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(BTreeMap<String, String>);

impl Known {
    pub(crate) fn set(&mut self, expression: impl Into<String>, value: impl Into<String>) {
        self.0.insert(expression.into(), value.into());
    }

    /// The text with its expressions replaced; one that is not known is an error.
    pub(crate) fn evaluate(&self, text: &str) -> Result<String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after
                .split_once("}}")
                .with_context(|| format!("no end of an expression: {text}"))?;
            let Some(value) = self.0.get(expression.trim()) else {
                bail!("`{}` is not known outside of the workflow", expression.trim());
            };
            result.push_str(before);
            result.push_str(value);
            rest = after;
        }
        Ok(result + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a workflow may run besides `vespera-image`: getting the tools.
    const TOOLS: &[&str] = &[
        "cargo install --locked --path image",
        "cargo xtask release --yes",
        "cargo xtask release --yes --dry-run",
        "cargo xtask test --yes",
        "sudo apt-get update",
        "sudo apt-get install --yes buildah skopeo",
    ];

    fn shipped() -> Vec<(String, Workflow)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows");
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|file| {
                let path = file.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                (path.display().to_string(), Workflow::parse(&text).unwrap())
            })
            .collect()
    }

    #[test]
    fn no_step_is_longer_than_one_command_of_vespera_image() {
        let mut seen = 0;
        for (file, workflow) in shipped() {
            for step in workflow.jobs.values().flat_map(|job| &job.steps) {
                let Some(run) = &step.run else { continue };
                seen += 1;
                let one = !run.trim().contains(['\n', ';', '|', '&', '`']) && !run.contains("$(");
                assert!(one, "{file}, {}: {run}", step.name);
                let known = TOOLS.contains(&run.trim()) || run.starts_with("vespera-image ");
                assert!(known, "{file}, {}: {run}", step.name);
                // What comes from elsewhere goes through the environment, never into a shell.
                assert!(!run.contains("${{"), "{file}, {}: {run}", step.name);
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn every_action_is_pinned_to_a_commit() {
        for (file, workflow) in shipped() {
            for step in workflow.jobs.values().flat_map(|job| &job.steps) {
                let Some(uses) = &step.uses else { continue };
                let commit = uses.rsplit_once('@').map_or("", |(_, commit)| commit);
                let is_hash = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
                assert!(is_hash, "{file}, {}: {uses}", step.name);
            }
        }
    }

    #[test]
    fn expressions_are_replaced_and_unknown_ones_are_errors() {
        let mut known = Known::default();
        known.set("github.run_id", "7");
        assert_eq!(known.evaluate("a-${{ github.run_id }}-b").unwrap(), "a-7-b");
        let error = known.evaluate("${{ secrets.X }}").unwrap_err().to_string();
        assert!(error.contains("`secrets.X`"), "{error}");
    }

    /// The build workflow as plain data.
    fn build_vespera() -> serde_json::Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows/build-vespera.yml");
        serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn build_starts_daily_by_hand_and_by_push_to_main() {
        let on = &build_vespera()["on"];
        assert_eq!(on["schedule"][0]["cron"], "0 2 * * *");
        assert_eq!(on["workflow_dispatch"]["inputs"]["force"]["type"], "boolean");
        assert_eq!(on["push"]["branches"][0], "main");
        // A pull request has no secrets, and nothing of it is published.
        assert!(on["pull_request"].is_null() && on["pull_request_target"].is_null());
    }

    #[test]
    fn jobs_follow_each_other_and_only_when_there_is_something_to_build() {
        let workflow = build_vespera();
        let jobs = &workflow["jobs"];
        assert_eq!(jobs["build"]["needs"], "detect");
        assert_eq!(jobs["build"]["if"], "needs.detect.outputs.should_build == 'true'");
        assert_eq!(jobs["publish"]["needs"], serde_json::json!(["detect", "build"]));
        assert_eq!(jobs["scan"]["needs"], serde_json::json!(["detect", "publish"]));
        // A scan finds things in every base; it must not keep an image from people.
        assert_eq!(jobs["scan"]["continue-on-error"], true);
        for job in ["build", "publish", "scan"] {
            let matrix = "${{ fromJSON(needs.detect.outputs.matrix) }}";
            assert_eq!(jobs[job]["strategy"]["matrix"], matrix, "{job}");
        }
        let outputs = jobs["detect"]["outputs"].as_object().unwrap();
        for name in [
            "should_build",
            "aurora_version",
            "aurora_variant",
            "gpu_variant",
            "build_strategy",
            "vespera_image_name",
            "maccel_commit",
            "build_date",
        ] {
            let value = format!("${{{{ steps.detect.outputs.{name} }}}}");
            assert_eq!(outputs[name], value, "{name}");
        }
    }

    #[test]
    fn no_job_may_do_more_than_it_needs() {
        let workflow = build_vespera();
        assert_eq!(workflow["permissions"], serde_json::json!({}));
        assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let allowed = job["permissions"].as_object().unwrap();
            assert_eq!(allowed["contents"], "read", "{name}");
            let writes = allowed["packages"] == "write";
            assert_eq!(writes, ["build", "publish"].contains(&name.as_str()), "{name}");
            for step in job["steps"].as_array().unwrap() {
                let checks_out =
                    step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/checkout@"));
                if checks_out {
                    assert_eq!(step["with"]["persist-credentials"], false, "{name}");
                }
            }
        }
    }

    /// Where the steps of a job stand, by their names.
    fn place(job: &str, step: &str) -> usize {
        let workflow = build_vespera();
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        steps.iter().position(|found| found["name"] == step).unwrap_or_else(|| panic!("no {step}"))
    }

    #[test]
    fn disk_is_freed_before_it_is_needed_and_results_are_kept() {
        assert!(place("detect", "Check the configuration") < place("detect", "Detect changes"));
        assert!(place("build", "Free disk space") < place("build", "Build the image"));
        assert!(place("build", "Install build tools") < place("build", "Build the image"));
        assert!(place("build", "Build the image") < place("build", "Stage the image"));
        assert!(place("publish", "Free disk space") < place("publish", "Verify and publish"));
        assert!(place("publish", "Verify and publish") < place("publish", "Keep the metadata"));
        assert!(
            place("scan", "Look for known vulnerabilities") < place("scan", "Show the findings")
        );
    }

    /// Everything that goes into an image starts a build when it is pushed.
    #[test]
    fn push_paths_are_what_the_containerfile_copies() {
        let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let read = |name: &str| std::fs::read_to_string(format!("{top}/{name}")).unwrap();
        let workflow = read(".github/workflows/build-vespera.yml");
        let listed = |path: &str| {
            let whole = format!("      - {path}\n");
            let folder = format!("      - {path}/**\n");
            workflow.contains(&whole) || workflow.contains(&folder)
        };
        let copied = read("Containerfile");
        let sources = copied
            .lines()
            .filter_map(|line| line.strip_prefix("COPY "))
            .filter(|line| !line.starts_with("--"))
            .flat_map(|line| {
                let mut words: Vec<&str> = line.split_whitespace().collect();
                words.pop();
                words
            })
            // Those members without a part in the image are copied by their manifest only.
            .filter(|path| !path.starts_with("tests/") && !path.starts_with("xtask/"));
        for path in sources {
            let top = path.replace("cosign.pu[b]", "cosign.pub");
            let top = top.split('/').next().unwrap_or_default();
            assert!(listed(top), "{path} is not among the paths of the workflow");
        }
    }
}
