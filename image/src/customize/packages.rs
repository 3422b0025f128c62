// SPDX-License-Identifier: MIT OR Apache-2.0
//! RPMs: removed and installed as configured, without touching the kernel and without leaving a
//! repository on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, Report, file_error, files, flatpak};
use crate::config::Packages;
use crate::kernel;
use crate::tool::Tools;

/// Packages that a transaction must not bring in, as dependency or otherwise.
const KERNELS: &str = "kernel,kernel-core,kernel-modules*,kernel-uki-virt*,kernel-debug*,\
kernel-rt*,kernel-longterm*,kernel-64k*";
/// Where dnf5 looks for repositories, by dnf5.conf(5).
const REPOSITORIES: &[&str] = &["etc/yum.repos.d", "etc/distro.repos.d", "usr/share/dnf5/repos.d"];
/// Where it then looks for what was said of them later. A file below `/etc` replaces one of the
/// same name, and of all files the last one by its name counts.
const OVERRIDES: &[&str] = &["usr/share/dnf5/repos.override.d", "etc/dnf/repos.override.d"];

/// Brings the packages of a root to what the configuration says.
///
/// # Errors
///
/// When a package cannot be removed or installed (it is named), or the kernel is another one
/// afterwards.
pub fn apply(
    root: &Utf8Path,
    wanted: &Packages,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let before = kernel::release(root)?;
    let rpm = Rpm { root, tools };
    remove(&rpm, &wanted.remove_rpm, report)?;
    let repositories = enabled(root)?;
    install(&rpm, wanted, report)?;
    // A package may bring a repository of its own. What is left on in an image would feed hosts
    // with packages that nobody configured.
    let brought: BTreeSet<String> = enabled(root)?.difference(&repositories).cloned().collect();
    turn_off(root, &brought, report)?;
    if let Some(id) = enabled(root)?.intersection(&brought).next() {
        return Err(Error::Refused(format!(
            "a package brought the repository {id} and keeps it on by a pattern in one of /{}; \
             leave that package out",
            OVERRIDES.join(", /")
        )));
    }
    let after = kernel::release(root)?;
    if before != after {
        return Err(Error::Refused(format!(
            "the packages changed the kernel from {before} to {after}; take out what depends on \
             a kernel package"
        )));
    }
    flatpak::write(root, wanted, report)
}

/// The package tools, aimed at one root.
struct Rpm<'a> {
    root: &'a Utf8Path,
    tools: &'a dyn Tools,
}

impl Rpm<'_> {
    fn is_system(&self) -> bool {
        self.root == "/"
    }

    fn rpm(&self, args: &[&str]) -> Vec<String> {
        let mut all = Vec::new();
        if !self.is_system() {
            all.extend(["--root".to_owned(), self.root.to_string()]);
        }
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        all
    }

    fn is_installed(&self, package: &str) -> Result<bool, Error> {
        // A group is not a package; dnf knows what is missing of it.
        if package.starts_with('@') {
            return Ok(false);
        }
        let args = self.rpm(&["-q", package]);
        Ok(self.tools.outcome("rpm", &strs(&args), "ask for installed packages")?.success())
    }

    fn dnf(&self, options: &[String], command: &[&str], packages: &[String]) -> Vec<String> {
        let mut all = vec!["-y".to_owned()];
        if !self.is_system() {
            all.push(format!("--installroot={}", self.root));
        }
        all.extend_from_slice(options);
        all.extend(command.iter().map(|&arg| arg.to_owned()));
        all.extend_from_slice(packages);
        all
    }
}

fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn remove(rpm: &Rpm<'_>, packages: &[String], report: &mut dyn Report) -> Result<(), Error> {
    let mut present = Vec::new();
    for package in packages {
        if rpm.is_installed(package)? {
            present.push(package.clone());
        } else {
            report.line(&format!("rpm {package}: already absent"));
        }
    }
    if present.is_empty() {
        return Ok(());
    }
    // dnf takes along whatever needs a removed package, down to the desktop; rpm says no.
    let mut test = vec!["-e", "--test"];
    test.extend(present.iter().map(String::as_str));
    let outcome =
        rpm.tools.outcome("rpm", &strs(&rpm.rpm(&test)), "look for dependent packages")?;
    if !outcome.success() {
        return Err(Error::Refused(format!(
            "cannot remove {}: other packages need it; list those in `remove_rpm` too, or keep \
             it:\n{}",
            blame(&present, &outcome.output()),
            outcome.output()
        )));
    }
    let args = rpm.dnf(&[], &["remove", "--no-autoremove"], &present);
    let outcome = rpm.tools.outcome("dnf5", &strs(&args), "remove packages")?;
    if !outcome.success() {
        return Err(Error::Refused(format!(
            "cannot remove {}:\n{}",
            blame(&present, &outcome.output()),
            outcome.output()
        )));
    }
    for package in &present {
        if rpm.is_installed(package)? {
            return Err(Error::Refused(format!("rpm {package} is still there after its removal")));
        }
        report.line(&format!("rpm {package}: removed"));
    }
    Ok(())
}

