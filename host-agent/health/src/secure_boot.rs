// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secure Boot, lockdown and signatures: does this kernel take only signed modules, and would it
//! trust ours?

use module_check::Root;
use module_check::signature::{Appended, Certificate};

use crate::catalogue::{SECURE_BOOT_NOT_ENROLLED, SECURE_BOOT_UNSIGNED};
use crate::check::Check;

/// The certificate the image's module is signed with.
pub const CERTIFICATE: &str = "usr/share/vespera/module-signing.der";

/// The firmware's global variables.
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// Those of shim.
const SHIM: &str = "605dab50-e046-4300-abb6-3dd810dd8b23";
/// A variable's file begins with four bytes of attributes.
const ATTRIBUTE_BYTES: usize = 4;
/// `EFI_CERT_X509_GUID`, as it lies in memory.
const X509: [u8; 16] = [
    0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
];

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
    /// Why only signed modules are taken; `None` when any module is.
    pub enforcement: Option<Enforcement>,
}

impl SecureBoot {
    /// Reads the firmware's and the kernel's word.
    pub fn read(root: &Root) -> Self {
        let enabled = match variable(root, "SecureBoot", GLOBAL) {
            Some(value) => value.first().map(|value| *value == 1),
            // Booted without EFI there is no Secure Boot.
            None if !root.exists("sys/firmware/efi") => Some(false),
            None => None,
        };
        let forced = root.line("sys/module/module/parameters/sig_enforce");
        let lockdown = root.line("sys/kernel/security/lockdown");
        let enforcement = if forced.is_some_and(|value| value == "Y" || value == "1") {
            Some(Enforcement::Parameter)
        } else if lockdown.is_some_and(|text| locked_down(&text)) {
            Some(Enforcement::Lockdown)
        } else {
            None
        };
        Self { enabled, enforcement }
    }

