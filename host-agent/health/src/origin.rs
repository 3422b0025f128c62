// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the module of a host comes from, and so what brings another one or has it trusted. It is
//! always one line to paste, or a page to read where one line does not do it.

use module_check::Root;
use module_check::tree::KernelTree;

use crate::secure_boot;

/// The command that brings another image.
pub const UPGRADE: &str = "sudo bootc upgrade --apply";
/// The command that has the firmware trust the certificate that is here.
pub const ENROL: &str = "sudo vesperactl secure-boot enroll";

/// Where the pages of the manual are, for those who have installed no more than programs.
macro_rules! page {
    ($name:literal) => {
        concat!("see https://github.com/abirkel/Vespera/blob/main/docs/", $name)
    };
}

const ANY: &str = page!("packages.md");
const DEBIAN: &str = page!("packages.md#debian");
const FEDORA: &str = page!("packages.md#fedora");
const SIGNED_IMAGE: &str = page!("secure-boot.md");
/// The page on signatures where no image brings the module.
pub const SIGNED_HERE: &str = page!("secure-boot.md#outside-a-vespera-image");

/// All pages that a remedy can lead to.
pub const PAGES: &[&str] = &[ANY, DEBIAN, FEDORA, SIGNED_IMAGE, SIGNED_HERE];

/// Where the module of a host comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the image, together with its kernel.
    Image,
    /// DKMS builds it here.
    Dkms,
    /// A Debian, without DKMS or without a driver's source for it.
    Debian,
    /// A Fedora, the same.
    Fedora,
    /// From elsewhere.
    Other,
}

impl Origin {
    /// Tells by the files of a host.
    pub fn of(root: &Root) -> Self {
        if root.exists(crate::ostree::BOOTED) || root.exists("usr/share/vespera/image.json") {
            Self::Image
        } else if has_dkms_source(root) {
            Self::Dkms
        } else if root.exists("var/lib/dpkg/status") {
            Self::Debian
        } else if root.exists("usr/bin/dnf") || root.exists("usr/bin/dnf5") {
            Self::Fedora
        } else {
            Self::Other
        }
    }
}

/// What brings a module that fits `kernel`.
pub fn reinstall(root: &Root, kernel: &str) -> String {
    match Origin::of(root) {
        // The image brings kernel and module together; only another image can mend it.
        Origin::Image => UPGRADE.to_owned(),
        Origin::Dkms => build(root, kernel),
        Origin::Debian => DEBIAN.to_owned(),
        Origin::Fedora => FEDORA.to_owned(),
        Origin::Other => ANY.to_owned(),
    }
}

/// What brings a module with a proper signature.
pub fn sign(root: &Root) -> &'static str {
    match Origin::of(root) {
        Origin::Image => UPGRADE,
        Origin::Dkms | Origin::Debian | Origin::Fedora | Origin::Other => SIGNED_HERE,
    }
}

/// What has the module's signature trusted: without a certificate there is nothing to enrol.
pub fn trust(root: &Root) -> &'static str {
    match (secure_boot::certificate_path(root), Origin::of(root)) {
        (Some(_), _) => ENROL,
        (None, Origin::Image) => SIGNED_IMAGE,
        (None, Origin::Dkms | Origin::Debian | Origin::Fedora | Origin::Other) => SIGNED_HERE,
    }
}

/// What has DKMS build the module for `kernel`: without its headers it cannot.
fn build(root: &Root, kernel: &str) -> String {
    let build = format!("sudo dkms autoinstall -k {kernel}");
    if has_headers(root, kernel) {
        build
    } else if root.exists("var/lib/dpkg/status") {
        format!("sudo apt install linux-headers-{kernel} && {build}")
    } else if root.exists("usr/bin/dnf") || root.exists("usr/bin/dnf5") {
        format!("sudo dnf install kernel-devel-{kernel} && {build}")
    } else {
        build
    }
}

/// Whether the headers are there; a Fedora has the link to them without.
fn has_headers(root: &Root, kernel: &str) -> bool {
    let link = KernelTree::new(root, kernel).folder().join("build");
    match link.read_link_utf8() {
        Ok(target) if target.is_absolute() => root.exists(target),
        _ => link.exists(),
    }
}

