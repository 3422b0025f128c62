// SPDX-License-Identifier: MIT OR Apache-2.0
//! One fuzzer for all readers of what somebody else wrote; the environment says which it tries.
//!
//! `VESPERA_FUZZ_TARGET=signature vespera-fuzz CORPUS -max_total_time=10`; a reader that panics,
//! overflows, hangs or eats the memory is a find. So is one that breaks what it promises.
//!
//! `VESPERA_FUZZ_SEEDS=FOLDER vespera-fuzz` writes the corpora to begin with, and names the targets.
#![no_main]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod readers;
mod seeds;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use crate::readers::{Reader, TARGETS};

static TARGET: LazyLock<Reader> = LazyLock::new(|| {
    let name = std::env::var("VESPERA_FUZZ_TARGET").expect("VESPERA_FUZZ_TARGET is set");
    TARGETS
        .iter()
        .find(|(target, _)| *target == name)
        .unwrap_or_else(|| panic!("there is no target {name}"))
        .1
});

fuzz_target!(
    init: if let Ok(folder) = std::env::var("VESPERA_FUZZ_SEEDS") {
        seeds::write(folder.as_ref());
        std::process::exit(0);
    },
    |data: &[u8]| TARGET(data)
);
