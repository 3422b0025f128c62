// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a built image to its final tags, so that no tag ever names an image that was not verified.
//!
//! The image is pushed once, to a staging tag. What is verified, signed and tagged is the digest
//! that the registry then has, in the same repository. Whatever happens on the way, each final tag
//! names either the image it named before or the new, verified one: a tag changes in one request.

mod github;
mod neutral;
pub mod policy;
pub mod signing;

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use crate::customize::{Report, policy as shipped};
use crate::plan::Image;
use crate::registry::{self, Inspected, Store};
use crate::verify;

pub use github::GitHub;
pub use neutral::manifest;
pub use signing::{Cosign, Signer};

/// What the name of a staging tag begins with.
const STAGING: &str = "staging-";
/// The tag that most machines follow; it moves last.
const FOLLOWED: &str = "latest";

/// An image that was not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry refused, or gave no answer.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The digest is not at the registry.
    #[error("{0} is not at the registry; stage the image first")]
    NotStaged(String),
    /// The image has faults. No final tag was touched.
    #[error("{reference} is not published, since it is not verified; no tag was changed\n{}", report.text())]
    Unverified {
        /// The image.
        reference: String,
        /// The report.
        report: Box<crate::verify::Report>,
    },
    /// It could not be looked at.
    #[error(transparent)]
    Open(#[from] crate::opened::Error),
    /// It could not be signed.
    #[error(transparent)]
    Signing(#[from] signing::Error),
    /// A signature is demanded and there is no key.
    #[error(
        "`signing.image` is true and there is no key to sign with; give one with --key, as a file \
         or as env://VARIABLE, or write `signing: {{image: false}}`"
    )]
    NoKey,
    /// Hosts with the image demand a signature, and there is no key.
    #[error(
        "{reference} is not published: it carries /{key}, so hosts with it demand a signature, and \
         there is no key to sign with; give the one that belongs to it with --key, as a file or as \
         env://VARIABLE, or build without a cosign.pub"
    )]
    Enforced {
        /// The image.
        reference: String,
        /// Where it keeps the public key.
        key: &'static str,
    },
    /// A tag does not name what it was made to name: somebody else moves it at the same time.
    #[error("{tag} names {found} right after it was set to {expected}; does another run publish?")]
    Moved {
        /// The tag.
        tag: String,
        /// What it names.
        found: String,
        /// What it should name.
        expected: String,
    },
    /// A file of the run could not be written.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// What verification saw of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it found.
    pub report: verify::Report,
    /// The public key by which hosts with the image take the next one, where it carries one.
    pub key: Option<String>,
}

/// Says whether an image is what it should be.
pub trait Verifier: fmt::Debug {
    /// Verifies the image of a reference with a digest.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at at all.
    fn verify(&self, reference: &str) -> Result<Verified, crate::opened::Error>;
}

/// What publishing needs.
#[derive(Debug, Clone, Copy)]
pub struct Publisher<'a> {
    /// Where it is published.
    pub store: &'a dyn Store,
    /// Who says that it may be.
    pub verifier: &'a dyn Verifier,
    /// Who signs it, if anybody does.
    pub signer: Option<&'a dyn Signer>,
    /// Whether it must be signed.
    pub must_be_signed: bool,
    /// A folder for the files of this run.
    pub scratch: &'a Utf8Path,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Digest of the image.
    pub digest: String,
    /// The final tags, in the order in which they were set.
    pub tags: Vec<String>,
    /// What verification found.
    pub report: verify::Report,
    /// Whether it is signed.
    pub signed: bool,
    /// Why the staging tag is still there, where the registry keeps it.
    pub kept_staging: Option<String>,
}

/// The staging tag of a run.
pub fn staging_tag(run: &str) -> String {
    format!("{STAGING}{run}")
}

/// The digest that a run has staged, or has published already and was ended while it cleaned up.
///
/// # Errors
///
/// When the registry gives no answer, or nothing is staged.
pub fn staged(store: &dyn Store, image: &Image, tag: &str) -> Result<String, Error> {
    let found = named(store, &format!("{}:{tag}", image.image))?;
    Ok(found.labels.get(neutral::PUBLISHED).cloned().unwrap_or(found.digest))
}

/// Pushes a built image to its staging tag and returns the digest that the registry has then.
///
/// # Errors
///
/// When the registry refuses it, or does not have it afterwards.
pub fn stage(
    store: &dyn Store,
    built: &str,
    image: &Image,
    tag: &str,
    report: &mut dyn Report,
) -> Result<String, Error> {
    let reference = format!("{}:{tag}", image.image);
    store.copy(built, &reference, None)?;
    let digest = named(store, &reference)?.digest;
    report.line(&format!("staged: {reference} is {digest}"));
    Ok(digest)
}

