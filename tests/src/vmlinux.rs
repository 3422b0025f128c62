// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ELF kernel inside a bzImage.
//!
//! QEMU boots the ELF file itself through PVH, and the guest is spared the unpacking: a second of
//! each boot for zstd, over three for xz, without KVM.

use crate::payload::{Compression, unpack};

/// Why no kernel was found.
#[derive(Debug, thiserror::Error)]
pub enum VmlinuxError {
    /// The header is not that of a bzImage.
    #[error("not a bzImage of boot protocol 2.08 or later")]
    NoBzImage,
    /// The payload's compression is none of those we undo.
    #[error("the kernel's payload begins with {0:02x?}, no compression known here")]
    UnknownCompression(Vec<u8>),
    /// The payload is damaged.
    #[error("unpacking the kernel's payload")]
    Damaged(#[source] std::io::Error),
    /// The payload is not an ELF file.
    #[error("the kernel's payload is not an ELF file")]
    NoElf,
}

/// The ELF kernel inside a bzImage (Documentation/arch/x86/boot.rst).
///
/// # Errors
/// If the file is no bzImage or its payload is in a form not known here.
pub fn extract_vmlinux(image: &[u8]) -> Result<Vec<u8>, VmlinuxError> {
    if image.get(0x202..0x206) != Some(b"HdrS") {
        return Err(VmlinuxError::NoBzImage);
    }
    let version = image.get(0x206..0x208).ok_or(VmlinuxError::NoBzImage)?;
    // payload_offset and payload_length came with protocol 2.08.
    if u16::from_le_bytes([version[0], version[1]]) < 0x0208 {
        return Err(VmlinuxError::NoBzImage);
    }
    // 0 means 4, says the protocol.
    let setup_sectors = match image.get(0x1f1) {
        Some(0) => 4,
        Some(count) => usize::from(*count),
        None => return Err(VmlinuxError::NoBzImage),
    };
    let offset = word(image, 0x248).ok_or(VmlinuxError::NoBzImage)?;
    let length = word(image, 0x24c).ok_or(VmlinuxError::NoBzImage)?;
    let start = (setup_sectors + 1) * 512 + offset;
    let payload = image.get(start..start + length).ok_or(VmlinuxError::NoBzImage)?;
    let kernel = match Compression::of(payload) {
        Compression::Plain if !payload.starts_with(b"\x7fELF") => {
            return Err(VmlinuxError::UnknownCompression(
                payload.iter().take(6).copied().collect(),
            ));
        }
        _ => unpack(payload).map_err(VmlinuxError::Damaged)?,
    };
    if kernel.starts_with(b"\x7fELF") { Ok(kernel) } else { Err(VmlinuxError::NoElf) }
}

fn word(image: &[u8], at: usize) -> Option<usize> {
    let bytes = image.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 512 * 3];
        image[0x1f1] = 2;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&0x020f_u16.to_le_bytes());
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        let length = u32::try_from(payload.len()).unwrap();
        image[0x24c..0x250].copy_from_slice(&length.to_le_bytes());
        image.extend_from_slice(&[0; 16]);
        image.extend_from_slice(payload);
        image.extend_from_slice(b"what follows the payload");
        image
    }

    #[test]
    fn the_payload_is_found_and_unpacked() {
        let kernel = b"\x7fELF kernel".repeat(50);
        let mut packed = ruzstd::encoding::compress_to_vec(
            kernel.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        packed.extend_from_slice(&550_u32.to_le_bytes());
        assert_eq!(extract_vmlinux(&image(&packed)).unwrap(), kernel);
    }

    #[test]
    fn what_is_no_kernel_is_named() {
        let error = extract_vmlinux(&image(b"\x02\x21\x4c\x18 lz4")).unwrap_err();
        assert!(error.to_string().contains("[02, 21, 4c, 18"), "{error}");
        assert!(matches!(extract_vmlinux(b"short"), Err(VmlinuxError::NoBzImage)));
    }
}
