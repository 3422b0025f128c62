// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages on a plain Debian: what they install works, and goes away again without a trace.
//! In the long form the RPMs are installed there, too: scriptlets, units and users are the same on
//! a Fedora.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use vespera_tests::{Artifacts, Guest, HarnessError};

use crate::bus::wait_for;
use crate::chain;
use crate::image::Booted;
use crate::races::soaking;

/// The Debian without anything of ours.
pub(crate) const NAME: &str = "plain";
const AGENT: &str = "vespera-agent.service";
const MODULE: &str = "vespera-module.service";
/// For a package manager with its scripts, without KVM on a busy host.
const PATIENCE: Duration = Duration::from_secs(600);
/// The unit of the program that serves the tests.
const HARNESS: &str = "vespera-test-agent.service";
/// Where the packages are copied to.
const FOLDER: &str = "/tmp/packages";
/// What an installation may leave behind: what package managers and logs write for themselves, and
/// users, which stay as Debian's policy has it, since files may belong to them.
const OTHERS: &[&str] = &[
    "/tmp/",
    "/var/cache/",
    "/var/log/",
    "/var/lib/dpkg/",
    "/var/lib/rpm/",
    "/usr/lib/sysimage/",
    "/var/lib/systemd/",
    "/var/tmp/systemd-private-",
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/subgid",
    "/etc/subuid",
    "/etc/.",
];

/// A family of packages.
struct Family {
    artifacts: Arc<Artifacts>,
    booted: Arc<Booted>,
}

pub(crate) fn tests(artifacts: &Arc<Artifacts>, booted: &Arc<Booted>) -> Vec<Trial> {
    let trial = |name: &str, body: fn(&Family) -> Result<(), HarnessError>| {
        let family = Family { artifacts: Arc::clone(artifacts), booted: Arc::clone(booted) };
        Trial::test(format!("packaged::{name}"), move || {
            body(&family).map_err(|error| Failed::from(chain(&error)))
        })
    };
    let mut tests = vec![trial("debian_packages_work_and_leave_nothing", debian)];
    if soaking() {
        tests.push(trial("rpms_work_verify_and_leave_nothing", rpm));
    }
    tests
}

impl Family {
    /// Copies packages into a guest by the folder and the beginning of their names; returns their
    /// paths there.
    fn copy(&self, guest: &Guest, packages: &[(&str, &str)]) -> Result<Vec<String>, HarnessError> {
        let top = self.artifacts.packages.clone().expect("the artifacts have packages");
        guest.run(["mkdir", "-p", FOLDER])?.success()?;
        packages
            .iter()
            .map(|(folder, beginning)| copy(guest, &top.join(folder), beginning))
            .collect()
    }
}

/// Copies the one package whose name begins so.
fn copy(guest: &Guest, folder: &PathBuf, beginning: &str) -> Result<String, HarnessError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("no {folder:?}")) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with(beginning) {
                found.push((path, name));
            }
        }
    }
    let [(path, name)] = found.as_slice() else { panic!("{beginning} in {folder:?}: {found:?}") };
    let inside = format!("{FOLDER}/{name}");
    guest.copy_in(path, &inside)?;
    Ok(inside)
}

/// All files of the guest's own root but those that others write, with what tells a change.
fn files(guest: &Guest) -> Result<BTreeSet<String>, HarnessError> {
    // Folders by their names only: their times change with what comes and goes in them.
    let find = "find / -xdev \\( -type d -printf '%p/\\n' \\) -o -printf '%p %m %u %s %l\\n'";
    let found = guest.run(["sh", "-c", find])?.success()?.stdout;
    let ours = |line: &&str| !OTHERS.iter().any(|other| line.starts_with(other));
    let run = guest.run(["sh", "-c", "find /run/vespera* 2>/dev/null"])?.stdout;
    Ok(found.lines().filter(ours).chain(run.lines()).map(str::to_owned).collect())
}

