// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does a maccel.ko fit a kernel, and would it load?
//!
//! Works on any root folder: `/`, another deployment, an unpacked image. It reads files only; it
//! knows neither libkmod nor systemd nor D-Bus, and it judges nothing: severities, remedies and
//! words for people live in `health`.
//!
//! - [`root`]: a root folder and paths inside it
//! - [`tree`]: one kernel's module folder, searched the way kmod does
//! - [`compression`]: plain, xz, zst and gz module files
//! - [`module_file`]: one opened module: `.modinfo`, `__versions`, appended signature
//! - [`modinfo`]: the `.modinfo` section
//! - [`symbols`]: symbol CRCs of modules and kernels
//! - [`signature`]: the appended signature: who says to have signed
//! - [`certificate`], [`proof`]: whether that is true
//! - [`vermagic`]: the comparison the kernel makes
//! - [`fixtures`] (feature): small made-up trees for tests

pub mod certificate;
pub mod compression;
#[cfg(feature = "fixtures")]
pub mod fixtures;
mod hash;
pub mod modinfo;
pub mod module_file;
pub mod proof;
pub mod root;
pub mod signature;
pub mod symbols;
pub mod tree;
pub mod vermagic;

pub use module_file::ModuleFile;
pub use root::Root;
pub use tree::{KernelTree, Lookup};
