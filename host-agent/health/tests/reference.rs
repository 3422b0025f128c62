// SPDX-License-Identifier: MIT OR Apache-2.0
//! The document with all checks: what stands in the catalogue, and what people ask about each.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is the failed test")]

use health::Severity;
use health::catalogue::{self, Kind};
use manual::committed::{document, head};

/// What a check means beyond its title, and what is to be done where the catalogue has no command
/// of its own, since it depends on the host.
const WORDS: &[(&str, &str, &str)] = &[
    (
        "module-missing",
        "`/usr/lib/modules/KERNEL` of the running kernel holds no `maccel.ko`. The detail names the \
         kernels that have one.",
        "On an image, `sudo bootc upgrade --apply`, or what is nearer: `systemctl reboot` where the \
         next boot has a fitting module, `sudo bootc rollback --apply` where the rollback has one. \
         With DKMS, `sudo dkms autoinstall -k KERNEL`, after the headers that it builds with: \
         `sudo apt install linux-headers-KERNEL`, `sudo dnf install kernel-devel-KERNEL`. Without either, \
         packages: on a [Debian](packages.md#debian), on a [Fedora](packages.md#fedora), \
         [elsewhere](packages.md#dkms-on-any-distribution).",
    ),
    ("module-not-indexed", "The file is there, but `modules.dep` does not list it.", ""),
    (
        "module-unreadable",
        "The file is cut short, cannot be unpacked, or is no kernel module.",
        "As for [module-missing](#module-missing).",
    ),
    (
        "module-wrong-kernel",
        "Its version magic differs from that of the kernel. The detail shows both.",
        "As for [module-missing](#module-missing).",
    ),
    (
        "module-symbols-differ",
        "The kernel has the same name, but was built otherwise: a symbol that the module needs is \
         missing or has another checksum.",
        "As for [module-missing](#module-missing).",
    ),
    (
        "secure-boot-module-unsigned",
        "Secure Boot, lockdown or `module.sig_enforce` is on, and the module carries no signature.",
        "On an image, as for [module-missing](#module-missing), with one whose driver is signed: \
         [secure-boot.md](secure-boot.md). Elsewhere, who builds the driver \
         [signs it](secure-boot.md#outside-a-vespera-image).",
    ),
    (
        "secure-boot-signature-wrong",
        "The signature is by the key of the image, or of DKMS, but not over this file: the file was \
         changed after it was signed.",
        "As for [secure-boot-module-unsigned](#secure-boot-module-unsigned).",
    ),
    (
        "secure-boot-key-not-enrolled",
        "The signature is good, but this machine does not trust the key. While the request waits, \
         the remedy is a restart: MokManager asks before the system starts.",
        "",
    ),
    (
        "module-blacklisted",
        "A line in `modprobe.d` or a parameter of the kernel command line keeps the module out. \
         The detail names file and line; a file that cannot be read makes it unknown.",
        "The remedy on the screen takes exactly that line or parameter away.",
    ),
    (
        "module-loading-disabled",
        "`kernel.modules_disabled` is 1, which only a restart undoes. Something on this system \
         sets it after the boot.",
        "",
    ),
    (
        "module-not-loaded",
        "The file is right, and the module is not in the kernel. Where the kernel refused it, the \
         detail has the reason in words and from its log.",
        "Where the kernel gave a reason, the remedy on the screen is the one for it.",
    ),
    (
        "module-stale",
        "The file was replaced while the older module was loaded; the mouse works with the older.",
        "",
    ),
    (
        "group-missing",
        "The group comes from `/usr/lib/sysusers.d/vespera.conf` and is made at boot.",
        "",
    ),
    (
        "group-not-member",
        "A remark. At the machine itself you need no group: the agent lets the active person \
         change settings. In a Vespera image scripts and remote sessions may as well, if they are \
         in it; elsewhere the agent wants root there, and the group is for what writes the driver's \
         files itself.",
        "`sudo vesperactl group add NAME`, then log out and in again.",
    ),
    (
        "permissions-parameters-wrong",
        "udev gives the files of a fresh module to the group. Another rule may have taken them.",
        "",
    ),
    (
        "permissions-device-wrong",
        "The same for `/dev/maccel`, where the speed is read. Others may not read it, since it \
         tells when a mouse moves.",
        "",
    ),
    ("permissions-mice-wrong", "The same for the files below `/sys/class/maccel`.", ""),
    (
        "deployment-next-unfit",
        "What starts at the next boot has no module that fits its own kernel, one that this machine \
         will refuse (signature, keys), or one that its own files or kernel arguments keep out. \
         Today's session is not touched.",
        "`sudo rpm-ostree cleanup --pending` for a staged deployment, `sudo bootc rollback` for \
         one that is already first; for a key or a blacklist the command that mends that.",
    ),
    (
        "deployment-rollback-unfit",
        "A remark: going back would leave the mouse without acceleration.",
        "",
    ),
    ("boot-unchecked", "`vespera-module.service` has written no report since this boot.", ""),
    (
        "desktop-acceleration-stacks",
        "KDE or GNOME accelerates movement that the driver has already accelerated. Only \
         `vesperactl doctor` looks, since it is your own setting.",
        "",
    ),
    (
        "flatpak-not-installed",
        "A remark of `vesperactl doctor`. The image lists these applications, and Flatpak has not \
         installed them: there was no network yet, or Flathub does not know the name.",
        "",
    ),
    (
        "settings-file-damaged",
        "`/var/lib/vespera/maccel.toml` could not be read. It is kept as `maccel.toml.damaged`, \
         and the last good copy applies.",
        "Look whether something is missing from your settings; the next change makes the check \
         right.",
    ),
    (
        "settings-file-refused",
        "A file in `/etc/vespera` or `/usr/lib/vespera` has a fault; it counts as it was before. \
         The detail shows line and column.",
        "Mend that line; the file is read again at once.",
    ),
    (
        "settings-not-saved",
        "`/var/lib/vespera` cannot be written: a full disk, most of the time. The settings are in \
         force and are lost at the next boot.",
        "Make room; the agent tries again with the next change.",
    ),
    (
        "settings-not-imported",
        "A file below `/var/opt/maccel/resets` holds something else than one value, or a value \
         that is out of range. The others were taken over.",
        "Set the value once: `maccel set`.",
    ),
    (
        "settings-not-in-force",
        "The driver holds other values than were saved, or refused them.",
        "",
    ),
];

