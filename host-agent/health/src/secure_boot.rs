// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secure Boot, lockdown and signatures: does this kernel take only signed modules, and would it
//! trust ours?

use module_check::Root;
use module_check::certificate::Certificate;
use module_check::proof::Proof;
use module_check::signature::{Appended, Signature};
use serde::Serialize;

use crate::catalogue::{
    SECURE_BOOT_NOT_ENROLLED, SECURE_BOOT_SIGNATURE_WRONG, SECURE_BOOT_UNSIGNED,
};
use crate::check::{Check, Severity};
use crate::firmware::{self, Enrolment};
use crate::origin::{self, Origin};

/// The certificate the image's module is signed with.
pub const CERTIFICATE: &str = "usr/share/vespera/module-signing.der";
/// Those of the key that DKMS makes for a machine: its own place, and that of an Ubuntu.
const OF_DKMS: &[&str] = &["var/lib/dkms/mok.pub", "var/lib/shim-signed/mok/MOK.der"];

/// How far the kernel protects itself from root (`/sys/kernel/security/lockdown`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lockdown {
    /// Not at all.
    None,
    /// Unsigned modules are refused, and more.
    Integrity,
    /// The same, and the kernel's secrets are kept.
    Confidentiality,
}

/// Why a kernel takes only signed modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// `module.sig_enforce=1` or `CONFIG_MODULE_SIG_FORCE`.
    Parameter,
    /// Lockdown, which Secure Boot turns on.
    Lockdown,
}

/// What is known about this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecureBoot {
    /// Whether the firmware checks what it boots; `None` when it cannot be told.
    pub enabled: Option<bool>,
    /// Whether the kernel was told to take only signed modules; `None` when it cannot be told.
    pub sig_enforce: Option<bool>,
    /// How far the kernel is locked down; `None` when it cannot be told.
    pub lockdown: Option<Lockdown>,
}

impl SecureBoot {
    /// Reads the firmware's and the kernel's word.
    pub fn read(root: &Root) -> Self {
        let forced = root.line("sys/module/module/parameters/sig_enforce");
        Self {
            enabled: firmware::secure_boot(root),
            sig_enforce: forced.map(|value| value == "Y" || value == "1"),
            lockdown: root.line("sys/kernel/security/lockdown").as_deref().and_then(parse_lockdown),
        }
    }

    /// Why only signed modules are taken; `None` when any module is.
    pub fn enforcement(self) -> Option<Enforcement> {
        match (self.sig_enforce, self.lockdown) {
            (Some(true), _) => Some(Enforcement::Parameter),
            (_, Some(Lockdown::Integrity | Lockdown::Confidentiality)) => {
                Some(Enforcement::Lockdown)
            }
            _ => None,
        }
    }

    /// One line for people.
    pub fn describe(self) -> &'static str {
        match (self.enabled, self.enforcement()) {
            (Some(true), Some(_)) => "Secure Boot is on: only signed modules are taken",
            (_, Some(Enforcement::Parameter)) => "the kernel takes only signed modules",
            (_, Some(Enforcement::Lockdown)) => "lockdown is on: only signed modules are taken",
            (Some(true), None) => "Secure Boot is on, but the kernel takes any module",
            (Some(false), None) => "Secure Boot is off",
            (None, None) => "the kernel takes any module",
        }
    }
}

/// `none [integrity] confidentiality`: the brackets mark what is in force.
fn parse_lockdown(text: &str) -> Option<Lockdown> {
    let (_, rest) = text.split_once('[')?;
    match rest.split_once(']')?.0 {
        "none" => Some(Lockdown::None),
        "integrity" => Some(Lockdown::Integrity),
        "confidentiality" => Some(Lockdown::Confidentiality),
        _ => None,
    }
}

/// The certificate of who signed the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Its path inside the root.
    pub path: &'static str,
    /// The file's content.
    pub der: Vec<u8>,
    /// What it says.
    pub certificate: Certificate,
}

