// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module is built against: the headers of a kernel, unpacked, not installed.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::kernels::{Kernel, extract};
use crate::privilege;
use crate::process;
use crate::progress::Steps;
use crate::workshop::Workshop;

/// Where a room shows headers that are not its own. The packages are made for `/`, and
/// their Makefile names its other half by the full path.
const PLACE: &str = "/headers";

/// A room with the headers of one kernel.
pub(crate) struct Headers {
    /// The workshop, with the headers in it.
    pub(crate) room: Room,
    /// The build folder in that room, for `make -C`.
    pub(crate) build: String,
}

impl Headers {
    /// Those the workshop has installed, else unpacked ones from the cache or the mirror.
    pub(crate) fn find(
        cache: &Cache,
        steps: &Steps,
        workshop: &Workshop,
        kernel: &Kernel,
    ) -> Result<Self> {
        let room = workshop.room(cache)?;
        let build = format!("/usr/src/linux-headers-{}", kernel.release);
        if workshop.root().join(build.trim_start_matches('/')).is_dir() {
            return Ok(Self { room, build });
        }
        let folder = unpacked(cache, steps, workshop, kernel)?;
        Ok(Self { room: room.bind_read_only(&folder, PLACE), build: format!("{PLACE}{build}") })
    }
}

fn unpacked(
    cache: &Cache,
    steps: &Steps,
    workshop: &Workshop,
    kernel: &Kernel,
) -> Result<Utf8PathBuf> {
    let key = Key::new("headers-1").part(workshop.key()).part(&kernel.release).part(PLACE);
    let name = format!("headers-{}", kernel.name.replace('.', "_"));
    let title = format!("headers of kernel {}", kernel.name);
    let made = cache.entry(steps, &name, &title, key, |step, folder| {
        let room = workshop.room(cache)?.bind(folder, "/w");
        let package = format!("linux-headers-{}", kernel.release);
        extract(step, &room, folder, &package, &["linux-headers-", "linux-kbuild-"])?;
        let makefile = format!("/w/unpacked/usr/src/{package}/Makefile");
        let change = format!("s#/usr/src/#{PLACE}/usr/src/#g");
        process::run(step, room.command("sed")?.args(["--in-place", &change, &makefile]))?;
        privilege::remove_tree(&folder.join("unpacked/usr/share"))
    })?;
    Ok(made.join(Utf8Path::new("unpacked")))
}
