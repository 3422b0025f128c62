// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl secure-boot`: is the module's signature trusted, and how it comes to be.

use std::process::Command;

use anyhow::{Context, anyhow, bail, ensure};
use health::firmware::{self, Enrolment};
use health::module::Depth;
use health::person::Person;
use health::secure_boot::{self, Issued, Lockdown, SecureBoot};
use health::{Root, Survey, loaded, origin, unbooted};
use module_check::proof::Proof;
use module_check::signature::{Appended, Signature};
use serde::Serialize;

use crate::args::Show;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;
/// What hands a certificate to the firmware.
const MOKUTIL: &str = "mokutil";

/// Everything the two subcommands go by.
#[derive(Debug)]
struct Facts {
    /// Whether there is a kernel that demands and trusts anything.
    running: bool,
    host: SecureBoot,
    uefi: Option<bool>,
    module: Option<Appended>,
    /// Whether the kernel has taken a module of the same sources.
    taken: bool,
    certificate: Result<Issued, String>,
    /// What has the module trusted here.
    trust: &'static str,
    enrolment: Option<Enrolment>,
    proof: Option<Proof>,
}

#[derive(Debug, Serialize)]
struct SecureBootReport<'a> {
    format: u32,
    uefi: Option<bool>,
    secure_boot: Option<bool>,
    sig_enforce: Option<bool>,
    lockdown: Option<Lockdown>,
    signature: Option<&'a Signature>,
    proved: Option<bool>,
    certificate: Option<CertificateReport<'a>>,
    enrolled: Option<bool>,
    pending: Option<bool>,
    accepted: Option<bool>,
}

#[derive(Debug, Serialize)]
struct CertificateReport<'a> {
    subject: Option<&'a str>,
    serial: &'a str,
    fingerprint: &'a str,
}

impl Facts {
    fn read(root: &Root) -> Self {
        let running = !unbooted::is(root);
        let installed = match running {
            true => Survey::installed(root, Depth::Quick),
            false => unbooted::installed(root).1,
        };
        let on_disk = installed.facts.and_then(|module| module.srcversion);
        let loaded = loaded::find(root).and_then(|module| module.srcversion);
        let module = installed.signature;
        let certificate = secure_boot::certificate(root);
        let proof = match (&module, &certificate) {
            (Some(Appended::Signature(signature)), Ok(issued)) => {
                Some(issued.certificate.proves(signature))
            }
            _ => None,
        };
        Self {
            running,
            host: SecureBoot::read(root),
            uefi: firmware::is_uefi(root),
            module,
            taken: on_disk.is_some() && on_disk == loaded,
            enrolment: certificate
                .as_ref()
                .ok()
                .map(|issued| firmware::enrolment(root, &issued.der)),
            certificate,
            trust: origin::trust(root),
            proof,
        }
    }

    fn signature(&self) -> Option<&Signature> {
        match &self.module {
            Some(Appended::Signature(signature)) => Some(signature),
            _ => None,
        }
    }

    fn proved(&self) -> Option<bool> {
        match self.proof {
            Some(Proof::Valid) => Some(true),
            Some(Proof::Invalid(_)) => Some(false),
            _ => None,
        }
    }

    fn enrolled(&self) -> Option<bool> {
        match self.enrolment? {
            Enrolment::Owner | Enrolment::Firmware => Some(true),
            Enrolment::Pending | Enrolment::No | Enrolment::Refused => Some(false),
            Enrolment::Unknown => None,
        }
    }

    /// Whether this kernel takes the module, as far as signatures go.
    fn accepted(&self) -> Option<bool> {
        if !self.running {
            return None;
        }
        if self.host.enforcement().is_none() {
            return Some(true);
        }
        match (&self.module, self.proved(), self.enrolled()) {
            (None, ..) => None,
            (Some(Appended::None | Appended::Damaged(_)), ..) | (_, Some(false), _) => Some(false),
            (_, Some(true), Some(enrolled)) => Some(enrolled),
            // Its keys are more than can be seen here.
            _ if self.taken => Some(true),
            _ => None,
        }
    }
}

