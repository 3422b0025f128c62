// SPDX-License-Identifier: MIT OR Apache-2.0
//! RPMs, Flatpaks and repositories.

use camino::Utf8PathBuf;

use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::customize::{flatpak, packages};

/// Repositories of Fedora itself, which a base may leave on.
const OWN_REPOSITORIES: &[&str] =
    &["fedora", "updates", "updates-archive", "fedora-cisco-openh264"];

pub(super) fn added(subject: &Subject<'_>) -> Outcome {
    let wanted = &subject.config.packages.add_rpm;
    if wanted.is_empty() {
        return Ok(Verdict::Skipped("none configured".into()));
    }
    let mut missing = Vec::new();
    for package in wanted {
        // What belongs to a group is its repository's to know.
        if !package.starts_with('@') && !installed(subject, package)? {
            missing.push(package.clone());
        }
    }
    Ok(none_of(&missing, &super::listed(wanted), "missing"))
}

pub(super) fn removed(subject: &Subject<'_>) -> Outcome {
    let unwanted = &subject.config.packages.remove_rpm;
    if unwanted.is_empty() {
        return Ok(Verdict::Skipped("none configured".into()));
    }
    let mut present = Vec::new();
    for package in unwanted {
        if installed(subject, package)? {
            present.push(package.clone());
        }
    }
    Ok(none_of(&present, &super::listed(unwanted), "still there"))
}

fn installed(subject: &Subject<'_>, package: &str) -> Result<bool, Unable> {
    let purpose = "ask for installed packages";
    let outcome = if subject.root == "/" {
        subject.tools.outcome("rpm", &["-q", package], purpose)?
    } else {
        // The image's own rpm: that of this machine may keep its database elsewhere, or in
        // another form.
        let args = [subject.root.as_str(), "/usr/bin/rpm", "-q", package];
        subject.tools.outcome("chroot", &args, purpose)?
    };
    if outcome.success() {
        return Ok(true);
    }
    if outcome.output().contains("is not installed") {
        return Ok(false);
    }
    // A database that cannot be opened must not pass for a package that is gone.
    Err(Unable::Other(format!("rpm gave no answer about {package}: {}", outcome.output())))
}

pub(super) fn flatpaks(subject: &Subject<'_>) -> Outcome {
    let wanted = &subject.config.packages;
    let path = subject.at(flatpak::PATH);
    if wanted.add_flatpak.is_empty() && wanted.remove_flatpak.is_empty() {
        let left: Vec<String> = [path, subject.at(flatpak::REMOVAL)]
            .into_iter()
            .filter(|path| path.exists())
            .map(Utf8PathBuf::into_string)
            .collect();
        return Ok(if left.is_empty() {
            Verdict::Skipped("none configured".into())
        } else {
            Verdict::Wrong(format!("there, but no Flatpaks are configured: {}", left.join(", ")))
        });
    }
    if !path.exists() {
        return Ok(Verdict::Wrong(format!("{path} is missing")));
    }
    let mut wrong = Vec::new();
    if subject.read(flatpak::PATH)? != flatpak::preinstall(wanted) {
        wrong.push(path.to_string());
    }
    // What takes unwanted ones from hosts that have them is a program with root's rights.
    let (unit, link) = (subject.at(flatpak::REMOVAL), subject.at(flatpak::REMOVAL_LINK));
    if wanted.remove_flatpak.is_empty() {
        wrong.extend([unit, link].into_iter().filter(|path| path.exists()).map(String::from));
    } else {
        if !unit.exists() || subject.read(flatpak::REMOVAL)? != flatpak::removal(wanted) {
            wrong.push(unit.to_string());
        }
        if !link.is_symlink() {
            wrong.push(format!("{link}, without which nothing starts it"));
        }
    }
    let count = wanted.add_flatpak.len() + wanted.remove_flatpak.len();
    Ok(none_of(&wrong, &format!("{count} entries in {path}"), "not what the configuration says"))
}

pub(super) fn repositories(subject: &Subject<'_>) -> Outcome {
    let enabled =
        packages::enabled(subject.root).map_err(|error| Unable::Other(error.to_string()))?;
    let foreign: Vec<String> =
        enabled.into_iter().filter(|id| !OWN_REPOSITORIES.contains(&id.as_str())).collect();
    Ok(none_of(&foreign, "only Fedora's own are on, if any", "left on"))
}
