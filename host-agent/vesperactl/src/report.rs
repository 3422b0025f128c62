// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl report`: one file for whoever helps.
//!
//! Everything in it has gone through the redaction. Nothing is followed: a link in a folder that
//! somebody else may write to would let root hand out any file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use health::kernel_log::{self, Tail};
use health::{Root, timestamp};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use serde::Serialize;

use crate::args::Show;
use crate::desktop::Session;
use crate::exit::{self, Outcome};
use crate::redaction::Redaction;
use crate::screen::Ink;
use crate::status::StatusArgs;
use crate::{doctor, secure_boot, status};

/// The version of the JSON and of the archive.
const FORMAT: u32 = 1;
/// A file of ours is far smaller; a hostile one must not fill the disk.
const MOST_BYTES: u64 = 1024 * 1024;
/// Units whose journal is taken, with their messages since the boot.
const UNITS: [&str; 4] =
    ["vespera-module", "vespera-module-check", "vespera-deployments", "vespera-agent"];
/// Files taken as they are, redacted.
const FILES: [&str; 7] = [
    "run/vespera/module.json",
    "run/vespera/deployments.json",
    "usr/share/vespera/image.json",
    "usr/lib/os-release",
    "etc/os-release",
    "proc/cmdline",
    "proc/sys/kernel/osrelease",
];
/// Folders with settings and state of the agent.
const FOLDERS: [&str; 3] = ["usr/lib/vespera", "etc/vespera", "var/lib/vespera"];
/// What is taken of them; what the agent could not read is what a helper asks for first.
const TAKEN: [&str; 3] = [".toml", ".json", ".toml.damaged"];

/// One file of the archive, or why it is missing.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    bytes: usize,
    missing: Option<String>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    format: u32,
    path: &'a Utf8Path,
    entries: &'a [Entry],
}

/// Gathers, redacts, writes, and lists what was written.
pub(crate) fn run(
    root: &Root,
    output: Option<Utf8PathBuf>,
    show: &Show,
) -> anyhow::Result<Outcome> {
    let time = timestamp::now();
    let stem = format!("vespera-report-{}", time.replace([':', '-'], ""));
    let path = output.unwrap_or_else(|| format!("{stem}.tar.gz").into());
    let callers: Vec<String> = ["USER", "SUDO_USER", "LOGNAME"]
        .iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .collect();
    let redaction = Redaction::of_host(root, &callers);
    let entries: Vec<Entry> = gather(root)
        .into_iter()
        .map(|(name, text)| match text {
            Ok(text) => {
                let text = redaction.apply(&text);
                Entry { name, bytes: text.len(), missing: None, text }
            }
            Err(reason) => {
                let missing = Some(redaction.apply(&reason));
                Entry { name, bytes: 0, missing, text: String::new() }
            }
        })
        .collect();
    write(&path, &stem, &time, &entries)?;
    let text = if show.json {
        let written = Written { format: FORMAT, path: &path, entries: &entries };
        serde_json::to_string_pretty(&written)? + "\n"
    } else {
        format!("{path} holds:\n{}{AFTER}", listing(&entries))
    };
    Ok(Outcome { text, code: exit::HEALTHY })
}

const AFTER: &str = "\
host name, user names, serial numbers and addresses were taken out; look through it all the same
before you hand it on
";

fn listing(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match &entry.missing {
        None => format!("  {:<28} {} bytes\n", entry.name, entry.bytes),
        Some(reason) => format!("  {:<28} missing: {reason}\n", entry.name),
    };
    entries.iter().map(line).collect()
}

