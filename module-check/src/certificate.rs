// SPDX-License-Identifier: MIT OR Apache-2.0
//! The certificate a module's signature should come from.

use cms::cert::x509::Certificate as X509;
use cms::cert::x509::der::{Decode, Encode};
use cms::cert::x509::ext::pkix::SubjectKeyIdentifier;
use sha2::{Digest, Sha256};

use crate::signature::{KeyName, Signature, hex, name_of, unsigned};

/// A certificate: what identifies it in a signature, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of its subject.
    pub subject: Option<String>,
    /// Its serial number.
    pub serial: String,
    /// The SHA-256 of the whole, as `openssl x509 -fingerprint -sha256` shows it.
    pub fingerprint: String,
    /// DER of `SubjectPublicKeyInfo`.
    pub(crate) key: Vec<u8>,
    issuer: Vec<u8>,
    serial_number: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads a DER certificate (RFC 5280); `None` when it is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let certificate = X509::from_der(der).ok()?;
        let content = certificate.tbs_certificate();
        let serial_number = unsigned(content.serial_number().as_bytes()).to_vec();
        let identifier = content.get_extension::<SubjectKeyIdentifier>().ok().flatten();
        Some(Self {
            subject: name_of(content.subject()),
            serial: hex(&serial_number),
            fingerprint: hex(&Sha256::digest(der)),
            key: content.subject_public_key_info().to_der().ok()?,
            issuer: content.issuer().to_der().ok()?,
            serial_number,
            key_identifier: identifier.map(|(_, identifier)| identifier.0.as_bytes().to_vec()),
        })
    }

    /// Whether `signature` names this certificate. That is what the signature says of itself;
    /// [`Certificate::proves`] tells whether it is true.
    pub fn is_named_by(&self, signature: &Signature) -> bool {
        match &signature.key {
            KeyName::Issuer(issuer, serial) => {
                (issuer, serial) == (&self.issuer, &self.serial_number)
            }
            KeyName::Identifier(identifier) => self.key_identifier.as_ref() == Some(identifier),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::signing::openssl;
    use crate::signature::{Appended, of_module};

    const NAMES: [&str; 4] = ["rsa-sha256", "rsa-sha512-keyid", "p256-sha256", "p384-sha384"];

    #[test]
    fn a_certificate_is_recognised_in_the_signatures_that_name_it_and_no_other() {
        for signer in NAMES {
            let Appended::Signature(signature) = of_module(&openssl::module(signer)) else {
                panic!("{signer} is not signed");
            };
            for name in NAMES {
                let certificate = Certificate::parse(&openssl::certificate(name)).unwrap();
                assert_eq!(certificate.subject.as_deref(), Some(name));
                assert_eq!(certificate.is_named_by(&signature), name == signer, "{name}, {signer}");
            }
        }
    }

    #[test]
    fn noise_and_cut_certificates_are_none() {
        let whole = openssl::certificate("rsa-sha256");
        for length in 0..whole.len() {
            assert_eq!(Certificate::parse(&whole[..length]), None, "{length}");
        }
        assert_eq!(Certificate::parse(b"noise"), None);
    }
}