/// What an installed package has to do.
fn works(guest: &Guest) -> Result<(), HarnessError> {
    wait_for("the agent runs", || {
        Ok(guest.run(["systemctl", "is-active", AGENT])?.stdout.trim() == "active")
    })?;
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    let show = ["systemctl", "show", MODULE, "--property=Result,ExecMainStatus"];
    let unit = guest.run(show)?.success()?.stdout;
    assert!(unit.contains("Result=success") && unit.contains("ExecMainStatus=0"), "{unit}");
    for unit in [AGENT, MODULE, "vespera-module-check.path", "vespera-deployments.path"] {
        let enabled = guest.run(["systemctl", "is-enabled", unit])?.stdout;
        assert_eq!(enabled.trim(), "enabled", "{unit}");
    }
    let modules = guest.read_file("/proc/modules")?;
    assert!(modules.lines().any(|line| line.starts_with("maccel ")), "{modules}");
    let status = guest.run(["vesperactl", "status"])?;
    assert_eq!(status.code, 0, "{status:#?}");
    // No image, no deployments: nothing of that is shown as a fault, nor advised.
    assert!(
        !status.stdout.contains("rpm-ostree") && !status.stdout.contains("bootc"),
        "{status:#?}"
    );
    let get = guest.run(["maccel", "get", "param", "sens-mult"])?.success()?;
    assert_eq!(get.stdout, "1.000000000\n");
    guest.run(["maccel", "set", "param", "sens-mult", "1.5"])?.success()?;
    let get = guest.run(["vesperactl", "get", "sens-mult"])?.success()?;
    assert!(get.stdout.contains("1.5"), "{get:?}");
    Ok(())
}

/// What must be true when the packages are gone.
fn gone(guest: &Guest, before: &BTreeSet<String>) -> Result<(), HarnessError> {
    let after = files(guest)?;
    let left: Vec<&String> = after.difference(before).collect();
    let missing: Vec<&String> = before.difference(&after).collect();
    assert!(left.is_empty() && missing.is_empty(), "left: {left:#?}, missing: {missing:#?}");
    let modules = guest.read_file("/proc/modules")?;
    assert!(!modules.lines().any(|line| line.starts_with("maccel ")), "{modules}");
    let units =
        guest.run(["systemctl", "list-units", "--all", "--no-legend", "--plain", "vespera*"])?;
    let units = units.success()?.stdout;
    let ours = |unit: &&str| !unit.starts_with(HARNESS);
    assert_eq!(units.lines().filter(ours).collect::<Vec<_>>(), [""; 0]);
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    Ok(())
}

fn debian(family: &Family) -> Result<(), HarnessError> {
    let guest = family.booted.guest()?;
    let before = files(&guest)?;
    let module = format!("maccel-modules-{}", guest.hello().release);
    let packages = family.copy(&guest, &[("deb", "vespera_"), ("deb", &format!("{module}_"))])?;
    let mut install = vec!["dpkg".to_owned(), "--install".to_owned()];
    install.extend(packages);
    guest.command(install).timeout(PATIENCE).run()?.success()?;
    works(&guest)?;
    let verified = guest.run(["dpkg", "--verify", "vespera", &module])?.success()?;
    assert_eq!(verified.stdout.trim(), "");
    let purge = ["dpkg", "--purge", "vespera", &module];
    guest.command(purge).timeout(PATIENCE).run()?.success()?;
    gone(&guest, &before)?;
    guest.finish()
}

fn rpm(family: &Family) -> Result<(), HarnessError> {
    let guest = family.booted.guest()?;
    let module = format!("kmod-maccel-{}", guest.hello().release);
    let system = family.copy(&guest, &[("standin", "system")])?;
    guest.run(["rpm", "--install", &system[0]])?.success()?;
    let before = files(&guest)?;
    let module_file = format!("{module}.rpm");
    let wanted = [("rpm", "vespera-agent"), ("rpm", "maccel"), ("rpm", module_file.as_str())];
    let mut install = vec!["rpm".to_owned(), "--install".to_owned()];
    install.extend(family.copy(&guest, &wanted)?);
    let said = guest.command(install).timeout(PATIENCE).run()?.success()?;
    assert_eq!((said.stdout.trim(), said.stderr.trim()), ("", ""), "a scriptlet complains");
    works(&guest)?;
    let ours = ["vespera-agent", "maccel", &module];
    let verified = guest.run(["rpm", "--verify"].iter().chain(&ours).copied())?;
    assert_eq!((verified.code, verified.stdout.trim()), (0, ""), "{verified:?}");
    let erase = ["rpm", "--erase"].iter().chain(&ours).copied();
    guest.command(erase).timeout(PATIENCE).run()?.success()?;
    // Settings are the administrator's: RPM has no purge.
    guest.run(["rm", "-r", "/var/lib/vespera"])?.success()?;
    gone(&guest, &before)?;
    guest.finish()
}
