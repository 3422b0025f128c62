// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real distribution kernels: fetched, unpacked and made ready to boot.

use std::fs;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::workshop::Workshop;

/// Which kernels the system tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    /// The one whose headers are in the workshop; the image is built for it.
    Image,
    /// The oldest the driver supports; the image has no module for it.
    Oldest,
    /// The newest to be had.
    Newest,
}

impl Series {
    /// A short name for file names and messages.
    fn name(self) -> &'static str {
        match self {
            Self::Image => "6.12",
            Self::Oldest => "6.1",
            Self::Newest => "newest",
        }
    }
}

/// The package that depends on the newest kernel of each suite.
const METAPACKAGE: &str = "linux-image-amd64";
/// From 7.x on the kernel package is empty and depends on these.
const SPLIT: &[&str] = &["linux-binary-", "linux-modules-", "linux-base-"];

/// A kernel, unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// The series it belongs to, for example `6.12`.
    pub(crate) name: String,
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
        let name = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        Ok(Self { name, release, folder })
    }
}

fn unpack(
    cache: &Cache,
    step: &Step,
    workshop: &Workshop,
    series: Series,
    folder: &Utf8Path,
) -> Result<()> {
    let room = workshop.room(cache)?.bind(folder, "/w");
    process::run(step, room.command("apt-get")?.args(["--quiet", "update"]))?;
    let version = match series {
        // The very kernel that the workshop's headers belong to.
        Series::Image => process::read(room.command("dpkg-query")?.args([
            "--show",
            "--showformat=${Version}",
            "linux-headers-amd64",
        ]))?,
        Series::Oldest | Series::Newest => {
            let listed = process::read(room.command("apt-cache")?.args(["madison", METAPACKAGE]))?;
            let beginning = if series == Series::Oldest { "6.1." } else { "" };
            newest(&listed, beginning)
                .with_context(|| format!("the mirror has no kernel {}", series.name()))?
                .to_owned()
        }
    };
    let shown = process::read(
        room.command("apt-cache")?.args(["show", &format!("{METAPACKAGE}={version}")]),
    )
    .with_context(|| {
        format!("the mirror has replaced kernel {version}: `cargo xtask cache --clear` starts anew")
    })?;
    let package = dependencies(&shown, &["linux-image-"])
        .into_iter()
        .next()
        .with_context(|| format!("{METAPACKAGE} {version} depends on no kernel package"))?;
    extract(step, &room, folder, &package, SPLIT)?;
    arrange(&folder.join("unpacked"), folder)?;
    let release = only_entry(&folder.join("usr/lib/modules"))?;
    process::run(step, room.command("depmod")?.args(["--basedir", "/w", &release]))?;
    privilege::remove_tree(&folder.join("unpacked"))
}

/// Downloads `package`, and those it depends on whose names begin with one of `parts`,
/// and unpacks them all into `unpacked` in `folder`, which the room shows at `/w`.
pub(crate) fn extract(
    step: &Step,
    room: &Room,
    folder: &Utf8Path,
    package: &str,
    parts: &[&str],
) -> Result<()> {
    let shown = process::read(room.command("apt-cache")?.args(["show", package]))?;
    let debs = folder.join("debs");
    fs::create_dir_all(&debs)?;
    let download = room.clone().workdir("/w/debs");
    process::run(
        step,
        download
            .command("apt-get")?
            .args(["--quiet", "download", package])
            .args(dependencies(&shown, parts)),
    )?;
    for deb in debs.read_dir_utf8()? {
        let inside = format!("/w/debs/{}", deb?.file_name());
        process::run(step, room.command("dpkg-deb")?.args(["--extract", &inside, "/w/unpacked"]))?;
    }
    privilege::remove_tree(&debs)?;
    privilege::take(&folder.join("unpacked"))
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
    // From 7.x on the image lies beside the modules.
    let vmlinuz = [
        unpacked.join(format!("boot/vmlinuz-{release}")),
        target.join("modules").join(&release).join("vmlinuz"),
    ]
    .into_iter()
    .find(|path| path.is_file())
    .context("the kernel package holds no vmlinuz")?;
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

/// The packages in the first `Depends:` line whose names begin with one of `beginnings`.
fn dependencies(shown: &str, beginnings: &[&str]) -> Vec<String> {
    let line = shown.lines().find_map(|line| line.strip_prefix("Depends:")).unwrap_or_default();
    line.split(',')
        .filter_map(|entry| entry.split_whitespace().next())
        .filter(|name| beginnings.iter().any(|beginning| name.starts_with(beginning)))
        .map(str::to_owned)
        .collect()
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
        assert_eq!(dependencies(text, &["linux-image-"]), ["linux-image-6.1.0-56-amd64"]);
    }

    #[test]
    fn a_split_kernel_package_leads_to_its_parts() {
        let text = "Depends: dracut | initramfs-tools (>= 0.120), linux-base-7.3.4 (= 7.3.4-1), \
                    linux-binary-7.3.4 (= 7.3.4-1), linux-modules-7.3.4\nDepends: linux-base-old\n";
        let parts = ["linux-base-7.3.4", "linux-binary-7.3.4", "linux-modules-7.3.4"];
        assert_eq!(dependencies(text, SPLIT), parts);
    }
}
