// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs, units, rules and the files around them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;

use super::{Outcome, Subject, Unable, Verdict, files_with, none_of};
use crate::customize::files;
use crate::customize::identity::IMAGE_JSON;
use crate::customize::payload::is_executable;

/// Programs that every image with the driver has.
const PROGRAMS: &[&str] = &[
    "usr/bin/maccel",
    "usr/bin/vesperactl",
    "usr/libexec/vespera/vespera-module",
    "usr/libexec/vespera/vespera-agent",
];
/// Those of them that tell their version without a terminal or a bus.
const STARTED: &[&str] = &["usr/bin/maccel", "usr/bin/vesperactl"];
const MODULE_UNIT: &str = "vespera-module.service";
const UNIT_FOLDER: &str = "usr/lib/systemd/system";
/// Folders with links to the units that a target wants.
const WANTS: &[&str] = &["etc/systemd/system", UNIT_FOLDER];
const GROUP: &str = "maccel";

/// What the payload stage wrote down must be there, whatever kind of file it is.
pub(super) fn present(subject: &Subject<'_>) -> Outcome {
    if let Some(verdict) = subject.unwanted() {
        return Ok(verdict);
    }
    let paths = installed(subject)?;
    let mut wrong = Vec::new();
    for path in &paths {
        match subject.at(path).symlink_metadata() {
            Err(_) => wrong.push(format!("/{path} is missing")),
            Ok(meta) if meta.is_symlink() => {}
            Ok(meta) => {
                let (mode, right) = (meta.permissions().mode() & 0o7777, files::mode_of(path));
                if mode != right {
                    wrong.push(format!("/{path} has the mode {mode:o}, not {right:o}"));
                }
            }
        }
    }
    if paths.is_empty() {
        wrong.push(format!("/{IMAGE_JSON} lists no file"));
    }
    Ok(none_of(&wrong, &format!("{} files", paths.len()), "not as installed"))
}

/// Paths of the payload, as the image itself tells them.
pub(super) fn installed(subject: &Subject<'_>) -> Result<Vec<Utf8PathBuf>, Unable> {
    let told: Told = serde_json::from_str(&subject.read(IMAGE_JSON)?)
        .map_err(|error| Unable::Other(format!("/{IMAGE_JSON}: {error}")))?;
    Ok(told.payload)
}

#[derive(serde::Deserialize)]
struct Told {
    #[serde(default)]
    payload: Vec<Utf8PathBuf>,
}

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
