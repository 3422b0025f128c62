// SPDX-License-Identifier: MIT OR Apache-2.0
//! What no bootable image may have, whatever is in it.

use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use camino::Utf8Path;

use super::keys::has_private_key;
use super::{Outcome, Subject, Unable, Verdict, files_with, none_of};
use crate::tree;

const WORLD_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
/// Folders of a root that only exist while it runs.
const API: &[&str] = &["dev", "proc", "sys", "run"];
/// Where a build is likely to drop a key.
pub(super) const SECRET_PLACES: &[&str] =
    &["etc", "root", "tmp", "run/secrets", "var", "usr/share/vespera", "usr/src", "usr/local"];
/// Larger files are no keys.
const SECRET_MAX: u64 = 64 * 1024;
/// Folders that must be there to be mounted on.
const MOUNTED_ON: &[&str] = &["dev", "proc", "sys", "run", "tmp", "var"];
const KERNEL_ARGUMENTS: &str = "usr/lib/bootc/kargs.d";

pub(super) fn var_run(subject: &Subject<'_>) -> Outcome {
    let path = subject.at("var/run");
    Ok(match path.symlink_metadata() {
        Ok(meta) if !meta.is_symlink() => {
            Verdict::Wrong(format!("{path} is a folder; it has to be a link to /run"))
        }
        Ok(_) => Verdict::Fine("a link".into()),
        Err(_) => Verdict::Fine("absent".into()),
    })
}

/// As bootc's lint `etc-usretc`.
pub(super) fn usr_etc(subject: &Subject<'_>) -> Outcome {
    let (etc, usr_etc) = (subject.at("etc"), subject.at("usr/etc"));
    let there = |path: &Utf8Path| path.symlink_metadata().is_ok();
    if there(&etc) && there(&usr_etc) {
        // An empty one, too: bootc makes it of /etc itself.
        return Ok(Verdict::Wrong(format!(
            "both {etc} and {usr_etc} are there; move what is in the second one to /etc"
        )));
    }
    Ok(Verdict::Fine("one of them at most".into()))
}

pub(super) fn var_log(subject: &Subject<'_>) -> Outcome {
    let mut logs = Vec::new();
    let folder = subject.at("var/log");
    walk(folder.as_std_path(), &mut |path, meta| {
        if meta.is_file() && meta.len() > 0 {
            logs.push(shown(subject.root, path));
        }
    })?;
    Ok(none_of(&logs, "empty", "left behind"))
}

pub(super) fn boot_empty(subject: &Subject<'_>) -> Outcome {
    let folder = subject.at("boot");
    if has_entries(&folder)? {
        return Ok(Verdict::Wrong(format!("{folder} has files; hosts never get them from there")));
    }
    Ok(Verdict::Fine("empty".into()))
}

/// As bootc's lint `utf8`: names, and where links point to.
pub(super) fn utf8(subject: &Subject<'_>) -> Outcome {
    let mut wrong = Vec::new();
    let mut unreadable = None;
    each(subject, &mut |path, meta| {
        if path.file_name().is_some_and(|name| name.to_str().is_none()) {
            wrong.push(shown(subject.root, path));
        }
        if meta.is_symlink() {
            match fs::read_link(path) {
                Ok(target) if target.to_str().is_none() => wrong.push(format!(
                    "{} points to {}",
                    shown(subject.root, path),
                    target.display()
                )),
                Ok(_) => {}
                Err(error) => {
                    unreadable.get_or_insert_with(|| format!("{}: {error}", path.display()));
                }
            }
        }
    })?;
    if let Some(reason) = unreadable.filter(|_| wrong.is_empty()) {
        return Err(Unable::Other(reason));
    }
    Ok(none_of(&wrong, "all of them", "not UTF-8"))
}

pub(super) fn world_writable(subject: &Subject<'_>) -> Outcome {
    let mut wrong = Vec::new();
    each(subject, &mut |path, meta| {
        let mode = meta.permissions().mode();
        // A link has no rights of its own; a sticky folder keeps what is in it to its owners.
        let safe = meta.is_symlink() || meta.is_dir() && mode & STICKY != 0;
        if mode & WORLD_WRITE != 0 && !safe {
            wrong.push(shown(subject.root, path));
        }
    })?;
    Ok(none_of(&wrong, "none", "writable by everyone"))
}

pub(super) fn secrets(subject: &Subject<'_>) -> Outcome {
    let found = private_keys(subject.root, SECRET_PLACES)?;
    Ok(none_of(&found, "none where a build leaves them", "private key in"))
}