/// Names and texts, or why there is none.
fn gather(root: &Root) -> Vec<(String, Result<String, String>)> {
    let json = Show { json: true };
    let session = Session::of_environment(root);
    let said = |outcome: anyhow::Result<Outcome>| {
        outcome.map(|outcome| outcome.text).map_err(|error| format!("{error:#}"))
    };
    let checks = doctor::checks(root, &session);
    let mut all = vec![
        ("versions.txt".to_owned(), Ok(versions(root))),
        ("status.json".to_owned(), said(status::run(root, &StatusArgs::json(), Ink::PLAIN))),
        (
            "checks.txt".to_owned(),
            said(doctor::listing(&checks, &Show { json: false }, Ink::PLAIN)),
        ),
        ("checks.json".to_owned(), said(doctor::listing(&checks, &json, Ink::PLAIN))),
        ("secure-boot.json".to_owned(), said(secure_boot::status(root, &json))),
        ("settings.txt".to_owned(), settings(root)),
        ("kernel-log.txt".to_owned(), kernel_log(root)),
    ];
    for file in FILES {
        all.push((file.to_owned(), read(root, file).map_err(|error| error.to_string())));
    }
    for folder in FOLDERS {
        all.extend(files_in(root, folder));
    }
    for unit in UNITS {
        all.push((format!("journal-{unit}.txt"), journal(root, unit)));
    }
    all
}

fn versions(root: &Root) -> String {
    let line = |inside: &str| root.line(inside).unwrap_or_else(|| "unknown".to_owned());
    format!(
        "report format {FORMAT}\nvesperactl {}\nkernel {}\nkernel build {}\n",
        env!("CARGO_PKG_VERSION"),
        line("proc/sys/kernel/osrelease"),
        line("proc/sys/kernel/version"),
    )
}

/// The settings as the kernel has them: every parameter, then every mouse.
fn settings(root: &Root) -> Result<String, String> {
    let targets = health::permissions::parameters(root).map_err(|error| error.to_string())?;
    if targets.is_empty() {
        return Err("the module is not loaded".to_owned());
    }
    let mut text = String::new();
    for target in targets {
        let inside = root.inside(&target.path);
        let name = inside.file_name().unwrap_or_default();
        let value = root.line(&inside).unwrap_or_else(|| "unreadable".to_owned());
        text.push_str(&format!("{name}={value}\n"));
    }
    for mouse in health::mice::list(root).unwrap_or_default() {
        let mouse = serde_json::to_string(&mouse).map_err(|error| error.to_string())?;
        text.push_str(&mouse);
        text.push('\n');
    }
    Ok(text)
}

/// The log itself is root's alone on many systems; whoever may read the journal has its copy.
fn kernel_log(root: &Root) -> Result<String, String> {
    match Tail::from_start(root) {
        Ok(mut tail) => Ok(tail.all_about_module().join("\n") + "\n"),
        Err(_) if root.is_host() => {
            let copy = journalctl(&["--dmesg", "--output=short-monotonic"])?;
            let text = |line: &str| line.split_once("kernel: ").map(|(_, text)| text.to_owned());
            let lines = copy
                .lines()
                .filter(|line| text(line).is_some_and(|text| kernel_log::is_about_module(&text)));
            Ok(lines.map(|line| format!("{line}\n")).collect())
        }
        Err(error) => Err(format!("/dev/kmsg: {error}")),
    }
}

fn journal(root: &Root, unit: &str) -> Result<String, String> {
    if !root.is_host() {
        return Err("another root keeps no journal of this boot".to_owned());
    }
    journalctl(&["--output=short-iso", "--lines=2000", "--unit", unit])
}

/// The journal of this boot, as far as the caller may see it.
fn journalctl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("journalctl")
        .args(["--boot", "--no-pager", "--quiet"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("journalctl: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.lines().next().unwrap_or("nothing, or nothing that you may see");
    if output.status.success() && !output.stdout.is_empty() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("journalctl: {words}"))
    }
}

/// The settings files of a folder; none when it is not there.
fn files_in(root: &Root, folder: &str) -> Vec<(String, Result<String, String>)> {
    let listing = match root.at(folder).read_dir_utf8() {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![(folder.to_owned(), Err(error.to_string()))],
    };
    let mut names: Vec<String> = listing
        .flatten()
        .map(|entry| entry.file_name().to_owned())
        .filter(|name| TAKEN.iter().any(|ending| name.ends_with(ending)))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let inside = format!("{folder}/{name}");
            let text = read(root, &inside).map_err(|error| error.to_string());
            (inside, text)
        })
        .collect()
}

