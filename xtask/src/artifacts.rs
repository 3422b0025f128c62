// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that a guest needs, made in order and written down for the harness.

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use serde_json::json;

use crate::cache::Cache;
use crate::driver;
use crate::guest;
use crate::image::Image;
use crate::kernels::{Kernel, Series};
use crate::privilege;
use crate::progress::Steps;
use crate::standin::Standin;
use crate::workshop::Workshop;

/// What the harness calls the image built from the repository.
pub(crate) const IMAGE: &str = "vespera";

/// Makes kernels, stand-ins, image and guest program; returns the path of the list
/// of them, which the harness finds through `VESPERA_ARTIFACTS`.
pub(crate) fn make(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let oldest = Kernel::fetch(cache, steps, &workshop, Series::Oldest)?;
    let newest = Kernel::fetch(cache, steps, &workshop, Series::Newest)?;
    // The image has a driver of its own; this one shows that it builds without a warning.
    driver::build(cache, steps, &workshop, &kernel)?;
    let for_oldest = driver::build(cache, steps, &workshop, &oldest)?;
    let for_newest = driver::build(cache, steps, &workshop, &newest)?;
    let standin = Standin::make(cache, steps, &workshop, &kernel)?;
    let image = Image::build(cache, steps, &workshop, &standin)?;
    let guest = guest::build(cache, steps)?;

    let list = |kernel: &Kernel, maccel: &Utf8PathBuf| {
        json!({
            "name": kernel.name,
            "release": kernel.release,
            "vmlinux": kernel.vmlinux(),
            "modules": kernel.modules(),
            "maccel": maccel,
        })
    };
    let artifacts = json!({
        "format": 1,
        "guest": guest,
        "kernels": [
            list(&kernel, &image.maccel),
            list(&oldest, &for_oldest),
            list(&newest, &for_newest),
        ],
        "images": [{
            "name": IMAGE,
            "root": image.root,
            "kernel": kernel.release,
            "reference": image.reference,
        }],
    });
    let path = cache.folder("made")?.join("artifacts.json");
    let text = serde_json::to_string_pretty(&artifacts)?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {path}"))?;
    Ok(path)
}
