// SPDX-License-Identifier: MIT OR Apache-2.0
//! An update on an ostree host, staged by ostree itself: what the next boot lacks is known before
//! it, on the screen, on the bus and as one notification.
//!
//! The guest does not boot from the sysroot that is made here. What says that it does is the one
//! stand-in: the marker in which ostree names the deployment beneath a composefs root.

use std::process::Command;
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value;
use vespera_tests::{Guest, HarnessError, Output};

use crate::bus::{ACTIVE, log_in, wait_for};
use crate::group::Group;
use crate::guard::{finding, property, status};
use crate::image::Booted;

/// What the guest runs in place of a desktop.
const DESKTOP: &str = env!("CARGO_BIN_EXE_vespera-desktop");
const MARKER: &str = "/run/ostree-booted";
const REPORT: &str = "/run/vespera/deployments.json";
/// The kernel of the update; it has no driver of ours.
const NEXT_KERNEL: &str = "6.99.0-next";
const PROGRAM: &str = "/run/vespera-desktop";
/// What it was told to show.
const SHOWN: &str = "/tmp/shown";
/// The session of a desktop brings up `graphical-session.target`, which refuses to be started by
/// hand (systemd.special(7)).
const SESSION: &str = "desktop.target";
const SESSION_UNIT: &str = "[Unit]\nBindsTo=graphical-session.target\n";

/// An empty sysroot, with `/boot` where a booted host has it.
const SYSROOT: &str = "set -eu
ostree admin init-fs --modern /sysroot
ostree admin os-init --sysroot=/sysroot default
ostree config --repo=/ostree/repo set sysroot.bootloader none
mkdir -p /sysroot/boot
mount --bind /sysroot/boot /boot";

/// ostree starts it with each deployment it stages; as it ends, it makes that the next boot. The
/// package that has it brings a whole initramfs.
const FINALIZE: &str = "ostree-finalize-staged.service";
const FINALIZE_UNIT: &str = "[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/usr/bin/ostree admin finalize-staged
";

/// Commits a tree with one kernel, $2, whose modules are those in $3; $1 is its version.
const COMMIT: &str = r#"set -eu
tree=$(mktemp --directory)
modules=$tree/usr/lib/modules/$2
for folder in usr/etc usr/lib/modules sysroot boot proc run sys var tmp; do
    mkdir -p "$tree/$folder"
done
ln -s sysroot/ostree "$tree/ostree"
ln -s usr/lib "$tree/lib"
cp -r "$3" "$modules"
for file in vmlinuz initramfs.img; do echo "$1" > "$modules/$file"; done
depmod --basedir "$tree" "$2"
printf 'NAME=Vespera\nID=vespera\nVERSION_ID=%s\nIMAGE_VERSION=%s\n' "$1" "$1" > "$tree/usr/lib/os-release"
ostree commit --repo=/ostree/repo --branch=vespera "$tree"
rm -r "$tree""#;

pub(crate) fn tests(booted: &Arc<Booted>) -> (Arc<Group>, Vec<Trial>) {
    let booted = Arc::clone(booted);
    let group = Group::new(
        "updates".into(),
        Box::new(move || {
            let guest = booted.guest()?;
            become_an_ostree_host(&guest)?;
            sit_down(&guest)?;
            Ok(guest)
        }),
    );
    let tests = vec![
        group.test("what_runs_is_one_deployment_and_all_is_well", well),
        group.test("a_staged_update_without_the_module_is_known_before_the_reboot", staged),
        group.test("it_is_told_on_the_desktop_once_and_the_next_one_again", told),
        group.test("what_a_shutdown_makes_of_it_is_known_as_well", pending),
        group.test("an_update_that_brings_the_module_is_nothing_to_tell", mended),
    ];
    (group, tests)
}

fn script(guest: &Guest, script: &str, words: &[&str]) -> Result<Output, HarnessError> {
    let shell = ["sh", "-c", script, "sh"];
    guest.run(shell.into_iter().chain(words.iter().copied()))?.success()
}

