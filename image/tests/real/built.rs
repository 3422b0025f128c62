// SPDX-License-Identifier: MIT OR Apache-2.0
//! The images that were built from the repository's own Containerfile: for two kernels, by two
//! configurations, and once more with another driver.

use std::process::Command;

use serde_json::Value;

use crate::place::{Place, SOURCE};
use crate::{both, output, run};

/// What a host may have to download for a new driver alone, in bytes.
const DRIVER_UPDATE_MAX: u64 = 1_000_000;

/// An image as the build left it.
pub(crate) struct Built {
    pub(crate) reference: String,
    pub(crate) config: String,
}

impl Built {
    /// From the variable that `cargo xtask test` sets: its name in storage and its configuration.
    fn of(variable: &str) -> Self {
        let told = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} is not set; run `cargo xtask test`"));
        let (reference, config) = told.split_once(' ').unwrap();
        Self { reference: reference.to_owned(), config: config.to_owned() }
    }

    fn stored(&self) -> String {
        format!("containers-storage:{}", self.reference)
    }
}

pub(crate) fn first() -> Built {
    Built::of("VESPERA_FIRST")
}

fn second() -> Built {
    Built::of("VESPERA_SECOND")
}

/// A command with the storage that the images are in, not with the place's own.
pub(crate) fn shared(mut command: Command) -> Command {
    command.env_remove("CONTAINERS_STORAGE_CONF");
    command
}

/// The report of verification, by the code of each check.
fn verified(place: &Place, image: &Built) -> Value {
    let words = ["verify", "--json", "--config", &image.config, &image.stored()];
    let report: Value = serde_json::from_str(&run(&mut shared(place.program(&words)))).unwrap();
    assert_eq!(report["passed"], true, "{report:#}");
    report
}

pub(crate) fn finding<'a>(report: &'a Value, code: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code}"))
}

#[test]
fn built_image_passes_every_check_by_the_programs_that_read_its_files() {
    let place = Place::new("");
    let report = verified(&place, &first());
    for code in [
        "units-valid",
        "udev-rules",
        "sysusers-valid",
        "tmpfiles-valid",
        "cli-runs",
        "module-symbols",
        "labels-image",
        "secrets-layers",
        "kernel-label",
        "rpm-added",
    ] {
        // Not skipped: the program was here and found nothing wrong.
        assert_eq!(finding(&report, code)["status"], "ok", "{:#}", finding(&report, code));
    }
    assert_eq!(finding(&report, "module-signature")["status"], "skipped");
}

#[test]
fn second_configuration_and_kernel_are_in_the_second_image() {
    let place = Place::new("");
    let report = verified(&place, &second());
    for code in ["rpm-added", "rpm-removed", "flatpak-lists", "module-signature"] {
        assert_eq!(finding(&report, code)["status"], "ok", "{:#}", finding(&report, code));
    }
    let signature = finding(&report, "module-signature")["detail"].as_str().unwrap();
    assert!(signature.starts_with("proved with the key of "), "{signature}");
    // By the first one's configuration, it is another image, and every difference has a name.
    let words = ["verify", "--json", "--config", &first().config, &second().stored()];
    let ended = output(&mut shared(place.program(&words)));
    assert_eq!(ended.status.code(), Some(4), "{}", both(&ended));
    let other: Value = serde_json::from_slice(&ended.stdout).unwrap();
    for code in ["labels-image", "identity-image-json", "identity-os-release"] {
        assert_eq!(finding(&other, code)["status"], "failed", "{:#}", finding(&other, code));
    }
}

/// What the programs of a host say of files that they cannot read, and the image's own rpm of
/// packages: no stand-in of theirs is asked.
#[test]
fn faults_seeded_into_the_built_image_are_found_by_the_programs_that_read_them() {
    let place = Place::new("");
    let image = first();
    let mut from = shared(place.command("buildah"));
    let container = run(from.args(["from", "--pull=never", &image.reference]));
    let root = run(shared(place.command("buildah")).args(["mount", &container]));
    let verified = |config: &str| -> Value {
        let words = ["verify", "--json", "--config", config, "--root", &root];
        serde_json::from_slice(&output(&mut shared(place.program(&words))).stdout).unwrap()
    };
    for (code, path, line) in [
        ("units-valid", "systemd/system/vespera-module.service", "[Service]\nTimeoutStartSec=soon"),
        ("units-valid", "systemd/user/vespera-notify.service", "[Service]\nType=sometimes"),
        ("udev-rules", "udev/rules.d/99-maccel.rules", "ACTON==\"add\""),
        ("sysusers-valid", "sysusers.d/vespera.conf", "z maccel -"),
        ("tmpfiles-valid", "tmpfiles.d/vespera.conf", "d relative 0755 - - -"),
    ] {
        let path = format!("{root}/usr/lib/{path}");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n{line}\n")).unwrap();
        let report = verified(&image.config);
        assert_eq!(finding(&report, code)["status"], "failed", "{path}: {report:#}");
        std::fs::write(&path, text).unwrap();
        let report = verified(&image.config);
        assert_eq!(finding(&report, code)["status"], "ok", "{path}: {report:#}");
    }
    let config = std::fs::read_to_string(&image.config).unwrap();
    for (code, from, to) in [
        ("rpm-added", "- htop", "- not-to-be-had"),
        ("rpm-removed", "remove_rpm: []", "remove_rpm: [thunderbird]"),
    ] {
        assert!(config.contains(from), "{config}");
        let other = place.write("other.yaml", &config.replace(from, to));
        let report = verified(other.to_str().unwrap());
        assert_eq!(finding(&report, code)["status"], "failed", "{code}: {report:#}");
    }
    run(shared(place.command("buildah")).args(["rm", &container]));
}

