// SPDX-License-Identifier: MIT OR Apache-2.0
//! The readers, and what each promises of any input.

use std::sync::LazyLock;

use health::deployments::DeploymentsReport;
use health::mice::Mouse;
use health::report::ModuleReport;
use health::{blacklist, desktop, firmware, group, host, kernel_log, status_json};
use maccel_core::changes::Changes;
use maccel_core::driver::line;
use maccel_core::settings::{Mode, Settings};
use maccel_core::shape::Shape;
use maccel_core::{compile, curve, libinput as points, public_profile as public, raw_accel as raw};
use maccel_core::{reset_script as script, settings_file as file, yeetmouse as yeet};
use module_check::certificate::Certificate;
use module_check::fixtures::signing::{self, openssl};
use module_check::proof::Proof;
use module_check::signature::{Appended, of_module};
use module_check::symbols::{Crcs, parse_symvers};
use module_check::{ModuleFile, tree, vermagic};

/// Tries one input.
pub(crate) type Reader = fn(&[u8]);

/// All of them.
pub(crate) const TARGETS: &[(&str, Reader)] = &[
    ("module", module),
    ("signature", signature),
    ("certificate", certificate),
    ("key-lists", key_lists),
    ("report", report),
    ("status", status),
    ("text", text),
    ("settings-file", settings_file),
    ("reset-script", reset_script),
    ("raw-accel", raw_accel),
    ("shape", shape),
    ("driver-line", driver_line),
    ("yeetmouse", yeetmouse),
    ("libinput", libinput),
    ("public-profile", public_profile),
];

/// An ELF file with `.modinfo`, `__versions` and what is appended.
fn module(data: &[u8]) {
    let Ok(module) = ModuleFile::parse(data) else { return };
    if let Some(magic) = module.vermagic() {
        assert_eq!(vermagic::compare(magic, magic, true), vermagic::Fit::Same);
    }
    assert_eq!(module.has_crcs(), !module.crcs.is_empty());
    assert!(module.info.pairs().all(|(key, _)| module.info.get(key).is_some()));
}

/// A PKCS#7 message, with every kind of key to prove it with.
fn signature(data: &[u8]) {
    static KEYS: LazyLock<Vec<(&str, Certificate, Vec<u8>)>> = LazyLock::new(|| {
        ["rsa-sha256", "rsa-sha512-keyid", "p256-sha256", "p384-sha384"]
            .into_iter()
            .map(|name| {
                let certificate = Certificate::parse(&openssl::certificate(name)).unwrap();
                (name, certificate, openssl::message(name))
            })
            .collect()
    });
    let Appended::Signature(found) = of_module(&signing::appended(openssl::CONTENT, data)) else {
        return;
    };
    // Over another content no message may hold, whatever it is.
    let Appended::Signature(other) = of_module(&signing::appended(b"another", data)) else {
        panic!("a message is read for one content and not for another");
    };
    for (name, certificate, message) in KEYS.iter() {
        if message.as_slice() == data {
            assert_eq!(certificate.proves(&found), Proof::Valid, "{name}");
        }
        assert_ne!(certificate.proves(&other), Proof::Valid, "{name}");
    }
}

/// A certificate.
fn certificate(data: &[u8]) {
    if let Some(certificate) = Certificate::parse(data) {
        assert!(!certificate.serial.is_empty());
        assert_eq!(certificate.fingerprint.len(), 32 * 3 - 1);
    }
}

/// The firmware's lists of keys.
fn key_lists(data: &[u8]) {
    let found = firmware::certificates(data);
    assert!(found.iter().map(|certificate| certificate.len()).sum::<usize>() <= data.len());
}

/// The reports below `/run/vespera`: what is read must be written and read again as the same.
fn report(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(report) = ModuleReport::parse(text, None) {
        let written = serde_json::to_string(&report).unwrap();
        assert_eq!(ModuleReport::parse(&written, None).unwrap(), report);
    }
    if let Ok(report) = DeploymentsReport::parse(text, None) {
        let written = serde_json::to_string(&report).unwrap();
        assert_eq!(DeploymentsReport::parse(&written, None).unwrap(), report);
    }
}

/// What bootc and rpm-ostree print.
fn status(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let told = [status_json::parse_bootc(text), status_json::parse_rpm_ostree(text)];
    assert!(told.iter().flatten().flatten().all(|told| !told.checksum.is_empty()));
}