/// Commits a version that brings the module or does not.
fn commit(guest: &Guest, version: &str, with_module: bool) -> Result<(), HarnessError> {
    let own = guest.hello().release.as_str();
    let (kernel, modules) =
        if with_module { (own, "/run/fitting") } else { (NEXT_KERNEL, "/run/lacking") };
    script(guest, COMMIT, &[version, kernel, modules]).map(drop)
}

fn become_an_ostree_host(guest: &Guest) -> Result<(), HarnessError> {
    let from = format!("/usr/lib/modules/{}", guest.hello().release);
    // Few are enough to read what a kernel wants of its modules.
    let pick = "mkdir -p /run/lacking/kernel/drivers/hid && cp \"$1\"/kernel/drivers/hid/*.ko* \
                /run/lacking/kernel/drivers/hid && cp \"$1\"/modules.builtin* \
                \"$1\"/modules.order \"$1\"/symvers* /run/lacking && \
                cp -r /run/lacking /run/fitting && cp -r \"$1\"/extra /run/fitting";
    script(guest, pick, &[&from])?;
    script(guest, SYSROOT, &[])?;
    commit(guest, "1", true)?;
    let deploy = ["ostree", "admin", "deploy", "--sysroot=/sysroot", "--os=default", "vespera"];
    guest.run(deploy)?.success()?;
    let stat = "stat --format='%d %i' /ostree/deploy/default/deploy/*.0";
    let numbers = script(guest, stat, &[])?.stdout;
    let numbers: Vec<u64> =
        numbers.split_whitespace().map(|number| number.parse().expect("a number")).collect();
    let [device, inode] = numbers[..] else { panic!("one deployment: {numbers:?}") };
    guest.write_file(MARKER, marker(device, inode))?;
    guest.write_file(&format!("/run/systemd/system/{FINALIZE}"), FINALIZE_UNIT)?;
    guest.run(["systemctl", "daemon-reload"])?.success()?;
    let units = ["vespera-deployments.path", "vespera-deployments.service"];
    guest.run(["systemctl", "start"].into_iter().chain(units))?.success()?;
    Ok(())
}

/// ostree's marker, a GVariant of type `a{sv}` with one entry: after the key, at the next multiple
/// of eight, the variant with its type; then the end of the key and the end of the entry.
fn marker(device: u64, inode: u64) -> Vec<u8> {
    let mut marker = b"backing-root-device-inode\0".to_vec();
    let key = u8::try_from(marker.len()).expect("a short key");
    marker.resize(marker.len().next_multiple_of(8), 0);
    marker.extend(device.to_le_bytes());
    marker.extend(inode.to_le_bytes());
    marker.extend(b"\0(tt)");
    marker.push(key);
    marker.push(u8::try_from(marker.len()).expect("a short entry"));
    marker
}

/// Logs a person in, with a desktop that shows notifications.
fn sit_down(guest: &Guest) -> Result<(), HarnessError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stripped = folder.path().join("desktop");
    let strip = Command::new("strip").arg("-o").arg(&stripped).arg(DESKTOP).status();
    assert!(strip.expect("strip is part of binutils").success());
    guest.copy_in(&stripped, PROGRAM)?;
    guest.run(["useradd", "--create-home", ACTIVE])?.success()?;
    guest.run(["mkdir", "-p", "/run/systemd/user"])?.success()?;
    guest.write_file(&format!("/run/systemd/user/{SESSION}"), SESSION_UNIT)?;
    log_in(guest, ACTIVE, 1)?;
    wait_for("the person's services", || {
        Ok(as_person(guest, &["systemctl", "--user", "is-system-running"])?.code == 0)
    })?;
    let desktop = ["systemd-run", "--user", "--unit=notifications", PROGRAM, SHOWN];
    as_person(guest, &desktop)?.success()?;
    let names = ["busctl", "--user", "status", "org.freedesktop.Notifications"];
    wait_for("the notification service", || Ok(as_person(guest, &names)?.code == 0))?;
    as_person(guest, &["systemctl", "--user", "start", SESSION])?.success()?;
    Ok(())
}

