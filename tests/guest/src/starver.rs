// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does things while the kernel has no memory: once for each allocation that they make, with
//! that one failing (Documentation/fault-injection/fault-injection.rst, `fail-nth`).

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;
use vespera_guest::mouse::Mouse;

use crate::leaks::debugfs;
use crate::modules;
use crate::player::VirtualMouse;

const SETTING: &str = "/sys/module/maccel/parameters/SENS_MULT";
const MODULE: &str = "/mods/maccel.ko";
/// Nothing here makes as many allocations.
const MOST: u32 = 20_000;

/// The kernel's counter of allocations of this thread.
struct Famine(File);

impl Famine {
    fn prepare() -> Result<Self> {
        let folder = debugfs()?.join("failslab");
        // Without it only allocations that must not wait would fail; and each would be reported.
        for (name, value) in [("ignore-gfp-wait", "N"), ("verbose", "0")] {
            let path = folder.join(name);
            fs::write(&path, value).with_context(|| format!("writing {}", path.display()))?;
        }
        let path = "/proc/thread-self/fail-nth";
        let file = File::options().read(true).write(true).open(path);
        Ok(Self(file.with_context(|| format!("opening {path}"))?))
    }

    /// Lets the allocation of this number fail, counted from 1. Says what was done, and whether
    /// it came so far.
    fn strike<T>(&self, number: u32, action: impl FnOnce() -> T) -> Result<(T, bool)> {
        self.set(number)?;
        let done = action();
        let mut left = [0; 16];
        let length = self.0.read_at(&mut left, 0).context("reading fail-nth")?;
        self.set(0)?;
        Ok((done, left.get(..length).is_some_and(|left| left.trim_ascii() == b"0")))
    }

    fn set(&self, number: u32) -> Result<()> {
        self.0.write_all_at(number.to_string().as_bytes(), 0).context("writing fail-nth")
    }

    /// Lets each allocation of an action fail in turn; gives how many there were. `check` is
    /// told what came of it.
    fn strike_each<T>(
        &self,
        mut action: impl FnMut(u32) -> T,
        mut check: impl FnMut(u32, T) -> Result<()>,
    ) -> Result<u32> {
        for number in 1..MOST {
            let (done, struck) = self.strike(number, || action(number))?;
            check(number, done).with_context(|| format!("allocation {number} failed"))?;
            if !struck {
                return Ok(number - 1);
            }
        }
        bail!("more than {MOST} allocations")
    }
}

/// Writes a setting, attaches a mouse, loads the module; prints how many allocations each made.
pub(crate) fn starve() -> Result<()> {
    let famine = Famine::prepare()?;
    let setting = settings(&famine).context("writing a setting")?;
    let mouse = mice(&famine).context("attaching a mouse")?;
    let module = loads(&famine).context("loading the module")?;
    println!("{}", json!({ "setting": setting, "mouse": mouse, "module": module }));
    Ok(())
}

fn read_setting() -> Result<i64> {
    Ok(fs::read_to_string(SETTING).with_context(|| format!("reading {SETTING}"))?.trim().parse()?)
}

/// A write that fails leaves the old value.
fn settings(famine: &Famine) -> Result<u32> {
    let before = read_setting()?;
    let mut expected = before;
    let value = |number: u32| before + i64::from(number);
    let allocations = famine.strike_each(
        |number| {
            File::options()
                .write(true)
                .open(SETTING)
                .and_then(|mut file| file.write_all(value(number).to_string().as_bytes()))
        },
        |number, result| {
            match result {
                Ok(()) => expected = value(number),
                Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {}
                Err(error) => return Err(error).context("it should be out of memory"),
            }
            let seen = read_setting()?;
            if seen != expected {
                bail!("the value is {seen}, not {expected}");
            }
            Ok(())
        },
    )?;
    fs::write(SETTING, before.to_string()).with_context(|| format!("writing {SETTING}"))?;
    Ok(allocations)
}

/// A mouse that the driver could not take, or that could not be made at all, leaves no entry.
fn mice(famine: &Famine) -> Result<u32> {
    let folder = Path::new("/sys/class/maccel");
    let count = || -> Result<usize> {
        Ok(fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?.count())
    };
    let before = count()?;
    famine.strike_each(
        |_| VirtualMouse::create(&Mouse::new("starving mouse", 0x1209, 0x7001)),
        |_, mouse| {
            drop(mouse);
            let after = count()?;
            if after != before {
                bail!("{after} entries where there were {before}");
            }
            Ok(())
        },
    )
}

/// A load that fails leaves nothing, and the next one succeeds.
fn loads(famine: &Famine) -> Result<u32> {
    let must = |result: Result<(), vespera_guest::wire::Refusal>| {
        result.map_err(|refusal| io::Error::other(refusal.message))
    };
    let image = fs::read(MODULE).with_context(|| format!("reading {MODULE}"))?;
    must(modules::remove("maccel"))?;
    let allocations = famine.strike_each(
        |_| modules::insert_image(&image, "SENS_MULT=8589934592"),
        |_, result| match result {
            Ok(()) => Ok(must(modules::remove("maccel"))?),
            Err(refusal) if refusal.errno == Some(libc::ENOMEM) => Ok(()),
            Err(refusal) => bail!("it should be out of memory: {}", refusal.message),
        },
    )?;
    must(modules::insert(Path::new(MODULE), ""))?;
    Ok(allocations)
}
