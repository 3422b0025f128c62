// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stages that run inside the container build.
//!
//! Each stage can be run again on what it has already done and then changes nothing. Each tells
//! what it did, one line per thing, to the [`Report`] it is given.

pub mod curve;
pub mod files;
pub mod finish;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod flatpak;
pub mod identity;
pub mod module;
pub mod packages;
pub mod payload;
pub mod policy;
pub mod times;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{kernel, modinfo, tool};

/// A stage that could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The root does not have its one kernel.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// A file that should be a module is none.
    #[error("{path}")]
    Module {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: modinfo::Error,
    },
    /// A program failed.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// What was asked for cannot be done; the message says why and what can be.
    #[error("{0}")]
    Refused(String),
}

/// Gives a file error its path and what was attempted.
pub(crate) fn file_error(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}

/// What a stage has done, line by line.
pub trait Report {
    /// One thing done.
    fn line(&mut self, text: &str);
}

impl Report for Vec<String> {
    fn line(&mut self, text: &str) {
        self.push(text.to_owned());
    }
}

/// Prints each line at once, so that a build log shows where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// For people.
    Stdout,
    /// Where the standard output is one document for programs.
    Stderr,
}

impl Printed {
    /// Beside a result that is JSON, or is text itself.
    pub const fn beside(json: bool) -> Self {
        if json { Self::Stderr } else { Self::Stdout }
    }
}

impl Report for Printed {
    fn line(&mut self, text: &str) {
        match self {
            Self::Stdout => println!("{text}"),
            Self::Stderr => eprintln!("{text}"),
        }
    }
}
