// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written about the programs and made from what they are made of: man pages, documents
//! of the repository, pictures of their screens. It knows no program; each hands over its own
//! definitions.
//!
//! - [`program`]: man pages of a command line and its subcommands
//! - [`format`]: the man page of a file
//! - [`roff`]: how both are written down
//! - [`committed`]: documents that are generated and committed all the same
//! - [`examples`]: the commands and files that documents show
//! - [`lint`]: what mandoc has to say
//! - [`screen`]: a screen as SVG

pub mod committed;
pub mod examples;
pub mod format;
pub mod lint;
pub mod program;
pub mod roff;
pub mod screen;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}")]
pub struct FileError {
    action: &'static str,
    path: Utf8PathBuf,
    source: std::io::Error,
}

/// Writes a file, and the folder it is in.
fn write(path: &Utf8Path, text: &str) -> Result<(), FileError> {
    let fault = |action, path: &Utf8Path| {
        let path = path.to_owned();
        move |source| FileError { action, path, source }
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fault("make", folder))?;
    }
    fs::write(path, text).map_err(fault("write", path))
}

/// Reads a file.
fn read(path: &Utf8Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|source| FileError {
        action: "read",
        path: path.to_owned(),
        source,
    })
}