impl Publisher<'_> {
    /// Publishes the staged digest under the image's final tags.
    ///
    /// # Errors
    ///
    /// When anything on the way is not as it should be. The final tags set so far name the new
    /// image, the others what they named before; running it again completes it.
    pub fn publish(
        &self,
        image: &Image,
        digest: &str,
        staging: &str,
        report: &mut dyn Report,
    ) -> Result<Published, Error> {
        if self.must_be_signed && self.signer.is_none() {
            return Err(Error::NoKey);
        }
        let reference = format!("{}@{digest}", image.image);
        if self.store.inspect(&reference)?.is_none() {
            return Err(Error::NotStaged(reference));
        }
        let Verified { report: verified, key } = self.verifier.verify(&reference)?;
        if !verified.passed {
            return Err(Error::Unverified { reference, report: Box::new(verified) });
        }
        report.line(&format!("{reference}: {}", verified.headline()));
        self.enforceable(&reference, key.as_deref())?;
        let policy = self.sign(image, &reference, report)?;
        let mut tags: Vec<String> = image.tags.clone();
        tags.sort_by_key(|tag| tag == FOLLOWED);
        for tag in &tags {
            let tagged = format!("{}:{tag}", image.image);
            let policy = policy.as_ref().map(policy::Files::as_policy);
            self.store.copy(&reference, &tagged, policy)?;
            self.expect(&tagged, digest)?;
            report.line(&format!("tagged: {tagged}"));
        }
        let kept_staging = self.clean(image, digest, staging, &tags, report)?;
        let signed = policy.is_some();
        let digest = digest.to_owned();
        Ok(Published { digest, tags, report: verified, signed, kept_staging })
    }

    /// What hosts with this image will demand of the next one must be true of it, too: else their
    /// first update is refused, and they stay where they are.
    fn enforceable(&self, reference: &str, key: Option<&str>) -> Result<(), Error> {
        let Some(demanded) = key else { return Ok(()) };
        let Some(signer) = self.signer else {
            let reference = reference.to_owned();
            return Err(Error::Enforced { reference, key: shipped::KEY });
        };
        if signer.public_key()?.trim() != demanded.trim() {
            let path = Utf8Path::new("/").join(shipped::KEY);
            return Err(signing::Error::AnotherKey(path).into());
        }
        Ok(())
    }

    /// Signs, and makes the policy by which every host that enforces the signature will ask. The
    /// final tags are set under it: a signature that hosts could not check stops here.
    fn sign(
        &self,
        image: &Image,
        reference: &str,
        report: &mut dyn Report,
    ) -> Result<Option<policy::Files>, Error> {
        let Some(signer) = self.signer else {
            report.line("signature: none; hosts cannot enforce one");
            return Ok(None);
        };
        signer.sign(reference)?;
        report.line(&format!("signed: {reference}"));
        let files = policy::write(self.scratch, &image.image, &signer.public_key()?)
            .map_err(|(path, source)| Error::File { path, source })?;
        Ok(Some(files))
    }

    /// Removes the staging tag. Deleting the digest would take the final tags along, so the tag
    /// gets a manifest of its own first, without a layer, and that is what is deleted.
    fn clean(
        &self,
        image: &Image,
        digest: &str,
        staging: &str,
        tags: &[String],
        report: &mut dyn Report,
    ) -> Result<Option<String>, Error> {
        let tagged = format!("{}:{staging}", image.image);
        let (layout, own) = neutral::layout(self.scratch, staging, digest)
            .map_err(|(path, source)| Error::File { path, source })?;
        match self.store.inspect(&tagged)? {
            Some(found) if found.digest == digest => {
                self.store.copy(&layout, &tagged, None)?;
                self.expect(&tagged, &own)?;
            }
            // An earlier run got as far as this.
            Some(found) if found.digest == own => {}
            _ => {
                report.line(&format!("staging: {tagged} names another image or none, left alone"));
                return Ok(None);
            }
        }
        let deleted = self.store.delete(&format!("{}@{own}", image.image));
        for tag in tags {
            self.expect(&format!("{}:{tag}", image.image), digest)?;
        }
        match deleted {
            Ok(()) => {
                report.line(&format!("staging: {tagged} removed"));
                Ok(None)
            }
            // A tag that holds nothing is a blemish, not a reason to call the run a failure.
            Err(error @ (registry::Error::Refused { .. } | registry::Error::Tool(_))) => {
                let reason = error.to_string();
                report.line(&format!(
                    "staging: {tagged} holds nothing any more, but could not be removed: {reason}"
                ));
                Ok(Some(reason))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn expect(&self, tagged: &str, digest: &str) -> Result<(), Error> {
        let found = named(self.store, tagged)?.digest;
        if found == digest {
            return Ok(());
        }
        let (tag, expected) = (tagged.to_owned(), digest.to_owned());
        Err(Error::Moved { tag, found, expected })
    }
}

fn named(store: &dyn Store, reference: &str) -> Result<Inspected, Error> {
    store.inspect(reference)?.ok_or_else(|| Error::NotStaged(reference.to_owned()))
}

#[cfg(test)]
mod tests;