    /// One line for people.
    pub fn describe(self) -> &'static str {
        match (self.enabled, self.enforcement) {
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
fn locked_down(text: &str) -> bool {
    text.contains("[integrity]") || text.contains("[confidentiality]")
}

fn variable(root: &Root, name: &str, vendor: &str) -> Option<Vec<u8>> {
    let path = root.at(format!("sys/firmware/efi/efivars/{name}-{vendor}"));
    std::fs::read(path).ok()?.get(ATTRIBUTE_BYTES..).map(<[u8]>::to_vec)
}

/// The certificates in a list of `EFI_SIGNATURE_LIST` (UEFI 2.10, section 32.4.1).
pub fn certificates(mut lists: &[u8]) -> Vec<&[u8]> {
    const HEADER_BYTES: usize = 28;
    const OWNER_BYTES: usize = 16;
    let number = |bytes: &[u8], at: usize| {
        let bytes: [u8; 4] = bytes.get(at..at + 4)?.first_chunk().copied()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let mut found = Vec::new();
    loop {
        let sizes = (number(lists, 16), number(lists, 20), number(lists, 24));
        let (Some(size), Some(header), Some(entry)) = sizes else { return found };
        let entries = header.checked_add(HEADER_BYTES).and_then(|at| lists.get(..size)?.get(at..));
        let Some(entries) = entries else { return found };
        if lists.starts_with(&X509) && entry > OWNER_BYTES {
            found.extend(entries.chunks_exact(entry).map(|entry| &entry[OWNER_BYTES..]));
        }
        lists = &lists[size..];
    }
}

/// Whether `certificate` is among the machine owner's keys; `None` when they cannot be read.
fn enrolled(root: &Root, certificate: &[u8]) -> Option<bool> {
    let list = variable(root, "MokListRT", SHIM)
        .or_else(|| std::fs::read(root.at("sys/firmware/efi/mok-variables/MokListRT")).ok())?;
    Some(certificates(&list).contains(&certificate))
}

/// Whether the kernel would take a module with this signature.
pub fn checks(root: &Root, signature: Option<&Appended>, loaded: bool) -> Vec<Check> {
    let host = SecureBoot::read(root);
    let enforced = host.enforcement.is_some();
    let unsigned = match signature {
        None => Check::unknown(&SECURE_BOOT_UNSIGNED, root, "there is no module to look at"),
        Some(Appended::Signature(signature)) => {
            let signer = signature.signer.as_deref().unwrap_or(&signature.key_id);
            let detail = format!("signed by {signer} ({}); {}", signature.hash, host.describe());
            Check::ok(&SECURE_BOOT_UNSIGNED, root, detail)
        }
        Some(Appended::None) if !enforced => {
            let detail = format!("not signed; {}", host.describe());
            Check::ok(&SECURE_BOOT_UNSIGNED, root, detail)
        }
        Some(Appended::None) => {
            let detail = format!("it carries no signature; {}", host.describe());
            Check::failed(&SECURE_BOOT_UNSIGNED, root, detail)
        }
        // With any other magic at its end the kernel takes the module for unsigned.
        Some(Appended::Damaged(reason)) if !enforced => {
            Check::ok(&SECURE_BOOT_UNSIGNED, root, format!("{reason}; {}", host.describe()))
        }
        Some(Appended::Damaged(reason)) => {
            Check::failed(&SECURE_BOOT_UNSIGNED, root, format!("{reason}; {}", host.describe()))
        }
    };
    vec![unsigned, key(root, host, signature, loaded)]
}

fn key(root: &Root, host: SecureBoot, signature: Option<&Appended>, loaded: bool) -> Check {
    let kind = &SECURE_BOOT_NOT_ENROLLED;
    if host.enforcement.is_none() {
        return Check::ok(kind, root, format!("not needed: {}", host.describe()));
    }
    if loaded {
        return Check::ok(kind, root, "the kernel has taken the module");
    }
    let Some(Appended::Signature(signature)) = signature else {
        return Check::unknown(kind, root, "there is no signature to look at");
    };
    let Ok(der) = std::fs::read(root.at(CERTIFICATE)) else {
        return Check::unknown(kind, root, format!("/{CERTIFICATE} is unreadable"));
    };
    match Certificate::parse(&der) {
        None => return Check::unknown(kind, root, format!("/{CERTIFICATE} is damaged")),
        Some(certificate) if !certificate.is_named_by(signature) => {
            let detail = format!("key {} is not that of /{CERTIFICATE}", signature.key_id);
            return Check::unknown(kind, root, detail);
        }
        Some(_) => {}
    }
    match enrolled(root, &der) {
        Some(true) => Check::ok(kind, root, "the certificate is among the machine owner's keys"),
        Some(false) => {
            Check::failed(kind, root, "the certificate is not among the machine owner's keys")
        }
        None => Check::unknown(kind, root, "the machine owner's keys are unreadable"),
    }
}

#[cfg(test)]
mod tests {
    use module_check::ModuleFile;
    use module_check::fixtures::{FixtureRoot, ModuleBuilder};

    use super::*;
    use crate::check::Status;

    fn list(kind: [u8; 16], certificate: &[u8]) -> Vec<u8> {
        let entry = u32::try_from(16 + certificate.len()).unwrap();
        let mut bytes = kind.to_vec();
        for number in [28 + entry, 0, entry] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0; 16]);
        bytes.extend(certificate);
        bytes
    }

    fn signature(signed: bool) -> Appended {
        let module = ModuleBuilder::new("6.1.0");
        let module = if signed { module.signed_by(7) } else { module };
        ModuleFile::parse(&module.bytes()).unwrap().signature
    }

    fn efi(fixture: &FixtureRoot, name: &str, vendor: &str, value: &[u8]) {
        let content = [&[6, 0, 0, 0][..], value].concat();
        fixture.file(&format!("sys/firmware/efi/efivars/{name}-{vendor}"), &content);
    }

    #[test]
    fn certificates_are_taken_from_lists_and_damage_ends_the_reading() {
        let lists = [list([1; 16], b"hash"), list(X509, b"one"), list(X509, b"two")].concat();
        assert_eq!(certificates(&lists), [b"one", b"two"]);
        assert_eq!(certificates(&lists[..lists.len() - 1]), [b"one"]);
        assert!(certificates(&[0; 64]).is_empty());
        assert!(certificates(&[0xff; 64]).is_empty());
    }

    #[test]
    fn an_unsigned_module_is_a_fault_only_where_signatures_are_demanded() {
        for (sig_enforce, lockdown, signed, status) in [
            ("N", "[none] integrity", false, Status::Ok),
            ("Y", "[none] integrity", false, Status::Failed),
            ("N", "none [integrity] confidentiality", false, Status::Failed),
            ("Y", "none [integrity] confidentiality", true, Status::Ok),
        ] {
            let fixture = FixtureRoot::new();
            fixture.file("sys/module/module/parameters/sig_enforce", sig_enforce.as_bytes());
            fixture.file("sys/kernel/security/lockdown", lockdown.as_bytes());
            let checks = checks(fixture.root(), Some(&signature(signed)), false);
            assert_eq!(checks[0].status, status, "{sig_enforce} {lockdown} {signed}");
        }
    }

    #[test]
    fn enrolment_is_read_from_the_owners_list() {
        // The shortest certificate with the serial number of the fixture's signature.
        let certificate = [0x30, 13, 0x30, 11, 2, 1, 7, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0];
        let fixture = FixtureRoot::new();
        fixture.file("sys/module/module/parameters/sig_enforce", b"Y\n");
        efi(&fixture, "SecureBoot", GLOBAL, &[1]);
        let key = |loaded| checks(fixture.root(), Some(&signature(true)), loaded).remove(1).status;
        assert_eq!(key(false), Status::Unknown, "no certificate");
        fixture.file(CERTIFICATE, &certificate);
        assert_eq!(key(false), Status::Unknown, "no list");
        efi(&fixture, "MokListRT", SHIM, &list(X509, b"another"));
        assert_eq!(key(false), Status::Failed);
        efi(&fixture, "MokListRT", SHIM, &list(X509, &certificate));
        assert_eq!(key(false), Status::Ok);
        assert_eq!(SecureBoot::read(fixture.root()).enabled, Some(true));
        assert_eq!(key(true), Status::Ok);
    }
}
