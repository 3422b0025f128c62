// SPDX-License-Identifier: MIT OR Apache-2.0
//! `status` on a sysroot that ostree itself has made: what the next boot lacks is known before it.
//!
//! The running deployment is looked at as on a host: as the root folder, with the sysroot and its
//! `/boot` mounted inside. What ostree stages only on a booted host it deploys at once here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "that is a failed test")]

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use module_check::fixtures::FixtureRoot;
use serde_json::Value;

const STATEROOT: &str = "os";
/// Runs the command behind the first two words, a sysroot and a deployment, with the mounts that
/// a booted host has.
const AS_BOOTED: &str = r#"mount --bind "$1" "$2/sysroot" && mount --bind "$1/boot" "$2/boot" &&
    root=$2 && shift 2 && exec "$@" --root="$root""#;

/// A sysroot without a boot loader.
struct Sysroot {
    folder: tempfile::TempDir,
}

impl Sysroot {
    fn new() -> Self {
        let sysroot = Self { folder: tempfile::tempdir().unwrap() };
        let path = sysroot.path().to_str().unwrap();
        ostree(&["admin", "init-fs", path]);
        sysroot.admin(&["os-init", STATEROOT]);
        let repo = format!("--repo={path}/ostree/repo");
        ostree(&["config", &repo, "set", "sysroot.bootloader", "none"]);
        sysroot
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn admin(&self, words: &[&str]) {
        let sysroot = format!("--sysroot={}", self.path().display());
        let (verb, rest) = words.split_first().unwrap();
        ostree(&[&["admin", verb, &sysroot], rest].concat());
    }

    /// Commits a tree with one kernel and deploys it as what boots next; its folder.
    fn deploy(&self, version: &str, kernel: &str, with_module: bool) -> PathBuf {
        let tree = FixtureRoot::new();
        if with_module {
            tree.kernel_with_module(kernel);
        } else {
            tree.kernel(kernel);
        }
        for file in ["vmlinuz", "initramfs.img"] {
            tree.file(&format!("usr/lib/modules/{kernel}/{file}"), version.as_bytes());
        }
        let os = format!("NAME=Vespera\nID=vespera\nVERSION_ID={version}\n");
        tree.file("usr/lib/os-release", os.as_bytes());
        let root = tree.root().path();
        for folder in ["usr/etc", "sysroot", "boot", "proc/sys/kernel", "run", "sys", "var", "tmp"]
        {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        symlink("sysroot/ostree", root.join("ostree")).unwrap();
        let repo = format!("--repo={}/ostree/repo", self.path().display());
        let checksum = ostree(&["commit", &repo, "--branch=vespera", root.as_str()]);
        self.admin(&["deploy", "--retain", &format!("--os={STATEROOT}"), "vespera"]);
        self.deployments().join(format!("{}.0", checksum.trim()))
    }

    fn deployments(&self) -> PathBuf {
        self.path().join(format!("ostree/deploy/{STATEROOT}/deploy"))
    }

    /// `vesperactl` as the host says it that runs this deployment.
    fn status(&self, running: &Path, options: &[&str]) -> Output {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--propagation=private"]);
        if !is_root() {
            unshare.args(["--user", "--map-root-user"]);
        }
        unshare.args(["--", "sh", "-c", AS_BOOTED, "sh"]).args([self.path(), running]);
        unshare.args([env!("CARGO_BIN_EXE_vesperactl"), "status"]).args(options);
        unshare.output().expect("unshare is part of util-linux")
    }
}

impl Drop for Sysroot {
    fn drop(&mut self) {
        // As root ostree makes the folders of deployments immutable.
        if is_root() {
            for deployment in std::fs::read_dir(self.deployments()).into_iter().flatten().flatten()
            {
                if deployment.path().is_dir() {
                    let changed = Command::new("chattr").arg("-i").arg(deployment.path()).status();
                    assert!(changed.is_ok_and(|status| status.success()), "chattr -i");
                }
            }
        }
    }
}

/// Whether this process may do all.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs ostree; what it prints.
fn ostree(words: &[&str]) -> String {
    let output = Command::new("ostree").args(words).output();
    let output = output.expect("ostree is what this test needs (package ostree)");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ostree {words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn a_next_boot_without_a_fitting_module_is_told_while_the_old_deployment_runs() {
    let sysroot = Sysroot::new();
    let running = sysroot.deploy("1", "6.1.0", true);
    std::fs::write(running.join("proc/sys/kernel/osrelease"), "6.1.0\n").unwrap();
    let next = |report: &Value| {
        let mut checks = report["checks"].as_array().unwrap().iter();
        checks.find(|check| check["code"] == "deployment-next-unfit").unwrap().clone()
    };
    let roles = |report: &Value| {
        let deployments = report["deployments"].as_array().unwrap().iter();
        deployments.map(|one| (one["role"].clone(), one["kernel"].clone())).collect::<Vec<_>>()
    };
    let is = |role: &str, kernel: &str| (Value::from(role), Value::from(kernel));

    let before = report(&sysroot.status(&running, &["--json"]));
    assert_eq!(roles(&before), [is("booted", "6.1.0")]);
    assert_eq!(next(&before)["status"], "ok", "{before:#}");

    let lacking = sysroot.deploy("2", "6.2.0", false);
    let pending = report(&sysroot.status(&running, &["--json"]));
    assert_eq!(roles(&pending), [is("pending", "6.2.0"), is("booted", "6.1.0")]);
    let found = next(&pending);
    assert_eq!(found["status"], "failed", "{pending:#}");
    assert_eq!(found["remedy"], "sudo bootc rollback");
    assert!(found["detail"].as_str().unwrap().contains("6.2.0"), "{found:#}");
    let screen = sysroot.status(&running, &[]);
    let screen = String::from_utf8(screen.stdout).unwrap();
    assert!(screen.contains("next boot    2, kernel 6.2.0"), "{screen}");
    assert!(screen.contains("The kernel of the next boot has no fitting module"), "{screen}");
    let asked = sysroot.status(&running, &["--pending-exit-77"]);
    assert_eq!(asked.status.code(), Some(77));

    // The update after that brings one; going back is still possible.
    sysroot.deploy("3", "6.3.0", true);
    let mended = report(&sysroot.status(&running, &["--json"]));
    assert_eq!(next(&mended)["status"], "ok", "{mended:#}");
    assert_eq!(roles(&mended)[0], is("pending", "6.3.0"));

    // Had the one without been booted all the same: there is a way ahead and a way back.
    std::fs::write(lacking.join("proc/sys/kernel/osrelease"), "6.2.0\n").unwrap();
    let after = report(&sysroot.status(&lacking, &["--json"]));
    let all = [is("pending", "6.3.0"), is("booted", "6.2.0"), is("rollback", "6.1.0")];
    assert_eq!(roles(&after), all);
    let check = |code: &str| {
        let mut checks = after["checks"].as_array().unwrap().iter();
        checks.find(|check| check["code"] == code).unwrap().clone()
    };
    assert_eq!(check("deployment-rollback-unfit")["status"], "ok", "{after:#}");
    assert_eq!(check("module-missing")["remedy"], "systemctl reboot", "{after:#}");
}
