// SPDX-License-Identifier: MIT OR Apache-2.0
//! End-to-end tests: the harness that boots a guest in QEMU.
//!
//! Two kinds of guest, both booted from an unpacked `vmlinux` and a small initramfs made here:
//! the *driver guest* is a distribution kernel with nothing but the command agent; the *image
//! guest* is the root of a built image, unmodified and read-only below a scratch layer, with the
//! agent as one more unit.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use vespera_tests::{Artifacts, Machine};
//! let artifacts = Artifacts::from_environment()?;
//! let kernel = artifacts.kernel("6.12")?;
//! let guest = Machine::driver(&artifacts, kernel).boot()?;
//! let limit = guest.read_file("/sys/module/maccel/parameters/LIMIT")?;
//! guest.finish()?;
//! # Ok(()) }
//! ```
//!
//! | module | story |
//! |---|---|
//! | [`artifacts`] | what the tests run on: kernels, images, the guest program |
//! | [`vmlinux`], [`payload`], [`modules`], [`initramfs`] | from distribution files to something QEMU boots |
//! | [`accelerator`], [`clock`] | KVM if it works, found by trying; a right clock without it |
//! | [`machine`], [`disk`], [`qemu`], [`qmp`] | a virtual machine: what it is made of, its process, its monitor |
//! | [`console`] | the serial console: kept, watched for kernel faults |
//! | [`link`], [`guest`] | the channel to a running guest; its logs and its end |
//! | [`exec`], [`transfer`], [`shell`] | commands, files and modules, a terminal |
//! | [`snapshot`] | a booted guest in a file, woken as often as one likes |
//! | [`mouse`], [`race`] | virtual mice with exact times; many at once |
//!
//! Environment: `VESPERA_ARTIFACTS` (the list of artifacts), `VESPERA_ACCELERATOR` (`kvm` or `tcg`
//! instead of trying), `VESPERA_TEST_LOGS` (where logs are kept), `VESPERA_SOAK` (1: the long form of the
//! driver's races, and RPMs besides Debian packages).

pub mod accelerator;
pub mod artifacts;
pub mod clock;
pub mod console;
pub mod disk;
pub mod error;
pub mod exec;
pub mod guest;
pub mod initramfs;
pub mod link;
pub mod logs;
pub mod machine;
pub mod modules;
pub mod mouse;
pub mod payload;
pub mod qemu;
pub mod qmp;
pub mod race;
pub mod shell;
pub mod snapshot;
pub mod transfer;
pub mod vmlinux;

pub use accelerator::Accelerator;
pub use artifacts::{Artifacts, Image, Kernel};
pub use disk::Disk;
pub use error::HarnessError;
pub use exec::{Exec, Output};
pub use guest::Guest;
pub use machine::Machine;
pub use mouse::MousePlan;
pub use snapshot::Snapshot;