/// Where the certificate is: the image's, or where DKMS builds the module, that of DKMS.
pub fn certificate_path(root: &Root) -> Option<&'static str> {
    let others = if Origin::of(root) == Origin::Dkms { OF_DKMS } else { &[] };
    [CERTIFICATE].iter().chain(others).copied().find(|path| root.exists(path))
}

/// The certificate, or why there is none to go by.
pub fn certificate(root: &Root) -> Result<Issued, String> {
    let Some(path) = certificate_path(root) else {
        return Err(match Origin::of(root) {
            Origin::Image => format!("this system has no /{CERTIFICATE}"),
            Origin::Dkms => format!("this system has no /{}", OF_DKMS[0]),
            Origin::Debian | Origin::Fedora | Origin::Other => {
                "this system has no certificate of who signed the module".to_owned()
            }
        });
    };
    let der = std::fs::read(root.at(path)).map_err(|error| format!("/{path}: {error}"))?;
    let certificate = Certificate::parse(&der).ok_or(format!("/{path} is damaged"))?;
    Ok(Issued { path, der, certificate })
}

/// Whether the kernel of `system` would take a module with this signature on `machine`, whose
/// firmware and running kernel say what is demanded. The two differ for a deployment that does not
/// run.
pub fn checks(
    machine: &Root,
    system: &Root,
    signature: Option<&Appended>,
    loaded: bool,
) -> Vec<Check> {
    let host = SecureBoot::read(machine);
    vec![
        unsigned(system, host, signature),
        proof(system, host.enforcement().is_some(), signature),
        key(machine, system, host, signature, loaded),
    ]
}

/// Who says to have signed, in words.
pub fn claim(signature: &Signature) -> String {
    let signer = signature.signer.as_deref().map(|signer| format!("{signer}, "));
    let (signer, key, hash) = (signer.unwrap_or_default(), &signature.key_id, &signature.hash);
    format!("signed by {signer}key {key}, {hash}")
}

fn unsigned(root: &Root, host: SecureBoot, signature: Option<&Appended>) -> Check {
    let kind = &SECURE_BOOT_UNSIGNED;
    let (fine, what) = match signature {
        None => return Check::unknown(kind, root, "there is no module to look at"),
        Some(Appended::Signature(signature)) => (true, claim(signature)),
        Some(Appended::None) => (false, "not signed".to_owned()),
        // Whatever its last bytes are, to such a kernel it is not a signed module.
        Some(Appended::Damaged(reason)) => (false, format!("not signed properly: {reason}")),
    };
    let detail = format!("{what}; {}", host.describe());
    if fine || host.enforcement().is_none() {
        Check::ok(kind, root, detail)
    } else {
        Check::failed(kind, root, detail)
    }
}

/// A kernel that enforces nothing loads a module with a wrong signature too, and only remarks it.
pub(crate) fn proof(root: &Root, enforced: bool, signature: Option<&Appended>) -> Check {
    let kind = &SECURE_BOOT_SIGNATURE_WRONG;
    let soften = |check: Check, severity| if enforced { check } else { check.severity(severity) };
    let Some(Appended::Signature(signature)) = signature else {
        return if enforced {
            Check::unknown(kind, root, "there is no signature to look at")
        } else {
            Check::ok(kind, root, "no signature, and none is needed")
        };
    };
    let unknown = |reason| soften(Check::unknown(kind, root, reason), Severity::Info);
    let Issued { path, certificate, .. } = match certificate(root) {
        Ok(issued) => issued,
        Err(reason) => return unknown(format!("{reason} to prove it with")),
    };
    if !certificate.is_named_by(signature) {
        return unknown(format!("key {} is not that of /{path}", signature.key_id));
    }
    match certificate.proves(signature) {
        Proof::Valid => Check::ok(kind, root, format!("proved with /{path}")),
        Proof::Invalid(reason) => soften(Check::failed(kind, root, reason), Severity::Warning),
        Proof::Unsupported(what) => unknown(format!("{what} cannot be checked here")),
    }
}

