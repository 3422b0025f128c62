// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what a device sends that is not ours.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use evdev::raw_stream::RawDevice;
use vespera_guest::mouse::{Event, MouseRecord, SeenEvent, code};

use crate::entry;
use crate::player::{event_node, open_node};

const LIMIT: Duration = Duration::from_secs(60);

/// Waits for a device whose name begins with `name`, reads `reports` reports of it, and prints
/// them as a record without times.
pub(crate) fn watch(name: &str, reports: usize) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    let device = loop {
        if let Some(device) = find(name)? {
            break device;
        }
        if Instant::now() > deadline {
            bail!("no input device is named {name}");
        }
        sleep(Duration::from_millis(50));
    };
    let input = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let node = event_node(&device)?;
    let mut reader = RawDevice::from_fd(open_node(&node)?.into())
        .with_context(|| format!("asking {}", node.display()))?;
    let mut events = Vec::new();
    let mut ends = 0;
    while ends < reports {
        match reader.fetch_events() {
            Ok(fetched) => events.extend(fetched.map(|event| {
                let kind = event.event_type().0;
                ends += usize::from(kind == code::EV_SYN && event.code() == code::SYN_REPORT);
                let event = Event { kind, code: event.code(), value: event.value() };
                SeenEvent { at_us: 0, event }
            })),
            Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(Duration::from_millis(2)),
            Err(error) => return Err(error).with_context(|| format!("reading {}", node.display())),
        }
        if Instant::now() > deadline {
            bail!("{name} sent {ends} of {reports} reports");
        }
    }
    let record = MouseRecord {
        node: node.to_string_lossy().into_owned(),
        enabled: entry::enable(&input, None)?,
        device: input,
        events,
    };
    println!("{}", serde_json::to_string(&record)?);
    Ok(())
}

fn find(name: &str) -> Result<Option<PathBuf>> {
    let folder = "/sys/class/input";
    for entry in fs::read_dir(folder).with_context(|| folder.to_owned())? {
        let path = entry.with_context(|| folder.to_owned())?.path();
        let found = fs::read_to_string(path.join("name")).unwrap_or_default();
        if found.starts_with(name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
