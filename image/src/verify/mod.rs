// SPDX-License-Identifier: MIT OR Apache-2.0
//! Is a root what the configuration says, and will it boot and work?
//!
//! A check has a stable name, a severity and two layers of result, as bootc's lints have: the
//! outer one says whether it could be run at all, the inner one what it found. A check that could
//! not run is unknown, never fine, and an image with an unknown check is not published.

mod identity;
mod image;
mod keys;
mod kinds;
mod lints;
mod module;
mod packages;
mod payload;
mod summary;

use std::collections::BTreeMap;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::config::Config;
use crate::opened::Opened;
use crate::plan::Facts;
use crate::plan::label::OSTREE_LINUX;
use crate::tool::{self, Tools};

/// Version of the form of the JSON.
const FORMAT: u32 = 1;
/// How many things a finding lists before it only counts the rest.
const LISTED: usize = 5;

/// What is verified.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The root folder.
    pub root: &'a Utf8Path,
    /// What it should be.
    pub config: &'a Config,
    /// Value of the image's label `ostree.linux`; `None` for a root that has no labels.
    pub label: Option<&'a str>,
    /// What an image has besides its files; `None` for a root folder.
    pub image: Option<&'a Packed<'a>>,
    /// Other programs.
    pub tools: &'a dyn Tools,
}

/// What an image has besides its files.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// What is known of the run that built it; what is not known is not compared.
    pub facts: &'a Facts,
    /// Its configuration as text: environment, and every step of its history.
    pub config: &'a str,
    /// The folders of its layers, the topmost first; none where they cannot be told apart.
    pub layers: &'a [Utf8PathBuf],
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Failed,
    /// The check could not be run.
    Unknown,
    /// There was nothing to check; the detail says why.
    Skipped,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// The image must not be published.
    Error,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name: area and what is looked at.
    pub code: &'static str,
    /// How it ended.
    pub status: Status,
    /// What a failure of it means.
    pub severity: Severity,
    /// What is looked at, for a person.
    pub title: &'static str,
    /// What was found.
    pub detail: String,
}

/// All results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of the form.
    pub format: u32,
    /// What was verified.
    pub root: Utf8PathBuf,
    /// Whether the image may be published.
    pub passed: bool,
    /// Every check, sorted by name.
    pub findings: Vec<Finding>,
}

/// What a check found.
pub(crate) enum Verdict {
    Fine(String),
    Wrong(String),
    Skipped(String),
}

