// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real distribution kernels: fetched, unpacked and made ready to boot.

use std::fs;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::workshop::Workshop;

/// Which kernels the system tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    /// The one whose headers are in the workshop; the image is built for it.
    Image,
    /// An older one, for which the image has no module.
    Other,
}

impl Series {
    /// A short name for file names and messages.
    fn name(self) -> &'static str {
        match self {
            Self::Image => "6.12",
            Self::Other => "6.1",
        }
    }
}

/// The package that depends on the newest kernel of each suite.
const METAPACKAGE: &str = "linux-image-amd64";

/// A kernel, unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// The series it belongs to, for example `6.12`.
    pub(crate) name: &'static str,
    /// What `uname -r` says, for example `6.12.117+deb13-amd64`.
    pub(crate) release: String,
    /// Where its files are: `vmlinux` (ELF), `vmlinuz` and `usr/lib/modules/RELEASE`.
    pub(crate) folder: Utf8PathBuf,
}

impl Kernel {
    /// The uncompressed kernel, which QEMU boots without the guest unpacking it.
    pub(crate) fn vmlinux(&self) -> Utf8PathBuf {
        self.folder.join("vmlinux")
    }

    /// Its modules with modules.dep.
    pub(crate) fn modules(&self) -> Utf8PathBuf {
        self.folder.join("usr/lib/modules").join(&self.release)
    }

    /// Fetches a kernel with the workshop's apt, or finds it in the cache.
    pub(crate) fn fetch(
        cache: &Cache,
        steps: &Steps,
        workshop: &Workshop,
        series: Series,
    ) -> Result<Self> {
        let key = Key::new("kernel-1").part(workshop.key()).part(series.name());
        let title = format!("kernel {} of the distribution", series.name());
        let folder = cache.entry(
            steps,
            &format!("kernel-{}", series.name().replace('.', "_")),
            &title,
            key,
            |step, folder| unpack(cache, step, workshop, series, folder),
        )?;
        let release = only_entry(&folder.join("usr/lib/modules"))?;
        Ok(Self { name: series.name(), release, folder })
    }
}

fn unpack(
    cache: &Cache,
    step: &Step,
    workshop: &Workshop,
    series: Series,
    folder: &Utf8Path,
) -> Result<()> {
    let room = workshop.room(cache)?.bind(folder, "/w").workdir("/w");
    process::run(step, room.command("apt-get")?.args(["--quiet", "update"]))?;
    let version = match series {
        // The very kernel that the workshop's headers belong to.
        Series::Image => process::read(room.command("dpkg-query")?.args([
            "--show",
            "--showformat=${Version}",
            "linux-headers-amd64",
        ]))?,
        Series::Other => {
            let listed = process::read(room.command("apt-cache")?.args(["madison", METAPACKAGE]))?;
            newest(&listed, "6.1.").context("the mirror has no kernel 6.1")?.to_owned()
        }
    };
    let shown = process::read(
        room.command("apt-cache")?.args(["show", &format!("{METAPACKAGE}={version}")]),
    )
    .with_context(|| {
        format!("the mirror has replaced kernel {version}: `cargo xtask cache --clear` starts anew")
    })?;
    let package = dependency(&shown)
        .with_context(|| format!("{METAPACKAGE} {version} depends on no kernel package"))?;
    process::run(step, room.command("apt-get")?.args(["--quiet", "download", package]))?;
    let deb = only_entry(folder)?;
    process::run(step, room.command("dpkg-deb")?.args(["--extract", &deb, "/w/unpacked"]))?;
    arrange(&folder.join("unpacked"), folder)?;
    let release = only_entry(&folder.join("usr/lib/modules"))?;
    process::run(step, room.command("depmod")?.args(["--basedir", "/w", &release]))?;
    for left in [deb.as_str(), "unpacked"] {
        privilege::remove_tree(&folder.join(left))?;
    }
    Ok(())
}

/// Takes what we need of an unpacked kernel package to its place.
fn arrange(unpacked: &Utf8Path, folder: &Utf8Path) -> Result<()> {
    // Newer packages keep modules below /usr, older ones in /lib.
    let modules = ["usr/lib/modules", "lib/modules"]
        .map(|path| unpacked.join(path))
        .into_iter()
        .find(|path| path.is_dir())
        .context("the kernel package holds no modules")?;
    let release = only_entry(&modules)?;
    let target = folder.join("usr/lib");
    fs::create_dir_all(&target)?;
    fs::rename(&modules, target.join("modules"))
        .with_context(|| format!("cannot move {modules}"))?;
    // depmod looks below /lib.
    std::os::unix::fs::symlink("usr/lib", folder.join("lib"))?;
    let vmlinuz = unpacked.join(format!("boot/vmlinuz-{release}"));
    let image = fs::read(&vmlinuz).with_context(|| format!("cannot read {vmlinuz}"))?;
    let elf = vespera_tests::vmlinux::extract_vmlinux(&image)
        .with_context(|| format!("cannot unpack {vmlinuz}"))?;
    fs::write(folder.join("vmlinux"), elf)?;
    fs::write(folder.join("vmlinuz"), image)?;
    Ok(())
}

/// The first (newest) version with this beginning in the output of `apt-cache madison`.
fn newest<'a>(madison: &'a str, beginning: &str) -> Option<&'a str> {
    madison
        .lines()
        .filter_map(|line| line.split('|').nth(1).map(str::trim))
        .find(|version| version.starts_with(beginning))
}

/// The kernel package named in the `Depends:` line of a metapackage.
fn dependency(shown: &str) -> Option<&str> {
    shown
        .lines()
        .find_map(|line| line.strip_prefix("Depends:"))?
        .split_whitespace()
        .find(|word| word.starts_with("linux-image-"))
        .map(|word| word.trim_end_matches(','))
}

/// The name of the one entry of a folder.
pub(crate) fn only_entry(folder: &Utf8Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot list {folder}"))? {
        names.push(entry?.file_name().to_owned());
    }
    match names.as_slice() {
        [only] => Ok(only.clone()),
        _ => bail!("{folder} should hold one entry, but holds {names:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_a_series_is_taken() {
        let text = " linux-image-amd64 | 6.12.117-1 | http://m trixie-security/main amd64 Packages\n \
                     linux-image-amd64 |  6.1.192-2 | http://m bookworm-security/main amd64 Packages\n";
        assert_eq!(newest(text, "6.1."), Some("6.1.192-2"));
        assert_eq!(newest(text, "5."), None);
    }

    #[test]
    fn the_kernel_package_is_the_dependency() {
        let text =
            "Package: linux-image-amd64\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)\n";
        assert_eq!(dependency(text), Some("linux-image-6.1.0-56-amd64"));
    }
}