/// Files with a private key below some places of a root; the empty place is all of it.
pub(super) fn private_keys(root: &Utf8Path, places: &[&str]) -> Result<Vec<String>, Unable> {
    let mut found = Vec::new();
    let mut unreadable = None;
    for place in places {
        walk(root.join(place).as_std_path(), &mut |path, meta| {
            if !meta.is_file() || meta.len() > SECRET_MAX {
                return;
            }
            match fs::read(path) {
                Ok(bytes) if has_private_key(&bytes) => found.push(shown(root, path)),
                Ok(_) => {}
                Err(error) => {
                    unreadable.get_or_insert_with(|| format!("{}: {error}", path.display()));
                }
            }
        })?;
    }
    // A found key is worth more than a file that could not be looked into.
    match unreadable {
        Some(reason) if found.is_empty() => Err(Unable::Other(reason)),
        _ => Ok(found),
    }
}

/// bootc itself, where the image has it: it knows more lints with every version.
pub(super) fn bootc(subject: &Subject<'_>) -> Outcome {
    if !subject.at("usr/bin/bootc").exists() {
        return Ok(Verdict::Skipped("the image has no bootc".into()));
    }
    let lint = ["bootc", "container", "lint", "--no-truncate"];
    let purpose = "run bootc's lints";
    let ended = if subject.root == "/" {
        subject.tools.outcome(lint[0], &lint[1..], purpose)?
    } else {
        let mut args = vec![subject.root.as_str()];
        args.extend(lint);
        subject.tools.outcome("chroot", &args, purpose)?
    };
    Ok(if ended.success() {
        Verdict::Fine(ended.output().lines().last().unwrap_or_default().to_owned())
    } else {
        Verdict::Wrong(ended.output())
    })
}

/// As bootc's lint `api-base-directories`.
pub(super) fn api_folders(subject: &Subject<'_>) -> Outcome {
    let missing: Vec<String> = MOUNTED_ON
        .iter()
        .filter(|folder| !subject.at(folder).symlink_metadata().is_ok_and(|meta| meta.is_dir()))
        .map(|folder| format!("/{folder}"))
        .collect();
    Ok(none_of(&missing, "all there", "missing, or no folder"))
}

/// As bootc's lint `baseimage-root`.
pub(super) fn ostree(subject: &Subject<'_>) -> Outcome {
    let mut wrong = Vec::new();
    if !subject.at("sysroot").is_dir() {
        wrong.push("/sysroot is missing".to_owned());
    }
    match subject.at("ostree").read_link_utf8() {
        Ok(target) if target == "sysroot/ostree" => {}
        Ok(target) => wrong.push(format!("/ostree points to {target}, not to sysroot/ostree")),
        Err(_) => wrong.push("/ostree is no link to sysroot/ostree".to_owned()),
    }
    Ok(none_of(&wrong, "both", "bootc could not deploy this"))
}

/// As bootc's lint `bootc-kargs`.
pub(super) fn kernel_arguments(subject: &Subject<'_>) -> Outcome {
    let files = files_with(&subject.at(KERNEL_ARGUMENTS), "toml")?;
    let mut wrong = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).map_err(|error| Unable::Read(path.clone(), error))?;
        if let Err(error) = toml::from_str::<KernelArguments>(&text) {
            wrong.push(format!("{path}: {}", error.message()));
        }
    }
    Ok(none_of(&wrong, &format!("{} files", files.len()), "not as bootc reads them"))
}

/// A file of kernel arguments, by bootc's documentation.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read counts")]
struct KernelArguments {
    kargs: Vec<String>,
    match_architectures: Option<Vec<String>>,
}

fn has_entries(folder: &Utf8Path) -> Result<bool, Unable> {
    if !folder.is_dir() {
        return Ok(false);
    }
    let mut entries =
        fs::read_dir(folder).map_err(|error| Unable::Read(folder.to_owned(), error))?;
    Ok(entries.next().is_some())
}

fn shown(root: &Utf8Path, path: &Path) -> String {
    let inside = path.strip_prefix(root.as_std_path()).unwrap_or(path);
    format!("/{}", inside.display())
}

/// Everything in the root but what the kernel shows there.
fn each(subject: &Subject<'_>, visit: &mut dyn FnMut(&Path, &Metadata)) -> Result<(), Unable> {
    let root = subject.root.as_std_path();
    let unable = |error| Unable::Read(subject.root.to_owned(), error);
    for entry in fs::read_dir(root).map_err(unable)? {
        let path = entry.map_err(unable)?.path();
        if !API.iter().any(|api| path == root.join(api)) {
            walk(&path, visit)?;
        }
    }
    Ok(())
}

fn walk(top: &Path, visit: &mut dyn FnMut(&Path, &Metadata)) -> Result<(), Unable> {
    tree::walk(top, visit)
        .map_err(|(path, error)| Unable::Read(path.to_string_lossy().into_owned().into(), error))
}