/// Reads a plain file below the root, with no link anywhere on the way.
fn read(root: &Root, inside: &str) -> io::Result<String> {
    let base = File::open(root.path())?;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut file = File::from(openat2(&base, inside, flags, Mode::empty(), resolve)?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    (&mut file).take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other(format!("it is larger than {MOST_BYTES} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes the archive as a new file that only its owner may read.
fn write(path: &Utf8Path, stem: &str, time: &str, entries: &[Entry]) -> anyhow::Result<()> {
    ensure!(!path.as_str().is_empty(), "--output needs the name of a file");
    // New: neither an old report nor a link is written through.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create {path}"))?;
    if let Some((uid, gid)) = behind_sudo(|name| std::env::var(name).ok()) {
        // Whoever asked root for it wants to hand it on.
        fchown(&file, Some(uid), Some(gid)).with_context(|| format!("cannot hand over {path}"))?;
    }
    let contents = format!("made at {time}\n{}", listing(entries));
    let texts = entries.iter().filter(|entry| entry.missing.is_none());
    let texts = texts.map(|entry| (entry.name.as_str(), entry.text.as_str()));
    archive(file, stem, [("contents.txt", contents.as_str())].into_iter().chain(texts))
        .with_context(|| format!("cannot write {path}"))
}

/// The person behind `sudo`.
fn behind_sudo(variable: impl Fn(&str) -> Option<String>) -> Option<(u32, u32)> {
    let number = |name| variable(name)?.parse().ok();
    Some((number("SUDO_UID")?, number("SUDO_GID")?))
}

fn archive<'a>(
    file: File,
    stem: &str,
    texts: impl Iterator<Item = (&'a str, &'a str)>,
) -> io::Result<()> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut builder = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, text) in texts {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_mtime(seconds);
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, format!("{stem}/{name}"), text.as_bytes())?;
    }
    let mut file = builder.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::{MetadataExt, symlink};

    use flate2::read::GzDecoder;
    use module_check::fixtures::FixtureRoot;

    use super::*;

    fn host() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/hostname", b"annas-desk\n");
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        fixture.file("proc/cmdline", b"root=UUID=0a1b2c3d-0000-1111-2222-333344445555 rw\n");
        fixture.file("etc/passwd", b"anna:x:1000:1000:Anna:/home/anna:/bin/bash\n");
        fixture.file("usr/lib/os-release", b"NAME=\"Aurora\"\n");
        fixture.file("sys/module/maccel/parameters/MODE", b"2\n");
        fixture.file("dev/kmsg", b"6,1,2,-;maccel: hello from annas-desk\n");
        fixture.file(
            "var/lib/vespera/maccel.toml",
            b"version = 1\n[[device]]\nmatch = \"046d:c08b:LZ42\"\n# anna\n",
        );
        fixture.file(
            "var/lib/vespera/maccel.toml.damaged",
            b"version = 1\n[[device]]\nmatch = \"046d:c08b:LZ42\"\n\xff anna\n",
        );
        fixture.file(
            "etc/vespera/maccel.toml",
            b"version = 1\n[[device]]\nmatch = '046d:c08b:LZ42' # of \"anna\"\n",
        );
        fixture.file(
            "run/vespera/module.json",
            br#"{"checks":[{"detail":"3 | match = \"046D:C08B:LZ42\"\nat annas-desk"}]}"#,
        );
        fixture.file("etc/vespera/notes.txt", b"not settings\n");
        fixture.kernel_with_module("6.1.0");
        fixture
    }

    /// The archive's files by their names without the folder.
    fn unpack(path: &Utf8Path) -> BTreeMap<String, String> {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(path).unwrap()));
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let (_, name) = name.split_once('/').unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            files.insert(name.to_owned(), text);
        }
        files
    }

    fn report(fixture: &FixtureRoot, name: &str) -> (BTreeMap<String, String>, String) {
        let path = fixture.root().at(name);
        let outcome = run(fixture.root(), Some(path.clone()), &Show { json: false }).unwrap();
        (unpack(&path), outcome.text)
    }

    #[test]
    fn it_holds_what_helps_and_nothing_that_tells_who() {
        let fixture = host();
        let (files, listed) = report(&fixture, "r.tar.gz");
        for name in [
            "contents.txt",
            "versions.txt",
            "status.json",
            "checks.txt",
            "checks.json",
            "secure-boot.json",
            "settings.txt",
            "kernel-log.txt",
            "proc/cmdline",
            "usr/lib/os-release",
            "var/lib/vespera/maccel.toml",
            "var/lib/vespera/maccel.toml.damaged",
        ] {
            assert!(files.contains_key(name), "{name} in {:?}", files.keys());
            assert!(name == "contents.txt" || listed.contains(name), "{name} in {listed}");
        }
        assert!(!files.contains_key("etc/vespera/notes.txt"));
        assert_eq!(files["settings.txt"], "MODE=2\n");
        assert_eq!(files["kernel-log.txt"], "maccel: hello from [host]\n");
        assert_eq!(files["proc/cmdline"], "root=UUID=[disk] rw\n");
        assert!(files["var/lib/vespera/maccel.toml"].contains("046d:c08b:[serial]"));
        for (name, text) in &files {
            if name.ends_with(".json") {
                let json = serde_json::from_str::<serde_json::Value>(text);
                assert!(json.is_ok(), "{name} is no JSON any more: {text}");
            }
            for secret in ["annas-desk", "anna", "LZ42", "0a1b2c3d"] {
                assert!(!text.contains(secret), "{secret} in {name}: {text}");
            }
        }
        assert!(listed.contains("journal-vespera-module.txt   missing: another root"), "{listed}");
    }

    #[test]
    fn only_the_owner_may_read_it_and_nothing_is_overwritten() {
        let fixture = host();
        report(&fixture, "r.tar.gz");
        let path = fixture.root().at("r.tar.gz");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let target = fixture.file("precious", b"mine");
        symlink(&target, fixture.root().at("link.tar.gz")).unwrap();
        for name in ["r.tar.gz", "link.tar.gz"] {
            let again = run(fixture.root(), Some(fixture.root().at(name)), &Show { json: true });
            let error = format!("{:#}", again.unwrap_err());
            assert!(error.contains("cannot create"), "{error}");
        }
        assert_eq!(std::fs::read(target).unwrap(), b"mine");
    }

    #[test]
    fn the_person_behind_sudo_is_known_by_both_numbers_or_not_at_all() {
        let of = |uid: Option<&str>, gid: Option<&str>| {
            behind_sudo(|name| (if name == "SUDO_UID" { uid } else { gid }).map(str::to_owned))
        };
        assert_eq!(of(Some("1000"), Some("1001")), Some((1000, 1001)));
        assert_eq!(of(Some("1000"), None), None);
        assert_eq!(of(Some("-1"), Some("x")), None);
        assert_eq!(of(None, None), None);
    }

    #[test]
    fn links_are_not_followed_wherever_they_stand_on_the_way() {
        let fixture = host();
        fixture.file("secret/shadow.toml", b"the secret\n");
        fixture.file("secret/maccel.toml", b"the secret\n");
        let root = fixture.root();
        symlink(root.at("secret/shadow.toml"), root.at("var/lib/vespera/a.toml")).unwrap();
        symlink(root.at("secret"), root.at("usr/lib/vespera")).unwrap();
        let (files, listed) = report(&fixture, "r.tar.gz");
        assert!(files.values().all(|text| !text.contains("the secret")), "{files:?}");
        assert!(listed.contains("var/lib/vespera/a.toml       missing: "), "{listed}");
    }

    #[test]
    fn devices_pipes_and_floods_are_left_out() {
        let fixture = host();
        fixture.file("etc/vespera/flood.toml", &vec![b'x'; 2 * 1024 * 1024]);
        std::fs::create_dir_all(fixture.root().at("etc/vespera/folder.toml")).unwrap();
        let pipe = fixture.root().at("etc/vespera/pipe.toml");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            pipe.as_std_path(),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let (files, listed) = report(&fixture, "r.tar.gz");
        for name in ["flood", "folder", "pipe"] {
            let name = format!("etc/vespera/{name}.toml");
            assert!(!files.contains_key(&name), "{name}");
            assert!(listed.contains(&name), "{name} in {listed}");
        }
    }
}