fn key(
    machine: &Root,
    root: &Root,
    host: SecureBoot,
    signature: Option<&Appended>,
    loaded: bool,
) -> Check {
    let kind = &SECURE_BOOT_NOT_ENROLLED;
    if host.enforcement().is_none() {
        return Check::ok(kind, root, format!("not needed: {}", host.describe()));
    }
    if loaded {
        return Check::ok(kind, root, "the kernel has taken the module");
    }
    let Some(Appended::Signature(signature)) = signature else {
        return Check::unknown(kind, root, "there is no signature to look at");
    };
    let Issued { path, der, certificate } = match certificate(root) {
        Ok(issued) => issued,
        Err(reason) => return Check::unknown(kind, root, reason),
    };
    if !certificate.is_named_by(signature) {
        let detail = format!("key {} is not that of /{path}", signature.key_id);
        return Check::unknown(kind, root, detail);
    }
    let failed = |detail| Check::failed(kind, root, detail);
    match firmware::enrolment(machine, &der) {
        Enrolment::Owner => Check::ok(kind, root, "it is among the machine owner's keys"),
        Enrolment::Firmware => Check::ok(kind, root, "it is among the keys of the firmware"),
        Enrolment::Pending => failed("it waits for you to confirm it in MokManager at a restart")
            .remedy("systemctl reboot"),
        Enrolment::No => {
            let check = failed("it is neither among the machine owner's keys nor the firmware's");
            if root == machine {
                check
            } else {
                // `vesperactl secure-boot enroll` is about the system that runs.
                check.remedy(format!("sudo mokutil --import {}", root.at(path)))
            }
        }
        Enrolment::Refused => {
            failed("it is among the keys that this machine refuses").remedy(origin::sign(root))
        }
        Enrolment::Unknown => Check::unknown(kind, root, "the lists of keys are unreadable"),
    }
}

#[cfg(test)]
mod tests {
    use module_check::ModuleFile;
    use module_check::fixtures::{FixtureRoot, ModuleBuilder, signing};

    use super::*;
    use crate::check::Status;
    use crate::firmware::tests::{enrol, firmware};

    fn module(bytes: &[u8]) -> Appended {
        ModuleFile::parse(bytes).unwrap().signature
    }

    fn signature(signed: bool) -> Appended {
        let builder = ModuleBuilder::new("6.1.0");
        module(&if signed { builder.signed_by(7) } else { builder }.bytes())
    }