/// Whether there is source that DKMS would build a driver of: ours, or the public one's, which this
/// software works with as well.
fn has_dkms_source(root: &Root) -> bool {
    let sources = root.at("usr/src");
    let is_source = |entry: std::io::Result<camino::Utf8DirEntry>| {
        entry.is_ok_and(|entry| {
            entry.file_name().starts_with("maccel-") && entry.path().join("dkms.conf").exists()
        })
    };
    (root.exists("usr/sbin/dkms") || root.exists("usr/bin/dkms"))
        && sources.read_dir_utf8().is_ok_and(|mut entries| entries.any(is_source))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use module_check::fixtures::FixtureRoot;

    use super::*;

    /// A host of each kind, and what it is.
    fn hosts() -> Vec<(Origin, FixtureRoot)> {
        [
            (Origin::Other, &[][..]),
            (Origin::Fedora, &["usr/bin/dnf5"]),
            (Origin::Debian, &["var/lib/dpkg/status"]),
            // With the source of another module.
            (
                Origin::Debian,
                &["var/lib/dpkg/status", "usr/sbin/dkms", "usr/src/nvidia-1/dkms.conf"],
            ),
            (
                Origin::Dkms,
                &["var/lib/dpkg/status", "usr/sbin/dkms", "usr/src/maccel-0.1.0/dkms.conf"],
            ),
            // The public driver's.
            (Origin::Dkms, &["usr/bin/dnf5", "usr/bin/dkms", "usr/src/maccel-0.5.9/dkms.conf"]),
            (Origin::Image, &["usr/bin/dnf5", "usr/share/vespera/image.json"]),
        ]
        .map(|(origin, files)| {
            let fixture = FixtureRoot::new();
            for file in files {
                fixture.file(file, b"");
            }
            fixture.file("usr/lib/modules/6.1.0/build/Makefile", b"");
            (origin, fixture)
        })
        .into()
    }

    #[test]
    fn the_remedy_suits_the_kind_of_host() {
        for (origin, fixture) in hosts() {
            assert_eq!(Origin::of(fixture.root()), origin);
            let (another, trusted, signed) = match origin {
                Origin::Image => ("sudo bootc upgrade --apply", SIGNED_IMAGE, UPGRADE),
                Origin::Dkms => ("sudo dkms autoinstall -k 6.1.0", SIGNED_HERE, SIGNED_HERE),
                Origin::Debian => (DEBIAN, SIGNED_HERE, SIGNED_HERE),
                Origin::Fedora => (FEDORA, SIGNED_HERE, SIGNED_HERE),
                Origin::Other => (ANY, SIGNED_HERE, SIGNED_HERE),
            };
            assert_eq!(reinstall(fixture.root(), "6.1.0"), another);
            assert_eq!(trust(fixture.root()), trusted, "{origin:?}");
            assert_eq!(sign(fixture.root()), signed, "{origin:?}");
        }
    }

    /// DKMS without the headers only says that they are missing.
    #[test]
    fn the_headers_come_before_what_dkms_builds_with_them() {
        const BUILD: &str = "sudo dkms autoinstall -k 6.2.0-1";
        for (_, fixture) in hosts().into_iter().filter(|host| host.0 == Origin::Dkms) {
            let root = fixture.root();
            let installer = match root.exists("var/lib/dpkg/status") {
                true => "sudo apt install linux-headers-6.2.0-1",
                false => "sudo dnf install kernel-devel-6.2.0-1",
            };
            let with_headers = format!("{installer} && {BUILD}");
            assert_eq!(reinstall(root, "6.2.0-1"), with_headers);
            std::fs::create_dir_all(root.at("usr/lib/modules/6.2.0-1")).unwrap();
            let link = root.at("usr/lib/modules/6.2.0-1/build");
            std::os::unix::fs::symlink("/usr/src/kernels/6.2.0-1", link).unwrap();
            assert_eq!(reinstall(root, "6.2.0-1"), with_headers, "a link to nothing");
            fixture.file("usr/src/kernels/6.2.0-1/Makefile", b"");
            assert_eq!(reinstall(root, "6.2.0-1"), BUILD);
        }
    }

    #[test]
    fn enrolling_is_advised_only_where_there_is_a_certificate_to_enrol() {
        for (origin, fixture) in hosts() {
            fixture.file("var/lib/dkms/mok.pub", b"");
            // On others, DKMS has signed another driver with it.
            assert_eq!(trust(fixture.root()) == ENROL, origin == Origin::Dkms, "{origin:?}");
            fixture.file(secure_boot::CERTIFICATE, b"");
            assert_eq!(trust(fixture.root()), ENROL, "{origin:?}");
        }
    }

    #[test]
    fn a_remedy_is_one_line_to_paste_or_one_page() {
        for (_, fixture) in hosts() {
            let root = fixture.root();
            for remedy in [&reinstall(root, "6.1.0-1.fc43.x86_64"), trust(root), sign(root)] {
                if let Some(page) = remedy.strip_prefix("see ") {
                    assert!(PAGES.contains(&remedy), "{remedy}");
                    assert!(!page.contains(' '), "{remedy}");
                    continue;
                }
                // The shell finds whole words in it and nothing of its own to do.
                let mut shell = Command::new("sh");
                let said = shell.args(["-c", &format!("sudo() {{ echo \"$*\"; }}; {remedy}")]);
                let said = String::from_utf8(said.output().unwrap().stdout).unwrap();
                let said = said.trim_end().replace('\n', " && sudo ");
                assert_eq!(format!("sudo {said}"), *remedy);
                assert!(!remedy.contains([',', '*']), "{remedy}");
            }
        }
    }
}
