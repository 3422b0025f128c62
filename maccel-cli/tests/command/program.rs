// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as a file.

use std::fs;

use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader};
use object::{Endianness, StringTable};

/// The C library with its mathematics and its loader, and what unwinds a panic.
const ALLOWED: [&str; 4] = ["libc.so", "libm.so", "ld-linux", "libgcc_s.so"];

#[test]
fn the_program_needs_no_library_but_those_that_every_system_has() {
    let program = fs::read(env!("CARGO_BIN_EXE_maccel")).unwrap();
    let data = program.as_slice();
    let header = FileHeader64::<Endianness>::parse(data).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, data).unwrap();
    let (entries, strings) = sections.dynamic(endian, data).unwrap().unwrap();
    let strings: StringTable<'_> = sections.strings(endian, data, strings).unwrap();
    let needed: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.tag(endian) == DT_NEEDED)
        .map(|entry| std::str::from_utf8(entry.string(endian, strings).unwrap()).unwrap())
        .collect();
    assert!(needed.iter().any(|name| name.starts_with("libc.so")), "{needed:?}");
    let strange = needed.iter().filter(|name| !ALLOWED.iter().any(|known| name.starts_with(known)));
    assert_eq!(strange.count(), 0, "{needed:?}");
}
