// SPDX-License-Identifier: MIT OR Apache-2.0
//! Set-up, up, test, soak, bench.

fn main() {}
