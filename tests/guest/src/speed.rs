// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the driver tells of a mouse: through `/dev/maccel` and through its attributes.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;
use vespera_guest::mouse::{Event, Frame, Mouse, code};

use crate::player::VirtualMouse;

/// Longer than the driver's memory of a speed.
const REST: Duration = Duration::from_millis(150);

/// Reads and polls at rest, after a movement, after reading it, and after a rest.
pub(crate) fn account() -> Result<()> {
    let mut mouse = VirtualMouse::create(&Mouse::new("watched mouse", 0x1209, 0x7000))?;
    let mut file = File::open("/dev/maccel").context("opening /dev/maccel")?;
    let mut short = [0; 7];
    let short = file.read(&mut short).err().and_then(|error| error.raw_os_error());
    sleep(REST);
    let at_rest = (read(&mut file)?, ready(&file)?);
    let movement = Event { kind: code::EV_REL, code: code::REL_X, value: 50 };
    let frame = Frame { mouse: 0, at_us: 0, events: vec![movement] };
    // Of two reports the second has an interval that was measured.
    mouse.send(&frame, None)?;
    mouse.send(&frame, None)?;
    let woken = ready(&file)?;
    let moved = (read(&mut file)?, ready(&file)?);
    sleep(REST);
    let rested = (read(&mut file)?, ready(&file)?);
    let account = json!({
        "short": short, "at_rest": at_rest, "woken": woken, "moved": moved, "rested": rested,
    });
    println!("{account}");
    Ok(())
}

/// Q32.32, big endian, as public tools read it.
fn read(file: &mut File) -> Result<i64> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes).context("reading /dev/maccel")?;
    Ok(i64::from_be_bytes(bytes))
}

fn ready(file: &File) -> Result<bool> {
    let mut polled = [PollFd::new(file, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(poll(&mut polled, Some(&at_once)).context("polling /dev/maccel")? > 0)
}

/// The attributes of a mouse: as they come, after settings of its own, and after refusals.
pub(crate) fn attributes() -> Result<()> {
    let mouse = VirtualMouse::create(&Mouse::new("watched mouse", 0x1209, 0x7000))?;
    let folder = Path::new("/sys/class/maccel").join(&mouse.input);
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("reading {name}"))
    };
    let write = |name: &str, value: &str| fs::write(folder.join(name), value);
    let refusal =
        |name: &str, value: &str| write(name, value).err().and_then(|error| error.raw_os_error());
    let mut account = serde_json::Map::new();
    for name in ["name", "id", "uniq", "phys", "enabled", "settings", "speed"] {
        account.insert(name.into(), read(name)?.into());
    }
    write("settings", "LIMIT=8589934592").context("writing settings")?;
    let refused = [
        refusal("enabled", "perhaps"),
        refusal("settings", "LIMIT=8589934592 LIMIT=8589934592"),
        refusal("settings", "SENS_MULT=8589934592 LIMIT=0"),
    ];
    account.insert("own".into(), read("settings")?.into());
    account.insert("refused".into(), json!(refused));
    write("settings", "inherit\n").context("writing settings")?;
    account.insert("inherited".into(), read("settings")?.into());
    println!("{}", serde_json::to_string(&account)?);
    Ok(())
}