/// Runs a command as the person, who finds the own bus and services.
fn as_person(guest: &Guest, command: &[&str]) -> Result<Output, HarnessError> {
    let uid = guest.run(["id", "-u", ACTIVE])?.success()?.stdout;
    let runtime = format!("XDG_RUNTIME_DIR=/run/user/{}", uid.trim());
    let login = ["setpriv", "--reuid", ACTIVE, "--regid", ACTIVE, "--init-groups", "env", &runtime];
    guest.run(login.iter().chain(command).copied())
}

/// Stages what was committed last.
fn stage(guest: &Guest) -> Result<(), HarnessError> {
    let deploy = ["ostree", "admin", "deploy", "--stage", "--os=default", "vespera"];
    guest.run(deploy)?.success()?;
    Ok(())
}

/// The deployments of the report, once the next boot is this version.
fn wait_for_next(guest: &Guest, version: &str) -> Result<Vec<Value>, HarnessError> {
    let mut found = Vec::new();
    wait_for(&format!("the report says that {version} is next"), || {
        // There is none before the first look.
        let Ok(text) = guest.read_file(REPORT) else { return Ok(false) };
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        found = report["deployments"].as_array().cloned().unwrap_or_default();
        Ok(found.first().is_some_and(|next| next["version"] == version))
    })?;
    Ok(found)
}

/// Waits until the agent says on the bus what follows from the checks.
fn agent_says(guest: &Guest, state: &str) -> Result<(), HarnessError> {
    wait_for(&format!("the agent says {state}"), || {
        Ok(property(guest, "Health", "State")? == format!("s \"{state}\""))
    })
}