/// Why a check could not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unable {
    #[error("cannot read {0}: {1}")]
    Read(Utf8PathBuf, #[source] io::Error),
    #[error(transparent)]
    Tool(#[from] tool::Error),
    #[error("{0}")]
    Other(String),
}

pub(crate) type Outcome = Result<Verdict, Unable>;

/// One check.
pub(crate) struct Check {
    code: &'static str,
    title: &'static str,
    severity: Severity,
    run: fn(&Subject<'_>) -> Outcome,
}

const fn error(code: &'static str, title: &'static str, run: fn(&Subject<'_>) -> Outcome) -> Check {
    Check { code, title, severity: Severity::Error, run }
}

const fn warning(
    code: &'static str,
    title: &'static str,
    run: fn(&Subject<'_>) -> Outcome,
) -> Check {
    Check { code, title, severity: Severity::Warning, run }
}

/// Every check, sorted by name.
const CHECKS: &[Check] = &[
    warning("boot-empty", "nothing in /boot", lints::boot_empty),
    error("bootc-lint", "bootc's own lints", lints::bootc),
    error("cli-runs", "programs start", payload::runs),
    error("dbus-files", "D-Bus and polkit files valid", kinds::bus_and_polkit),
    error("files-utf8", "file names are UTF-8", lints::utf8),
    error("files-world-writable", "no file that everyone may write", lints::world_writable),
    error("flatpak-lists", "Flatpaks as configured", packages::flatpaks),
    error("graphics-variant", "the graphics driver of the variant", identity::graphics),
    error("identity-image-json", "image.json tells what this image is", identity::image_json),
    error("identity-os-release", "os-release names this image", identity::os_release),
    error("kernel-arguments", "kernel arguments as bootc reads them", lints::kernel_arguments),
    error("kernel-label", "label and tree name the same kernel", module::kernel_label),
    error("kernel-single", "exactly one kernel", module::kernel_single),
    error("labels-image", "labels of this image, not of its base", image::labels),
    error("layout-api-folders", "the folders that a system mounts on", lints::api_folders),
    error("layout-ostree", "/sysroot, and /ostree as a link into it", lints::ostree),
    error("layout-usr-etc", "no /usr/etc beside /etc", lints::usr_etc),
    error("layout-var-run", "/var/run is a link", lints::var_run),
    error("module-compression", "module compressed as the kernel reads it", module::compression),
    error("module-index", "modprobe finds the module", module::index),
    error("module-present", "module of this kernel in its place", module::present),
    error("module-signature", "module signed where the configuration asks", module::signature),
    error("module-symbols", "the kernel exports what the module uses", module::symbols),
    error("module-vermagic", "module built for this kernel", module::vermagic),
    error("payload-present", "every installed file is there with its mode", payload::present),
    error("programs-executable", "programs in place and executable", payload::programs),
    error("repositories-off", "no foreign package repository left on", packages::repositories),
    error("rpm-added", "configured RPMs are there", packages::added),
    error("rpm-removed", "unwanted RPMs are gone", packages::removed),
    error("secrets-absent", "no private key left behind", lints::secrets),
    error("secrets-layers", "no private key in any layer", image::secrets),
    error("signature-policy", "hosts enforce the signature", identity::policy),
    error("sysusers-group", "group maccel comes from sysusers.d", payload::group),
    error("sysusers-valid", "sysusers.d as systemd reads it", kinds::sysusers),
    error("tmpfiles-run", "/run/vespera comes from tmpfiles.d", payload::tmpfiles),
    error("tmpfiles-valid", "tmpfiles.d as systemd reads it", kinds::tmpfiles),
    error("udev-rules", "udev rules as udev reads them", kinds::udev),
    error("units-enabled", "units enabled as the presets say", payload::units_enabled),
    error("units-valid", "units pass systemd's own verifier", kinds::units),
    warning("var-log-empty", "no logs of the build", lints::var_log),
];

/// Runs every check on an opened image.
pub fn image(opened: &Opened<'_>, config: &Config, facts: &Facts, tools: &dyn Tools) -> Report {
    let packed =
        Packed { labels: &opened.labels, facts, config: &opened.config, layers: &opened.layers };
    let label = opened.labels.get(OSTREE_LINUX).map_or("", String::as_str);
    let (root, label, image) = (opened.root.as_path(), Some(label), Some(&packed));
    verify(&Subject { root, config, label, image, tools })
}

/// Runs every check on a root.
pub fn verify(subject: &Subject<'_>) -> Report {
    let findings: Vec<Finding> = CHECKS
        .iter()
        .map(|check| {
            let (status, detail) = match (check.run)(subject) {
                Ok(Verdict::Fine(detail)) => (Status::Ok, detail),
                Ok(Verdict::Wrong(detail)) => (Status::Failed, detail),
                Ok(Verdict::Skipped(detail)) => (Status::Skipped, detail),
                Err(unable) => (Status::Unknown, format!("could not be checked: {unable}")),
            };
            let (code, title, severity) = (check.code, check.title, check.severity);
            Finding { code, status, severity, title, detail }
        })
        .collect();
    let passed = !findings.iter().any(Finding::is_fault);
    Report { format: FORMAT, root: subject.root.to_owned(), passed, findings }
}

impl Finding {
    /// Whether it keeps the image from being published.
    pub fn is_fault(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Unknown) && self.severity == Severity::Error
    }
}

impl Subject<'_> {
    fn at(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.root.join(path)
    }

    fn read(&self, path: impl AsRef<Utf8Path>) -> Result<String, Unable> {
        let path = self.at(path);
        fs::read_to_string(&path).map_err(|error| Unable::Read(path, error))
    }

    /// The verdict of every check of the driver where the configuration does not want one.
    fn unwanted(&self) -> Option<Verdict> {
        (!self.config.maccel.enabled)
            .then(|| Verdict::Skipped("maccel.enabled is false".to_owned()))
    }
}

/// A fault that lists things, or the absence of it.
fn none_of(found: &[String], fine: &str, wrong: &str) -> Verdict {
    if found.is_empty() {
        return Verdict::Fine(fine.to_owned());
    }
    Verdict::Wrong(format!("{wrong}: {}", listed(found)))
}

/// The first few, and how many more there are.
fn listed(found: &[String]) -> String {
    let mut text = found.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if found.len() > LISTED {
        text.push_str(&format!(" and {} more", found.len() - LISTED));
    }
    text
}

/// Files of a folder with an extension, sorted; none if there is no such folder.
fn files_with(folder: &Utf8Path, extension: &str) -> Result<Vec<Utf8PathBuf>, Unable> {
    let unable = |error| Unable::Read(folder.to_owned(), error);
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in folder.read_dir_utf8().map_err(unable)? {
        let path = entry.map_err(unable)?.into_path();
        if path.extension() == Some(extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