/// Shows what is known.
pub(crate) fn status(root: &Root, show: &Show) -> anyhow::Result<Outcome> {
    let facts = Facts::read(root);
    let code = match facts.accepted() {
        Some(true) => exit::HEALTHY,
        Some(false) => exit::BROKEN,
        None => exit::DEGRADED,
    };
    let text = if show.json {
        let certificate = facts.certificate.as_ref().ok().map(|issued| &issued.certificate);
        let report = SecureBootReport {
            format: FORMAT,
            uefi: facts.uefi,
            secure_boot: facts.host.enabled,
            sig_enforce: facts.host.sig_enforce,
            lockdown: facts.host.lockdown,
            signature: facts.signature(),
            proved: facts.proved(),
            certificate: certificate.map(|certificate| CertificateReport {
                subject: certificate.subject.as_deref(),
                serial: &certificate.serial,
                fingerprint: &certificate.fingerprint,
            }),
            enrolled: facts.enrolled(),
            pending: facts.running.then_some(facts.enrolment == Some(Enrolment::Pending)),
            accepted: facts.accepted(),
        };
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        describe(&facts)
    };
    Ok(Outcome { text, code })
}

fn describe(facts: &Facts) -> String {
    let secure_boot = match facts.host.enabled {
        Some(true) => "on",
        Some(false) if facts.uefi == Some(false) => "off (not booted through UEFI)",
        Some(false) => "off",
        None if !facts.running => &format!("cannot be told: {}", unbooted::NOT_RUNNING),
        None => "cannot be told",
    };
    let lockdown = match facts.host.lockdown {
        Some(Lockdown::None) => "none",
        Some(Lockdown::Integrity) => "integrity",
        Some(Lockdown::Confidentiality) => "confidentiality",
        None => "cannot be told",
    };
    let kernel = match facts.host.enforcement() {
        _ if !facts.running => "cannot be told",
        Some(_) => "takes only signed modules",
        None => "takes any module",
    };
    let module = match &facts.module {
        None => "none that can be used".to_owned(),
        Some(Appended::None) => "not signed".to_owned(),
        Some(Appended::Damaged(reason)) => format!("not signed properly: {reason}"),
        Some(Appended::Signature(signature)) => secure_boot::claim(signature),
    };
    let proof = match &facts.proof {
        None => "nothing to prove, or to prove it with".to_owned(),
        Some(Proof::Valid) => match &facts.certificate {
            Ok(issued) => format!("proved with /{}", issued.path),
            Err(reason) => reason.clone(),
        },
        Some(Proof::Invalid(reason)) => format!("wrong: {reason}"),
        Some(Proof::Unsupported(what)) => format!("{what} cannot be checked here"),
    };
    let certificate = match &facts.certificate {
        Ok(Issued { certificate, .. }) => format!(
            "{}, serial number {}, SHA-256 {}",
            certificate.subject.as_deref().unwrap_or("without a name"),
            certificate.serial,
            certificate.fingerprint
        ),
        Err(reason) => reason.clone(),
    };
    let enrolled = match facts.enrolment {
        Some(Enrolment::Owner) => "yes, by the owner of this machine",
        Some(Enrolment::Firmware) => "yes, in the firmware itself",
        Some(Enrolment::Pending) => "not yet: confirm it in MokManager at the next start",
        Some(Enrolment::No) => "no; to ask for it: sudo vesperactl secure-boot enroll",
        Some(Enrolment::Refused) => "no: this machine refuses it",
        Some(Enrolment::Unknown) => "cannot be told",
        None if !facts.running => "cannot be told",
        None if facts.taken => "cannot be told, but the kernel has taken the module",
        None => &format!("cannot be told; {}", facts.trust),
    };
    let mut text = String::new();
    for (name, value) in [
        ("Secure Boot", secure_boot),
        ("lockdown", lockdown),
        ("kernel", kernel),
        ("module", &module),
        ("signature", &proof),
        ("certificate", &certificate),
        ("enrolled", enrolled),
    ] {
        text.push_str(&format!("{name:<12} {value}\n"));
    }
    text
}

/// The command that brings mokutil to this kind of host.
fn install(root: &Root) -> &'static str {
    if root.exists("var/lib/dpkg/status") {
        "sudo apt install mokutil"
    } else if root.exists("run/ostree-booted") {
        "rpm-ostree install mokutil"
    } else {
        "sudo dnf install mokutil"
    }
}

