// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the firmware and shim tell: Secure Boot, and whose certificates they trust.

use module_check::Root;

use crate::unbooted;

/// The firmware's global variables.
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/// `EFI_IMAGE_SECURITY_DATABASE_GUID`, the vendor of db and dbx.
const DATABASE: &str = "d719b2cb-3d3a-4596-a3bc-dad00e67656f";
/// Those of shim.
const SHIM: &str = "605dab50-e046-4300-abb6-3dd810dd8b23";
/// A variable's file begins with four bytes of attributes.
const ATTRIBUTE_BYTES: usize = 4;
/// `EFI_CERT_X509_GUID`, as it lies in memory.
const X509: [u8; 16] = [
    0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
];

/// Where a certificate stands with the firmware and shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// Among the machine owner's keys.
    Owner,
    /// Among the keys of the firmware itself (db).
    Firmware,
    /// Handed in; MokManager asks at the next boot.
    Pending,
    /// Nowhere.
    No,
    /// Among the keys that are refused (dbx or the owner's own list of them).
    Refused,
    /// The lists cannot be read.
    Unknown,
}

/// Whether this system was booted through UEFI, which alone knows Secure Boot; `None` for one that
/// does not run.
pub fn is_uefi(root: &Root) -> Option<bool> {
    (!unbooted::is(root)).then(|| root.exists("sys/firmware/efi"))
}

/// Whether the firmware checks what it boots; `None` when it cannot be told.
pub fn secure_boot(root: &Root) -> Option<bool> {
    match variable(root, "SecureBoot", GLOBAL) {
        Some(value) => value.first().map(|value| *value == 1),
        None if is_uefi(root) == Some(false) => Some(false),
        None => None,
    }
}

/// Where the DER certificate `certificate` stands.
pub fn enrolment(root: &Root, certificate: &[u8]) -> Enrolment {
    let lists = |name, vendor| {
        let lists = variable(root, name, vendor);
        lists.map(|lists| certificates(&lists).contains(&certificate))
    };
    let [owner, owner_refuses, new] = ["MokListRT", "MokListXRT", "MokNew"]
        .map(|name| mirrored(root, name).map(|all| certificates(&all).contains(&certificate)));
    let firmware = lists("db", DATABASE);
    // The owner of the machine alone may read what waits; that something does, anyone sees.
    let waits = new.unwrap_or_else(|| path(root, "MokNew", SHIM).exists());
    if lists("dbx", DATABASE) == Some(true) || owner_refuses == Some(true) {
        Enrolment::Refused
    } else if owner == Some(true) {
        Enrolment::Owner
    } else if firmware == Some(true) {
        Enrolment::Firmware
    } else if waits {
        Enrolment::Pending
    } else if owner.is_none() && firmware.is_none() {
        Enrolment::Unknown
    } else {
        // shim mirrors its list only when it has keys of its own.
        Enrolment::No
    }
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

fn path(root: &Root, name: &str, vendor: &str) -> camino::Utf8PathBuf {
    root.at(format!("sys/firmware/efi/efivars/{name}-{vendor}"))
}

fn variable(root: &Root, name: &str, vendor: &str) -> Option<Vec<u8>> {
    std::fs::read(path(root, name, vendor)).ok()?.get(ATTRIBUTE_BYTES..).map(<[u8]>::to_vec)
}

/// A variable of shim: a list too long for one is continued in NAME1, NAME2, ... The kernel keeps
/// a copy where the firmware has no room for either.
fn mirrored(root: &Root, name: &str) -> Option<Vec<u8>> {
    const MOST_PARTS: u32 = 16;
    let copy = || std::fs::read(root.at(format!("sys/firmware/efi/mok-variables/{name}"))).ok();
    let mut all = variable(root, name, SHIM).or_else(copy)?;
    for part in 1..=MOST_PARTS {
        let Some(more) = variable(root, &format!("{name}{part}"), SHIM) else { break };
        all.extend(more);
    }
    Some(all)
}

#[cfg(test)]
pub(crate) mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    pub(crate) fn list(kind: [u8; 16], certificate: &[u8]) -> Vec<u8> {
        let entry = u32::try_from(16 + certificate.len()).unwrap();
        let mut bytes = kind.to_vec();
        for number in [28 + entry, 0, entry] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([0; 16]);
        bytes.extend(certificate);
        bytes
    }

    /// Sets a variable that holds one certificate.
    pub(crate) fn enrol(fixture: &FixtureRoot, name: &str, certificate: &[u8]) {
        let vendor = if name.starts_with("db") { DATABASE } else { SHIM };
        set(fixture, name, vendor, &list(X509, certificate));
    }

    /// Turns Secure Boot on or off.
    pub(crate) fn firmware(fixture: &FixtureRoot, secure_boot: bool) {
        set(fixture, "SecureBoot", GLOBAL, &[u8::from(secure_boot)]);
    }

    fn set(fixture: &FixtureRoot, name: &str, vendor: &str, value: &[u8]) {
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
    fn a_certificate_is_found_wherever_it_is_enrolled() {
        let fixture = FixtureRoot::new();
        let stands = || enrolment(fixture.root(), b"ours");
        assert_eq!(stands(), Enrolment::Unknown);
        enrol(&fixture, "db", b"another");
        assert_eq!(stands(), Enrolment::No);
        enrol(&fixture, "MokNew", b"ours");
        assert_eq!(stands(), Enrolment::Pending);
        enrol(&fixture, "db", b"ours");
        assert_eq!(stands(), Enrolment::Firmware);
        enrol(&fixture, "MokListRT", b"another");
        enrol(&fixture, "MokListRT1", b"ours");
        assert_eq!(stands(), Enrolment::Owner);
        enrol(&fixture, "MokListXRT", b"ours");
        assert_eq!(stands(), Enrolment::Refused);
    }

    #[test]
    fn without_uefi_there_is_no_secure_boot_and_without_its_variable_or_a_kernel_nobody_knows() {
        let fixture = FixtureRoot::new();
        assert_eq!((is_uefi(fixture.root()), secure_boot(fixture.root())), (None, None));
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        assert_eq!(
            (is_uefi(fixture.root()), secure_boot(fixture.root())),
            (Some(false), Some(false))
        );
        fixture.file("sys/firmware/efi/fw_platform_size", b"64\n");
        assert_eq!(secure_boot(fixture.root()), None);
        firmware(&fixture, true);
        assert_eq!(secure_boot(fixture.root()), Some(true));
        firmware(&fixture, false);
        assert_eq!(secure_boot(fixture.root()), Some(false));
    }
}
