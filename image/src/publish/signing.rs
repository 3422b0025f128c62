// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signing by cosign, in the form that bootc, podman and skopeo can check: a signature beside the
//! image, made by a key. They cannot read the bundles that newer cosigns make by themselves.

use std::fmt;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::tool::{self, Tools};

/// The name under which the public key lies at the top of a repository.
pub const PUBLIC_KEY: &str = "cosign.pub";
/// Options that give that form and leave the public log alone: it is for keys that nobody keeps,
/// and would tell of private images. Not every cosign knows each of them.
const FORM: &[&str] =
    &["--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false"];

/// An image that could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// cosign is missing or refused.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// The key is another one than hosts would ask for.
    #[error(
        "the key given is not the private half of {0}: hosts with this image would refuse every \
         later one; sign with the key that belongs to it, or replace it"
    )]
    AnotherKey(Utf8PathBuf),
    /// The public key cannot be read.
    #[error("cannot read {path}")]
    PublicKey {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Someone who signs.
pub trait Signer: fmt::Debug {
    /// Signs the image of a reference with a digest, in its registry.
    ///
    /// # Errors
    ///
    /// When it cannot.
    fn sign(&self, reference: &str) -> Result<(), Error>;

    /// The public half of the key, as PEM.
    ///
    /// # Errors
    ///
    /// When the key cannot be read.
    fn public_key(&self) -> Result<String, Error>;
}

/// Signs by cosign. The key's password is in `COSIGN_PASSWORD`, as cosign wants it.
#[derive(Debug, Clone)]
pub struct Cosign<'a> {
    tools: &'a dyn Tools,
    key: &'a str,
    public: String,
    options: Vec<&'static str>,
    insecure: bool,
}

impl<'a> Cosign<'a> {
    /// Takes a key, as a file or `env://VARIABLE`, and compares it with the public half that hosts
    /// get, where there is one.
    ///
    /// # Errors
    ///
    /// When cosign is missing or cannot read the key, or the key is another one.
    pub fn new(
        tools: &'a dyn Tools,
        key: &'a str,
        shipped: Option<&Utf8Path>,
        insecure: bool,
    ) -> Result<Self, Error> {
        let purpose = "read the public half of the signing key";
        let public = tools.run("cosign", &["public-key", "--key", key], purpose)?.stdout;
        if let Some(path) = shipped {
            let text = fs::read_to_string(path)
                .map_err(|source| Error::PublicKey { path: path.to_owned(), source })?;
            if text.trim() != public.trim() {
                return Err(Error::AnotherKey(path.to_owned()));
            }
        }
        // By what it can do: distributions build it without a version, and its help does not show
        // options that are to go.
        let mut options = Vec::new();
        for option in FORM {
            let words = ["sign", option, "--help"];
            if tools.outcome("cosign", &words, "see how to sign")?.success() {
                options.push(*option);
            }
        }
        Ok(Self { tools, key, public, options, insecure })
    }
}

impl Signer for Cosign<'_> {
    fn sign(&self, reference: &str) -> Result<(), Error> {
        let mut args = vec!["sign", "--yes", "--key", self.key];
        args.extend(&self.options);
        if self.insecure {
            args.extend(["--allow-http-registry", "--allow-insecure-registry"]);
        }
        args.push(reference);
        self.tools.run("cosign", &args, "sign an image")?;
        Ok(())
    }

    fn public_key(&self) -> Result<String, Error> {
        Ok(self.public.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, Root, failed, ok};

    fn cosign(known: &'static [&'static str]) -> FakeTools {
        FakeTools::default().with("cosign", move |args| match args {
            ["public-key", ..] => ok("PUBLIC\n"),
            ["sign", option, "--help"] if !known.contains(option) => failed("unknown flag"),
            _ => ok(""),
        })
    }

    #[test]
    fn form_that_bootc_can_check_is_asked_for_where_cosign_has_another() {
        for (known, expected) in [
            (&["--tlog-upload=false"][..], "sign --yes --key k --tlog-upload=false x@sha256:1"),
            (
                FORM,
                "sign --yes --key k --tlog-upload=false --new-bundle-format=false \
                 --use-signing-config=false x@sha256:1",
            ),
        ] {
            let tools = cosign(known);
            Cosign::new(&tools, "k", None, false).unwrap().sign("x@sha256:1").unwrap();
            assert_eq!(tools.calls().last().unwrap(), &format!("cosign {expected}"));
        }
    }

    #[test]
    fn key_that_does_not_belong_to_the_shipped_one_is_refused() {
        let (root, tools) = (Root::new(), cosign(FORM));
        let shipped = root.file("cosign.pub", "PUBLIC");
        Cosign::new(&tools, "k", Some(&shipped), false).unwrap();
        root.file("cosign.pub", "OTHER");
        let error = Cosign::new(&tools, "k", Some(&shipped), false).unwrap_err();
        assert!(matches!(error, Error::AnotherKey(_)), "{error}");
    }
}