/// Pushes images and compares them where their layers have the sizes that go over a network.
fn compared(old: &Built, new: &Built) -> Value {
    let place = Place::new("");
    let at = |tag: &str| format!("{}:{tag}", place.repository());
    for (image, tag) in [(old, "old"), (new, "new")] {
        let to = format!("docker://{}", at(tag));
        run(shared(place.command("skopeo")).args([
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            &image.stored(),
            &to,
        ]));
    }
    let words = ["diff", "--insecure", "--json", &at("old"), &at("new")];
    serde_json::from_str(&run(&mut shared(place.program(&words)))).unwrap()
}

fn paths(diff: &Value, kind: &str) -> Vec<String> {
    let files = diff["files"][kind].as_array().unwrap().iter();
    files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn driver_update_downloads_at_most_one_megabyte() {
    let diff = compared(&first(), &Built::of("VESPERA_UPDATE"));
    assert_ne!(diff["module"]["old"], diff["module"]["new"], "{diff:#}");
    let download = diff["download"].as_u64().unwrap();
    assert!(download > 0 && download <= DRIVER_UPDATE_MAX, "{download} bytes: {diff:#}");
    assert_eq!(diff["packages"].as_object().map(serde_json::Map::len), Some(0), "{diff:#}");
    assert_eq!(diff["no_packages"], Value::Null, "{diff:#}");
    let changed = paths(&diff, "changed");
    assert!(changed.iter().any(|path| path.ends_with("/extra/maccel/maccel.ko.xz")), "{changed:?}");
    for path in &changed {
        let expected = path.starts_with("/usr/lib/modules/")
            || [
                "/usr/share/vespera/image.json",
                "/usr/share/vespera/built-from/driver",
                "/usr/lib/os-release",
            ]
            .contains(&path.as_str());
        assert!(expected, "{path} changed with the driver");
    }
    assert_eq!(paths(&diff, "added").len() + paths(&diff, "removed").len(), 0, "{diff:#}");
}

#[test]
fn difference_of_two_images_names_kernel_and_packages() {
    let diff = compared(&first(), &second());
    assert_ne!(diff["kernel"]["old"], diff["kernel"]["new"]);
    let removed = diff["packages"].as_object().unwrap().iter().any(|(name, pair)| {
        name.starts_with("thunderbird.") && pair["old"].is_string() && pair["new"].is_null()
    });
    assert!(removed, "{:#}", diff["packages"]);
    let gone = paths(&diff, "removed");
    assert!(gone.contains(&"/usr/share/thunderbird/README".to_owned()), "{gone:?}");
}

/// The real dnf5 does not find a package.
#[test]
fn failed_build_is_explained_on_the_terminal_at_the_end_of_its_log_and_in_the_summary() {
    let place = Place::new("");
    let base = first().reference;
    place.write("vespera-config.yaml", "");
    let text = format!("FROM {base}\nRUN dnf5 --assumeyes install no-such-package\n");
    place.write("Containerfile", &text);
    let words = ["build", "--offline", "--log", "build.log", "--summary", "summary.md"];
    let mut build = shared(place.program(&words));
    build.args(["--", "--pull=never", "--network=host"]);
    let ended = output(&mut build);
    assert_eq!(ended.status.code(), Some(1), "{}", both(&ended));
    let title = "A package was not found (package-not-found)";
    assert!(both(&ended).contains(title), "{}", both(&ended));
    let log = place.read("build.log");
    let (before, after) = log.split_once(title).unwrap_or_else(|| panic!("{log}"));
    assert!(before.contains("No match for argument: no-such-package"), "{log}");
    assert!(after.contains("`packages.repositories`"), "{log}");
    let summary = place.read("summary.md");
    assert!(summary.starts_with("### A package was not found (`package-not-found`)"), "{summary}");
}

#[test]
fn built_image_has_a_shell_and_no_entry_point() {
    let place = Place::new("");
    let stored = first().stored();
    let mut skopeo = shared(place.command("skopeo"));
    let config = run(skopeo.args(["inspect", "--config", &stored]));
    let config: Value = serde_json::from_str(&config).unwrap();
    assert!(config["config"]["Entrypoint"].is_null(), "{config:#}");
    let mut buildah = shared(place.command("buildah"));
    let container = run(buildah.args(["from", "--pull=never", &first().reference]));
    let mut shell = shared(place.command("buildah"));
    shell.args(["run", "--isolation=chroot", "--network=host", &container, "--"]);
    let said = run(shell.args(["/bin/sh", "-c", "echo in the image"]));
    run(shared(place.command("buildah")).args(["rm", &container]));
    assert_eq!(said, "in the image");
}

#[test]
fn retired_graphics_variant_stops_the_build_with_the_way_out() {
    let place = Place::new("");
    let base = format!("BASE_IMAGE={}", first().reference);
    let ended = output(shared(place.command("buildah")).args([
        "build",
        "--pull=never",
        "--network=host",
        "--layers",
        "--force-rm",
        "--target=base",
        "--build-arg=GPU_VARIANT=nvidia",
        &format!("--build-arg={base}"),
        SOURCE,
    ]));
    assert!(!ended.status.success(), "{}", both(&ended));
    assert!(both(&ended).contains("Use GPU_VARIANT=nvidia-open"), "{}", both(&ended));
}
