// SPDX-License-Identifier: MIT OR Apache-2.0
//! The images of the tests: the shipped configuration, a second one that differs in everything a
//! configuration can change, and the first with another driver.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::artifacts::IMAGE;
use crate::cache::Cache;
use crate::image::{Recipe, keys};
use crate::kernels::Kernel;
use crate::process;
use crate::source;
use crate::standin::Standin;

/// The file of the driver that another version differs in.
const CHANGED: &str = "kmod/main.c";
/// The image of the shipped configuration.
pub(crate) fn first(standin: &Standin, kernel: &Kernel) -> Recipe {
    Recipe {
        name: IMAGE,
        base: standin.base.clone(),
        builder: standin.builder.clone(),
        kernel: kernel.release.clone(),
        config: None,
        changes: Vec::new(),
        module_key: None,
    }
}

/// The image after a rebase: another variant and kernel, other packages, a signed driver.
pub(crate) fn second(
    cache: &Cache,
    first: &Recipe,
    base: String,
    kernel: &Kernel,
) -> Result<Recipe> {
    let template = source::root()?.join("tests/standin/second-config.yaml");
    let config = fs::read_to_string(&template).with_context(|| format!("no {template}"))?;
    Ok(Recipe {
        name: "vespera-dx",
        base,
        kernel: kernel.release.clone(),
        config: Some(config),
        module_key: Some(module_key(cache)?),
        ..first.clone()
    })
}

/// The first image with another version of the driver, and nothing else changed.
pub(crate) fn driver_update(first: &Recipe) -> Result<Recipe> {
    let path = source::root()?.join(CHANGED);
    let text = fs::read_to_string(&path).with_context(|| format!("no {path}"))?;
    let text = text + "MODULE_INFO(update, \"of the tests\");\n";
    Ok(Recipe { name: "vespera-update", changes: vec![(CHANGED, text)], ..first.clone() })
}

/// The key that signs the second image's driver, made once.
pub(crate) fn module_key(cache: &Cache) -> Result<Utf8PathBuf> {
    let path = keys(cache)?.join("module.pem");
    if path.exists() {
        return Ok(path);
    }
    let (key, certificate) = (path.with_extension("key"), path.with_extension("crt"));
    #[rustfmt::skip]
    process::read(Command::new("openssl").args([
        "req", "-new", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "3650",
        "-subj", "/CN=Vespera test key", "-keyout", key.as_str(), "-out", certificate.as_str(),
    ]))?;
    let read = |path: &Utf8Path| fs::read_to_string(path).with_context(|| format!("no {path}"));
    fs::write(&path, read(&key)? + &read(&certificate)?)?;
    Ok(path)
}
