// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the initramfs into the unmodified root of an image, with the agent as one more unit.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{chdir, chroot};
use vespera_guest::boot::{ROOT_SERIAL, VAR, value};

/// Read-only, from the disk.
const LOWER: &str = "/lower";
/// What the guest writes: memory.
const SCRATCH: &str = "/scratch";
/// The two together, the root to be.
const NEW_ROOT: &str = "/new";
/// The agent's own copy: /run is passed on to systemd as it is.
const PROGRAM: &str = "/run/vespera-test/vespera-guest";
const UNITS: &str = "/run/systemd/system";
const UNIT: &str = "vespera-test-agent.service";
/// Started as early as units are, without waiting for anything: a boot that hangs can be asked.
/// Nothing orders itself after it, so the boot is not held up either.
const UNIT_TEXT: &str = "\
[Unit]
Description=Command agent of the test harness
DefaultDependencies=no

[Service]
ExecStart=/run/vespera-test/vespera-guest agent
Environment=HOME=/root
OOMScoreAdjust=-900
";

/// Assembles the root and becomes the system's own init.
pub(crate) fn enter(command_line: &str) -> Result<()> {
    let disk = disk_by_serial(ROOT_SERIAL)?;
    mount_at(&disk, LOWER, "erofs", MountFlags::RDONLY, None)?;
    mount_at(Path::new("tmpfs"), SCRATCH, "tmpfs", MountFlags::empty(), Some("mode=0755"))?;
    for folder in ["upper", "work"] {
        fs::create_dir(Path::new(SCRATCH).join(folder)).context("preparing the overlay")?;
    }
    let layers = format!("lowerdir={LOWER},upperdir={SCRATCH}/upper,workdir={SCRATCH}/work");
    mount_at(Path::new("overlay"), NEW_ROOT, "overlay", MountFlags::empty(), Some(&layers))?;
    if let Some(var) = value(command_line, VAR) {
        let (serial, kind) = var.split_once(':').unwrap_or((var, "ext4"));
        let place = format!("{NEW_ROOT}/var");
        mount_at(&disk_by_serial(serial)?, &place, kind, MountFlags::empty(), None)?;
    }
    place_agent()?;
    for place in ["/dev", "/proc", "/sys", "/run"] {
        let target = format!("{NEW_ROOT}{place}");
        fs::create_dir_all(&target).with_context(|| format!("creating {target}"))?;
        mount_move(place, &target).with_context(|| format!("moving {place}"))?;
    }
    let Err(error) = switch();
    Err(error)
}

/// `switch_root`, then the system's init in place of this program.
fn switch() -> Result<Infallible> {
    chdir(NEW_ROOT).context("entering the new root")?;
    mount_move(".", "/").context("moving the new root")?;
    chroot(".").context("changing the root")?;
    chdir("/").context("entering the new root")?;
    Err(Command::new("/sbin/init").exec()).context("starting /sbin/init of the image")
}

fn place_agent() -> Result<()> {
    let folder = Path::new(PROGRAM).parent().unwrap_or(Path::new("/run"));
    fs::create_dir_all(folder).context("preparing the agent's folder")?;
    fs::copy("/init", PROGRAM).with_context(|| format!("copying the agent to {PROGRAM}"))?;
    let wants = format!("{UNITS}/sysinit.target.wants");
    fs::create_dir_all(&wants).with_context(|| format!("creating {wants}"))?;
    fs::write(format!("{UNITS}/{UNIT}"), UNIT_TEXT).context("writing the agent's unit")?;
    symlink(format!("{UNITS}/{UNIT}"), format!("{wants}/{UNIT}")).context("linking the unit")
}

fn mount_at(
    source: &Path,
    place: &str,
    kind: &str,
    flags: MountFlags,
    options: Option<&str>,
) -> Result<()> {
    fs::create_dir_all(place).with_context(|| format!("creating {place}"))?;
    let options = options.map(CString::new).transpose().context("mount options")?;
    mount(source, place, kind, flags, options.as_deref())
        .with_context(|| format!("mounting {} ({kind}) on {place}", source.display()))
}

/// The node of the virtio disk with this serial number; virtio_blk finds its disks on its own
/// time, hence the wait.
fn disk_by_serial(serial: &str) -> Result<PathBuf> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        for entry in fs::read_dir("/sys/block").context("listing the disks")? {
            let name = entry.context("listing the disks")?.file_name();
            let file = Path::new("/sys/block").join(&name).join("serial");
            if fs::read_to_string(file).is_ok_and(|text| text.trim() == serial) {
                return Ok(Path::new("/dev").join(name));
            }
        }
        if Instant::now() > deadline {
            bail!("no disk has the serial number {serial}");
        }
        sleep(Duration::from_millis(5));
    }
}
