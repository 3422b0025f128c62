// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module and the mice that come and go, told by udev after its rules have run.

use std::ffi::OsStr;

use anyhow::Context;
use udev::{EventType, MonitorBuilder, MonitorSocket};

use super::descriptor::Readable;
use crate::bus::line::Line;
use crate::message::Event;

/// The name of the module and of its class.
const MACCEL: &str = "maccel";

/// Listens for as long as it is polled.
pub(crate) async fn run(line: Line) -> anyhow::Result<()> {
    let monitor = MonitorBuilder::new()
        .and_then(|monitor| monitor.match_subsystem("module"))
        .and_then(|monitor| monitor.match_subsystem(MACCEL))
        .and_then(MonitorBuilder::listen)
        .context("cannot listen to udev")?;
    let readable = Readable::new(&monitor)?;
    // Whatever came before we listened.
    line.tell(Event::Module);
    line.tell(Event::Written);
    loop {
        let events = readable.read(|| Ok(read(&monitor))).await?;
        for event in events {
            line.tell(event);
        }
    }
}

/// What has happened, as far as it matters.
fn read(monitor: &MonitorSocket) -> Vec<Event> {
    let own = |event: udev::Event| {
        let subsystem = event.subsystem().and_then(OsStr::to_str);
        meaning(event.event_type(), subsystem, event.sysname().to_str())
    };
    monitor.iter().filter_map(own).collect()
}

/// What an event of udev means for us.
fn meaning(kind: EventType, subsystem: Option<&str>, name: Option<&str>) -> Option<Event> {
    let name = name?;
    match (subsystem?, kind) {
        ("module", EventType::Add | EventType::Remove) if name == MACCEL => Some(Event::Module),
        // The char device comes when the module is all but ready.
        (MACCEL, EventType::Add) if name == MACCEL => Some(Event::Module),
        (MACCEL, EventType::Add) => Some(Event::DeviceAdded(name.to_owned())),
        (MACCEL, EventType::Remove) => Some(Event::DeviceRemoved(name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_module_and_its_mice_matter() {
        let added = Some(Event::DeviceAdded("input5".to_owned()));
        assert_eq!(meaning(EventType::Add, Some("maccel"), Some("input5")), added);
        let removed = Some(Event::DeviceRemoved("input5".to_owned()));
        assert_eq!(meaning(EventType::Remove, Some("maccel"), Some("input5")), removed);
        for kind in [EventType::Add, EventType::Remove] {
            assert_eq!(meaning(kind, Some("module"), Some("maccel")), Some(Event::Module));
            assert_eq!(meaning(kind, Some("module"), Some("usbhid")), None);
        }
        assert_eq!(meaning(EventType::Change, Some("maccel"), Some("input5")), None);
    }
}
