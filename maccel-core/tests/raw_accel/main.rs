// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw Accel's files: read whole, written, and read again.

#[cfg(test)]
mod carried;
#[cfg(test)]
mod files;
