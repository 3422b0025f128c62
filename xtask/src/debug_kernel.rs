// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel that watches the driver: KASAN, lockdep, UBSAN and their like, built from
//! Debian's kernel source.
//!
//! The build takes 6 to 15 minutes and 3 GB; what is kept of it takes 80 MB: the
//! kernel, what modules are built against, and the source's own tools for reading
//! code.

use std::process::Command;

use anyhow::{Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::compilers::Compilers;
use crate::driver;
use crate::enter::Room;
use crate::mirror::Mirror;
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;
use crate::workshop;

/// As the kernel of the image; its compiler is the workshop's.
const SUITES: &[&str] = &["trixie", "trixie-security"];
/// What the root that builds it holds. The root is thrown away afterwards.
const PACKAGES: &[&str] = &[
    "linux-source-6.12",
    "gcc",
    "make",
    "flex",
    "bison",
    "bc",
    "libelf-dev",
    "libssl-dev",
    "lz4",
    "xz-utils",
    "perl",
    "python3-minimal",
];
const CONFIG: &str = include_str!("debug_kernel.config");
/// `olddefconfig` drops silently what depends on something absent.
const WATCHERS: &[&str] = &[
    "KASAN",
    "KASAN_VMALLOC",
    "UBSAN_SHIFT",
    "PROVE_LOCKING",
    "DEBUG_ATOMIC_SLEEP",
    "DEBUG_LIST",
    "DEBUG_KMEMLEAK",
    "FAILSLAB",
    "DETECT_HUNG_TASK",
];

/// The kernel, built.
#[derive(Debug)]
pub(crate) struct DebugKernel {
    folder: Utf8PathBuf,
    key: String,
}

impl DebugKernel {
    /// Builds the kernel, or finds it in the cache.
    pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Self> {
        let sources = Mirror::find()?.sources(SUITES);
        let key = || {
            let key = Key::new("debug-kernel-1").parts(PACKAGES).parts(&sources);
            key.part(CONFIG).part(script())
        };
        let title = "debug kernel: KASAN, lockdep, UBSAN";
        let folder = cache.entry(steps, "debug-kernel", title, key(), |step, folder| {
            build(step, &sources, folder)
        })?;
        Ok(Self { folder: folder.join("kept"), key: key().text() })
    }

    /// What `uname -r` says.
    pub(crate) fn release(&self) -> Result<String> {
        let file = self.folder.join("build/include/config/kernel.release");
        Ok(std::fs::read_to_string(file)?.trim().to_owned())
    }

    /// The kernel as QEMU boots it: packed, for the reason given in the configuration.
    pub(crate) fn image(&self) -> Utf8PathBuf {
        self.folder.join("bzImage")
    }

    /// The folder of modules: it has none, all that a guest needs is built in.
    pub(crate) fn modules(&self) -> Utf8PathBuf {
        self.folder.join("modules")
    }

    /// Builds the driver for it with all warnings and with sparse, and accepts none.
    pub(crate) fn driver(
        &self,
        cache: &Cache,
        steps: &Steps,
        compilers: &Compilers,
    ) -> Result<Utf8PathBuf> {
        let key = Key::new("debug-driver-1").part(&self.key).part(compilers.key());
        let key = source::hash(key, &["kmod"])?;
        let title = "driver for it: W=1, sparse";
        let folder = cache.entry(steps, "debug-driver", title, key, |step, folder| {
            // The build writes beside the sources.
            let copy =
                ["-r", source::root()?.join("kmod").as_str(), folder.as_str()].map(str::to_owned);
            process::run(step, Command::new("cp").args(copy))?;
            let room = self.room(compilers).bind(&folder.join("kmod"), "/kmod");
            let words = ["-C", "/debug/build", "M=/kmod", "W=1", "C=2", "CC=gcc-14"];
            process::run(step, room.command("make")?.args(words).arg("modules"))?;
            let log = std::fs::read_to_string(step.log())?;
            let warnings = driver::warnings(&log);
            if !warnings.is_empty() {
                bail!("the compiler or sparse warns:\n{}", warnings.join("\n"));
            }
            Ok(())
        })?;
        Ok(folder.join("kmod/maccel.ko"))
    }

    /// Checks the driver's style with the kernel's own script.
    pub(crate) fn check_style(&self, step: &Step) -> Result<()> {
        let mut files = source::files(&["kmod"])?;
        files.retain(|file| matches!(file.extension(), Some("c" | "h")));
        // Stands in for the kernel's headers, whose names and forms it has to keep.
        files.retain(|file| !file.starts_with("kmod/tests/include"));
        let mut perl = Command::new("perl");
        // Its exceptions are read from the folder it is started in.
        perl.current_dir(source::root()?.join("kmod"))
            .arg(self.folder.join("scripts/checkpatch.pl"));
        perl.args(["--strict", "--terse", "--show-types", "--file"]);
        process::run(
            step,
            perl.args(files.iter().filter_map(|file| file.strip_prefix("kmod").ok())),
        )
    }

    fn room(&self, compilers: &Compilers) -> Room {
        compilers.room().bind_read_only(&self.folder, "/debug")
    }
}

fn build(step: &Step, sources: &[String], folder: &Utf8Path) -> Result<()> {
    let root = folder.join("root");
    let mut command = workshop::bootstrap(workshop::SUITE, "apt", PACKAGES, &root);
    process::run(step, command.args(sources))?;
    let kept = folder.join("kept");
    std::fs::create_dir_all(&kept)?;
    let config = folder.join("config");
    std::fs::create_dir_all(&config)?;
    std::fs::write(config.join("debug.config"), CONFIG)?;
    let room = Room::new(&root).bind(&kept, "/kept").bind_read_only(&config, "/config");
    process::run(step, room.command("sh")?.args(["-exc", &script()]))?;
    privilege::remove_tree(&config)?;
    privilege::remove_tree(&root)
}

/// From the package's source to what is kept.
fn script() -> String {
    let watchers = WATCHERS.join(" ");
    format!(
        "mkdir /linux /kept/build /kept/modules
        tar -C /linux --strip-components=1 -xf /usr/src/linux-source-6.12.tar.xz
        cd /linux
        export MAKEFLAGS=--silent ARCH=x86_64
        make tinyconfig
        scripts/kconfig/merge_config.sh -m .config /config/debug.config
        make olddefconfig
        for name in {watchers}; do
            grep --quiet \"^CONFIG_$name=y\" .config || {{ echo \"no CONFIG_$name\"; exit 1; }}
        done
        nice make --jobs=$(nproc) bzImage modules
        make run-command KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build /kept/build'
        cp arch/x86/boot/bzImage /kept
        cp modules.builtin /kept/modules
        touch /kept/modules/modules.dep
        mkdir /kept/scripts
        cp scripts/checkpatch.pl scripts/spelling.txt scripts/const_structs.checkpatch /kept/scripts"
    )
}