/// Files of lines: of modprobe, groups, indices, symbols, desktops, the kernel's log.
fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some((line, found)) = blacklist::in_file(&text, "maccel") {
        assert!(line >= 1 && line <= text.lines().count() && found.contains("maccel"));
    }
    if let Some(found) = blacklist::in_command_line(&text, "maccel") {
        assert!(text.contains(&found));
    }
    if let Some((_, members)) = group::parse(&text, "maccel") {
        assert!(members.iter().all(|member| !member.is_empty()));
    }
    if let Some(path) = tree::path_in_index(&text, "maccel") {
        assert!(text.contains(path));
    }
    let wanted = Crcs::from([("input_event".to_owned(), 0)]);
    assert!(parse_symvers(&text, &wanted).len() <= 1);
    kernel_log::text(&text);
    host::ImageFacts::parse(Some(&text), &text);
    desktop::gnome(&text);
    let mouse = Mouse {
        input: "input5".to_owned(),
        name: Some("Mouse".to_owned()),
        id: Some("046d:c08b".to_owned()),
        enabled: None,
        settings: None,
    };
    let alone = desktop::kde(&[&text], std::slice::from_ref(&mouse));
    assert_eq!(desktop::kde(&[&text, "[Keyboard]\n"], &[mouse]), alone);
}

/// The agent's TOML: what is read must be written and read again as the same.
fn settings_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(found) = file::parse(text) else { return };
    let written = file::format(&found).unwrap();
    assert_eq!(file::parse(&written).unwrap(), found, "{written}");
}

/// A script of the public package: its first line is the name of the file. What is refused leaves
/// everything as it was. Or several, one on each line.
fn reset_script(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (found, refused) = script::read_lines(text);
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(found.parameters().len() + refused.len() <= lines);
    let (name, text) = text.split_once('\n').unwrap_or((text, ""));
    let mut changes = Changes::default();
    match script::read_into(&mut changes, name, text) {
        Ok(()) => assert_eq!(changes.parameters().len(), 1),
        Err(_) => assert!(changes.is_empty()),
    }
}

/// Settings of Raw Accel, brought along from another system: what is read can be put in force, and
/// written and read again.
fn raw_accel(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(import) = raw::read(text) else { return };
    for profile in &import.profiles {
        can_be_in_force(&profile.settings);
        // There a linear curve without acceleration is no curve.
        let flat = profile.settings.get("ACCEL") == Ok(0.0);
        if !(flat && profile.settings.mode() == Mode::Linear) {
            let written = raw::write(&profile.name, &profile.settings, raw::Version::V17);
            raw::read(&written).unwrap();
        }
    }
}

/// A curve as a person types it, with the points of a table or a drawing: it means the same when
/// written and read again, and what it compiles to can be put in force.
fn shape(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(shape) = text.parse::<Shape>() else { return };
    let written = shape.to_string();
    let again: Shape = written.parse().unwrap();
    assert_eq!(again.to_string(), written);
    let mut settings = Settings::default();
    let Ok(error) = compile::apply(&shape, &mut settings) else {
        assert_eq!(settings, Settings::default());
        return;
    };
    can_be_in_force(&settings);
    assert_eq!(error.is_some(), settings.mode() == Mode::Lut);
    let mut same = Settings::default();
    compile::apply(&again, &mut same).unwrap();
    assert_eq!(same, settings, "{written}");
}

/// Settings of YeetMouse.
fn yeetmouse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_it = yeet::is_it(text);
    if let Ok(import) = yeet::read(text) {
        assert!(is_it);
        can_be_in_force(&import.settings);
        assert_eq!(import.error.is_some(), import.settings.mode() == Mode::Lut);
    }
}

/// The points of libinput: what is read can be written and read again.
fn libinput(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_it = points::is_it(text);
    if let Ok(import) = points::read(text) {
        assert!(is_it);
        can_be_in_force(&import.settings);
        let (written, _) = points::write(&import.settings);
        points::read(&written).unwrap();
    }
}

/// What the driver's `SETTINGS` hold.
fn driver_line(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(settings) = line::parse_settings(text) {
        can_be_in_force(&settings);
    }
}

/// The driver's line holds all of the settings, and they give a factor at every speed.
fn can_be_in_force(settings: &Settings) {
    let written = line::format(&Changes::all(settings));
    assert_eq!(line::parse_settings(&written).unwrap(), *settings, "{written}");
    for speed in [0.0, 0.01, 1.0, 60.0, 1000.0] {
        let factor = curve::factor(settings, speed);
        assert!(factor.is_finite(), "{factor} at {speed}: {written}");
    }
}

/// A profile of the public command: what is taken can be in force, and its name can be shown.
fn public_profile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(profile) = public::read(text) else { return };
    assert!(public::is_it(text));
    assert!(!profile.name.chars().any(char::is_control));
    can_be_in_force(&profile.changes.apply(&Settings::default()).unwrap());
}
