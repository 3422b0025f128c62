// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs, units, rules and the files around them.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Outcome, Subject, Unable, Verdict, files_with, none_of};
use crate::customize::payload::is_executable;

/// Programs that every image with the driver has.
const PROGRAMS: &[&str] =
    &["usr/bin/maccel", "usr/bin/vesperactl", "usr/libexec/vespera/vespera-module"];
/// Those of them that tell their version without a terminal or a bus.
const STARTED: &[&str] = &["usr/bin/maccel", "usr/bin/vesperactl"];
const MODULE_UNIT: &str = "vespera-module.service";
const UNIT_FOLDER: &str = "usr/lib/systemd/system";
/// Folders with links to the units that a target wants.
const WANTS: &[&str] = &["etc/systemd/system", UNIT_FOLDER];
const GROUP: &str = "maccel";
/// XML files of ours: folder, extension, the element they must begin with.
const XML: &[(&str, &str, &str)] = &[
    ("usr/share/dbus-1/system.d", "conf", "busconfig"),
    ("usr/share/polkit-1/actions", "policy", "policyconfig"),
    ("usr/share/dbus-1/interfaces", "xml", "node"),
];
/// What the names of our own XML files begin with.
const OURS: &str = "org.vespera.";

pub(super) fn programs(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        let path = subject.at(program);
        if !path.exists() {
            wrong.push(format!("/{program} is missing"));
        } else if !is_executable(&path) {
            wrong.push(format!("/{program} is not executable by everyone"));
        }
    }
    Ok(none_of(&wrong, &format!("{} programs", PROGRAMS.len()), "not as it should be"))
}

pub(super) fn runs(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let mut wrong = Vec::new();
    let mut versions = Vec::new();
    for program in STARTED {
        let inside = format!("/{program}");
        let outcome = if subject.root == "/" {
            subject.tools.outcome(&inside, &["--version"], "see whether it starts")
        } else {
            let args = [subject.root.as_str(), inside.as_str(), "--version"];
            subject.tools.outcome("chroot", &args, "see whether a program of the image starts")
        };
        match outcome {
            Ok(outcome) if outcome.success() => versions.push(outcome.stdout.trim().to_owned()),
            Ok(outcome) => {
                wrong.push(format!("{inside} ended with {}: {}", outcome.code, outcome.output()));
            }
            // Inside the image the program itself is what is missing, not a tool.
            Err(error) if subject.root == "/" => wrong.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(none_of(&wrong, &versions.join(", "), "does not start"))
}

pub(super) fn udev(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let path = subject.at("usr/lib/udev/rules.d/99-maccel.rules");
    if !path.is_file() {
        return Ok(Verdict::Wrong(format!("{path} is missing")));
    }
    let outcome = subject.tools.outcome("udevadm", &["verify", path.as_str()], "check udev rules");
    Ok(match outcome {
        Ok(outcome) if outcome.success() => Verdict::Fine(format!("{path}, as udev reads it")),
        // udevadm learned the verb in systemd 254; an older one cannot say anything.
        Ok(outcome) if outcome.output().contains("nknown") => {
            Verdict::Fine(format!("{path} is there; this udevadm cannot verify rules"))
        }
        Ok(outcome) => Verdict::Wrong(outcome.output()),
        Err(_) => Verdict::Fine(format!("{path} is there; no udevadm here to verify it")),
    })
}

pub(super) fn group(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let is_group = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("g") && words.next() == Some(GROUP)
    };
    line_in(subject, "usr/lib/sysusers.d", is_group, "no line makes the group maccel")
}

pub(super) fn tmpfiles(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let is_folder = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|kind| kind.starts_with('d'))
            && words.next() == Some("/run/vespera")
    };
    line_in(subject, "usr/lib/tmpfiles.d", is_folder, "no line makes /run/vespera")
}

fn line_in(
    subject: &Subject<'_>,
    folder: &str,
    wanted: impl Fn(&str) -> bool,
    absent: &str,
) -> Outcome {
    for path in files_with(&subject.at(folder), "conf")? {
        let text = fs::read_to_string(&path).map_err(|error| Unable::Read(path.clone(), error))?;
        if text.lines().any(&wanted) {
            return Ok(Verdict::Fine(path.to_string()));
        }
    }
    Ok(Verdict::Wrong(format!("{absent} in /{folder}")))
}

pub(super) fn units_enabled(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    if !subject.at(UNIT_FOLDER).join(MODULE_UNIT).is_file() {
        return Ok(Verdict::Wrong(format!("/{UNIT_FOLDER}/{MODULE_UNIT} is missing")));
    }
    for folder in WANTS {
        for wants in files_with(&subject.at(folder), "wants")? {
            if wants.join(MODULE_UNIT).is_symlink() {
                return Ok(Verdict::Fine(format!("{MODULE_UNIT}, by {wants}")));
            }
        }
    }
    Ok(Verdict::Wrong(format!("{MODULE_UNIT} is there, but nothing starts it")))
}

pub(super) fn units_valid(subject: &Subject<'_>) -> Outcome {
    let units: Vec<Utf8PathBuf> = ["service", "path", "socket", "timer"]
        .iter()
        .map(|extension| files_with(&subject.at(UNIT_FOLDER), extension))
        .collect::<Result<Vec<_>, _>>()?
        .concat()
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.starts_with("vespera-")))
        .collect();
    if units.is_empty() {
        return Ok(Verdict::Skipped("no units of ours".into()));
    }
    let root = format!("--root={}", subject.root);
    let mut args = vec!["verify", "--man=no", &root];
    args.extend(units.iter().filter_map(|path| path.file_name()));
    let Ok(outcome) = subject.tools.outcome("systemd-analyze", &args, "verify units") else {
        return Ok(Verdict::Skipped("no systemd-analyze here".into()));
    };
    // It also reports on units of the base that ours pull in; those are not ours to judge.
    let wrong: Vec<String> = outcome
        .output()
        .lines()
        .filter(|line| line.contains("vespera-"))
        .map(|line| line.trim().to_owned())
        .collect();
    if outcome.success() || !wrong.is_empty() {
        return Ok(none_of(&wrong, &format!("{} units", units.len()), "systemd says"));
    }
    Err(Unable::Other(outcome.output()))
}

pub(super) fn xml_files(subject: &Subject<'_>) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0_usize;
    for (folder, extension, element) in XML {
        for path in files_with(&subject.at(folder), extension)? {
            if !path.file_name().is_some_and(|name| name.starts_with(OURS)) {
                continue;
            }
            seen += 1;
            if let Some(fault) = xml_fault(&path, element)? {
                wrong.push(fault);
            }
        }
    }
    if seen == 0 {
        return Ok(Verdict::Skipped("no D-Bus or polkit files of ours".into()));
    }
    Ok(none_of(&wrong, &format!("{seen} files"), "not well formed"))
}

fn xml_fault(path: &Utf8Path, element: &str) -> Result<Option<String>, Unable> {
    let text = fs::read_to_string(path).map_err(|error| Unable::Read(path.to_owned(), error))?;
    // Both kinds of file carry a DOCTYPE; it is allowed, and nothing is fetched for it.
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    Ok(match roxmltree::Document::parse_with_options(&text, options) {
        Err(error) => Some(format!("{path}: {error}")),
        Ok(document) => {
            let found = document.root_element().tag_name().name();
            (found != element).then(|| format!("{path}: begins with <{found}>, not <{element}>"))
        }
    })
}
