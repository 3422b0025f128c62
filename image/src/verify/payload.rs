// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs, units, rules and the files around them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Outcome, Subject, Unable, Verdict, files_with, none_of};
use crate::customize::files;
use crate::customize::identity::IMAGE_JSON;
use crate::customize::payload::{PROGRAMS, is_executable};

/// Those of them that tell their version without a terminal or a bus.
const STARTED: &[&str] = &["usr/bin/maccel", "usr/bin/vesperactl"];
/// Files that every image with the driver has, whatever it says of itself. What else belongs to
/// the payload, `image.json` lists.
const FILES: &[&str] = &[
    "usr/lib/modprobe.d/maccel.conf",
    "usr/lib/systemd/system-preset/80-vespera.preset",
    "usr/lib/systemd/system/vespera-agent.service",
    "usr/lib/systemd/system/vespera-deployments.path",
    "usr/lib/systemd/system/vespera-deployments.service",
    "usr/lib/systemd/system/vespera-module-check.path",
    "usr/lib/systemd/system/vespera-module-check.service",
    "usr/lib/systemd/system/vespera-module.service",
    "usr/lib/systemd/user-preset/80-vespera.preset",
    "usr/lib/systemd/user/vespera-notify.path",
    "usr/lib/systemd/user/vespera-notify.service",
    "usr/lib/sysusers.d/vespera.conf",
    "usr/lib/tmpfiles.d/vespera.conf",
    "usr/lib/udev/rules.d/99-maccel.rules",
    "usr/lib/vespera/maccel.toml",
    "usr/share/dbus-1/interfaces/org.vespera.Agent1.Device.xml",
    "usr/share/dbus-1/interfaces/org.vespera.Agent1.Health.xml",
    "usr/share/dbus-1/interfaces/org.vespera.Agent1.Maccel.xml",
    "usr/share/dbus-1/system-services/org.vespera.Agent1.service",
    "usr/share/dbus-1/system.d/org.vespera.Agent1.conf",
    "usr/share/polkit-1/actions/org.vespera.agent1.policy",
    "usr/share/polkit-1/rules.d/50-vespera.rules",
];
/// Units that the presets enable, with the folders of their kind: that of the administrator, where
/// enabling writes, and the image's.
const ENABLED: &[([&str; 2], &[&str])] = &[
    (
        ["etc/systemd/system", "usr/lib/systemd/system"],
        &[
            "vespera-module.service",
            "vespera-module-check.path",
            "vespera-deployments.service",
            "vespera-deployments.path",
            "vespera-agent.service",
        ],
    ),
    (
        ["etc/systemd/user", "usr/lib/systemd/user"],
        &["vespera-notify.service", "vespera-notify.path"],
    ),
];
/// Where a link makes a unit one that is never started.
const NOWHERE: &str = "/dev/null";
const GROUP: &str = "maccel";

/// What every image has, and what the payload stage wrote down, must be there, whatever kind of
/// file it is.
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
    Ok(none_of(&wrong, &format!("{} files", paths.len()), "not as installed"))
}

/// Paths of the payload: those that every image has, and those that this one tells of.
pub(super) fn installed(subject: &Subject<'_>) -> Result<Vec<Utf8PathBuf>, Unable> {
    let told: Told = serde_json::from_str(&subject.read(IMAGE_JSON)?)
        .map_err(|error| Unable::Other(format!("/{IMAGE_JSON}: {error}")))?;
    let mut paths = told.payload;
    paths.extend(FILES.iter().map(|&path| Utf8PathBuf::from(path)));
    paths.sort();
    paths.dedup();
    Ok(paths)
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
    let mut wrong = Vec::new();
    let mut total = 0;
    for (folders, units) in ENABLED {
        let mut started = BTreeSet::new();
        for folder in folders {
            for wants in files_with(&subject.at(folder), "wants")? {
                let links =
                    files::list(&wants).map_err(|error| Unable::Other(error.to_string()))?;
                started.extend(links);
            }
        }
        for unit in *units {
            total += 1;
            let masked = folders.iter().any(|folder| {
                let link = subject.at(folder).join(unit).read_link_utf8();
                link.is_ok_and(|target| target == NOWHERE)
            });
            if masked {
                wrong.push(format!("{unit} is masked"));
            } else if !started.contains(Utf8Path::new(unit)) {
                wrong.push(format!("nothing starts {unit}"));
            }
        }
    }
    Ok(none_of(&wrong, &format!("{total} units"), "not as the presets say"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(tree: &str) -> Utf8PathBuf {
        Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(tree)
    }

    /// A file that is added to the repository is one that an image must have.
    #[test]
    fn files_that_are_demanded_are_those_of_the_repository() {
        let mut paths = files::list(&shipped("packaging/rootfs")).unwrap();
        paths.extend(files::list(&shipped("image/rootfs")).unwrap());
        paths.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        assert_eq!(FILES, paths);
    }

    #[test]
    fn units_that_are_demanded_are_those_of_the_presets() {
        let presets = ["system-preset", "user-preset"].map(|kind| {
            let path = format!("packaging/rootfs/usr/lib/systemd/{kind}/80-vespera.preset");
            fs::read_to_string(shipped(&path)).unwrap()
        });
        for ((_, units), preset) in ENABLED.iter().zip(presets) {
            let enabled: Vec<&str> =
                preset.lines().filter_map(|line| line.strip_prefix("enable ")).collect();
            assert_eq!(*units, enabled);
        }
    }
}
