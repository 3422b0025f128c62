// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that a guest needs, made in order and written down for the harness.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::cache::Cache;
use crate::compilers::Compilers;
use crate::driver;
use crate::guest;
use crate::headers::{Family, Headers};
use crate::image::{self, Image, Recipe, Yard};
use crate::images;
use crate::installed;
use crate::kernels::{Kernel, Series};
use crate::packages::{self, Compiled};
use crate::plain;
use crate::privilege;
use crate::progress::Steps;
use crate::standin::Standin;
use crate::workshop::Workshop;

/// What the harness calls the image built from the repository.
pub(crate) const IMAGE: &str = "vespera";
/// What the harness calls the Debian without anything of ours.
const PLAIN: &str = "plain";

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What boots the image.
    Image,
    /// Kernels and the driver for each, without the image.
    Kernels,
    /// The images, other kernels, and the driver for each; packages of all that, tried in a root,
    /// and a system to install them in.
    All,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The list of it, which the harness finds through `VESPERA_ARTIFACTS`.
    pub(crate) list: Utf8PathBuf,
    /// The images: the shipped one, and with everything also the second and its update.
    pub(crate) images: Vec<Image>,
}

/// Makes kernels, stand-ins, images, packages and guest program.
pub(crate) fn make(cache: &Cache, steps: &Steps, extent: Extent) -> Result<Made> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let drivers = match extent {
        Extent::Image => Vec::new(),
        Extent::Kernels | Extent::All => drivers(cache, steps, &workshop, &kernel)?,
    };
    let mut kernels = drivers;
    let mut images = Vec::new();
    let mut bootable = Vec::new();
    let mut programs = None;
    if extent != Extent::Kernels {
        let standin = Standin::make(cache, steps, &workshop, &kernel)?;
        let program = steps.run("program vespera-image", |step| image::program(cache, step))?;
        let yard = Yard { cache, steps, workshop: &workshop, program: &program };
        let recipe = images::first(&standin, &kernel);
        let first = yard.build(&recipe)?;
        let files = yard.files(&first)?;
        bootable.push(listed_image(&first, &files.root));
        images.push(first);
        if extent == Extent::All {
            let newest = kernels.last().map(|(kernel, _)| kernel).context("no newest kernel")?;
            let (more, root) = more_images(&yard, &recipe, newest)?;
            bootable.push(root);
            images.extend(more);
        }
        // The driver for the image's own kernel comes with the image.
        kernels.retain(|(other, _)| other.release != kernel.release);
        kernels.insert(0, (kernel.clone(), files.maccel));
        programs = Some(files.programs);
    }
    let packages = match programs.filter(|_| extent == Extent::All) {
        Some(programs) => {
            let drivers: Vec<_> = kernels
                .iter()
                .map(|(to, driver)| (to.release.as_str(), driver.as_path()))
                .collect();
            let compiled = Compiled { programs: &programs, drivers: &drivers };
            let packages = packages::make(cache, steps, "packages", &compiled)?;
            installed::check(cache, steps, "installed", &packages, &kernel)?;
            bootable.push(plain(cache, steps, &workshop, &kernel)?);
            Some(packages)
        }
        None => None,
    };
    let kernels: Vec<_> =
        kernels.iter().map(|(kernel, maccel)| listed(kernel, Some(maccel))).collect();
    let artifacts = json!({
        "format": 1,
        "guest": guest::build(cache, steps)?,
        "kernels": kernels,
        "images": bootable,
        "packages": packages,
    });
    let name = match extent {
        Extent::Image => "image-artifacts.json",
        Extent::Kernels => "kernel-artifacts.json",
        Extent::All => "artifacts.json",
    };
    let path = cache.folder("made")?.join(name);
    let text = serde_json::to_string_pretty(&artifacts)?;
    std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {path}"))?;
    Ok(Made { list: path, images })
}

/// The second image and the first with another driver; only the second boots.
fn more_images(yard: &Yard<'_>, first: &Recipe, newest: &Kernel) -> Result<(Vec<Image>, Value)> {
    let Yard { cache, steps, workshop, .. } = *yard;
    let compilers = Compilers::make(cache, steps)?;
    let headers = Headers::find(cache, steps, &compilers, newest, Family::Amd64)?;
    let base = Standin::developers_base(cache, steps, workshop, newest, &headers)?;
    let second = yard.build(&images::second(cache, first, base, newest)?)?;
    let root = listed_image(&second, &yard.files(&second)?.root);
    let update = yard.build(&images::driver_update(first)?)?;
    Ok((vec![second, update], root))
}

fn listed_image(image: &Image, root: &Utf8Path) -> Value {
    json!({
        "name": image.name,
        "root": root,
        "kernel": image.kernel,
        "reference": image.reference,
    })
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

/// A Debian without anything of ours.
pub(crate) fn plain(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Value> {
    Ok(json!({
        "name": PLAIN,
        "root": plain::make(cache, steps, workshop, kernel)?,
        "kernel": kernel.release,
        "reference": "none: a Debian without anything of ours",
    }))
}

/// A kernel, and the driver for it if there is one.
pub(crate) fn listed(kernel: &Kernel, maccel: Option<&Utf8Path>) -> Value {
    json!({
        "name": kernel.name,
        "release": kernel.release,
        "vmlinux": kernel.vmlinux(),
        "modules": kernel.modules(),
        "maccel": maccel,
    })
}
