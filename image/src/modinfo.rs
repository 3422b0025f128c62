// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module file says of itself, and its compressed form.

use std::io::{self, Read as _, Write as _};

use lzma_rust2::{CheckType, XzOptions, XzReader, XzWriter};
use object::{Object as _, ObjectSection as _};
use serde::Serialize;

/// What ends a module that carries a signature.
const SIGNATURE_TRAILER: &[u8] = b"~Module signature appended~\n";
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
    #[error("not a kernel module: not a readable ELF file ({0})")]
    NotElf(object::Error),
    /// An object file without the section that every module has.
    #[error("not a kernel module: it has no .modinfo section")]
    NoModinfo,
    /// A module without a field that it must have.
    #[error("the module does not say its {0}")]
    NoField(&'static str),
    /// The compressed form is damaged.
    #[error("cannot decompress the module")]
    Xz(#[source] io::Error),
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
    /// Whether a signature is appended. Whether it is a good one is not said here.
    pub signed: bool,
}

impl Modinfo {
    /// Reads a module, not compressed.
    ///
    /// # Errors
    ///
    /// When the bytes are not a module or lack a field that every module has.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let file = object::File::parse(bytes).map_err(Error::NotElf)?;
        let section = file.section_by_name(".modinfo").ok_or(Error::NoModinfo)?;
        let data = section.data().map_err(Error::NotElf)?;
        let field = |key: &str| {
            data.split(|&byte| byte == 0).find_map(|entry| {
                let entry = std::str::from_utf8(entry).ok()?;
                Some(entry.strip_prefix(key)?.strip_prefix('=')?.to_owned())
            })
        };
        Ok(Self {
            name: field("name").ok_or(Error::NoField("name"))?,
            version: field("version"),
            srcversion: field("srcversion"),
            vermagic: field("vermagic").ok_or(Error::NoField("vermagic"))?,
            signed: bytes.ends_with(SIGNATURE_TRAILER),
        })
    }

    /// The kernel release it was built for: the first word of the vermagic.
    pub fn kernel(&self) -> &str {
        self.vermagic.split_whitespace().next().unwrap_or_default()
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

/// Undoes [`compress`]; bytes that are not compressed come back as they are.
///
/// # Errors
///
/// When the compressed form is damaged.
pub fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if !bytes.starts_with(XZ_MAGIC) {
        return Ok(bytes.to_vec());
    }
    let mut module = Vec::new();
    XzReader::new(bytes, false).read_to_end(&mut module).map_err(Error::Xz)?;
    Ok(module)
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
    use super::*;
    use crate::customize::fixtures::module;

    #[test]
    fn module_tells_its_kernel_and_whether_it_is_signed() {
        let info = Modinfo::parse(&module("6.17.1-300.fc43.x86_64")).unwrap();
        assert_eq!(info.name, "maccel");
        assert_eq!(info.version.as_deref(), Some("1.0"));
        assert_eq!(info.vermagic, "6.17.1-300.fc43.x86_64 SMP preempt mod_unload ");
        assert_eq!(info.kernel(), "6.17.1-300.fc43.x86_64");
        assert!(!info.signed);
        let mut signed = module("6.17.1");
        signed.extend_from_slice(SIGNATURE_TRAILER);
        assert!(Modinfo::parse(&signed).unwrap().signed);
    }

    #[test]
    fn other_files_are_refused() {
        assert!(matches!(Modinfo::parse(b"text"), Err(Error::NotElf(_))));
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
        assert!(matches!(decompress(&packed[..packed.len() / 2]), Err(Error::Xz(_))));
    }

    #[test]
    fn compressing_twice_gives_the_same_bytes() {
        let module = module("6.17.1");
        assert_eq!(compress(&module).unwrap(), compress(&module).unwrap());
    }
}