/// Hands the certificate to the firmware, which asks the person at the next start.
pub(crate) fn enroll(root: &Root, while_off: bool) -> anyhow::Result<Outcome> {
    ensure!(root.is_host(), "certificates are enrolled on the running system only");
    let facts = Facts::read(root);
    if let Some(reason) = pointless(&facts, while_off) {
        bail!("nothing was done: {reason}");
    }
    let person = Person::of_process(root).context("/proc/self/status is unreadable")?;
    ensure!(person.uid == 0, "needs root: sudo vesperactl secure-boot enroll");
    let issued = facts.certificate.map_err(|reason| anyhow!(reason))?;
    let certificate = root.at(issued.path);
    // It asks for a password, which MokManager will want to hear again.
    let status = Command::new(MOKUTIL)
        .args(["--import", certificate.as_str()])
        .status()
        .with_context(|| format!("cannot run {MOKUTIL}; install it: {}", install(root)))?;
    ensure!(status.success(), "{MOKUTIL} refused ({status}); nothing was handed in");
    ensure!(
        Facts::read(root).enrolment == Some(Enrolment::Pending),
        "{MOKUTIL} reported success, but no request for MokManager is there"
    );
    Ok(Outcome { text: AT_THE_NEXT_START.to_owned(), code: exit::HEALTHY })
}

/// What only the person at the machine can do.
const AT_THE_NEXT_START: &str = "\
the certificate is handed in. Restart now (systemctl reboot); a blue screen, MokManager, comes up:
  1. Enroll MOK
  2. Continue
  3. Yes
  4. the password you have just chosen
  5. Reboot
Whoever lets the screen pass is asked no more; then begin again here.
";

