// SPDX-License-Identifier: MIT OR Apache-2.0
//! One opened module file.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, ObjectSection};

use crate::compression::{CompressionError, unpack};
use crate::modinfo::ModInfo;

/// `MODULE_SIG_STRING` of the kernel: the last bytes of a signed module.
const SIGNATURE_MAGIC: &[u8] = b"~Module signature appended~\n";

/// Why a module file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ModuleFileError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The compressed file could not be unpacked.
    #[error("cannot unpack {path}: {source}")]
    Unpack {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: CompressionError,
    },
    /// What came out is not a kernel module.
    #[error("{path} is not a kernel module: {reason}")]
    NotAModule {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl ModuleFileError {
    /// Whether this process merely may not read the file, which says nothing about the module.
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

/// What one module file says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Everything in `.modinfo`.
    pub info: ModInfo,
    /// Whether a `__versions` table is present.
    pub has_crcs: bool,
    /// Whether a signature is appended.
    pub signed: bool,
}

impl ModuleFile {
    /// Reads and unpacks the file at `path`.
    pub fn read(path: &Utf8Path) -> Result<Self, ModuleFileError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ModuleFileError::Read { path: path.to_owned(), source })?;
        let bytes = unpack(bytes)
            .map_err(|source| ModuleFileError::Unpack { path: path.to_owned(), source })?;
        Self::parse(&bytes)
            .map_err(|reason| ModuleFileError::NotAModule { path: path.to_owned(), reason })
    }

    /// Reads an unpacked module; the error is a reason for people.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let elf = object::File::parse(bytes).map_err(|error| error.to_string())?;
        let section = elf.section_by_name(".modinfo").ok_or("it has no .modinfo section")?;
        let data = section.data().map_err(|error| format!(".modinfo: {error}"))?;
        let crcs = |name| elf.section_by_name(name).is_some_and(|section| section.size() > 0);
        Ok(Self {
            info: ModInfo::parse(data),
            // Kernels from 6.14 on may write the table for long (Rust) names instead.
            has_crcs: crcs("__versions") || crcs("__version_ext_crcs"),
            signed: bytes.ends_with(SIGNATURE_MAGIC),
        })
    }

    /// The version magic, with its trailing space as the kernel compares it.
    pub fn vermagic(&self) -> Option<&str> {
        self.info.get("vermagic")
    }

    /// `MODULE_VERSION`, which the public driver does not set.
    pub fn version(&self) -> Option<&str> {
        self.info.get("version")
    }

    /// The hash of the sources, the identity of what is loaded.
    pub fn srcversion(&self) -> Option<&str> {
        self.info.get("srcversion")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ModuleBuilder;

    #[test]
    fn the_facts_of_a_module_are_read() {
        let bytes = ModuleBuilder::new("6.1.0-49-amd64").version("0.1.0").crcs(true).bytes();
        let module = ModuleFile::parse(&bytes).unwrap();
        assert_eq!(module.vermagic(), Some("6.1.0-49-amd64 SMP preempt mod_unload modversions "));
        assert_eq!(module.version(), Some("0.1.0"));
        assert_eq!(module.srcversion(), Some("0123456789ABCDEF0123456"));
        assert!(module.has_crcs);
        assert!(!module.signed);
    }

    #[test]
    fn a_signature_is_seen_by_its_trailing_magic() {
        let mut bytes = ModuleBuilder::new("6.1.0").bytes();
        bytes.extend_from_slice(SIGNATURE_MAGIC);
        assert!(ModuleFile::parse(&bytes).unwrap().signed);
    }

    #[test]
    fn a_file_that_is_no_module_is_refused_with_the_reason() {
        for (bytes, reason) in [
            (&b""[..], "file"),
            (b"#!/bin/sh\n", "file"),
            (&ModuleBuilder::new("6.1.0").bytes()[..40], "header"),
        ] {
            let error = ModuleFile::parse(bytes).unwrap_err();
            assert!(error.to_lowercase().contains(reason), "{error}");
        }
    }
}
