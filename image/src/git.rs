// SPDX-License-Identifier: MIT OR Apache-2.0
//! What git knows of this repository and of others.

use std::fmt;

use camino::Utf8Path;

use crate::tool::{self, Outcome, Tools};
use crate::version;

/// Nothing of a repository runs while it is fetched.
const SAFE: &[&str] = &["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"];

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// git, or the repository, refused.
    #[error("{0}")]
    Refused(String),
    /// git is too old.
    #[error(transparent)]
    Version(#[from] version::Error),
    /// git is missing.
    #[error(transparent)]
    Tool(#[from] tool::Error),
}

/// Someone to ask about repositories.
pub trait Git: fmt::Debug {
    /// The hash of what a name stands for in the repository at a folder.
    ///
    /// # Errors
    ///
    /// When there is no repository, or nothing of that name.
    fn object(&self, folder: &Utf8Path, name: &str) -> Result<String, Error>;

    /// What is committed under each of the paths, one line for each with its hash.
    ///
    /// # Errors
    ///
    /// When there is no repository, or none of the paths.
    fn committed(&self, folder: &Utf8Path, paths: &[String]) -> Result<String, Error>;

    /// The newest commit of a repository somewhere else. Nothing of it is fetched.
    ///
    /// # Errors
    ///
    /// When it gives no answer.
    fn newest(&self, repository: &str) -> Result<String, Error>;

    /// Fetches one commit into a folder that does not exist yet. Returns the commit that then is
    /// there, which is for the caller to compare.
    ///
    /// # Errors
    ///
    /// When the repository does not give it.
    fn fetch(&self, repository: &str, commit: &str, folder: &Utf8Path) -> Result<String, Error>;
}

/// Asks the git that is installed.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    tools: &'a dyn Tools,
}

impl<'a> Program<'a> {
    /// The git that is installed, if it is new enough.
    ///
    /// # Errors
    ///
    /// When it is missing or too old.
    pub fn new(tools: &'a dyn Tools) -> Result<Self, Error> {
        version::check(version::GIT, tools)?;
        Ok(Self { tools })
    }

    fn at(&self, folder: &Utf8Path, words: &[&str], purpose: &str) -> Result<Outcome, Error> {
        let mut args = SAFE.to_vec();
        args.extend(["-C", folder.as_str()]);
        args.extend(words);
        Ok(self.tools.outcome("git", &args, purpose)?)
    }
}

/// The first word of an answer.
fn word(outcome: &Outcome) -> Result<String, Error> {
    let first = outcome.stdout.split_whitespace().next().filter(|_| outcome.success());
    first.map(str::to_owned).ok_or_else(|| Error::Refused(outcome.output()))
}

impl Git for Program<'_> {
    fn object(&self, folder: &Utf8Path, name: &str) -> Result<String, Error> {
        // Not quiet: what is wrong with the folder is git's to say.
        word(&self.at(
            folder,
            &["rev-parse", "--verify", name],
            "find the version of the driver",
        )?)
    }

    fn committed(&self, folder: &Utf8Path, paths: &[String]) -> Result<String, Error> {
        let mut words = vec!["ls-tree", "HEAD", "--"];
        words.extend(paths.iter().map(String::as_str));
        let outcome = self.at(folder, &words, "find the version of what is copied")?;
        if !outcome.success() || outcome.stdout.trim().is_empty() {
            return Err(Error::Refused(outcome.output()));
        }
        Ok(outcome.stdout)
    }

    fn newest(&self, repository: &str) -> Result<String, Error> {
        let args = ["ls-remote", "--exit-code", repository, "HEAD"];
        word(&self.tools.outcome("git", &args, "ask the driver's repository for new commits")?)
    }

    fn fetch(&self, repository: &str, commit: &str, folder: &Utf8Path) -> Result<String, Error> {
        let purpose = "fetch the source of the driver";
        self.tools.run("git", &["init", "--quiet", folder.as_str()], purpose)?;
        let mut fetched =
            self.at(folder, &["fetch", "--quiet", "--depth=1", repository, commit], purpose)?;
        if !fetched.success() {
            // Some servers give no single commits.
            fetched = self.at(folder, &["fetch", "--quiet", "--tags", repository], purpose)?;
        }
        if fetched.success() {
            fetched = self.at(folder, &["checkout", "--quiet", "--detach", commit], purpose)?;
        }
        if !fetched.success() {
            return Err(Error::Refused(fetched.output()));
        }
        word(&self.at(folder, &["rev-parse", "--verify", "HEAD"], purpose)?)
    }
}