fn shown(guest: &Guest) -> Result<Vec<Value>, HarnessError> {
    let text = guest.run(["cat", SHOWN])?.success()?.stdout;
    Ok(text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
}

/// How often `vesperactl notify` has come to its end, as the journal of the person's services has
/// it.
fn looks(guest: &Guest) -> Result<usize, HarnessError> {
    // One that is under way is not to pass for the next.
    let active =
        ["systemctl", "--user", "show", "vespera-notify.service", "--property=ActiveState"];
    wait_for("nobody looks just now", || {
        let state = as_person(guest, &active)?.success()?.stdout;
        Ok(state.trim() == "ActiveState=inactive")
    })?;
    let unit = "USER_UNIT=vespera-notify.service";
    // SD_MESSAGE_UNIT_STARTED (sd-messages.h); a oneshot service has started when it has ended.
    let ended = "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf";
    let journal = ["journalctl", "--quiet", "--output=cat", unit, ended];
    Ok(guest.run(journal)?.success()?.stdout.lines().count())
}

fn well(guest: &Guest) -> Result<(), HarnessError> {
    let deployments = wait_for_next(guest, "1")?;
    assert_eq!(deployments.len(), 1, "{deployments:#?}");
    assert_eq!(deployments[0]["role"], "booted");
    assert_eq!(deployments[0]["state"], "healthy", "{deployments:#?}");
    let listed = guest.run(["ostree", "admin", "status"])?.success()?.stdout;
    assert!(listed.starts_with("* default "), "ostree takes it for the running one: {listed}");
    let (code, report) = status(guest)?;
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(finding(&report, "deployment-next-unfit")["status"], "ok", "{report:#}");
    wait_for("the notification service has looked", || Ok(looks(guest)? > 0))?;
    assert_eq!(shown(guest)?, Vec::<Value>::new());
    Ok(())
}

fn staged(guest: &Guest) -> Result<(), HarnessError> {
    commit(guest, "2", false)?;
    stage(guest)?;
    let deployments = wait_for_next(guest, "2")?;
    let roles: Vec<_> =
        deployments.iter().map(|one| (one["role"].clone(), one["kernel"].clone())).collect();
    let own = guest.hello().release.as_str();
    assert_eq!(
        roles,
        [("staged".into(), NEXT_KERNEL.into()), (Value::from("booted"), Value::from(own))]
    );
    let (_, report) = status(guest)?;
    let found = finding(&report, "deployment-next-unfit");
    assert_eq!(found["status"], "failed", "{report:#}");
    assert_eq!(found["remedy"], "sudo rpm-ostree cleanup --pending");
    let screen = guest.run(["vesperactl", "status"])?.stdout;
    assert!(screen.contains(&format!("next boot    2, kernel {NEXT_KERNEL}")), "{screen}");
    assert!(screen.contains("The kernel of the next boot has no fitting module"), "{screen}");
    assert_eq!(guest.run(["vesperactl", "status", "--pending-exit-77"])?.code, 77);
    agent_says(guest, "degraded")?;
    let said = property(guest, "Health", "Deployments")?;
    assert!(said.contains("\"version\" s \"2\"") && said.contains(NEXT_KERNEL), "{said}");
    Ok(())
}

fn told(guest: &Guest) -> Result<(), HarnessError> {
    wait_for("the notification", || Ok(!shown(guest)?.is_empty()))?;
    let one = shown(guest)?;
    assert_eq!(one[0]["summary"], "No mouse acceleration after the next restart");
    let body = one[0]["body"].as_str().unwrap_or_default();
    assert!(body.contains(&format!("is 2 with kernel {NEXT_KERNEL}")), "{body}");
    assert_eq!((&one[0]["urgency"], &one[0]["application"]), (&2.into(), &"Vespera".into()));
    // Another look at the same deployment.
    let before = looks(guest)?;
    guest.run(["systemctl", "start", "vespera-deployments.service"])?.success()?;
    wait_for("another look", || Ok(looks(guest)? > before))?;
    // And another session of the desktop.
    let before = looks(guest)?;
    as_person(guest, &["systemctl", "--user", "stop", SESSION])?.success()?;
    as_person(guest, &["systemctl", "--user", "start", SESSION])?.success()?;
    wait_for("a look at the start of the desktop", || Ok(looks(guest)? > before))?;
    assert_eq!(shown(guest)?, one, "told once");

    commit(guest, "3", false)?;
    stage(guest)?;
    wait_for("the notification of the next one", || Ok(shown(guest)?.len() > 1))?;
    let two = shown(guest)?;
    assert_eq!(two.len(), 2, "{two:#?}");
    let body = two[1]["body"].as_str().unwrap_or_default();
    assert!(body.contains(&format!("is 3 with kernel {NEXT_KERNEL}")), "{body}");
    Ok(())
}

/// What runs at shutdown, while the machine goes on.
fn pending(guest: &Guest) -> Result<(), HarnessError> {
    let before = looks(guest)?;
    guest.run(["systemctl", "stop", FINALIZE])?.success()?;
    let mut roles = Vec::new();
    wait_for("the staged deployment is the boot loader's", || {
        let deployments = wait_for_next(guest, "3")?;
        roles = deployments.iter().map(|one| one["role"].clone()).collect();
        Ok(roles == ["pending", "booted"].map(Value::from))
    })?;
    let (_, report) = status(guest)?;
    let found = finding(&report, "deployment-next-unfit");
    assert_eq!(
        (&found["status"], &found["remedy"]),
        (&"failed".into(), &"sudo bootc rollback".into())
    );
    wait_for("a look at what is pending", || Ok(looks(guest)? > before))?;
    assert_eq!(shown(guest)?.len(), 2, "told while it was staged");
    Ok(())
}

fn mended(guest: &Guest) -> Result<(), HarnessError> {
    let (before, already) = (looks(guest)?, shown(guest)?);
    commit(guest, "4", true)?;
    stage(guest)?;
    let deployments = wait_for_next(guest, "4")?;
    assert_eq!(deployments[0]["role"], "staged");
    assert_eq!(deployments[0]["state"], "healthy", "{deployments:#?}");
    wait_for("another look", || Ok(looks(guest)? > before))?;
    assert_eq!(shown(guest)?, already);
    let (code, report) = status(guest)?;
    assert_eq!(code, 0, "{report:#}");
    agent_says(guest, "healthy")
}
