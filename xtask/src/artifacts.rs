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
    /// Kernels and the driver for each, without the image.
    Kernels,
    /// The image, other kernels, and the driver for each.
    All,
}

/// Makes kernels, stand-ins, image and guest program; returns the path of the list
/// of them, which the harness finds through `VESPERA_ARTIFACTS`.
pub(crate) fn make(cache: &Cache, steps: &Steps, extent: Extent) -> Result<Utf8PathBuf> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let drivers = match extent {
        Extent::Image => Vec::new(),
        Extent::Kernels | Extent::All => drivers(cache, steps, &workshop, &kernel)?,
    };
    let (kernels, images) = match extent {
        Extent::Kernels => (drivers, Vec::new()),
        Extent::Image | Extent::All => {
            let standin = Standin::make(cache, steps, &workshop, &kernel)?;
            let image = Image::build(cache, steps, &workshop, &standin)?;
            let listed = json!({
                "name": IMAGE,
                "root": image.root,
                "kernel": kernel.release,
                "reference": image.reference,
            });
            // The driver for the image's own kernel comes with the image.
            let mut kernels = drivers;
            kernels.retain(|(other, _)| other.release != kernel.release);
            kernels.insert(0, (kernel, image.maccel));
            (kernels, vec![listed])
        }
    };
    let kernels: Vec<_> = kernels.iter().map(|(kernel, maccel)| listed(kernel, maccel)).collect();
    let artifacts = json!({
        "format": 1,
        "guest": guest::build(cache, steps)?,
        "kernels": kernels,
        "images": images,
    });
    let name = match extent {
        Extent::Image => "image-artifacts.json",
        Extent::Kernels => "kernel-artifacts.json",
        Extent::All => "artifacts.json",
    };
    let path = cache.folder("made")?.join(name);
    let text = serde_json::to_string_pretty(&artifacts)?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {path}"))?;
    Ok(path)
}

/// The kernel of the image, the oldest and the newest, each with the driver for it; that
/// for aarch64 only has to build without a warning.
fn drivers(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Vec<(Kernel, Utf8PathBuf)>> {
    let compilers = Compilers::make(cache, steps)?;
    driver::build(cache, steps, &compilers, kernel, Family::Arm64)?;
    let mut kernels = vec![kernel.clone()];
    for series in [Series::Oldest, Series::Newest] {
        kernels.push(Kernel::fetch(cache, steps, workshop, series)?);
    }
    kernels
        .into_iter()
        .map(|kernel| {
            let maccel = driver::build(cache, steps, &compilers, &kernel, Family::Amd64)?;
            Ok((kernel, maccel))
        })
        .collect()
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
