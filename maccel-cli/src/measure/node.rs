// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event node of a mouse.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use evdev::{EventSummary, RelativeAxisCode, SynchronizationCode};

use crate::host::Host;
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
    /// The mouse that was named, or the only one.
    pub(crate) fn find(host: &Host) -> anyhow::Result<Self> {
        let wanted = host.device.as_ref().map(|device| device.input.as_str());
        let mut found = Vec::new();
        for (path, device) in evdev::enumerate() {
            let mouse = device.supported_relative_axes().is_some_and(|axes| {
                axes.contains(RelativeAxisCode::REL_X) && axes.contains(RelativeAxisCode::REL_Y)
            });
            let Some(node) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let entry = fs::canonicalize(format!("/sys/class/input/{node}/device")).ok();
            let input = entry
                .as_deref()
                .and_then(|path| path.file_name()?.to_str().map(str::to_owned))
                .unwrap_or_default();
            if mouse && wanted.is_none_or(|wanted| wanted == input) {
                found.push((input, device));
            }
        }
        match found.len() {
            1 => {}
            0 => bail!(
                "no mouse can be read in /dev/input; that takes root, since whoever reads it \
                 reads keyboards too: sudo maccel measure ..."
            ),
            _ => {
                let list: Vec<String> = found
                    .iter()
                    .map(|(input, device)| format!("{input} ({})", device.name().unwrap_or("?")))
                    .collect();
                bail!("there are several mice, name one: --device {}", list.join(" or "));
            }
        }
        let (input, device) = found.remove(0);
        device.set_nonblocking(true).context("cannot wait for the mouse")?;
        let name = device.name().unwrap_or("the mouse").to_owned();
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

fn microseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
