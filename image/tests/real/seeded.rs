// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults in the files of the image that was built: each in a container of its own, and found by
//! the check that is there for it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::built::{finding, first, shared};
use crate::place::Place;
use crate::{output, run};

/// The one kernel's folder.
fn modules(root: &Path) -> PathBuf {
    let mut releases = fs::read_dir(root.join("usr/lib/modules")).unwrap();
    releases.next().unwrap().unwrap().path()
}

fn module(root: &Path) -> PathBuf {
    modules(root).join("extra/maccel/maccel.ko.xz")
}

fn mode(root: &Path, path: &str, mode: u32) {
    fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
}

fn second_kernel(root: &Path) {
    fs::create_dir_all(root.join("usr/lib/modules/6.0.0")).unwrap();
    fs::write(root.join("usr/lib/modules/6.0.0/vmlinuz"), "kernel").unwrap();
}

fn other_folder(root: &Path) {
    let other = root.join("usr/lib/modules/6.0.0/extra/maccel");
    fs::create_dir_all(&other).unwrap();
    fs::rename(module(root), other.join("maccel.ko.xz")).unwrap();
}

fn other_release(root: &Path) {
    let path = module(root);
    let unpacked = path.with_extension("");
    run(Command::new("xz").arg("--decompress").arg(&path));
    let mut bytes = fs::read(&unpacked).unwrap();
    let mark = b"vermagic=";
    let at = bytes.windows(mark.len()).position(|part| part == mark).unwrap() + mark.len();
    bytes[at] = b'9';
    fs::write(&unpacked, bytes).unwrap();
    run(Command::new("xz").arg("--check=crc32").arg(&unpacked));
}

fn other_check(root: &Path) {
    let path = module(root);
    run(Command::new("xz").arg("--decompress").arg(&path));
    run(Command::new("xz").arg("--check=crc64").arg(path.with_extension("")));
}

fn truncated(root: &Path) {
    let bytes = fs::read(module(root)).unwrap();
    fs::write(module(root), &bytes[..bytes.len() / 2]).unwrap();
}

fn no_index(root: &Path) {
    fs::remove_file(modules(root).join("modules.dep")).unwrap();
}

fn no_rule(root: &Path) {
    fs::remove_file(root.join("usr/lib/udev/rules.d/99-maccel.rules")).unwrap();
}

fn no_group(root: &Path) {
    let path = root.join("usr/lib/sysusers.d/vespera.conf");
    let text = fs::read_to_string(&path).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("g maccel")).collect();
    assert_ne!(kept.join("\n"), text.trim_end(), "{text}");
    fs::write(&path, kept.join("\n")).unwrap();
}

fn repository(root: &Path) {
    fs::create_dir_all(root.join("etc/yum.repos.d")).unwrap();
    fs::write(root.join("etc/yum.repos.d/x.repo"), "[copr:x]\nname=x\nenabled=1\n").unwrap();
}

fn policy(root: &Path) {
    let path = root.join("usr/share/dbus-1/system.d/org.vespera.Agent1.conf");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    fs::write(&path, text.replace("</busconfig>", "")).unwrap();
}

fn key(root: &Path) {
    let parts = ["-----BEGIN ", "EC PRIVATE KEY-----\nMIIE\n"].concat();
    fs::write(root.join("root/signing.pem"), parts).unwrap();
}

type Seed = fn(&Path);

/// What is seeded, and the check that has to find it.
const FAULTS: &[(&str, Seed)] = &[
    ("kernel-single", second_kernel),
    ("module-present", other_folder),
    ("module-vermagic", other_release),
    ("module-compression", other_check),
    ("module-compression", truncated),
    ("module-index", no_index),
    ("payload-present", no_rule),
    ("sysusers-group", no_group),
    ("repositories-off", repository),
    ("programs-executable", |root| mode(root, "usr/bin/maccel", 0o644)),
    ("files-world-writable", |root| mode(root, "usr/bin/maccel", 0o757)),
    ("dbus-files", policy),
    ("secrets-absent", key),
];

#[test]
fn faults_seeded_into_the_files_of_the_built_image_are_found() {
    let place = Place::new("");
    let image = first();
    for (number, (code, seed)) in FAULTS.iter().enumerate() {
        let mut from = shared(place.command("buildah"));
        let container = run(from.args(["from", "--pull=never", &image.reference]));
        let root = run(shared(place.command("buildah")).args(["mount", &container]));
        seed(Path::new(&root));
        let words = ["verify", "--json", "--config", &image.config, "--root", &root];
        let ended = output(&mut shared(place.program(&words)));
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
        run(shared(place.command("buildah")).args(["rm", &container]));
        assert_eq!(finding(&report, code)["status"], "failed", "{number} {code}: {report:#}");
        assert_eq!(ended.status.code(), Some(4), "{number} {code}");
    }
}