/// Why handing the certificate in would change nothing.
fn pointless(facts: &Facts, while_off: bool) -> Option<String> {
    if facts.uefi == Some(false) {
        return Some("this system was not booted through UEFI, it has no Secure Boot".to_owned());
    }
    if let Err(reason) = &facts.certificate {
        return Some(format!("{reason}, there is nothing to enrol; {}", facts.trust));
    }
    match facts.enrolment {
        Some(Enrolment::Owner | Enrolment::Firmware) => {
            return Some("the certificate is enrolled already".to_owned());
        }
        Some(Enrolment::Pending) => {
            return Some(
                "a request waits already; restart and confirm it in MokManager".to_owned(),
            );
        }
        Some(Enrolment::Refused) => {
            return Some(
                "this machine refuses the certificate; the module has to be signed with another"
                    .to_owned(),
            );
        }
        Some(Enrolment::No | Enrolment::Unknown) | None => {}
    }
    match &facts.proof {
        Some(Proof::Valid | Proof::Unsupported(_)) => {}
        Some(Proof::Invalid(reason)) => {
            return Some(format!(
                "the module's signature is wrong, trust would not help: {reason}"
            ));
        }
        None => return Some("the module is not signed, trust would not help".to_owned()),
    }
    if facts.host.enabled == Some(false) && facts.host.enforcement().is_none() && !while_off {
        return Some(
            "Secure Boot is off, the module is taken as it is. To turn it on later: \
             vesperactl secure-boot enroll --while-off"
                .to_owned(),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use health::secure_boot::CERTIFICATE;
    use module_check::certificate::Certificate;
    use module_check::fixtures::{FixtureRoot, ModuleBuilder, signing};

    use super::*;

    /// A UEFI host with a module signed by key 7, its certificate, and Secure Boot as given.
    fn host(secure_boot: bool) -> FixtureRoot {
        let fixture = FixtureRoot::new();
        let kernel = "6.1.0";
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        fixture.kernel(kernel);
        fixture.module(kernel, &ModuleBuilder::new(kernel).crcs(true).signed_by(7));
        fixture.index(kernel, &["extra/maccel/maccel.ko", "kernel/drivers/hid/hid-generic.ko"]);
        fixture.file(CERTIFICATE, &signing::certificate(7));
        let global = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
        let value = [6, 0, 0, 0, u8::from(secure_boot)];
        fixture.file(&format!("sys/firmware/efi/efivars/SecureBoot-{global}"), &value);
        let lockdown: &[u8] =
            if secure_boot { b"none [integrity] confidentiality\n" } else { b"[none] integrity\n" };
        fixture.file("sys/kernel/security/lockdown", lockdown);
        fixture.file("sys/module/module/parameters/sig_enforce", b"N\n");
        fixture
    }

    fn list(fixture: &FixtureRoot, name: &str, certificate: &[u8]) {
        let x509 = [0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a];
        let rest = [0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72];
        let entry = u32::try_from(16 + certificate.len()).unwrap();
        let mut bytes = [&[6, 0, 0, 0][..], &x509, &rest].concat();
        for number in [28 + entry, 0, entry] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0; 16]);
        bytes.extend(certificate);
        let shim = "605dab50-e046-4300-abb6-3dd810dd8b23";
        fixture.file(&format!("sys/firmware/efi/efivars/{name}-{shim}"), &bytes);
    }

    #[test]
    fn signer_key_and_hash_are_shown_and_whether_they_are_trusted() {
        let fixture = host(true);
        list(&fixture, "MokListRT", b"another");
        let outcome = status(fixture.root(), &Show { json: false }).unwrap();
        let certificate = Certificate::parse(&signing::certificate(7)).unwrap();
        let text = outcome.text.replace(&certificate.fingerprint, "[FINGERPRINT]");
        insta::assert_snapshot!(text, @r"
        Secure Boot  on
        lockdown     integrity
        kernel       takes only signed modules
        module       signed by Vespera key, key 07, sha256
        signature    proved with /usr/share/vespera/module-signing.der
        certificate  Vespera key, serial number 07, SHA-256 [FINGERPRINT]
        enrolled     no; to ask for it: sudo vesperactl secure-boot enroll
        ");
        assert_eq!(outcome.code, exit::BROKEN);
        list(&fixture, "MokListRT", &signing::certificate(7));
        let outcome = status(fixture.root(), &Show { json: true }).unwrap();
        assert_eq!(outcome.code, exit::HEALTHY);
        let json: serde_json::Value = serde_json::from_str(&outcome.text).unwrap();
        for (key, value) in [
            ("secure_boot", serde_json::json!(true)),
            ("lockdown", "integrity".into()),
            ("proved", true.into()),
            ("enrolled", true.into()),
            ("accepted", true.into()),
            ("pending", false.into()),
        ] {
            assert_eq!(json[key], value, "{key}");
        }
        assert_eq!(json["signature"]["key_id"], "07");
    }

    /// It exited 1 where `doctor` said that the kernel had taken the module.
    #[test]
    fn what_the_kernel_has_taken_is_accepted_whoever_signed_it() {
        let fixture = host(true);
        std::fs::remove_file(fixture.root().at(CERTIFICATE)).unwrap();
        let seen = |fixture: &FixtureRoot| {
            let outcome = status(fixture.root(), &Show { json: true }).unwrap();
            let json: serde_json::Value = serde_json::from_str(&outcome.text).unwrap();
            (outcome.code, json["accepted"].clone())
        };
        assert_eq!(seen(&fixture), (exit::DEGRADED, serde_json::Value::Null));
        fixture.file("sys/module/maccel/initstate", b"live\n");
        fixture.file("sys/module/maccel/srcversion", b"another\n");
        assert_eq!(seen(&fixture), (exit::DEGRADED, serde_json::Value::Null), "another build");
        fixture.file("sys/module/maccel/srcversion", b"0123456789ABCDEF0123456\n");
        assert_eq!(seen(&fixture), (exit::HEALTHY, true.into()));
        let text = status(fixture.root(), &Show { json: false }).unwrap().text;
        assert!(text.contains("but the kernel has taken the module"), "{text}");
        fixture.module("6.1.0", &ModuleBuilder::new("6.1.0").crcs(true));
        assert_eq!(seen(&fixture), (exit::BROKEN, false.into()), "the file has no signature now");
        // Signed anew since, by a key that is known and not enrolled: the next boot refuses it.
        fixture.module("6.1.0", &ModuleBuilder::new("6.1.0").crcs(true).signed_by(7));
        fixture.file(CERTIFICATE, &signing::certificate(7));
        list(&fixture, "MokListRT", b"another");
        assert_eq!(seen(&fixture), (exit::BROKEN, false.into()));
    }

    /// It said of an image that Secure Boot was off there, and that its kernel took any module.
    #[test]
    fn what_a_system_that_does_not_run_demands_cannot_be_told() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        fixture.module("6.1.0", &ModuleBuilder::new("6.1.0").crcs(true).signed_by(7));
        fixture.index("6.1.0", &["extra/maccel/maccel.ko", "kernel/drivers/hid/hid-generic.ko"]);
        for certificate in [false, true] {
            if certificate {
                fixture.file(CERTIFICATE, &signing::certificate(7));
            }
            let outcome = status(fixture.root(), &Show { json: true }).unwrap();
            assert_eq!(outcome.code, exit::DEGRADED);
            let json: serde_json::Value = serde_json::from_str(&outcome.text).unwrap();
            let unseen = "uefi secure_boot sig_enforce lockdown enrolled pending accepted";
            for key in unseen.split(' ') {
                assert_eq!(json.get(key), Some(&serde_json::Value::Null), "{key}");
            }
            assert_eq!(json["signature"]["key_id"], "07");
            assert_eq!(
                json["proved"],
                if certificate { true.into() } else { serde_json::Value::Null }
            );
            let text = status(fixture.root(), &Show { json: false }).unwrap().text;
            let shown: Vec<_> =
                text.lines().filter_map(|line| line.split_once("cannot be told")).collect();
            let names: Vec<_> = shown.iter().map(|(name, _)| name.trim()).collect();
            assert_eq!(names, ["Secure Boot", "lockdown", "kernel", "enrolled"], "{text}");
            let rests: Vec<_> = shown.iter().map(|(_, rest)| *rest).collect();
            assert_eq!(rests, [": this system does not run", "", "", ""], "{text}");
        }
        let error = enroll(fixture.root(), true).unwrap_err().to_string();
        assert!(error.contains("running system only"), "{error}");
    }

    #[test]
    fn enrolling_is_refused_where_it_would_change_nothing() {
        let reason = |fixture: &FixtureRoot, while_off| {
            pointless(&Facts::read(fixture.root()), while_off).unwrap_or_default()
        };
        assert_eq!(reason(&host(true), false), "");
        assert!(reason(&host(false), false).contains("--while-off"));
        assert_eq!(reason(&host(false), true), "");
        let fixture = host(true);
        list(&fixture, "MokNew", &signing::certificate(7));
        assert!(reason(&fixture, false).contains("waits already"));
        list(&fixture, "MokListRT", &signing::certificate(7));
        assert!(reason(&fixture, false).contains("enrolled already"));
        let unsigned = host(true);
        unsigned.module("6.1.0", &ModuleBuilder::new("6.1.0"));
        assert!(reason(&unsigned, false).contains("not signed"));
        let other = host(true);
        other.module("6.1.0", &ModuleBuilder::new("6.1.0").signed_by(8));
        assert!(reason(&other, false).contains("another key"));
        let without = host(true);
        std::fs::remove_file(without.root().at(CERTIFICATE)).unwrap();
        let said = reason(&without, false);
        assert!(said.contains("nothing to enrol") && said.ends_with(origin::SIGNED_HERE), "{said}");
        let bios = FixtureRoot::new();
        bios.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        assert!(reason(&bios, false).contains("UEFI"));
    }

    #[test]
    fn what_dkms_signs_with_is_what_is_enrolled_where_dkms_builds_the_module() {
        let fixture = host(true);
        std::fs::remove_file(fixture.root().at(CERTIFICATE)).unwrap();
        fixture.file("var/lib/dpkg/status", b"");
        fixture.file("usr/sbin/dkms", b"");
        fixture.file("usr/src/maccel-0.1.0/dkms.conf", b"");
        fixture.file("usr/src/maccel-0.1.0/main.c", include_bytes!("../../../kmod/main.c"));
        fixture.file("var/lib/dkms/mok.pub", &signing::certificate(7));
        list(&fixture, "MokListRT", b"another");
        let facts = Facts::read(fixture.root());
        assert_eq!(pointless(&facts, false), None);
        assert_eq!(facts.certificate.as_ref().unwrap().path, "var/lib/dkms/mok.pub");
        let text = describe(&facts);
        assert!(text.contains("proved with /var/lib/dkms/mok.pub"), "{text}");
        assert!(text.contains("to ask for it: sudo vesperactl secure-boot enroll"), "{text}");
    }

    #[test]
    fn nothing_is_handed_in_for_another_root() {
        let fixture = host(true);
        let error = enroll(fixture.root(), false).unwrap_err().to_string();
        assert!(error.contains("running system only"), "{error}");
    }
}
