// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask soak`: what takes too long for every `test`, run before a release.

use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::arithmetic::{self, Until};
use crate::artifacts::{self, Extent};
use crate::bus;
use crate::cache::Cache;
use crate::ci;
use crate::compilers::Compilers;
use crate::debug_kernel::DebugKernel;
use crate::from_source;
use crate::guest;
use crate::privilege;
use crate::progress::Steps;
use crate::release;
use crate::setup;
use crate::source;

/// Reports to fuzz with.
const REPORTS: u64 = 100_000_000;
/// The system tests read it: those that have a long form take that.
const LONG: &str = "VESPERA_SOAK";
/// What the names of the groups on a kernel begin with.
const DRIVER: &str = "driver ";
/// What the names of the tests of the packages begin with.
const PACKAGED: &str = "packaged::";

/// What to soak.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// What to soak
    #[arg(value_enum, default_value = "driver")]
    subject: Subject,
    /// Leave out all but this part of the driver's soak
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// Fuzzing, a kernel that watches the driver, the long system tests
    Driver,
    /// A million random calls on a bus of its own
    Agent,
    /// Debian packages and RPMs from source, and the driver by DKMS: made, installed in a root,
    /// verified, removed
    Packages,
    /// The steps of the build workflow, one by one, as `cargo xtask ci` runs them
    Ci,
    /// The programs compiled twice, in two folders, byte for byte the same
    Release,
}

/// A part of the soak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The arithmetic in user space: fuzz 10^8 reports
    Fuzz,
    /// The kernel that watches, and the style its source asks for
    Debug,
    /// The distribution's kernels
    Stock,
}

/// Entry point of `cargo xtask soak`.
pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure_with(args.setup, setup::SOAK)?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    let ended = match args.subject {
        Subject::Driver => driver(&cache, &steps, |part| args.only.is_none_or(|only| only == part)),
        Subject::Agent | Subject::Packages | Subject::Ci | Subject::Release
            if args.only.is_some() =>
        {
            bail!("--only chooses parts of the driver's soak")
        }
        Subject::Agent => bus::soak(&cache, &steps),
        Subject::Packages => packages(&cache, &steps),
        Subject::Ci => ci::run(&cache, &steps),
        Subject::Release => release::reproduce(&cache, &steps).map(drop),
    };
    steps.summary();
    ended
}

fn driver(cache: &Cache, steps: &Steps, wanted: impl Fn(Part) -> bool) -> Result<()> {
    privilege::prepare()?;
    if wanted(Part::Fuzz) {
        let reports = steps.run("driver arithmetic: fuzz 10^8 reports", |step| {
            arithmetic::fuzz(cache, step, Until::Reports(REPORTS))
        })?;
        println!("fuzzed with {reports} reports");
    }
    if wanted(Part::Debug) {
        let compilers = Compilers::make(cache, steps)?;
        let kernel = DebugKernel::make(cache, steps)?;
        let module = kernel.driver(cache, steps, &compilers)?;
        steps.run("style of the driver: checkpatch --strict", |step| kernel.check_style(step))?;
        let list = watched(cache, steps, &kernel, &module)?;
        steps.show("driver on the debug kernel", || system_tests(cache, &list, DRIVER))?;
    }
    if wanted(Part::Stock) {
        let list = artifacts::make(cache, steps, Extent::Kernels)?.list;
        steps
            .show("driver on the distribution's kernels", || system_tests(cache, &list, DRIVER))?;
    }
    Ok(())
}

/// The packages from source, and what is made of them in a running system.
fn packages(cache: &Cache, steps: &Steps) -> Result<()> {
    let made = from_source::make(cache, steps)?;
    let list = json!({
        "format": 1,
        "guest": guest::build(cache, steps)?,
        "kernels": [artifacts::listed(&made.kernel, None)],
        "images": [artifacts::plain(cache, steps, &made.workshop, &made.kernel)?],
        "packages": made.folder,
    });
    let path = written(cache, "packages-artifacts.json", &list)?;
    steps.show("packages in a running system", || system_tests(cache, &path, PACKAGED))
}

/// The list of artifacts with nothing but the debug kernel.
fn watched(
    cache: &Cache,
    steps: &Steps,
    kernel: &DebugKernel,
    module: &Utf8Path,
) -> Result<Utf8PathBuf> {
    let list = json!({
        "format": 1,
        "guest": guest::build(cache, steps)?,
        "kernels": [{
            "name": "debug",
            "release": kernel.release()?,
            "vmlinux": kernel.image(),
            "modules": kernel.modules(),
            "maccel": module,
            // See the kernel's configuration.
            "arguments": ["acpi=noirq"],
        }],
        "images": [],
    });
    written(cache, "debug-artifacts.json", &list)
}

/// Writes a list of artifacts for the harness. Returns its path.
fn written(cache: &Cache, name: &str, list: &Value) -> Result<Utf8PathBuf> {
    let path = cache.folder("made")?.join(name);
    let text = serde_json::to_string_pretty(list)?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {path}"))?;
    Ok(path)
}

/// The system tests with these names in their long form. The harness turns a test red whose
/// guest's kernel reports anything.
fn system_tests(cache: &Cache, list: &Utf8Path, names: &str) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(source::root()?)
        .args(["test", "--locked", "--package=vespera-tests", "--features=vm", "--test=system"])
        .args(["--", names])
        .env("CARGO_TARGET_DIR", cache.folder("target")?)
        .env("VESPERA_ARTIFACTS", list)
        .env(LONG, "1");
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the tests `{names}` failed on what {list} names");
    }
    Ok(())
}
