// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver, built for a kernel in the workshop.

use std::fs;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::headers::Headers;
use crate::kernels::Kernel;
use crate::process;
use crate::progress::{Step, Steps};
use crate::source;
use crate::workshop::Workshop;

const SOURCES: &str = "kmod";
/// Not about the driver: one compiler builds it for all kernels.
const OTHER_COMPILER: &str = "warning: the compiler differs from the one used to build the kernel";

/// Builds `kmod/` for a kernel, or finds the result in the cache. A warning is an error.
pub(crate) fn build(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Utf8PathBuf> {
    let headers = Headers::find(cache, steps, workshop, kernel)?;
    let key = Key::new("driver-1").part(workshop.key()).part(&kernel.release);
    let key = source::hash(key, &[SOURCES])?;
    let name = format!("driver-{}", kernel.name.replace('.', "_"));
    let title = format!("driver for kernel {}", kernel.name);
    let made =
        cache.entry(steps, &name, &title, key, |step, folder| make(step, &headers, folder))?;
    Ok(made.join("maccel.ko"))
}

fn make(step: &Step, headers: &Headers, folder: &Utf8Path) -> Result<()> {
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
    process::run(
        step,
        room.command("make")?
            .args(["-C", &headers.build, "M=/w/source", "CC=gcc", "W=1", "modules"])
            // Would ask for the kernel's own debug information.
            .arg("CONFIG_DEBUG_INFO_BTF_MODULES=")
            // With W=1 also checks comments, by a script in Perl or Python, which the
            // workshop has not.
            .arg("cmd_checkdoc="),
    )?;
    let log = fs::read_to_string(step.log()).with_context(|| format!("no log {}", step.log()))?;
    let warnings = warnings(&log);
    if !warnings.is_empty() {
        bail!("the driver builds with warnings:\n{}", warnings.join("\n"));
    }
    process::run(
        step,
        room.command("strip")?.args(["--strip-debug", "-o", "/w/maccel.ko", "/w/source/maccel.ko"]),
    )
}

/// The lines in which the build warns of something in the driver.
pub(crate) fn warnings(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.to_lowercase().contains("warning: "))
        .filter(|line| !line.contains(OTHER_COMPILER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_from_the_remark_on_the_compiler() {
        let log = "warning: the compiler differs from the one used to build the kernel\n  \
                   CC [M]  /w/source/curve.o\n\
                   /w/source/curve.c:7:5: warning: unused variable 'x' [-Wunused-variable]\n\
                   WARNING: modpost: missing MODULE_DESCRIPTION() in maccel.o\n";
        assert_eq!(warnings(log).len(), 2);
    }
}