const BEFORE: &str = "\
A check is one finding, made by the same code at boot, by `vesperactl`, and for the bus. It is
`ok`, `failed` or `unknown`; one that could not be made is unknown, never ok. `vesperactl status`
shows the faults that stand on their own; `vesperactl doctor` shows every check.

Codes are stable: programs may go by them (`vesperactl status --json`, `Checks` on the
[bus](dbus.md)). A failed *error* makes the state `broken`, a failed *warning* `degraded`; a
*remark* changes nothing. An error that is unknown makes the state `unknown`.

A fault that another one explains is not shown on the screen; *comes after* says which. Where
circumstances make a fault harmless, it is shown milder than here, as a blacklist entry for a
module that is loaded all the same, or a fault of the file of one that runs until the next start.
";

#[test]
fn committed_document_with_the_checks_is_current() {
    let mut text = head("Checks", concat!("host-agent/health/src/catalogue.rs and ", file!()));
    text += BEFORE;
    for kind in catalogue::ALL {
        text += &section(kind);
    }
    document("docs/checks.md", &text).unwrap();
}

fn section(kind: &Kind) -> String {
    let Some((_, meaning, mends)) = WORDS.iter().find(|(code, ..)| *code == kind.code) else {
        panic!("{} has no words", kind.code)
    };
    let severity = match kind.severity {
        Severity::Info => "remark",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let remedy = match (kind.remedy, *mends) {
        ("", "") => "none is needed".to_owned(),
        ("", mends) => mends.to_owned(),
        (command, "") => format!("`{command}`"),
        (command, mends) => format!("`{command}`. {mends}"),
    };
    let after =
        kind.after.map_or(String::new(), |after| format!(", comes after [{after}](#{after})"));
    format!(
        "\n## {}\n\n**{}.** {severity}{after}\n\n{meaning}\n\nTo mend it: {remedy}\n",
        kind.code, kind.fault
    )
}

#[test]
fn every_check_has_words_and_no_words_are_left_over() {
    let known: Vec<&str> = catalogue::ALL.iter().map(|kind| kind.code).collect();
    let described: Vec<&str> = WORDS.iter().map(|(code, ..)| *code).collect();
    assert_eq!(described, known, "in the order of the catalogue");
}

#[test]
fn every_page_that_a_remedy_leads_to_has_the_heading_it_names() {
    for remedy in health::origin::PAGES {
        let (_, page) = remedy.split_once("/blob/main/").unwrap();
        let (path, anchor) = page.split_once('#').unwrap_or((page, ""));
        let text = std::fs::read_to_string(manual::committed::repository().join(path)).unwrap();
        let heading = |line: &str| {
            let heading = line.strip_prefix("## ")?;
            Some(heading.to_lowercase().replace(' ', "-"))
        };
        let found = text.lines().filter_map(heading).any(|name| name == anchor);
        assert!(found || anchor.is_empty(), "{page}");
    }
}
