// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event node of a mouse.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use evdev::{EventSummary, RelativeAxisCode, SynchronizationCode};
use maccel_core::driver::Device;

use crate::host::{list, meant};
use crate::measure::reckon::Report;

/// One mouse, opened.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it calls itself.
    pub(crate) name: String,
    /// Its entry, `inputN`.
    pub(crate) input: String,
    device: evdev::Device,
    /// The report that is not complete yet.
    open: (i64, i64),
}

impl Node {
    /// The mouse that is meant, by its entry, id or a part of its name; or the only one.
    pub(crate) fn find(wanted: Option<&str>) -> anyhow::Result<Self> {
        let (mice, mut nodes) = mice();
        if mice.is_empty() {
            bail!(
                "no mouse can be read in /dev/input; that takes root, since whoever reads it \
                 reads keyboards too: sudo maccel measure ..."
            );
        }
        let all: Vec<&Device> = mice.iter().collect();
        let found = wanted.map_or(all.clone(), |wanted| meant(&mice, wanted));
        let input = match &found[..] {
            [one] => &one.input,
            [] => bail!("none of the mice is meant by --device; there are {}", list(&all)),
            several => bail!("there are several mice, name one with --device: {}", list(several)),
        };
        let index = mice.iter().position(|mouse| mouse.input == *input).unwrap_or_default();
        let device = nodes.swap_remove(index);
        device.set_nonblocking(true).context("cannot wait for the mouse")?;
        let Device { name, input, .. } = mice[index].clone();
        Ok(Node { name, input, device, open: (0, 0) })
    }

    /// What there is to be read now.
    pub(crate) fn reports(&mut self) -> anyhow::Result<Vec<Report>> {
        let events = match self.device.fetch_events() {
            Ok(events) => events,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(error) => return Err(error).context("the mouse cannot be read any more"),
        };
        let mut reports = Vec::new();
        for event in events {
            match event.destructure() {
                EventSummary::RelativeAxis(_, RelativeAxisCode::REL_X, value) => {
                    self.open.0 += i64::from(value);
                }
                EventSummary::RelativeAxis(_, RelativeAxisCode::REL_Y, value) => {
                    self.open.1 += i64::from(value);
                }
                EventSummary::Synchronization(_, SynchronizationCode::SYN_REPORT, _)
                    if self.open != (0, 0) =>
                {
                    let (x, y) = std::mem::take(&mut self.open);
                    reports.push(Report { at: microseconds(event.timestamp()), x, y });
                }
                _ => {}
            }
        }
        Ok(reports)
    }

    /// Throws away what has come so far.
    pub(crate) fn forget(&mut self) -> anyhow::Result<()> {
        while !self.reports()?.is_empty() {}
        self.open = (0, 0);
        Ok(())
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// All mice whose nodes can be read, as the driver would list them, and the nodes.
fn mice() -> (Vec<Device>, Vec<evdev::Device>) {
    evdev::enumerate()
        .filter_map(|(path, device)| {
            let axes = device.supported_relative_axes()?;
            let mouse =
                axes.contains(RelativeAxisCode::REL_X) && axes.contains(RelativeAxisCode::REL_Y);
            let node = path.file_name()?.to_str()?;
            let entry = fs::canonicalize(format!("/sys/class/input/{node}/device")).ok();
            let entry = entry.as_deref().and_then(|entry| entry.file_name()?.to_str());
            let id = device.input_id();
            let described = Device {
                input: entry.unwrap_or_default().to_owned(),
                name: device.name().unwrap_or("the mouse").to_owned(),
                id: format!("{:04x}:{:04x}", id.vendor(), id.product()),
                uniq: device.unique_name().unwrap_or_default().to_owned(),
                phys: device.physical_path().unwrap_or_default().to_owned(),
                enabled: true,
                settings: None,
            };
            mouse.then_some((described, device))
        })
        .unzip()
}

fn microseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
