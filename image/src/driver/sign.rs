// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signing a module as the kernel's own `sign-file` does, by openssl: a PKCS#7 message without
//! attributes and certificates, `struct module_signature`, the magic text
//! (`scripts/sign-file.c`, `include/linux/module_signature.h`).

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use module_check::signature::MAGIC;

use crate::tool::{self, Tools};

/// `PKEY_ID_PKCS7`.
const PKCS7: u8 = 2;
/// The hash that today's kernels are configured for.
const HASH: &str = "sha256";

/// A module that could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// openssl is missing, or refuses the key.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// The module has a signature already.
    #[error("{0} is signed already; sign the one that the compiler made")]
    Signed(Utf8PathBuf),
    /// A file could not be read or written.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The message is longer than its length can be written.
    #[error("the signature is too long")]
    TooLong,
}

/// Signs a module in its place and writes the certificate as DER. The key is a PEM file with the
/// private key, without a password, and its certificate, as the kernel's `signing_key.pem` is.
/// Returns the certificate's subject.
///
/// # Errors
///
/// When openssl cannot read the key or sign, or a file cannot be written.
pub fn sign(
    module: &Utf8Path,
    key: &Utf8Path,
    certificate: &Utf8Path,
    tools: &dyn Tools,
) -> Result<String, Error> {
    let file = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let mut bytes = fs::read(module).map_err(file(module))?;
    if bytes.ends_with(MAGIC) {
        return Err(Error::Signed(module.to_owned()));
    }
    let message = module.with_extension("p7s");
    #[rustfmt::skip]
    let cms = [
        "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", HASH,
        "-in", module.as_str(), "-signer", key.as_str(), "-inkey", key.as_str(),
        // Without it, a key with a password would wait for someone to type it.
        "-passin", "pass:", "-outform", "DER", "-out", message.as_str(),
    ];
    tools.run("openssl", &cms, "sign the module")?;
    let signature = fs::read(&message).map_err(file(&message))?;
    fs::remove_file(&message).map_err(file(&message))?;
    let length = u32::try_from(signature.len()).map_err(|_| Error::TooLong)?;
    bytes.extend_from_slice(&signature);
    // Algorithm, hash, kind, two lengths and padding; all but the kind is in the message.
    bytes.extend_from_slice(&[0, 0, PKCS7, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(MAGIC);
    fs::write(module, bytes).map_err(file(module))?;
    let x509 = ["x509", "-in", key.as_str(), "-outform", "DER", "-out", certificate.as_str()];
    tools.run("openssl", &x509, "write the certificate")?;
    let subject = ["x509", "-in", key.as_str(), "-noout", "-subject", "-nameopt", "RFC2253"];
    let said = tools.run("openssl", &subject, "read the certificate")?.stdout;
    Ok(said.trim().trim_start_matches("subject=").to_owned())
}

/// The fingerprint of the certificate in a key file, to tell one key from another.
///
/// # Errors
///
/// When openssl cannot read it.
pub fn fingerprint(key: &Utf8Path, tools: &dyn Tools) -> Result<String, Error> {
    let args = ["x509", "-in", key.as_str(), "-noout", "-fingerprint", "-sha256"];
    let said = tools.run("openssl", &args, "read the certificate of the signing key")?.stdout;
    let hex = said.trim().rsplit('=').next().unwrap_or_default();
    Ok(hex.replace(':', "").to_lowercase())
}

#[cfg(test)]
mod tests {
    use module_check::certificate::Certificate;
    use module_check::proof::Proof;

    use super::*;
    use crate::customize::fixtures::{Root, module};
    use crate::modinfo::Modinfo;
    use crate::tool::Path;

    const KERNEL: &str = "6.17.1-300.fc43.x86_64";

    /// A real key with its certificate, in one file.
    fn key(root: &Root, name: &str) -> Utf8PathBuf {
        let path = root.path().join(format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let certificate = root.path().join("certificate");
        #[rustfmt::skip]
        let args = [
            "req", "-new", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-noenc", "-days", "2", "-subj", &subject, "-keyout", path.as_str(),
            "-out", certificate.as_str(),
        ];
        Path.run("openssl", &args, "test").unwrap();
        let both = fs::read_to_string(&path).unwrap() + &fs::read_to_string(certificate).unwrap();
        fs::write(&path, both).unwrap();
        path
    }

    #[test]
    fn signature_is_one_that_the_certificate_proves() {
        let root = Root::new();
        let path = root.file("maccel.ko", module(KERNEL));
        let key = key(&root, "Vespera test");
        let der = root.path().join("key.der");
        assert_eq!(sign(&path, &key, &der, &Path).unwrap(), "CN=Vespera test");
        let signature = Modinfo::parse(&fs::read(&path).unwrap()).unwrap().signature.unwrap();
        assert_eq!(signature.signer.as_deref(), Some("Vespera test"));
        assert_eq!(signature.hash, "sha256");
        let certificate = Certificate::parse(&fs::read(&der).unwrap()).unwrap();
        assert_eq!(certificate.proves(&signature), Proof::Valid);
        assert!(matches!(sign(&path, &key, &der, &Path), Err(Error::Signed(_))));
    }

    #[test]
    fn fingerprint_tells_one_key_from_another() {
        let root = Root::new();
        let [one, two] = ["one", "two"].map(|name| fingerprint(&key(&root, name), &Path).unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
    }

    #[test]
    fn file_without_a_key_is_refused() {
        let root = Root::new();
        let (path, none) = (root.file("maccel.ko", module(KERNEL)), root.file("key", "no key"));
        let der = root.path().join("der");
        assert!(matches!(sign(&path, &none, &der, &Path), Err(Error::Tool(_))));
    }
}
