// SPDX-License-Identifier: MIT OR Apache-2.0
//! End-to-end tests: the harness that boots a guest in QEMU.
