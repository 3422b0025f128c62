// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a kernel with kmemleak believes to be lost.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, mount};

const DEBUGFS: &str = "/sys/kernel/debug";
/// An object younger than this is not reported (`MSECS_MIN_AGE` in mm/kmemleak.c).
const YOUNG: Duration = Duration::from_secs(6);

/// The folder of the kernel's debugging files, mounted if it was not.
pub(crate) fn debugfs() -> Result<&'static Path> {
    let path = Path::new(DEBUGFS);
    // Any file that every kernel has there.
    if fs::metadata(path.join("clear_warn_once")).is_err() {
        mount("debugfs", DEBUGFS, "debugfs", MountFlags::empty(), None)
            .with_context(|| format!("mounting {DEBUGFS}"))?;
    }
    Ok(path)
}

/// Prints what was lost since the last report, an empty text if nothing was.
pub(crate) fn report() -> Result<()> {
    let path = debugfs()?.join("kmemleak");
    // An object found lost once may be on its way from one register to another.
    for _ in 0..2 {
        sleep(YOUNG);
        fs::write(&path, "scan").with_context(|| format!("writing {}", path.display()))?;
    }
    let lost = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    // The next report would name it again.
    fs::write(&path, "clear").with_context(|| format!("writing {}", path.display()))?;
    print!("{lost}");
    Ok(())
}
