// SPDX-License-Identifier: MIT OR Apache-2.0
//! Undoing the compressions in which distributions ship kernels and modules.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

/// A compression, known by the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    Plain,
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The compression of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstd
        } else if bytes.starts_with(b"\xfd7zXZ\0") {
            Self::Xz
        } else if bytes.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else {
            Self::Plain
        }
    }
}

/// The content, whatever its compression. Bytes after the first compressed stream are ignored:
/// a kernel has its size appended.
///
/// # Errors
/// If the stream is damaged.
pub fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    match Compression::of(bytes) {
        Compression::Plain => content.extend_from_slice(bytes),
        Compression::Gzip => drop(GzDecoder::new(bytes).read_to_end(&mut content)?),
        Compression::Xz => drop(XzReader::new(bytes, false).read_to_end(&mut content)?),
        Compression::Zstd => {
            let mut decoder = StreamingDecoder::new(bytes).map_err(io::Error::other)?;
            decoder.read_to_end(&mut content)?;
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn compressed_content_comes_back_even_with_a_tail() {
        let content = b"\x7fELF and so on".repeat(100);
        let mut xz =
            lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
        xz.write_all(&content).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&content).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(
            content.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        for mut packed in [xz.finish().unwrap(), gzip.finish().unwrap(), zstd] {
            packed.extend_from_slice(&[1, 2, 3, 4]);
            assert_eq!(unpack(&packed).unwrap(), content, "{:?}", Compression::of(&packed));
        }
        assert_eq!(unpack(b"plain").unwrap(), b"plain");
    }

    #[test]
    fn damage_is_an_error() {
        assert!(unpack(b"\xfd7zXZ\0 and then nonsense").is_err());
    }
}
