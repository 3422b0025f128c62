// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver, built for a kernel in the workshop.

use std::fs;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::compilers::Compilers;
use crate::headers::{Family, Headers};
use crate::kernels::Kernel;
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;

const SOURCES: &str = "kmod";
/// Not about the driver: the tool that describes types to BPF is not among the compilers,
/// and a compiler's later point release counts as another one.
const OTHER_TOOLS: [&str; 2] = [
    "warning: the compiler differs from the one used to build the kernel",
    "warning: pahole version differs from the one used to build the kernel",
];

/// Builds `kmod/` for a kernel, or for its sibling of another family, with the compiler
/// that built the kernel, or finds the result in the cache. A warning of the compiler or of
/// sparse is an error.
pub(crate) fn build(
    cache: &Cache,
    steps: &Steps,
    compilers: &Compilers,
    kernel: &Kernel,
    family: Family,
) -> Result<Utf8PathBuf> {
    let headers = Headers::find(cache, steps, compilers, kernel, family)?;
    let key = Key::new("driver-2").part(compilers.key()).part(&kernel.release);
    let key = source::hash(key.part(family.name()), &[SOURCES])?;
    let name = format!("driver-{}-{}", kernel.name.replace('.', "_"), family.name());
    let title = format!("driver for kernel {}, {}", kernel.name, family.name());
    let made = cache
        .entry(steps, &name, &title, key, |step, folder| make(step, &headers, family, folder))?;
    Ok(made.join("maccel.ko"))
}

fn make(step: &Step, headers: &Headers, family: Family, folder: &Utf8Path) -> Result<()> {
    let source = folder.join("source");
    fs::create_dir_all(&source)?;
    let root = source::root()?;
    for file in source::files(&[SOURCES])? {
        // Only the driver itself: its tests are built by their own Makefile.
        if file.parent().is_some_and(|parent| parent == SOURCES)
            && let Some(name) = file.file_name()
        {
            fs::copy(root.join(&file), source.join(name))
                .with_context(|| format!("cannot copy {file}"))?;
        }
    }
    let room = headers.room.clone().bind(folder, "/w");
    let (prefix, compiler) = (family.prefix(), &headers.compiler);
    let mut make = room.command("make")?;
    make.args(["-C", &headers.build, "M=/w/source", "W=1", "C=2", "modules"]);
    make.arg(format!("CC={prefix}{compiler}"));
    if family == Family::Arm64 {
        make.args(["ARCH=arm64", &format!("CROSS_COMPILE={prefix}")]);
    }
    // Would ask for the kernel's own debug information.
    make.arg("CONFIG_DEBUG_INFO_BTF_MODULES=");
    process::run(step, &mut make)?;
    let log = fs::read_to_string(step.log()).with_context(|| format!("no log {}", step.log()))?;
    let warnings = warnings(&log);
    if !warnings.is_empty() {
        bail!("the driver builds with warnings:\n{}", warnings.join("\n"));
    }
    process::run(
        step,
        room.command(&format!("{prefix}strip"))?.args([
            "--strip-debug",
            "-o",
            "/w/maccel.ko",
            "/w/source/maccel.ko",
        ]),
    )
}

/// The lines in which the build warns of something in the driver.
pub(crate) fn warnings(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.to_lowercase().contains("warning: "))
        .filter(|line| !OTHER_TOOLS.iter().any(|remark| line.contains(remark)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_compiler_and_linker_are_told_from_remarks_on_the_tools() {
        let log = "warning: pahole version differs from the one used to build the kernel\n  \
                   CC [M]  /w/source/curve.o\n\
                   /w/source/curve.c:7:5: warning: unused variable 'x' [-Wunused-variable]\n\
                   WARNING: modpost: missing MODULE_DESCRIPTION() in maccel.o\n";
        assert_eq!(warnings(log).len(), 2);
    }

    #[test]
    fn kernels_that_the_driver_refuses_are_named_where_it_says_which_it_takes() {
        let root = source::root().unwrap();
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let compat = read("kmod/compat.h");
        let (_, refused) = compat.split_once("#error \"Linux ").unwrap();
        let (refused, _) = refused.split_once(" cannot be supported").unwrap();
        for path in ["README.md", "kmod/README.md"] {
            let text = read(path);
            assert!(text.contains("6.1 and later") && text.contains(refused), "{path}: {refused}");
        }
    }
}
