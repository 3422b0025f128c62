// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plain, xz, zst and gz module files, told apart by their first bytes as libkmod does.

use std::io::{self, Read};

/// No module comes near this; a small hostile file must not fill the memory.
pub const MAX_MODULE_BYTES: u64 = 256 * 1024 * 1024;

const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0x00];
const ZST: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const GZ: &[u8] = &[0x1f, 0x8b];

/// How a module file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Plain,
    /// `.ko.xz`
    Xz,
    /// `.ko.zst`
    Zst,
    /// `.ko.gz`
    Gz,
}

/// Why a module file could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CompressionError {
    /// The stream is damaged or not what its first bytes say.
    #[error("damaged {0:?} data: {1}")]
    Damaged(Compression, #[source] io::Error),
    /// More than [`MAX_MODULE_BYTES`] came out.
    #[error("unpacks to more than {MAX_MODULE_BYTES} bytes")]
    TooLarge,
}

impl Compression {
    /// Tells the form from the first bytes.
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            _ if bytes.starts_with(XZ) => Self::Xz,
            _ if bytes.starts_with(ZST) => Self::Zst,
            _ if bytes.starts_with(GZ) => Self::Gz,
            _ => Self::Plain,
        }
    }
}

/// Returns the module itself, unpacked if need be.
pub fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, CompressionError> {
    let form = Compression::of(&bytes);
    let damaged = |error| CompressionError::Damaged(form, error);
    match form {
        Compression::Plain => Ok(bytes),
        Compression::Xz => drain(lzma_rust2::XzReader::new(bytes.as_slice(), true), form),
        Compression::Gz => drain(flate2::read::MultiGzDecoder::new(bytes.as_slice()), form),
        Compression::Zst => {
            let reader = ruzstd::decoding::StreamingDecoder::new(bytes.as_slice())
                .map_err(|error| damaged(io::Error::other(error.to_string())))?;
            drain(reader, form)
        }
    }
}

fn drain(reader: impl Read, form: Compression) -> Result<Vec<u8>, CompressionError> {
    let mut out = Vec::new();
    let read = reader
        .take(MAX_MODULE_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|error| CompressionError::Damaged(form, error))?;
    if read as u64 > MAX_MODULE_BYTES {
        return Err(CompressionError::TooLarge);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(form: Compression, plain: &[u8]) -> Vec<u8> {
        match form {
            Compression::Plain => plain.to_vec(),
            Compression::Xz => {
                // The kernel's own decompressor accepts CRC32 only; so do we write it.
                let mut options = lzma_rust2::XzOptions::with_preset(1);
                options.set_check_sum_type(lzma_rust2::CheckType::Crc32);
                let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
                writer.write_all(plain).unwrap();
                writer.finish().unwrap()
            }
            Compression::Gz => {
                let mut writer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(plain).unwrap();
                writer.finish().unwrap()
            }
            Compression::Zst => ruzstd::encoding::compress_to_vec(
                plain,
                ruzstd::encoding::CompressionLevel::Fastest,
            ),
        }
    }

    #[test]
    fn every_form_is_recognised_and_gives_the_same_bytes_back() {
        let plain: Vec<u8> = (0..=255u8).cycle().take(10_000).collect();
        for form in [Compression::Plain, Compression::Xz, Compression::Zst, Compression::Gz] {
            let bytes = packed(form, &plain);
            assert_eq!(Compression::of(&bytes), form);
            assert_eq!(unpack(bytes).unwrap(), plain, "{form:?}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_its_form() {
        for form in [Compression::Xz, Compression::Zst, Compression::Gz] {
            let mut bytes = packed(form, &[7; 5_000]);
            bytes.truncate(bytes.len() / 2);
            let error = unpack(bytes).unwrap_err().to_string();
            assert!(error.contains(&format!("{form:?}")), "{form:?}: {error}");
        }
    }
}
