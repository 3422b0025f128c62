// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of the payload by their kind: each is read by the program that will read it on a host,
//! where that is here and can only look.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use roxmltree::{Document, Node, ParsingOptions};

use super::payload::installed;
use super::{Outcome, Subject, Unable, Verdict, files_with, none_of};
use crate::customize::payload::is_executable;
use crate::tool::Outcome as Ended;

/// Units of our own that the build itself writes begin with it, too.
const OURS: &str = "vespera-";
const UNITS: &str = "usr/lib/systemd/system";
const USER_UNITS: &str = "usr/lib/systemd/user";
const UNIT_KINDS: &[&str] = &["service", "path", "socket", "timer", "target"];
const RULES: &str = "usr/lib/udev/rules.d";
const POLICIES: &str = "usr/share/dbus-1/system.d";
const ACTIONS: &str = "usr/share/polkit-1/actions";
const INTERFACES: &str = "usr/share/dbus-1/interfaces";
const ACTIVATED: &[&str] = &["usr/share/dbus-1/system-services", "usr/share/dbus-1/services"];
/// Users and groups that sysusers.d makes on the host are not there in a build.
const MADE_ON_THE_HOST: &str = "Failed to resolve";
/// What systemd-tmpfiles begins with where it only tells what it would do.
const WOULD: &str = "Would ";
/// Attributes of `allow` and `deny` in a policy of the bus, by dbus-daemon(1).
const POLICY_ATTRIBUTES: &[&str] = &[
    "send_interface",
    "send_member",
    "send_error",
    "send_broadcast",
    "send_destination",
    "send_destination_prefix",
    "send_type",
    "send_path",
    "receive_interface",
    "receive_member",
    "receive_error",
    "receive_sender",
    "receive_type",
    "receive_path",
    "send_requested_reply",
    "receive_requested_reply",
    "eavesdrop",
    "own",
    "own_prefix",
    "user",
    "group",
    "log",
    "min_fds",
    "max_fds",
];
/// Answers of polkit, by polkit(8).
const POLKIT_ANSWERS: &[&str] =
    &["no", "yes", "auth_self", "auth_admin", "auth_self_keep", "auth_admin_keep"];

