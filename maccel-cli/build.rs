// SPDX-License-Identifier: MIT OR Apache-2.0
//! Has the linker write the program's relocations in their packed form (RELR), which glibc reads
//! since 2.36: they are most of the work of starting it. A linker that does not know the option
//! says so and leaves it.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
