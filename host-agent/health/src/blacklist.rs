// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reasons why nobody loads the module by itself: modprobe.d, the kernel command line,
//! modules_disabled.

use std::collections::BTreeMap;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use module_check::Root;

use crate::MACCEL;
use crate::catalogue::{MODULE_BLACKLISTED, MODULE_LOADING_DISABLED};
use crate::check::{Check, Severity};

/// The administrator's files.
const ADMIN: &str = "etc/modprobe.d";
/// What a deployment starts with in `/etc`.
const DEFAULT: &str = "usr/etc/modprobe.d";
/// Where modprobe reads, first wins when a file name repeats (`modprobe.d(5)`).
const FOLDERS: [&str; 5] =
    [ADMIN, "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"];

/// Command-line parameters that keep a module out: the kernel's own, and modprobe's.
const PARAMETERS: [&str; 2] = ["module_blacklist", "modprobe.blacklist"];

/// One entry that keeps the module out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A line of a modprobe.d file.
    File {
        /// The file inside the root.
        path: Utf8PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The text of the line.
        text: String,
    },
    /// A parameter of the kernel command line.
    CommandLine(String),
}

/// A file or folder that may hold an entry.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Unreadable {
    /// Where it is, inside the root.
    pub path: Utf8PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// Finds the line of a modprobe.d file that keeps `module` out.
pub fn in_file(text: &str, module: &str) -> Option<(usize, String)> {
    // A backslash joins lines; the number is that of the first.
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let (part, more) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match joined.last_mut() {
            Some((_, last)) if open => last.push_str(part),
            _ => joined.push((number + 1, part.to_owned())),
        }
        open = more;
    }
    joined
        .into_iter()
        .find(|(_, line)| {
            let mut words = line.split_whitespace();
            let command = words.next();
            let named = words.next().is_some_and(|name| same_module(name, module));
            let refuses = |word: &str| {
                matches!(word, "/bin/false" | "/usr/bin/false" | "/bin/true" | "/usr/bin/true")
            };
            match command {
                Some("blacklist") => named,
                Some("install") => named && words.next().is_some_and(refuses),
                _ => false,
            }
        })
        .map(|(number, line)| (number, line.trim().to_owned()))
}

/// Finds the parameter of a kernel command line that keeps `module` out.
pub fn in_command_line(text: &str, module: &str) -> Option<String> {
    text.split_whitespace()
        .find(|word| {
            word.split_once('=').is_some_and(|(name, value)| {
                PARAMETERS.contains(&name)
                    && value.split(',').any(|entry| same_module(entry, module))
            })
        })
        .map(str::to_owned)
}

fn same_module(a: &str, b: &str) -> bool {
    a.replace('-', "_") == b.replace('-', "_")
}

/// The first entry that keeps the module out, or what could not be read where there is none.
pub fn find(root: &Root) -> Result<Option<Entry>, Unreadable> {
    let line = root.line("proc/cmdline").unwrap_or_default();
    find_in(&line, &FOLDERS.map(|folder| (root, folder)), |_| false)
}

/// Looks through what is not passed over.
fn find_in(
    command_line: &str,
    folders: &[(&Root, &str)],
    pass_over: impl Fn(&Utf8Path) -> bool,
) -> Result<Option<Entry>, Unreadable> {
    if let Some(parameter) = in_command_line(command_line, MACCEL) {
        return Ok(Some(Entry::CommandLine(parameter)));
    }
    let mut unread = None;
    let mut note = |path: Utf8PathBuf, source: io::Error| {
        if source.kind() != io::ErrorKind::NotFound {
            unread.get_or_insert(Unreadable { path, source });
        }
    };
    // A file masks its namesakes in the folders after it.
    let mut files = BTreeMap::new();
    for (root, folder) in folders {
        let folder = root.at(folder);
        match std::fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => {
                for entry in entries {
                    // A name of other bytes is a file like any other to modprobe.
                    let name = entry.file_name();
                    let path = folder.join(name.to_string_lossy().as_ref());
                    if name.as_encoded_bytes().ends_with(b".conf") && !pass_over(&path) {
                        files.entry(name).or_insert_with(|| (*root, path, entry.path()));
                    }
                }
            }
            Err(error) => note(root.inside(&folder), error),
        }
    }
    for (root, path, place) in files.into_values() {
        match std::fs::read(place) {
            // modprobe goes by bytes; a comment in an old encoding hides nothing from it.
            Ok(bytes) => {
                if let Some((line, text)) = in_file(&String::from_utf8_lossy(&bytes), MACCEL) {
                    return Ok(Some(Entry::File { path: root.inside(&path), line, text }));
                }
            }
            Err(error) => note(root.inside(&path), error),
        }
    }
    unread.map_or(Ok(None), Err)
}

