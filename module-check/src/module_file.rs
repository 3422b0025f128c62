// SPDX-License-Identifier: MIT OR Apache-2.0
//! One opened module file.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use object::{Object, ObjectSection};

use crate::compression::{CompressionError, unpack};
use crate::modinfo::ModInfo;
use crate::signature::{self, Appended};
use crate::symbols::{Crcs, parse_extended, parse_versions};

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
    /// The CRCs of the symbols it uses; empty without MODVERSIONS.
    pub crcs: Crcs,
    /// The appended signature.
    pub signature: Appended,
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
        let bytes_of = |name| {
            elf.section_by_name(name).and_then(|section| section.data().ok()).unwrap_or_default()
        };
        let mut crcs = parse_versions(bytes_of("__versions"));
        // Kernels from 6.14 on may write this pair as well or instead, for long (Rust) names.
        crcs.extend(parse_extended(
            bytes_of("__version_ext_crcs"),
            bytes_of("__version_ext_names"),
        ));
        Ok(Self { info: ModInfo::parse(data), crcs, signature: signature::of_module(bytes) })
    }

    /// Whether the kernel would look at symbol CRCs.
    pub fn has_crcs(&self) -> bool {
        !self.crcs.is_empty()
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
        assert!(module.has_crcs());
        assert_eq!(module.signature, Appended::None);
    }

    #[test]
    fn a_signature_behind_the_elf_file_does_not_disturb_it() {
        let mut bytes = ModuleBuilder::new("6.1.0").bytes();
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(signature::MAGIC);
        let module = ModuleFile::parse(&bytes).unwrap();
        assert!(matches!(module.signature, Appended::Damaged(_)));
        assert_eq!(module.version(), Some("0.1.0"));
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
