// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's stage of the build: headers of the base's kernel, source, module, signature.
//!
//! What it leaves in its output folder is all that the last stage takes: the module, not yet
//! compressed, the kernel release it was built for, and the certificate where it was signed.

pub mod headers;
pub mod sign;
pub mod source;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::Maccel;
use crate::customize::Report;
use crate::kernel;
use crate::tool::{self, Tools};

/// The module in the output folder.
pub const MODULE: &str = "maccel.ko";
/// The file with the kernel release.
pub const RELEASE: &str = "kernel-release";
/// The certificate that people enrol.
pub const CERTIFICATE: &str = "module-signing.der";

/// A driver that was not built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The base does not have its one kernel.
    #[error(transparent)]
    Kernel(#[from] kernel::Error),
    /// The kernel's headers are nowhere to be had.
    #[error(transparent)]
    Headers(#[from] headers::Error),
    /// The source is not what the configuration names.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] sign::Error),
    /// It does not compile.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// A file could not be written.
    #[error("cannot write {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// What the stage works with.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// The driver of the configuration.
    pub maccel: &'a Maccel,
    /// The files of the base.
    pub base: &'a Utf8Path,
    /// Our own driver.
    pub bundled: &'a Utf8Path,
    /// A folder with kernel RPMs, which may be empty.
    pub rpms: &'a Utf8Path,
    /// The signing key with its certificate, where the build was given one.
    pub key: Option<&'a Utf8Path>,
    /// The output folder.
    pub out: &'a Utf8Path,
    /// Other programs.
    pub tools: &'a dyn Tools,
}

/// Builds the driver for the kernel of the base.
///
/// # Errors
///
/// When anything is missing or fails; the message says what, and what to do.
pub fn build(stage: &Stage<'_>, report: &mut dyn Report) -> Result<(), Error> {
    let release = kernel::release(stage.base)?;
    let file = |name: &str| {
        let path = stage.out.join(name);
        move |source| Error::File { path, source }
    };
    fs::create_dir_all(stage.out).map_err(file(""))?;
    fs::write(stage.out.join(RELEASE), format!("{release}\n")).map_err(file(RELEASE))?;
    if !stage.maccel.enabled {
        report.line("driver: not wanted, maccel.enabled is false");
        return Ok(());
    }
    let headers = headers::find(stage.base, &release, stage.rpms, stage.tools, report)?;
    let folder = source::folder(stage.maccel, stage.bundled, stage.out, stage.tools, report)?;
    let module = folder.join(MODULE);
    // The packaged headers lack the tool that debug information of types would need.
    let directory = format!("KDIR={headers}");
    let words = ["-C", folder.as_str(), &directory, "CONFIG_DEBUG_INFO_BTF_MODULES="];
    let mut log = String::new();
    let code = stage.tools.follow("make", &words, "compile the driver", &mut |line| {
        report.line(line);
        log.push_str(line);
        log.push('\n');
    })?;
    if code != 0 {
        let (program, purpose) = ("make".to_owned(), "compile the driver".to_owned());
        return Err(tool::Error::Failed { program, purpose, code, output: log }.into());
    }
    // Debug information is most of its size and nobody's need on a host.
    stage.tools.run("strip", &["--strip-debug", module.as_str()], "strip the driver")?;
    let target = stage.out.join(MODULE);
    fs::copy(&module, &target).map_err(file(MODULE))?;
    match stage.key {
        Some(key) => {
            let certificate = stage.out.join(CERTIFICATE);
            let signer = sign::sign(&target, key, &certificate, stage.tools)?;
            report.line(&format!("driver: signed by the key of {signer}"));
        }
        None => report.line(
            "driver: not signed, the build was given no key; a machine with Secure Boot on will \
             refuse to load it",
        ),
    }
    report.line(&format!("driver: {target} for {release}"));
    Ok(())
}
