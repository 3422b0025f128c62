// SPDX-License-Identifier: MIT OR Apache-2.0
//! The signature appended to a module.
//!
//! A signed module is: the module, a PKCS#7 message, `struct module_signature`, the magic text
//! (`include/linux/module_signature.h`). The message carries no certificate; who signed is only
//! named in it. Whether that is true, [`crate::proof`] tells.

use cms::cert::x509::der::oid::ObjectIdentifier;
use cms::cert::x509::der::{self, Decode, Encode};
use cms::cert::x509::ext::pkix::name::DirectoryString;
use cms::cert::x509::name::Name;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use serde::Serialize;

use crate::hash::Hash;

/// `MODULE_SIG_STRING` of the kernel: the last bytes of a signed module.
pub const MAGIC: &[u8] = b"~Module signature appended~\n";

/// `sizeof(struct module_signature)`.
const TRAILER_BYTES: usize = 12;
/// `PKEY_ID_PKCS7`, the only kind today's kernels accept.
const PKCS7: u8 = 2;
/// id-signedData and id-data of RFC 5652.
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// Who says to have signed a module, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The common name of the certificate's issuer.
    pub signer: Option<String>,
    /// The certificate's serial number or key identifier.
    pub key_id: String,
    /// The hash that was signed.
    pub hash: String,
    /// What names the certificate.
    #[serde(skip)]
    pub(crate) key: KeyName,
    /// What the proof needs, or why the kernel would refuse the message before any proof.
    #[serde(skip)]
    pub(crate) claim: Result<Claim, &'static str>,
}

/// How a signature names its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyName {
    /// By the DER of the issuer's name and the serial number.
    Issuer(Vec<u8>, Vec<u8>),
    /// By the identifier of the key.
    Identifier(Vec<u8>),
}

/// What is to be proved: this value, made with a key, belongs to that hash of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) algorithm: ObjectIdentifier,
    /// `None` for a hash that cannot be computed here.
    pub(crate) digest: Option<(Hash, Vec<u8>)>,
    pub(crate) value: Vec<u8>,
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
    let read = split(rest).and_then(|(content, message)| parse(content, message));
    read.map_or_else(Appended::Damaged, Appended::Signature)
}

/// Parts the module itself from its message, as `mod_check_sig()` of the kernel does.
fn split(rest: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let (before, trailer) = rest
        .len()
        .checked_sub(TRAILER_BYTES)
        .map(|at| rest.split_at(at))
        .ok_or("it is cut short")?;
    let [algorithm, hash, kind, name, key, padding @ ..] = trailer else {
        return Err("it is cut short");
    };
    if *kind != PKCS7 {
        return Err("it is not PKCS#7");
    }
    let [pad @ .., _, _, _, _] = padding else { return Err("it is cut short") };
    if [algorithm, hash, name, key].into_iter().chain(pad).any(|byte| *byte != 0) {
        return Err("its trailer is damaged");
    }
    let length: [u8; 4] = trailer.last_chunk().copied().ok_or("it is cut short")?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| "it is too long")?;
    before.len().checked_sub(length).map(|at| before.split_at(at)).ok_or("it is cut short")
}

