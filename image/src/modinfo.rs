// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module file says of itself, and its compressed form.

use std::io::{self, Write as _};

use lzma_rust2::{CheckType, XzOptions, XzWriter};
use module_check::ModuleFile;
use module_check::compression::{CompressionError, unpack};
use module_check::signature::Appended;
use serde::Serialize;

const XZ_MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// Offset of the check type in the stream header of an xz file.
const XZ_CHECK_OFFSET: usize = 7;
/// As the kernel's own `modules_install` compresses: the kernel must hold the dictionary in memory.
const XZ_DICTIONARY: u32 = 1 << 20;
const XZ_PRESET: u32 = 6;

/// A file that is not a kernel module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an object file, or a cut one.
    #[error("not a kernel module: {0}")]
    NotAModule(String),
    /// A module without a field that it must have.
    #[error("the module does not say its {0}")]
    NoField(&'static str),
    /// The signature is there, but cannot be read.
    #[error("the module's signature is damaged: {0}")]
    Signature(&'static str),
    /// The compressed form is damaged.
    #[error("cannot decompress the module: {0}")]
    Compression(#[from] CompressionError),
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Modinfo {
    /// Its name.
    pub name: String,
    /// Its own version, where it has one.
    pub version: Option<String>,
    /// Checksum of its sources.
    pub srcversion: Option<String>,
    /// Kernel release and build options it was made for.
    pub vermagic: String,
    /// The key that its signature names, where it has one. Only a kernel proves a signature.
    pub signature: Option<module_check::signature::Signature>,
}

impl Modinfo {
    /// Reads a module, not compressed.
    ///
    /// # Errors
    ///
    /// When the bytes are not a module or lack a field that every module has.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::of(&ModuleFile::parse(bytes).map_err(Error::NotAModule)?)
    }

    /// Takes the facts from a module that has been read.
    ///
    /// # Errors
    ///
    /// When it lacks a field that every module has.
    pub fn of(module: &ModuleFile) -> Result<Self, Error> {
        let signature = match &module.signature {
            Appended::None => None,
            Appended::Signature(signature) => Some(signature.clone()),
            Appended::Damaged(reason) => return Err(Error::Signature(reason)),
        };
        Ok(Self {
            name: module.info.get("name").ok_or(Error::NoField("name"))?.to_owned(),
            version: module.version().map(str::to_owned),
            srcversion: module.srcversion().map(str::to_owned),
            vermagic: module.vermagic().ok_or(Error::NoField("vermagic"))?.to_owned(),
            signature,
        })
    }

    /// The kernel release it was built for.
    pub fn kernel(&self) -> &str {
        module_check::vermagic::release(&self.vermagic)
    }

    /// Whether a signature is appended.
    pub const fn signed(&self) -> bool {
        self.signature.is_some()
    }
}

/// Compresses as `xz --check=crc32 --lzma2=dict=1MiB` does: the kernel refuses xz's usual CRC64.
///
/// # Errors
///
/// Only when memory fails the encoder.
pub fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = XzOptions::with_preset(XZ_PRESET);
    options.lzma_options.dict_size = XZ_DICTIONARY;
    options.set_check_sum_type(CheckType::Crc32);
    let mut writer = XzWriter::new(Vec::new(), options)?;
    writer.write_all(bytes)?;
    writer.finish()
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;

    /// The other checksum of xz, its own default, which the kernel's decompressor does not know.
    pub(crate) fn with_crc64(bytes: &[u8]) -> Vec<u8> {
        let mut options = XzOptions::with_preset(XZ_PRESET);
        options.set_check_sum_type(CheckType::Crc64);
        let mut writer = XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }
}

/// Undoes [`compress`] and the other forms that kernels read; bytes that are not compressed come
/// back as they are.
///
/// # Errors
///
/// When the compressed form is damaged.
pub fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(unpack(bytes.to_vec())?)
}

/// Whether compressed bytes carry the CRC32 that the kernel's decompressor wants; `None` for
/// bytes that are not xz at all.
pub fn has_crc32(bytes: &[u8]) -> Option<bool> {
    bytes
        .starts_with(XZ_MAGIC)
        .then(|| bytes.get(XZ_CHECK_OFFSET) == Some(&(CheckType::Crc32 as u8)))
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::ModuleBuilder;

    use super::*;
    use crate::customize::fixtures::module;

    #[test]
    fn module_tells_its_kernel_and_whether_it_is_signed() {
        let info = Modinfo::parse(&module("6.17.1-300.fc43.x86_64")).unwrap();
        assert_eq!(info.name, "maccel");
        assert_eq!(info.version.as_deref(), Some("0.1.0"));
        assert_eq!(info.kernel(), "6.17.1-300.fc43.x86_64");
        assert!(!info.signed());
        let signed = ModuleBuilder::new("6.17.1").signed_by(7).bytes();
        let info = Modinfo::parse(&signed).unwrap();
        assert_eq!(info.signature.unwrap().key_id, "07");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(matches!(Modinfo::parse(b"text"), Err(Error::NotAModule(_))));
        let whole = module("6.17.1");
        assert!(Modinfo::parse(&whole[..whole.len() / 2]).is_err());
    }

    #[test]
    fn compressed_form_has_the_kernels_checksum_and_comes_back_whole() {
        let module = module("6.17.1");
        let packed = compress(&module).unwrap();
        assert_eq!(has_crc32(&packed), Some(true));
        assert_eq!(decompress(&packed).unwrap(), module);
        assert_eq!(decompress(&module).unwrap(), module);
        assert_eq!(has_crc32(&module), None);
        assert!(matches!(decompress(&packed[..packed.len() / 2]), Err(Error::Compression(_))));
    }

    #[test]
    fn compressing_twice_gives_the_same_bytes() {
        let module = module("6.17.1");
        assert_eq!(compress(&module).unwrap(), compress(&module).unwrap());
    }
}
