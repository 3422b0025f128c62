// SPDX-License-Identifier: MIT OR Apache-2.0
//! The signature appended to a module, and the certificate it should come from.
//!
//! A signed module is: the module, a PKCS#7 message, `struct module_signature`, the magic text
//! (`include/linux/module_signature.h`).

use serde::Serialize;

use crate::der::{Reader, common_name, hex, tag};

/// `MODULE_SIG_STRING` of the kernel: the last bytes of a signed module.
pub const MAGIC: &[u8] = b"~Module signature appended~\n";

/// `sizeof(struct module_signature)`.
const TRAILER_BYTES: usize = 12;
/// `PKEY_ID_PKCS7`, the only kind today's kernels accept.
const PKCS7: u8 = 2;

/// Who signed a module, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The common name of the certificate's issuer.
    pub signer: Option<String>,
    /// The certificate's serial number or key identifier.
    pub key_id: String,
    /// The hash that was signed.
    pub hash: String,
}

/// What a module file says about its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// There is none.
    None,
    /// There is one that cannot be read, for the reason given.
    Damaged(&'static str),
    /// There is one.
    Signature(Signature),
}

/// Reads the end of an unpacked module.
pub fn of_module(module: &[u8]) -> Appended {
    let Some(rest) = module.strip_suffix(MAGIC) else { return Appended::None };
    match message(rest) {
        Ok(message) => parse_pkcs7(message)
            .map_or(Appended::Damaged("its PKCS#7 message is damaged"), Appended::Signature),
        Err(reason) => Appended::Damaged(reason),
    }
}

fn message(rest: &[u8]) -> Result<&[u8], &'static str> {
    let (before, trailer) = rest
        .len()
        .checked_sub(TRAILER_BYTES)
        .map(|at| rest.split_at(at))
        .ok_or("it is cut short")?;
    if trailer[2] != PKCS7 {
        return Err("it is not PKCS#7");
    }
    let length: [u8; 4] = trailer.last_chunk().copied().ok_or("it is cut short")?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| "it is too long")?;
    before.len().checked_sub(length).map(|at| &before[at..]).ok_or("it is cut short")
}

/// RFC 5652: ContentInfo, SignedData, its first SignerInfo.
fn parse_pkcs7(message: &[u8]) -> Option<Signature> {
    let mut content_info = Reader::new(message).enter(tag::SEQUENCE)?;
    content_info.expect(tag::OID)?;
    let mut signed_data = content_info.enter(tag::CONTEXT_0)?.enter(tag::SEQUENCE)?;
    signed_data.expect(tag::INTEGER)?;
    signed_data.expect(tag::SET)?;
    signed_data.expect(tag::SEQUENCE)?;
    // Certificates and revocation lists may stand between; the signers are the next set.
    let signers = signed_data.find(|value| value.tag == tag::SET)?;
    let mut signer = Reader::new(signers.content).enter(tag::SEQUENCE)?;
    signer.expect(tag::INTEGER)?;
    let (issuer, key_id) = match signer.expect(tag::CONTEXT_0_PRIMITIVE) {
        Some(identifier) => (None, hex(identifier)),
        None => {
            let mut name_and_serial = signer.enter(tag::SEQUENCE)?;
            let issuer = common_name(name_and_serial.enter(tag::SEQUENCE)?);
            (issuer, hex(unsigned(name_and_serial.expect(tag::INTEGER)?)))
        }
    };
    let hash = signer.enter(tag::SEQUENCE)?.expect(tag::OID)?;
    Some(Signature { signer: issuer, key_id, hash: hash_name(hash) })
}

/// DER puts a zero before a number whose first bit is set; other tools do not show it.
fn unsigned(number: &[u8]) -> &[u8] {
    match number {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => number,
    }
}

fn hash_name(oid: &[u8]) -> String {
    // 2.16.840.1.101.3.4.2.n
    const NIST: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let name = match oid.strip_prefix(NIST) {
        Some([1]) => "sha256",
        Some([2]) => "sha384",
        Some([3]) => "sha512",
        Some([8]) => "sha3-256",
        Some([9]) => "sha3-384",
        Some([10]) => "sha3-512",
        _ if oid == SHA1 => "sha1",
        _ => return hex(oid),
    };
    name.to_owned()
}

/// What identifies a certificate in a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of its subject.
    pub subject: Option<String>,
    /// Its serial number.
    pub serial: String,
}

impl Certificate {
    /// Reads a DER certificate (RFC 5280).
    pub fn parse(der: &[u8]) -> Option<Self> {
        let mut certificate = Reader::new(der).enter(tag::SEQUENCE)?.enter(tag::SEQUENCE)?;
        // The version is absent in certificates of version 1.
        let _version = certificate.expect(tag::CONTEXT_0);
        let serial = hex(unsigned(certificate.expect(tag::INTEGER)?));
        certificate.expect(tag::SEQUENCE)?;
        let _issuer = certificate.enter(tag::SEQUENCE)?;
        let _validity = certificate.expect(tag::SEQUENCE)?;
        let subject = common_name(certificate.enter(tag::SEQUENCE)?);
        Some(Self { subject, serial })
    }

    /// Whether `signature` names this certificate. That is what the signature says of itself; the
    /// kernel alone proves it.
    pub fn is_named_by(&self, signature: &Signature) -> bool {
        self.serial == signature.key_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::message::{der, name, pkcs7, signed};

    #[test]
    fn signer_key_and_hash_are_read_in_both_notations() {
        let serial = [name("Vespera key"), der(tag::INTEGER, &[0, 0xab, 1])].concat();
        for (identifier, signer, key_id) in [
            (der(tag::SEQUENCE, &serial), Some("Vespera key"), "AB:01"),
            (der(tag::CONTEXT_0_PRIMITIVE, &[1, 2, 3]), None, "01:02:03"),
        ] {
            let expected = Signature {
                signer: signer.map(str::to_owned),
                key_id: key_id.to_owned(),
                hash: "sha256".to_owned(),
            };
            let module = signed(PKCS7, &pkcs7(&identifier));
            assert_eq!(of_module(&module), Appended::Signature(expected));
        }
    }

    #[test]
    fn a_damaged_signature_is_told_from_none() {
        assert_eq!(of_module(b"module"), Appended::None);
        let cut = [&[0; 8][..], MAGIC].concat();
        let long = {
            let mut module = signed(PKCS7, b"");
            let at = module.len() - MAGIC.len() - 4;
            module[at] = 0xff;
            module
        };
        for module in [cut, long, signed(1, b""), signed(PKCS7, b"noise")] {
            assert!(matches!(of_module(&module), Appended::Damaged(_)), "{module:?}");
        }
    }

    #[test]
    fn a_certificate_is_recognised_in_the_signature_it_made() {
        let body = [
            der(tag::CONTEXT_0, &der(tag::INTEGER, &[2])),
            der(tag::INTEGER, &[0, 0xab, 1]),
            der(tag::SEQUENCE, &[]),
            name("issuer"),
            der(tag::SEQUENCE, &[]),
            name("Vespera key"),
        ]
        .concat();
        let certificate =
            Certificate::parse(&der(tag::SEQUENCE, &der(tag::SEQUENCE, &body))).unwrap();
        assert_eq!(certificate.subject.as_deref(), Some("Vespera key"));
        let mut signature =
            Signature { signer: None, key_id: "AB:01".to_owned(), hash: String::new() };
        assert!(certificate.is_named_by(&signature));
        signature.key_id = "AB:02".to_owned();
        assert!(!certificate.is_named_by(&signature));
        assert_eq!(Certificate::parse(b"noise"), None);
    }
}
