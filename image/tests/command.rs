// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as it is called: what its words change, and the exit code of each kind of failure.

// Every function here is a test, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vespera-image");
/// Somebody who is not root, where the tests are run by root.
const NOBODY: u32 = 65534;

fn run(folder: &tempfile::TempDir, words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).current_dir(folder.path()).output().unwrap()
}

fn place(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vespera-config.yaml"), config).unwrap();
    folder
}

/// The base of the image that these words name.
fn base(folder: &tempfile::TempDir, words: &[&str]) -> String {
    let mut all = vec!["summary", "--json"];
    all.extend(words);
    let output = run(folder, &all);
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["build_args"]["BASE_IMAGE"].as_str().unwrap().to_owned()
}

#[test]
fn digest_of_the_configured_base_is_not_taken_for_another_variant() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let folder = place(&format!("base: {{digest: '{digest}'}}\nbuild: {{strategy: matrix}}\n"));
    assert_eq!(base(&folder, &[]), format!("ghcr.io/ublue-os/aurora@{digest}"));
    let own = ["--aurora-variant", "aurora", "--gpu-variant", "main"];
    assert_eq!(base(&folder, &own), format!("ghcr.io/ublue-os/aurora@{digest}"));
    let other = ["--aurora-variant", "aurora-dx"];
    assert_eq!(base(&folder, &other), "ghcr.io/ublue-os/aurora-dx:stable");
    let other = ["--gpu-variant", "nvidia-open"];
    assert_eq!(base(&folder, &other), "ghcr.io/ublue-os/aurora-nvidia-open:stable");
}

/// As the container build calls it, but on a folder.
#[test]
fn customizing_tells_what_it_did_as_json() {
    let folder = place("packages: {add_flatpak: [org.kde.kate]}\n");
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("usr/lib/modules/6.17.1")).unwrap();
    fs::write(root.join("usr/lib/modules/6.17.1/vmlinuz"), "kernel").unwrap();
    let ended = run(&folder, &["customize", "--json", "--root", "root", "packages"]);
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&told["format"], &told["part"]), (&1.into(), &"packages".into()));
    assert_eq!(told["done"][0], "flatpak org.kde.kate: installed at first boot", "{told:#}");
}

#[test]
fn version_that_no_repository_tells_exits_with_5() {
    let folder = place("");
    let ended = run(&folder, &["detect"]);
    assert_eq!(ended.status.code(), Some(5), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Whoever is not root opens images inside `buildah unshare`.
#[test]
fn missing_tool_exits_with_6_also_where_it_opens_the_image() {
    let folder = place("");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // The program may lie where only root can go.
    let program = folder.path().join("vespera-image");
    fs::copy(PROGRAM, &program).unwrap();
    let mut diff = Command::new(program);
    diff.args(["diff", "oci:old", "oci:new"]).env("PATH", folder.path()).current_dir("/");
    if fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
    {
        diff.uid(NOBODY).gid(NOBODY);
    }
    let ended = diff.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(6), "{said}");
    assert!(said.contains("`buildah` is not installed"), "{said}");
}

#[test]
fn platform_that_no_image_is_built_for_is_refused_with_those_that_are() {
    let folder = place("");
    let ended = run(&folder, &["build", "--offline", "--platform", "linux/riscv64"]);
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("[possible values: linux/amd64, linux/arm64]"), "{said}");
}

/// Only who asks a registry needs skopeo.
#[test]
fn build_that_asks_no_registry_needs_no_program_that_does() {
    let folder = place("");
    let buildah = folder.path().join("buildah");
    fs::write(&buildah, "#!/bin/sh\necho buildah version 1.39.3\n").unwrap();
    fs::set_permissions(&buildah, fs::Permissions::from_mode(0o755)).unwrap();
    let mut build = Command::new(PROGRAM);
    build.args(["build", "--offline"]).current_dir(folder.path()).env("PATH", folder.path());
    let ended = build.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let mut asking = Command::new(PROGRAM);
    asking.arg("build").current_dir(folder.path()).env("PATH", folder.path());
    let ended = asking.output().unwrap();
    assert_eq!(ended.status.code(), Some(6));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("`skopeo` is not installed"), "{said}");
}
