// SPDX-License-Identifier: MIT OR Apache-2.0
//! A machine that ran the first image and was rebased to the second: another kernel, other
//! packages, a signed driver, and the same `/var`, which no image brings along.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value;
use vespera_tests::{Artifacts, Disk, Guest, HarnessError, Image, Machine};

use crate::group::Group;
use crate::guard::finding;
use crate::image::BOOT;
use crate::pointer::parameter;

/// What the tests call the second image.
pub(crate) const NAME: &str = "vespera-dx";
const VAR: &str = "rebased-var";
/// Written while the first image ran.
const LEFT: &str = "/var/lib/left-by-the-first-image";

pub(crate) fn tests(
    artifacts: &Arc<Artifacts>,
    first: &Image,
    second: &Image,
) -> (Arc<Group>, Vec<Trial>) {
    let (artifacts, first, second) = (Arc::clone(artifacts), first.clone(), second.clone());
    let group = Group::new(
        "rebased".into(),
        Box::new(move || {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("var.ext4");
            make_disk(&path);
            let var = Disk::new(&path, VAR);
            let kernel = artifacts.kernel(&first.kernel)?;
            let machine = Machine::image(&artifacts, &first, kernel).name("before the rebase");
            let guest = machine.persistent_var(var.clone()).boot()?;
            guest.wait_for_boot(BOOT)?;
            guest.run(["sh", "-c", &format!("uname -r > {LEFT}")])?.success()?;
            guest.run(["vesperactl", "set", "sens-mult=2"])?.success()?;
            guest.power_off()?;
            let kernel = artifacts.kernel(&second.kernel)?;
            let machine = Machine::image(&artifacts, &second, kernel).name("after the rebase");
            let guest = machine.persistent_var(var).boot()?;
            guest.wait_for_boot(BOOT)?;
            // The guest holds the image open; its name may go.
            drop(folder);
            Ok(guest)
        }),
    );
    let tests = vec![
        group.test("no_unit_fails_on_the_second_image", running),
        group.test("what_the_first_image_left_is_still_there", left),
        group.test("the_kernel_is_another_one_and_the_driver_fits_it", driver),
        group.test("the_driver_of_the_second_image_is_signed", signed),
        group.test("the_curve_of_the_second_configuration_is_in_force", curve),
        group.test("the_history_says_what_changed_with_the_second_image", history),
        group.test("settings_made_on_the_first_image_are_in_force_on_the_second", settings),
        group.test("packages_are_those_of_the_second_configuration", packages),
        group.test("doctor_names_the_listed_applications_that_are_not_installed", applications),
    ];
    (group, tests)
}

/// An empty disk: an image's own `/var` reaches new installations only.
fn make_disk(path: &Path) {
    let file = std::fs::File::create(path).expect("a disk");
    file.set_len(64 << 20).expect("its size");
    let made = Command::new("mkfs.ext4").arg("-q").arg(path).output();
    let made = made.expect("mkfs.ext4");
    assert!(made.status.success(), "{made:?}");
}

fn running(guest: &Guest) -> Result<(), HarnessError> {
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    Ok(())
}

fn left(guest: &Guest) -> Result<(), HarnessError> {
    let before = guest.read_file(LEFT)?;
    assert_ne!(before.trim(), guest.hello().release, "the first image had another kernel");
    Ok(())
}

fn driver(guest: &Guest) -> Result<(), HarnessError> {
    let modules = guest.read_file("/proc/modules")?;
    assert!(modules.lines().any(|line| line.starts_with("maccel ")), "{modules}");
    let status = guest.run(["vesperactl", "status"])?;
    assert_eq!(status.code, 0, "{status:#?}");
    Ok(())
}

fn signed(guest: &Guest) -> Result<(), HarnessError> {
    let signer = guest.run(["modinfo", "--field=signer", "maccel"])?.success()?.stdout;
    assert_eq!(signer.trim(), "Vespera test key");
    guest.run(["test", "-s", "/usr/share/vespera/module-signing.der"])?.success()?;
    Ok(())
}

/// Nobody has set these on the first image, so the second one's own settings hold.
fn curve(guest: &Guest) -> Result<(), HarnessError> {
    let mode = guest.run(["maccel", "get", "mode"])?.success()?.stdout;
    assert!(mode.starts_with("Natural"), "{mode}");
    let limit = guest.run(["maccel", "get", "param", "limit"])?.success()?.stdout;
    assert_eq!(limit.trim(), "1.500000000");
    Ok(())
}

fn history(guest: &Guest) -> Result<(), HarnessError> {
    let before = guest.read_file(LEFT)?;
    let (before, now) = (before.trim(), guest.hello().release.as_str());
    let json = guest.run(["vesperactl", "history", "--json"])?.success()?.stdout;
    let history: Value = serde_json::from_str(&json).expect("JSON");
    let boots = history["boots"].as_array().expect("boots");
    let kernels: Vec<_> = boots.iter().map(|boot| boot["kernel"].as_str()).collect();
    assert_eq!(kernels, [Some(now), Some(before)], "{history:#}");
    assert!(boots.iter().all(|boot| boot["state"] == "healthy"), "{history:#}");
    assert_ne!(boots[0]["image"], boots[1]["image"], "{history:#}");
    let change = format!("kernel {now}, was {before}");
    let listing = guest.run(["vesperactl", "history"])?.success()?.stdout;
    assert!(listing.contains(&change), "{listing}");
    let status = guest.run(["vesperactl", "status"])?.success()?.stdout;
    assert!(status.contains(&change), "{status}");
    Ok(())
}

fn settings(guest: &Guest) -> Result<(), HarnessError> {
    assert_eq!(guest.read_file(&parameter("SENS_MULT"))?.trim(), (2_i64 << 32).to_string());
    Ok(())
}

fn packages(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["rpm", "-q", "htop"])?.success()?;
    let gone = guest.run(["rpm", "-q", "thunderbird"])?;
    assert_eq!(gone.code, 1, "{gone:#?}");
    let list = guest.read_file("/usr/share/flatpak/preinstall.d/vespera.preinstall")?;
    assert!(list.contains("[Flatpak Preinstall org.mozilla.firefox]\nBranch=stable\n"), "{list}");
    Ok(())
}

fn applications(guest: &Guest) -> Result<(), HarnessError> {
    let doctor = guest.run(["vesperactl", "doctor", "--json"])?;
    let report: Value = serde_json::from_str(&doctor.stdout).expect("JSON");
    let found = finding(&report, "flatpak-not-installed");
    assert_eq!(found["status"], "failed", "{report:#}");
    let detail = found["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("org.mozilla.firefox"), "{report:#}");
    Ok(())
}