/// RFC 5652: ContentInfo, SignedData, its only SignerInfo.
fn parse(content: &[u8], message: &[u8]) -> Result<Signature, &'static str> {
    let damaged = "its PKCS#7 message is damaged";
    let info = ContentInfo::from_der(message).map_err(|_| damaged)?;
    if info.content_type != SIGNED_DATA {
        return Err("its PKCS#7 message holds no signed data");
    }
    let data: SignedData = info.content.decode_as().map_err(|_| damaged)?;
    let signer = match data.signer_infos.0.as_slice() {
        [signer] => signer,
        [] => return Err("its PKCS#7 message names no signer"),
        _ => return Err("its PKCS#7 message names several signers"),
    };
    let (signer_name, key_id, key) = match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            let serial = unsigned(id.serial_number.as_bytes());
            let issuer = id.issuer.to_der().map_err(|_| damaged)?;
            let key = KeyName::Issuer(issuer, serial.to_vec());
            (name_of(&id.issuer), hex(serial), key)
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            let id = id.0.as_bytes();
            (None, hex(id), KeyName::Identifier(id.to_vec()))
        }
    };
    let hash = Hash::of_oid(&signer.digest_alg.oid);
    // pkcs7_supply_detached_data() and pkcs7_verify() of the kernel have the same rules.
    let claim = if data.encap_content_info.econtent.is_some() {
        Err("it brings a content of its own")
    } else if data.encap_content_info.econtent_type != DATA {
        Err("it is not about plain data")
    } else if signer.signed_attrs.is_some() {
        Err("it has signed attributes, which kernels refuse on modules")
    } else {
        Ok(Claim {
            algorithm: signer.signature_algorithm.oid,
            digest: hash.map(|hash| (hash, hash.digest(content))),
            value: signer.signature.as_bytes().to_vec(),
        })
    };
    let hash = hash.map_or_else(|| signer.digest_alg.oid.to_string(), |hash| hash.to_string());
    Ok(Signature { signer: signer_name, key_id, hash, key, claim })
}

/// The common name in an X.501 name; the organisation when there is none.
pub(crate) fn name_of(name: &Name) -> Option<String> {
    let text = |found: der::Result<Option<DirectoryString>>| found.ok().flatten();
    let found = text(name.common_name()).or_else(|| text(name.organization()))?;
    Some(found.value().into_owned())
}

/// DER puts a zero before a number whose first bit is set; other tools do not show it.
pub(crate) fn unsigned(number: &[u8]) -> &[u8] {
    match number {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => number,
    }
}

/// Bytes as people compare them with the output of other tools.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::signing::{self, openssl};

    fn signature(name: &str) -> Signature {
        match of_module(&openssl::module(name)) {
            Appended::Signature(signature) => signature,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn signer_key_and_hash_are_read_in_both_notations() {
        let by_serial = signature("rsa-sha256");
        assert_eq!(by_serial.signer.as_deref(), Some("rsa-sha256"));
        assert_eq!(by_serial.hash, "sha256");
        assert_eq!(by_serial.key_id.split(':').count(), 20, "{}", by_serial.key_id);
        let by_identifier = signature("rsa-sha512-keyid");
        assert_eq!(by_identifier.signer, None);
        assert_eq!(by_identifier.hash, "sha512");
        assert_eq!(signature("p384-sha384").hash, "sha384");
    }

    #[test]
    fn a_damaged_signature_is_told_from_none() {
        assert_eq!(of_module(b"module"), Appended::None);
        let message = openssl::message("p256-sha256");
        let with = |change: fn(&mut Vec<u8>, usize)| {
            let mut module = signing::appended(b"module", &message);
            let trailer = module.len() - MAGIC.len() - TRAILER_BYTES;
            change(&mut module, trailer);
            module
        };
        let table = [
            ([&[0; 8][..], MAGIC].concat(), "it is cut short"),
            (with(|module, trailer| module[trailer + 8] = 0xff), "it is cut short"),
            (with(|module, trailer| module[trailer + 2] = 1), "it is not PKCS#7"),
            (with(|module, trailer| module[trailer + 5] = 1), "its trailer is damaged"),
            (with(|module, trailer| module[trailer + 11] -= 1), "its PKCS#7 message is damaged"),
            (signing::appended(b"x", b"noise"), "its PKCS#7 message is damaged"),
        ];
        for (module, reason) in table {
            assert_eq!(of_module(&module), Appended::Damaged(reason));
        }
    }

    #[test]
    fn no_cut_and_no_changed_byte_of_a_message_makes_the_reader_stumble() {
        for name in ["rsa-sha256", "p256-sha256", "attributes"] {
            let message = openssl::message(name);
            for place in 0..message.len() {
                let cut = signing::appended(b"module", &message[..place]);
                assert!(matches!(of_module(&cut), Appended::Damaged(_)), "{name} cut at {place}");
                for value in [0, 0x30, 0x80, 0xff] {
                    let mut changed = message.clone();
                    changed[place] = value;
                    assert_ne!(of_module(&signing::appended(b"m", &changed)), Appended::None);
                }
            }
        }
    }
}