/// Whether something will keep the module out of a deployment that does not run yet. A staged one
/// gets its `/etc` at shutdown: what the administrator has changed by then, over its own.
pub fn of_deployment(machine: &Root, system: &Root, command_line: &str) -> Check {
    let staged = !system.exists("etc");
    let mut folders = match staged {
        true => vec![(machine, ADMIN), (system, DEFAULT)],
        false => vec![(system, ADMIN)],
    };
    let lasting = FOLDERS.iter().filter(|folder| folder.starts_with("usr"));
    folders.extend(lasting.map(|folder| (system, *folder)));
    let entry = find_in(command_line, &folders, |path| staged && is_default(machine, path));
    let in_own_etc = !staged && matches!(&entry, Ok(Some(Entry::File { .. })));
    let check = blacklisted(machine, system, entry);
    // No command of the running system reaches that.
    if in_own_etc { Check { remedy: None, ..check } } else { check }
}

/// Whether a file in `/etc` is as its image has it. Such a file does not come along: the next
/// deployment has its own, or none.
fn is_default(machine: &Root, path: &Utf8Path) -> bool {
    let inside = machine.inside(path);
    let default = machine.at("usr").join(inside.strip_prefix("/").unwrap_or(&inside));
    match (std::fs::read(path), std::fs::read(default)) {
        (Ok(own), Ok(default)) => own == default,
        _ => false,
    }
}

fn blacklisted(machine: &Root, root: &Root, found: Result<Option<Entry>, Unreadable>) -> Check {
    let kind = &MODULE_BLACKLISTED;
    match found {
        // Whoever made it may have meant to keep the module out, or not: nothing is known.
        Err(unreadable) => Check::unknown(kind, root, unreadable.to_string()),
        Ok(None) => Check::ok(kind, root, ""),
        Ok(Some(Entry::File { path, line, text })) => {
            Check::failed(kind, root, format!("{path}:{line}: {text}")).remedy(unlist(&path, line))
        }
        Ok(Some(Entry::CommandLine(parameter))) => {
            Check::failed(kind, root, format!("kernel command line: {parameter}"))
                .remedy(remove_argument(machine, &parameter))
        }
    }
}

/// Whether something keeps the module out; while it is loaded that is only a remark.
pub fn checks(root: &Root, loaded: bool) -> Vec<Check> {
    let soften = |check: Check| if loaded { check.severity(Severity::Info) } else { check };
    let blacklisted = soften(blacklisted(root, root, find(root)));
    let disabled = match root.line("proc/sys/kernel/modules_disabled").as_deref() {
        Some("0") => Check::ok(&MODULE_LOADING_DISABLED, root, ""),
        Some("1") => soften(Check::failed(
            &MODULE_LOADING_DISABLED,
            root,
            "kernel.modules_disabled is 1 until the next boot",
        )),
        _ => Check::unknown(
            &MODULE_LOADING_DISABLED,
            root,
            "/proc/sys/kernel/modules_disabled is unreadable",
        ),
    };
    vec![blacklisted, disabled]
}

fn unlist(path: &Utf8PathBuf, line: usize) -> String {
    if path.starts_with("/etc") {
        format!("sudo sed -i '{line}s/^/#/' {path}")
    } else {
        // /usr is not the admin's; a file of the same name in /etc masks it.
        let name = path.file_name().unwrap_or_default();
        format!("sudo ln -s /dev/null /etc/modprobe.d/{name}")
    }
}

