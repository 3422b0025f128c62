// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private keys by their form: text that says so, and the binary forms of the same keys.

/// What a line of a key in text begins and ends with: PEM of every kind, OpenSSH's and PGP's
/// among them, PuTTY's, age's.
const LINES: &[(&[u8], &[u8])] = &[
    (b"-----BEGIN ", b"PRIVATE KEY-----"),
    (b"-----BEGIN PGP PRIVATE KEY BLOCK", b"-----"),
    (b"PuTTY-User-Key-File-", b""),
    (b"AGE-SECRET-KEY-1", b""),
];

/// Tags of DER.
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Whether the bytes are, or hold, a private key.
pub(super) fn has_private_key(bytes: &[u8]) -> bool {
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let is_key = |line: &[u8]| {
        LINES.iter().any(|(begin, end)| line.starts_with(begin) && line.ends_with(end))
    };
    lines.into_iter().any(is_key) || is_der_key(bytes)
}

/// A whole file that is one key in DER: PKCS #1 (a version and eight numbers), SEC 1 (a version and
/// the number as octets), PKCS #8 (a version and which kind of key), PKCS #12 (version 3 and what
/// it carries).
fn is_der_key(bytes: &[u8]) -> bool {
    let Some((SEQUENCE, content, [])) = element(bytes) else { return false };
    let Some((INTEGER, [version], rest)) = element(content) else { return false };
    let Some((next, inner, rest)) = element(rest) else { return false };
    match (version, next) {
        (0 | 1, INTEGER) => element(rest).is_some_and(|(tag, _, _)| tag == INTEGER),
        (1, OCTETS) => true,
        (0 | 1, SEQUENCE) => {
            const IDENTIFIER: u8 = 0x06;
            element(inner).is_some_and(|(tag, _, _)| tag == IDENTIFIER)
                && element(rest).is_some_and(|(tag, _, _)| tag == OCTETS)
        }
        (3, SEQUENCE) => true,
        _ => false,
    }
}

/// Tag and content of the first element of DER, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::{Path, Tools as _};

    #[test]
    fn keys_in_text_are_found_whatever_program_they_are_for() {
        // Put together here: this file is no key.
        for (begin, end) in [
            ("-----BEGIN ", "PRIVATE KEY-----"),
            ("-----BEGIN EC ", "PRIVATE KEY-----\r"),
            ("-----BEGIN OPENSSH ", "PRIVATE KEY-----"),
            ("-----BEGIN ENCRYPTED SIGSTORE ", "PRIVATE KEY-----"),
            ("-----BEGIN PGP PRIVATE ", "KEY BLOCK-----"),
            ("PuTTY-User-", "Key-File-3: ssh-ed25519"),
            ("AGE-SECRET-", "KEY-1QQQ"),
        ] {
            assert!(has_private_key(format!("x\n{begin}{end}\nMIIE\n").as_bytes()), "{begin}{end}");
        }
        for text in ["-----BEGIN PUBLIC KEY-----\n", "-----BEGIN CERTIFICATE-----\n", "", "0\u{2}"]
        {
            assert!(!has_private_key(text.as_bytes()), "{text}");
        }
    }

    /// As openssl writes them.
    #[test]
    fn keys_in_binary_form_are_found_and_certificates_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (rsa, ec, certificate) = (at("rsa"), at("ec"), at("certificate"));
        let openssl = |args: &[&str]| Path.run("openssl", args, "test").map(drop).unwrap();
        openssl(&["genrsa", "-out", &rsa, "2048"]);
        openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &ec]);
        openssl(&["req", "-new", "-x509", "-key", &rsa, "-subj", "/CN=x", "-out", &certificate]);
        let out = at("out");
        let der = ["-outform", "DER", "-out", out.as_str()];
        let written = |args: &[&str]| {
            openssl(&[args, &der].concat());
            has_private_key(&std::fs::read(&out).unwrap())
        };
        assert!(written(&["rsa", "-in", &rsa, "-traditional"]));
        assert!(written(&["ec", "-in", &ec]));
        for key in [&rsa, &ec] {
            assert!(written(&["pkcs8", "-topk8", "-nocrypt", "-in", key]));
            assert!(!written(&["pkey", "-in", key, "-pubout"]));
        }
        let words = ["pkcs12", "-export", "-passout", "pass:", "-inkey", &rsa, "-in", &certificate];
        openssl(&[&words[..], &["-out", &out]].concat());
        assert!(has_private_key(&std::fs::read(&out).unwrap()));
        assert!(!written(&["x509", "-in", &certificate]));
    }
}