    fn enforcing() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.file("sys/module/module/parameters/sig_enforce", b"Y\n");
        fixture
    }

    #[test]
    fn an_unsigned_module_is_a_fault_only_where_signatures_are_demanded() {
        for (sig_enforce, lockdown, signed, status) in [
            ("N", "[none] integrity", false, Status::Ok),
            ("Y", "[none] integrity", false, Status::Failed),
            ("N", "none [integrity] confidentiality", false, Status::Failed),
            ("N", "none integrity [confidentiality]", false, Status::Failed),
            ("Y", "none [integrity] confidentiality", true, Status::Ok),
        ] {
            let fixture = FixtureRoot::new();
            fixture.file("sys/module/module/parameters/sig_enforce", sig_enforce.as_bytes());
            fixture.file("sys/kernel/security/lockdown", lockdown.as_bytes());
            let checks = checks(fixture.root(), fixture.root(), Some(&signature(signed)), false);
            assert_eq!(checks[0].status, status, "{sig_enforce} {lockdown} {signed}");
        }
    }

    #[test]
    fn a_signature_is_proved_with_the_images_certificate() {
        let fixture = enforcing();
        let proof = |signature: &Appended| {
            let check = checks(fixture.root(), fixture.root(), Some(signature), false).remove(1);
            (check.status, check.detail)
        };
        let mut forged = ModuleBuilder::new("6.1.0").signed_by(7).bytes();
        let place = forged.windows(9).position(|part| part == b"license=G").unwrap();
        forged[place + 8] = b'X';
        let forged = module(&forged);
        let ours = signature(true);
        assert_eq!(proof(&ours).0, Status::Unknown, "no certificate");
        fixture.file(CERTIFICATE, &signing::certificate(8));
        assert_eq!(
            proof(&ours),
            (Status::Unknown, format!("key 07 is not that of /{CERTIFICATE}"))
        );
        fixture.file(CERTIFICATE, &signing::certificate(7));
        assert_eq!(proof(&ours), (Status::Ok, format!("proved with /{CERTIFICATE}")));
        assert_eq!(
            proof(&forged),
            (Status::Failed, "the module is not what was signed".to_owned())
        );
        fixture.file("sys/module/module/parameters/sig_enforce", b"N\n");
        let check = checks(fixture.root(), fixture.root(), Some(&forged), false).remove(1);
        assert_eq!((check.status, check.severity), (Status::Failed, Severity::Warning));
    }

    #[test]
    fn what_dkms_has_signed_is_proved_with_its_own_certificate_there_and_nowhere_else() {
        for (path, ours) in OF_DKMS.iter().flat_map(|path| [(path, true), (path, false)]) {
            let fixture = enforcing();
            fixture.file("usr/sbin/dkms", b"");
            let source = if ours { "maccel-0.1.0" } else { "nvidia-1.0" };
            fixture.file(&format!("usr/src/{source}/dkms.conf"), b"");
            fixture
                .file(&format!("usr/src/{source}/main.c"), include_bytes!("../../../kmod/main.c"));
            fixture.file(path, &signing::certificate(7));
            enrol(&fixture, "db", b"another");
            let root = fixture.root();
            let checks = checks(root, root, Some(&signature(true)), false);
            let found = [&checks[1], &checks[2]].map(|check| (check.status, check.detail.as_str()));
            if ours {
                assert_eq!(found[0], (Status::Ok, format!("proved with /{path}").as_str()));
                assert_eq!(found[1].0, Status::Failed);
                assert_eq!(checks[2].remedy.as_deref(), Some(origin::ENROL));
            } else {
                assert_eq!(found.map(|found| found.0), [Status::Unknown; 2]);
                assert!(found[1].1.contains("no certificate"), "{found:?}");
            }
        }
    }

    #[test]
    fn enrolment_is_read_from_the_lists_of_keys() {
        let certificate = signing::certificate(7);
        let fixture = enforcing();
        firmware(&fixture, true);
        let key = |loaded| {
            let check =
                checks(fixture.root(), fixture.root(), Some(&signature(true)), loaded).remove(2);
            (check.status, check.remedy)
        };
        assert_eq!(key(false), (Status::Unknown, None), "no certificate");
        fixture.file(CERTIFICATE, &certificate);
        assert_eq!(key(false), (Status::Unknown, None), "no list");
        enrol(&fixture, "db", b"another");
        let enroll = Some("sudo vesperactl secure-boot enroll".to_owned());
        assert_eq!(key(false), (Status::Failed, enroll));
        enrol(&fixture, "MokNew", &certificate);
        assert_eq!(key(false), (Status::Failed, Some("systemctl reboot".to_owned())));
        enrol(&fixture, "MokListRT", &certificate);
        assert_eq!(key(false), (Status::Ok, None));
        assert_eq!(SecureBoot::read(fixture.root()).enabled, Some(true));
        assert_eq!(key(true), (Status::Ok, None));
    }

    #[test]
    fn who_signed_is_said_with_key_and_hash() {
        let Appended::Signature(signature) = signature(true) else { panic!("not signed") };
        assert_eq!(claim(&signature), "signed by Vespera key, key 07, sha256");
    }
}