pub(super) fn units(subject: &Subject<'_>) -> Outcome {
    let mut system = below(subject, UNITS)?;
    for kind in UNIT_KINDS {
        for path in files_with(&subject.at(UNITS), kind)? {
            let name = path.file_name().unwrap_or_default();
            if name.starts_with(OURS) {
                system.push(Utf8Path::new(UNITS).join(name));
            }
        }
    }
    let user = below(subject, USER_UNITS)?;
    let names = |paths: Vec<Utf8PathBuf>| -> Vec<String> {
        let mut names: Vec<String> = paths
            .iter()
            .filter(|path| path.extension().is_some_and(|kind| UNIT_KINDS.contains(&kind)))
            // A link among units is a mask or an alias.
            .filter(|path| !subject.at(path).is_symlink())
            .filter_map(|path| path.file_name().map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let (system, user) = (names(system), names(user));
    let total = system.len() + user.len();
    if total == 0 {
        return Ok(Verdict::Skipped("no units of ours".into()));
    }
    let mut wrong = Vec::new();
    let root = format!("--root={}", subject.root);
    // The manager of a user wants a folder of its own, which a build has not, and knows no root:
    // it gets full paths.
    let full = |unit: &String| subject.at(USER_UNITS).join(unit).into_string();
    let user: Vec<String> = user.iter().map(full).collect();
    let calls = [
        ("systemd-analyze", vec!["verify", "--man=no", &root], system),
        (
            "env",
            vec!["XDG_RUNTIME_DIR=/run", "systemd-analyze", "--user", "verify", "--man=no"],
            user,
        ),
    ];
    for (program, mut args, units) in calls {
        if units.is_empty() {
            continue;
        }
        args.extend(units.iter().map(String::as_str));
        let Ok(ended) = subject.tools.outcome(program, &args, "verify units") else {
            if wrong.is_empty() {
                return Ok(Verdict::Skipped("no systemd-analyze here".into()));
            }
            break;
        };
        let said = ended.output();
        let found = about(&said, &units);
        if !ended.success() && found.is_empty() {
            return Err(Unable::Other(said));
        }
        wrong.extend(found.into_iter().filter(|line| !runs_inside(subject, line)));
    }
    Ok(none_of(&wrong, &format!("{total} units"), "systemd says"))
}

/// What was said about units of ours: it also reports on units of the base that ours pull in,
/// and those are not ours to judge.
fn about(said: &str, units: &[String]) -> Vec<String> {
    let names = || units.iter().filter_map(|unit| Utf8Path::new(unit).file_name());
    let ours = |line: &&str| names().any(|name| line.contains(name));
    said.lines().filter(ours).map(|line| line.trim().to_owned()).collect()
}

/// Whether a line complains of a program that is missing outside and there inside of the root.
fn runs_inside(subject: &Subject<'_>, line: &str) -> bool {
    let program = line.split_once("Command ").and_then(|(_, rest)| rest.split_once(" is not exec"));
    program.is_some_and(|(path, _)| is_executable(&subject.at(path.trim_start_matches('/'))))
}

pub(super) fn udev(subject: &Subject<'_>) -> Outcome {
    let args = ["verify", "--resolve-names=never"];
    each(subject, RULES, "rules", "udevadm", &args, |ended| {
        (!ended.success()).then(|| ended.output())
    })
}

pub(super) fn sysusers(subject: &Subject<'_>) -> Outcome {
    // Numbers that it asks for may be free here and taken there.
    let root = format!("--root={}", subject.root);
    let args = ["--dry-run", &root];
    each(subject, "usr/lib/sysusers.d", "conf", "systemd-sysusers", &args, |ended| {
        (!ended.success()).then(|| ended.output())
    })
}

pub(super) fn tmpfiles(subject: &Subject<'_>) -> Outcome {
    let root = format!("--root={}", subject.root);
    let args = ["--dry-run", "--create", &root];
    each(subject, "usr/lib/tmpfiles.d", "conf", "systemd-tmpfiles", &args, |ended| {
        if ended.success() {
            return None;
        }
        let said = ended.output();
        tmpfiles_fault(&said)
    })
}

/// Why systemd-tmpfiles failed: whatever it says besides what it would do, unless all that it
/// complains of are users that the host will have.
fn tmpfiles_fault(said: &str) -> Option<String> {
    let lines = || said.lines().filter(|line| !line.starts_with(WOULD) && !line.is_empty());
    let faults: Vec<&str> = lines().filter(|line| !line.contains(MADE_ON_THE_HOST)).collect();
    match (faults.is_empty(), lines().next()) {
        (true, Some(_)) => None,
        (true, None) => Some("failed without a word".to_owned()),
        (false, _) => Some(faults.join("; ")),
    }
}

/// Hands each file of a kind to the program that reads it on a host.
fn each(
    subject: &Subject<'_>,
    folder: &str,
    extension: &str,
    program: &str,
    args: &[&str],
    fault: impl Fn(&Ended) -> Option<String>,
) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0_usize;
    for path in below(subject, folder)? {
        if path.extension() != Some(extension) {
            continue;
        }
        seen += 1;
        let full = subject.at(&path);
        let mut args = args.to_vec();
        args.push(full.as_str());
        match subject.tools.outcome(program, &args, "check a file of the payload") {
            // An older systemd has no way to only look.
            Ok(ended) if unknown(&ended) => {
                return Ok(Verdict::Skipped(format!("this {program} cannot only look")));
            }
            Ok(ended) => wrong.extend(fault(&ended).map(|said| format!("/{path}: {said}"))),
            Err(_) => return Ok(Verdict::Skipped(format!("no {program} here"))),
        }
    }
    if seen == 0 {
        return Ok(Verdict::Skipped(format!("no files of ours in /{folder}")));
    }
    Ok(none_of(&wrong, &format!("{seen} as {program} reads them"), "refused"))
}

fn unknown(ended: &Ended) -> bool {
    let said = ended.output();
    ["unrecognized option", "Unknown command verb", "Unknown verb"]
        .iter()
        .any(|words| said.contains(words))
}

/// Files of the payload that lie in a folder.
fn below(subject: &Subject<'_>, folder: &str) -> Result<Vec<Utf8PathBuf>, Unable> {
    if subject.unwanted().is_some() {
        return Ok(Vec::new());
    }
    let mut paths = installed(subject)?;
    paths.retain(|path| path.parent() == Some(Utf8Path::new(folder)) && subject.at(path).exists());
    Ok(paths)
}

/// What a document says that its reader does not understand.
type Look = fn(&Document<'_>) -> Vec<String>;

pub(super) fn bus_and_polkit(subject: &Subject<'_>) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0_usize;
    let xml: [(&str, &str, Look); 3] = [
        (POLICIES, "busconfig", bus_policy),
        (ACTIONS, "policyconfig", polkit_actions),
        (INTERFACES, "node", |_| Vec::new()),
    ];
    for (folder, element, look) in xml {
        for path in below(subject, folder)? {
            seen += 1;
            let faults = look_at(&subject.at(&path), element, look)?;
            wrong.extend(faults.into_iter().map(|fault| format!("/{path}: {fault}")));
        }
    }
    for folder in ACTIVATED {
        for path in below(subject, folder)? {
            seen += 1;
            let faults = activation(subject, &path)?;
            wrong.extend(faults.into_iter().map(|fault| format!("/{path}: {fault}")));
        }
    }
    if seen == 0 {
        return Ok(Verdict::Skipped("no D-Bus or polkit files of ours".into()));
    }
    Ok(none_of(&wrong, &format!("{seen} files"), "not as bus or polkit reads them"))
}

fn look_at(path: &Utf8Path, element: &str, look: Look) -> Result<Vec<String>, Unable> {
    let text = fs::read_to_string(path).map_err(|error| Unable::Read(path.to_owned(), error))?;
    // These files carry a DOCTYPE; it is allowed, and nothing is fetched for it.
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    Ok(match Document::parse_with_options(&text, options) {
        Err(error) => vec![error.to_string()],
        Ok(document) => {
            let found = document.root_element().tag_name().name();
            if found == element {
                look(&document)
            } else {
                vec![format!("begins with <{found}>, not <{element}>")]
            }
        }
    })
}

/// The bus refuses a whole file for one attribute that it does not know, and starts without it.
fn bus_policy(document: &Document<'_>) -> Vec<String> {
    let rules = document
        .descendants()
        .filter(|node| node.has_tag_name("allow") || node.has_tag_name("deny"));
    let mut wrong = Vec::new();
    for rule in rules {
        let name = rule.tag_name().name();
        if !rule.parent().is_some_and(|parent| parent.has_tag_name("policy")) {
            wrong.push(format!("<{name}> outside of <policy>"));
        }
        if rule.attributes().len() == 0 {
            wrong.push(format!("<{name}> without an attribute"));
        }
        let unknown = rule.attributes().filter(|a| !POLICY_ATTRIBUTES.contains(&a.name()));
        wrong.extend(unknown.map(|a| format!("<{name}> does not know `{}`", a.name())));
    }
    wrong
}

/// polkit takes an unknown answer for `no`, and says so in a log only.
fn polkit_actions(document: &Document<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for action in document.descendants().filter(|node| node.has_tag_name("action")) {
        let id = action.attribute("id").unwrap_or_default();
        if id.is_empty() {
            wrong.push("an action without an id".to_owned());
        }
        let defaults = action.children().find(|node| node.has_tag_name("defaults"));
        let answers: Vec<Node<'_, '_>> = defaults
            .into_iter()
            .flat_map(|defaults| defaults.children().filter(Node::is_element))
            .collect();
        if answers.is_empty() {
            wrong.push(format!("action {id} has no defaults"));
        }
        let unknown = answers
            .iter()
            .filter_map(Node::text)
            .filter(|answer| !POLKIT_ANSWERS.contains(&answer.trim()));
        wrong.extend(unknown.map(|answer| format!("action {id}: polkit has no answer `{answer}`")));
    }
    wrong
}

/// A service that the bus starts: by a unit that is there, or by a program.
fn activation(subject: &Subject<'_>, path: &Utf8Path) -> Result<Vec<String>, Unable> {
    let text = subject.read(path)?;
    let value = |key: &str| {
        text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::trim)
    };
    let mut wrong = Vec::new();
    if !text.lines().any(|line| line.trim() == "[D-BUS Service]") {
        wrong.push("no group [D-BUS Service]".to_owned());
    }
    if value("Name") != path.file_stem() {
        wrong.push("its name is not that of the file".to_owned());
    }
    match (value("SystemdService"), value("Exec")) {
        (Some(unit), _) => {
            // The unit, or an alias of it.
            let there = [UNITS, "etc/systemd/system", USER_UNITS]
                .iter()
                .any(|folder| subject.at(folder).join(unit).symlink_metadata().is_ok());
            if !there {
                wrong.push(format!("the unit {unit} is missing"));
            }
        }
        (None, Some(_)) => {}
        (None, None) => wrong.push("neither a unit nor a program to start".to_owned()),
    }
    Ok(wrong)
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
