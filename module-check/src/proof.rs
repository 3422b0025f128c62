// SPDX-License-Identifier: MIT OR Apache-2.0
//! The proof that a signature was made with a certificate's key: PKCS#1 v1.5 (RSA) and ECDSA, as
//! the kernel makes it in `crypto/asymmetric_keys/`.
//!
//! Only public keys and public data pass through here, so timing tells nobody anything.

use cms::cert::x509::der::Decode;
use cms::cert::x509::der::oid::ObjectIdentifier;
use cms::cert::x509::spki::SubjectPublicKeyInfoRef;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1v15::Pkcs1v15Sign;

use crate::certificate::Certificate;
use crate::hash::Hash;
use crate::signature::Signature;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// shaNNNWithRSAEncryption: .11, .12 and .13 below PKCS#1.
const RSA_WITH_HASH: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"),
];
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// ecdsa-with-SHA256, SHA384 and SHA512.
const ECDSA_WITH_HASH: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
];

/// What became of the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The module is as it was when the key of the certificate signed it.
    Valid,
    /// It is not, or a kernel would refuse the message, for the reason given.
    Invalid(&'static str),
    /// The signature is of a kind that cannot be checked here; a kernel may well be able to.
    Unsupported(String),
}

impl Certificate {
    /// Whether `signature` was made with the key of this certificate, over the module it was read
    /// from.
    pub fn proves(&self, signature: &Signature) -> Proof {
        if !self.is_named_by(signature) {
            return Proof::Invalid("another key signed it");
        }
        let claim = match &signature.claim {
            Ok(claim) => claim,
            Err(reason) => return Proof::Invalid(reason),
        };
        let Some((hash, digest)) = &claim.digest else {
            return Proof::Unsupported(format!("the hash {}", signature.hash));
        };
        let Ok(key) = SubjectPublicKeyInfoRef::from_der(&self.key) else {
            return Proof::Unsupported("the key of the certificate".to_owned());
        };
        let outcome = match key.algorithm.oid {
            RSA if claim.algorithm == RSA || RSA_WITH_HASH.contains(&claim.algorithm) => {
                rsa(&key, *hash, digest, &claim.value)
            }
            EC if ECDSA_WITH_HASH.contains(&claim.algorithm) => ecdsa(&key, digest, &claim.value),
            _ => None,
        };
        match outcome {
            Some(true) => Proof::Valid,
            Some(false) => Proof::Invalid("the module is not what was signed"),
            None => Proof::Unsupported(format!("the algorithm {}", claim.algorithm)),
        }
    }
}

/// `None` for a key that cannot be used here.
fn rsa(key: &SubjectPublicKeyInfoRef<'_>, hash: Hash, digest: &[u8], value: &[u8]) -> Option<bool> {
    let key = rsa::PublicKey::try_from(key.clone()).ok()?;
    let scheme = match hash {
        Hash::Sha256 => Pkcs1v15Sign::new::<sha2::Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<sha2::Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<sha2::Sha512>(),
    };
    Some(key.verify(scheme, digest, value).is_ok())
}

/// `None` for a curve that cannot be used here.
fn ecdsa(key: &SubjectPublicKeyInfoRef<'_>, digest: &[u8], value: &[u8]) -> Option<bool> {
    let curve = key.algorithm.parameters_oid().ok()?;
    let point = key.subject_public_key.as_bytes()?;
    match curve {
        P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            let value = p256::ecdsa::Signature::from_der(value);
            Some(value.is_ok_and(|value| key.verify_prehash(digest, &value).is_ok()))
        }
        P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            let value = p384::ecdsa::Signature::from_der(value);
            Some(value.is_ok_and(|value| key.verify_prehash(digest, &value).is_ok()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::signing::{self, openssl};
    use crate::signature::{Appended, of_module};

    fn proof(name: &str, module: &[u8]) -> Proof {
        let Appended::Signature(signature) = of_module(module) else { panic!("{name}") };
        Certificate::parse(&openssl::certificate(name)).unwrap().proves(&signature)
    }

    #[test]
    fn signatures_of_openssl_are_proved_with_every_kind_of_key() {
        for name in ["rsa-sha256", "rsa-sha512-keyid", "p256-sha256", "p384-sha384"] {
            assert_eq!(proof(name, &openssl::module(name)), Proof::Valid, "{name}");
        }
    }

    #[test]
    fn a_module_changed_after_signing_is_found_out() {
        for name in ["rsa-sha256", "rsa-sha512-keyid", "p256-sha256", "p384-sha384"] {
            let mut module = openssl::module(name);
            module[0] ^= 1;
            let changed = Proof::Invalid("the module is not what was signed");
            assert_eq!(proof(name, &module), changed, "{name}");
        }
    }

    #[test]
    fn a_changed_value_is_found_out_wherever_it_is_changed() {
        for name in ["rsa-sha256", "p256-sha256"] {
            let message = openssl::message(name);
            let length = if name == "rsa-sha256" { 256 } else { 64 };
            for place in message.len() - length..message.len() {
                let mut changed = message.clone();
                changed[place] ^= 0x40;
                let module = signing::appended(openssl::CONTENT, &changed);
                if let Appended::Signature(signature) = of_module(&module) {
                    let key = Certificate::parse(&openssl::certificate(name)).unwrap();
                    assert_ne!(key.proves(&signature), Proof::Valid, "{name} at {place}");
                }
            }
        }
    }

    #[test]
    fn what_a_kernel_refuses_and_what_cannot_be_checked_here_are_told_apart() {
        let refused = proof("attributes", &openssl::module("attributes"));
        assert_eq!(
            refused,
            Proof::Invalid("it has signed attributes, which kernels refuse on modules")
        );
        let curve = proof("p521-sha512", &openssl::module("p521-sha512"));
        assert!(matches!(&curve, Proof::Unsupported(what) if what.contains("1.2.840.10045.4.3.4")));
        let other = proof("rsa-sha256", &openssl::module("p256-sha256"));
        assert_eq!(other, Proof::Invalid("another key signed it"));
    }
}
