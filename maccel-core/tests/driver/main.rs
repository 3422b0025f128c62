// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's C arithmetic, compiled for user space, against this crate's float64 reference.

#[cfg(test)]
mod accuracy;
#[cfg(test)]
mod movement;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod random;
