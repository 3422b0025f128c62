// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root folder with the compilers that built the kernels, one for the other processor
//! family, and a reader of kernel code.

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::mirror::Mirror;
use crate::process;
use crate::progress::Steps;
use crate::workshop::{SUITE, SUITES, bootstrap};

const PACKAGES: &[&str] = &[
    // Each kernel names its own.
    "gcc-12",
    "gcc-14",
    "gcc-14-aarch64-linux-gnu",
    "make",
    // For objtool, which comes with the headers.
    "libelf1t64",
    "sparse",
    // Checks the comments that document the code.
    "perl",
    "python3-minimal",
];

/// The root, made.
#[derive(Debug)]
pub(crate) struct Compilers {
    root: Utf8PathBuf,
    key: String,
}

impl Compilers {
    /// Makes the root, or finds it in the cache.
    pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Self> {
        let sources = Mirror::find()?.sources(SUITES);
        let key = || Key::new("compilers-1").parts(PACKAGES).parts(&sources);
        let title = "compilers of the kernels: gcc, sparse";
        let path = cache.entry(steps, "compilers", title, key(), |step, folder| {
            let mut command = bootstrap(SUITE, "apt", PACKAGES, &folder.join("root"));
            // For headers; all programs are of this machine's own family.
            command.arg("--architectures=amd64,arm64").args(&sources);
            process::run(step, &mut command)
        })?;
        Ok(Self { root: path.join("root"), key: key().text() })
    }

    /// What the results made with these compilers depend on.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The root as a place to run commands in.
    pub(crate) fn room(&self) -> Room {
        Room::new(&self.root)
    }
}