fn install(rpm: &Rpm<'_>, wanted: &Packages, report: &mut dyn Report) -> Result<(), Error> {
    let mut missing = Vec::new();
    for package in &wanted.add_rpm {
        if rpm.is_installed(package)? {
            report.line(&format!("rpm {package}: already installed"));
        } else {
            missing.push(package.clone());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut options = vec![format!("--exclude={KERNELS}")];
    options.extend(wanted.repositories.iter().map(|id| format!("--enable-repo={id}")));
    let args = rpm.dnf(&options, &["install"], &missing);
    let outcome = rpm.tools.outcome("dnf5", &strs(&args), "install packages")?;
    if !outcome.success() {
        return Err(Error::Refused(format!(
            "cannot install {}; look for a typing error, or for the package's name in this Fedora \
             release with `dnf search`:\n{}",
            blame(&missing, &outcome.output()),
            outcome.output()
        )));
    }
    for package in &missing {
        if !package.starts_with('@') && !rpm.is_installed(package)? {
            return Err(Error::Refused(format!(
                "dnf5 succeeded, but rpm does not know {package}; write the package's own name, \
                 not that of a file or a feature it provides"
            )));
        }
        report.line(&format!("rpm {package}: installed"));
    }
    Ok(())
}

/// The packages that a failure names, or all that were asked for if it names none.
fn blame(asked: &[String], output: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    let named: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        .filter(|package| {
            output.match_indices(package).any(|(at, _)| {
                let before = output[..at].chars().next_back();
                let after = output[at + package.len()..].chars().next();
                // `vim-9.1` is vim, `vim-enhanced` is not.
                !before.is_some_and(is_word)
                    && match after {
                        Some('-') => output[at + package.len() + 1..]
                            .starts_with(|c: char| c.is_ascii_digit()),
                        other => !other.is_some_and(is_word),
                    }
            })
        })
        .collect();
    if named.is_empty() { asked.join(", ") } else { named.join(", ") }
}

/// Identifiers of the repositories that are on.
///
/// # Errors
///
/// When a file of repositories cannot be read.
pub fn enabled(root: &Utf8Path) -> Result<BTreeSet<String>, Error> {
    let mut states: BTreeMap<String, bool> = BTreeMap::new();
    for (_, text) in repository_files(root)? {
        let own = repositories(&text).into_iter();
        states.extend(own.map(|(id, on)| (id, on.unwrap_or(true))));
    }
    for (_, text) in override_files(root)? {
        for (pattern, on) in repositories(&text) {
            let Some(on) = on else { continue };
            for (_, state) in states.iter_mut().filter(|(id, _)| matches(&pattern, id)) {
                *state = on;
            }
        }
    }
    Ok(states.into_iter().filter_map(|(id, on)| on.then_some(id)).collect())
}

fn repository_files(root: &Utf8Path) -> Result<Vec<(Utf8PathBuf, String)>, Error> {
    let mut read = Vec::new();
    for folder in REPOSITORIES {
        read.extend(read_files(&root.join(folder))?);
    }
    Ok(read)
}

fn override_files(root: &Utf8Path) -> Result<Vec<(Utf8PathBuf, String)>, Error> {
    let mut by_name = BTreeMap::new();
    for folder in OVERRIDES {
        for (path, text) in read_files(&root.join(folder))? {
            by_name.insert(path.file_name().map(str::to_owned), (path, text));
        }
    }
    Ok(by_name.into_values().collect())
}

/// The files of a folder that dnf reads, by their names.
fn read_files(folder: &Utf8Path) -> Result<Vec<(Utf8PathBuf, String)>, Error> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut read = Vec::new();
    for name in files::list(folder)? {
        if name.extension() == Some("repo") {
            let path = folder.join(name);
            let text = fs::read_to_string(&path).map_err(file_error("read", &path))?;
            read.push((path, text));
        }
    }
    Ok(read)
}

/// Whether a pattern with `*` and `?` is about an identifier, as in an override.
fn matches(pattern: &str, id: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => id.is_empty(),
        Some('*') => (0..=id.len())
            .filter(|&at| id.is_char_boundary(at))
            .any(|at| matches(rest.as_str(), &id[at..])),
        Some(wanted) => {
            let mut left = id.chars();
            left.next().is_some_and(|found| wanted == '?' || wanted == found)
                && matches(rest.as_str(), left.as_str())
        }
    }
}

/// The repositories of one file, and whether it says that each is on; without a word about it, dnf
/// takes it as on, and an override leaves it as it is.
fn repositories(text: &str) -> Vec<(String, Option<bool>)> {
    let mut found: Vec<(String, Option<bool>)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(id) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            found.push((id.to_owned(), None));
        } else if let (Some(last), Some(on)) = (found.last_mut(), enabled_value(line)) {
            last.1 = Some(on);
        }
    }
    found
}

fn enabled_value(line: &str) -> Option<bool> {
    let (key, value) = line.split_once('=')?;
    (key.trim() == "enabled")
        .then(|| matches!(value.trim().to_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}

fn turn_off(root: &Utf8Path, ids: &BTreeSet<String>, report: &mut dyn Report) -> Result<(), Error> {
    // An override that turns it on says the last word.
    for (path, text) in repository_files(root)?.into_iter().chain(override_files(root)?) {
        let changed = with_turned_off(&text, ids);
        if changed != text {
            files::write(&path, changed.as_bytes(), files::PLAIN)?;
        }
    }
    for id in ids {
        report.line(&format!("repository {id}: turned off, a package had brought it"));
    }
    Ok(())
}

fn with_turned_off(text: &str, ids: &BTreeSet<String>) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(id) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = ids.contains(id);
            lines.push(line.to_owned());
            if inside {
                lines.push("enabled=0".to_owned());
            }
        } else if !(inside && enabled_value(trimmed).is_some()) {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
