// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plain Debian for QEMU, without anything of ours: the packages are installed in it. It is the
//! user space of the stand-in base before that becomes one, with the kernel of the image.

use anyhow::{Context, Result};
use camino::Utf8PathBuf;

use crate::cache::{Cache, Key};
use crate::kernels::Kernel;
use crate::privilege;
use crate::process;
use crate::progress::Steps;
use crate::standin::{self, LEFT_OUT_MODULES};
use crate::workshop::Workshop;

/// What udev would load in a virtual machine and nothing here uses.
const LEFT_OUT_TOO: &[&str] = &["arch/x86/kvm", "drivers/ata"];

/// Makes the root, or finds it in the cache.
pub(crate) fn make(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Utf8PathBuf> {
    let archive = standin::user_space(cache, steps)?;
    let archives = archive.parent().context("the archive has no folder")?;
    let key = Key::new("plain-1").part(archive.as_str()).part(workshop.key());
    let key = key.part(&kernel.release).parts(LEFT_OUT_MODULES).parts(LEFT_OUT_TOO);
    let made =
        cache.entry(steps, "plain", "plain Debian: root for QEMU", key, |step, folder| {
            let room = workshop
                .room(cache)?
                .bind(folder, "/w")
                .bind_read_only(archives, "/archive")
                .bind_read_only(&kernel.folder, "/kernel");
            let release = &kernel.release;
            let run = |program: &str, args: &[&str]| {
                process::run(step, room.command(program)?.args(args))
            };
            run("mkdir", &["/w/root"])?;
            run("tar", &["--extract", "--file=/archive/root.tar", "--directory=/w/root"])?;
            let modules = "/w/root/usr/lib/modules";
            run("mkdir", &["-p", modules])?;
            run("cp", &["-r", &format!("/kernel/usr/lib/modules/{release}"), modules])?;
            for left in LEFT_OUT_MODULES.iter().chain(LEFT_OUT_TOO) {
                run("rm", &["-rf", &format!("{modules}/{release}/kernel/{left}")])?;
            }
            run("depmod", &["--basedir=/w/root", release])?;
            // Which left out documentation.
            run("rm", &["/w/root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"])?;
            // Each boot is a machine of its own.
            run("truncate", &["--size=0", "/w/root/etc/machine-id"])?;
            run("mkfs.erofs", &["--quiet", "-E^inline_data", "/w/root.erofs", "/w/root"])?;
            privilege::remove_tree(&folder.join("root"))
        })?;
    Ok(made.join("root.erofs"))
}