/// The command that takes the module out of a parameter and leaves what else the parameter names.
fn remove_argument(root: &Root, parameter: &str) -> String {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let others: Vec<&str> = value.split(',').filter(|one| !same_module(one, MACCEL)).collect();
    let rest = (!others.is_empty()).then(|| format!("{name}={}", others.join(",")));
    if root.exists("run/ostree-booted") {
        match rest {
            // `--replace=KEY=OLD=NEW` (rpm-ostree(1)).
            Some(_) => {
                format!("sudo rpm-ostree kargs --replace={parameter}={}", others.join(","))
            }
            None => format!("sudo rpm-ostree kargs --delete={parameter}"),
        }
    } else if root.exists("usr/sbin/grubby") || root.exists("usr/bin/grubby") {
        let add = rest.map_or_else(String::new, |rest| format!(" --args={rest}"));
        format!("sudo grubby --update-kernel=ALL --remove-args={parameter}{add}")
    } else {
        match rest {
            Some(rest) => {
                format!("replace {parameter} in the boot loader's kernel command line with {rest}")
            }
            None => format!("remove {parameter} from the boot loader's kernel command line"),
        }
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::check::Status;

    #[test]
    fn only_lines_that_keep_this_module_out_count() {
        for (text, line) in [
            ("# x\nblacklist maccel\n", Some(2)),
            ("  blacklist  maccel  # why\n", Some(1)),
            ("install maccel /bin/false\n", Some(1)),
            ("a b\nblacklist \\\n  maccel\n", Some(2)),
            ("install maccel /usr/bin/setup\n", None),
            ("#blacklist maccel\n", None),
            ("blacklist maccelerate\n", None),
            ("options maccel MODE=0\n", None),
        ] {
            assert_eq!(in_file(text, "maccel").map(|found| found.0), line, "{text:?}");
        }
    }

    #[test]
    fn both_spellings_of_the_command_line_are_known() {
        for (text, found) in [
            ("quiet module_blacklist=foo,maccel rw", Some("module_blacklist=foo,maccel")),
            ("modprobe.blacklist=maccel", Some("modprobe.blacklist=maccel")),
            ("rd.driver.blacklist=maccel", None),
            ("maccel module_blacklist=foo", None),
        ] {
            assert_eq!(in_command_line(text, "maccel").as_deref(), found, "{text}");
        }
    }

    #[test]
    fn a_file_in_etc_masks_the_images_own() {
        let fixture = FixtureRoot::new();
        fixture.file("usr/lib/modprobe.d/x.conf", b"blacklist maccel\n");
        let found = |fixture: &FixtureRoot| {
            let check = checks(fixture.root(), false).remove(0);
            (check.status, check.remedy)
        };
        let mask = Some("sudo ln -s /dev/null /etc/modprobe.d/x.conf".to_owned());
        assert_eq!(found(&fixture), (Status::Failed, mask));
        fixture.file("etc/modprobe.d/x.conf", b"# nothing\n");
        assert_eq!(found(&fixture), (Status::Ok, None));
        fixture.file("etc/modprobe.d/y.conf", b"\nblacklist maccel\n");
        let comment = Some("sudo sed -i '2s/^/#/' /etc/modprobe.d/y.conf".to_owned());
        assert_eq!(found(&fixture), (Status::Failed, comment));
    }

    /// `# für` in Latin-1 made the file invisible, and the module was loaded against it.
    #[test]
    fn a_comment_in_another_encoding_hides_no_entry() {
        let (fixture, staged) = (FixtureRoot::new(), FixtureRoot::new());
        fixture.file("etc/modprobe.d/own.conf", b"# f\xfcr\nblacklist maccel\n");
        let own = (Status::Failed, "/etc/modprobe.d/own.conf:2: blacklist maccel".to_owned());
        let found = |check: Check| (check.status, check.detail);
        assert_eq!(found(checks(fixture.root(), false).remove(0)), own);
        assert_eq!(found(of_deployment(fixture.root(), staged.root(), "")), own);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_empty() {
        let (fixture, staged) = (FixtureRoot::new(), FixtureRoot::new());
        fixture.file("etc/modprobe.d/x.conf/file", b"");
        fixture.file("etc/modprobe.d/y.conf", b"options maccel MODE=1\n");
        let both = |fixture: &FixtureRoot| {
            [
                checks(fixture.root(), false).remove(0),
                of_deployment(fixture.root(), staged.root(), ""),
            ]
        };
        for check in both(&fixture) {
            assert_eq!(check.status, Status::Unknown);
            assert!(check.detail.starts_with("/etc/modprobe.d/x.conf: "), "{}", check.detail);
        }
        fixture.file("etc/modprobe.d/y.conf", b"blacklist maccel\n");
        for check in both(&fixture) {
            assert_eq!(check.status, Status::Failed, "what is found counts");
        }
        let fixture = FixtureRoot::new();
        fixture.file("etc/modprobe.d", b"");
        for check in both(&fixture) {
            assert_eq!(check.status, Status::Unknown, "{}", check.detail);
        }
        let fixture = FixtureRoot::new();
        let link = fixture.file("etc/modprobe.d/x.conf", b"");
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("gone", &link).unwrap();
        for check in both(&fixture) {
            assert_eq!(check.status, Status::Ok, "a link to nothing is no entry");
        }
    }

    /// The whole parameter went, and with it what kept another module out.
    #[test]
    fn what_a_parameter_keeps_out_besides_stays_out() {
        let fixture = FixtureRoot::new();
        let remedy = |parameter| remove_argument(fixture.root(), parameter);
        assert_eq!(
            remedy("module_blacklist=nouveau,maccel"),
            "replace module_blacklist=nouveau,maccel in the boot loader's kernel command line \
             with module_blacklist=nouveau"
        );
        fixture.file("usr/sbin/grubby", b"");
        assert_eq!(
            remedy("module_blacklist=nouveau,maccel"),
            "sudo grubby --update-kernel=ALL --remove-args=module_blacklist=nouveau,maccel \
             --args=module_blacklist=nouveau"
        );
        fixture.file("run/ostree-booted", b"");
        assert_eq!(
            remedy("modprobe.blacklist=maccel,nouveau,b43"),
            "sudo rpm-ostree kargs \
             --replace=modprobe.blacklist=maccel,nouveau,b43=nouveau,b43"
        );
        assert_eq!(
            remedy("module_blacklist=maccel"),
            "sudo rpm-ostree kargs --delete=module_blacklist=maccel"
        );
    }

    #[test]
    fn a_deployment_is_looked_at_with_the_etc_that_it_will_have() {
        let (machine, system) = (FixtureRoot::new(), FixtureRoot::new());
        let found = |line| {
            let check = of_deployment(machine.root(), system.root(), line);
            (check.status, check.detail)
        };
        let fine = (Status::Ok, String::new());
        assert_eq!(found("quiet"), fine);
        let word = "module_blacklist=maccel";
        assert_eq!(found(word), (Status::Failed, format!("kernel command line: {word}")));
        machine.file("etc/modprobe.d/own.conf", b"blacklist maccel\n");
        let own = "/etc/modprobe.d/own.conf:1: blacklist maccel".to_owned();
        assert_eq!(found(""), (Status::Failed, own), "staged: the changes come at shutdown");
        machine.file("usr/etc/modprobe.d/own.conf", b"blacklist maccel\n");
        assert_eq!(found(""), fine, "the old image had it so: it does not come along");
        system.file("usr/etc/modprobe.d/own.conf", b"# of the update\nblacklist maccel\n");
        let new = "/usr/etc/modprobe.d/own.conf:2: blacklist maccel".to_owned();
        assert_eq!(found(""), (Status::Failed, new), "the update's own");
        system.file("etc/fstab", b"");
        assert_eq!(found(""), fine, "it has an /etc of its own");
        system.file("usr/lib/modprobe.d/x.conf", b"blacklist maccel\n");
        assert_eq!(found("").0, Status::Failed);
    }

    #[test]
    fn disabled_loading_matters_only_while_the_module_is_not_in() {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/modules_disabled", b"1\n");
        for (loaded, severity) in [(false, Severity::Error), (true, Severity::Info)] {
            let check = checks(fixture.root(), loaded).remove(1);
            assert_eq!((check.status, check.severity), (Status::Failed, severity));
        }
        assert_eq!(checks(FixtureRoot::new().root(), false)[1].status, Status::Unknown);
    }
}
