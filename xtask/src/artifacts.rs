// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that a guest needs, made in order and written down for the harness.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::compilers::Compilers;
use crate::driver;
use crate::guest;
use crate::headers::Family;
use crate::image::Image;
use crate::kernels::{Kernel, Series};
use crate::privilege;
use crate::progress::Steps;
use crate::standin::Standin;
use crate::workshop::Workshop;

/// What the harness calls the image built from the repository.
pub(crate) const IMAGE: &str = "vespera";

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What boots the image.
    Image,
    /// Also other kernels, and the driver for each.
    All,
}

/// Makes kernels, stand-ins, image and guest program; returns the path of the list
/// of them, which the harness finds through `VESPERA_ARTIFACTS`.
pub(crate) fn make(cache: &Cache, steps: &Steps, extent: Extent) -> Result<Utf8PathBuf> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let others = match extent {
        Extent::Image => Vec::new(),
        Extent::All => others(cache, steps, &workshop, &kernel)?,
    };
    let standin = Standin::make(cache, steps, &workshop, &kernel)?;
    let image = Image::build(cache, steps, &workshop, &standin)?;
    let guest = guest::build(cache, steps)?;

    let mut kernels = vec![listed(&kernel, &image.maccel)];
    kernels.extend(others.iter().map(|(kernel, maccel)| listed(kernel, maccel)));
    let artifacts = json!({
        "format": 1,
        "guest": guest,
        "kernels": kernels,
        "images": [{
            "name": IMAGE,
            "root": image.root,
            "kernel": kernel.release,
            "reference": image.reference,
        }],
    });
    let name = match extent {
        Extent::Image => "image-artifacts.json",
        Extent::All => "artifacts.json",
    };
    let path = cache.folder("made")?.join(name);
    let text = serde_json::to_string_pretty(&artifacts)?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {path}"))?;
    Ok(path)
}

/// The kernels beside that of the image, each with the driver for it. The driver for the
/// image's own kernel comes with the image; here it only has to build without a warning.
fn others(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Vec<(Kernel, Utf8PathBuf)>> {
    let compilers = Compilers::make(cache, steps)?;
    for family in [Family::Amd64, Family::Arm64] {
        driver::build(cache, steps, &compilers, kernel, family)?;
    }
    let mut others = Vec::new();
    for series in [Series::Oldest, Series::Newest] {
        let kernel = Kernel::fetch(cache, steps, workshop, series)?;
        let maccel = driver::build(cache, steps, &compilers, &kernel, Family::Amd64)?;
        others.push((kernel, maccel));
    }
    Ok(others)
}

fn listed(kernel: &Kernel, maccel: &Utf8Path) -> Value {
    json!({
        "name": kernel.name,
        "release": kernel.release,
        "vmlinux": kernel.vmlinux(),
        "modules": kernel.modules(),
        "maccel": maccel,
    })
}
