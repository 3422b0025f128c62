// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plans for virtual mice, and what the readers of their event nodes saw.

use serde::{Deserialize, Serialize};

/// Event types and codes of linux/input-event-codes.h which the plans use.
pub mod code {
    /// End of a frame.
    pub const EV_SYN: u16 = 0;
    /// Buttons.
    pub const EV_KEY: u16 = 1;
    /// Movement.
    pub const EV_REL: u16 = 2;
    /// All events up to here belong together.
    pub const SYN_REPORT: u16 = 0;
    /// The reader was too slow and lost events.
    pub const SYN_DROPPED: u16 = 3;
    /// Movement to the right.
    pub const REL_X: u16 = 0;
    /// Movement downwards.
    pub const REL_Y: u16 = 1;
    /// A knob.
    pub const REL_DIAL: u16 = 7;
    /// The wheel.
    pub const REL_WHEEL: u16 = 8;
    /// The left button.
    pub const BTN_LEFT: u16 = 0x110;
    /// The right button.
    pub const BTN_RIGHT: u16 = 0x111;
    /// The middle button.
    pub const BTN_MIDDLE: u16 = 0x112;
}

/// Mice to create and frames to play on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The mice; a frame names its mouse by the place in this list.
    pub mice: Vec<Mouse>,
    /// The frames, in the order of their times.
    pub frames: Vec<Frame>,
}

/// A mouse to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    /// Its name.
    pub name: String,
    /// USB vendor.
    pub vendor: u16,
    /// USB product.
    pub product: u16,
    /// What it is; the driver does not take all of them.
    #[serde(default)]
    pub kind: Kind,
    /// Written to the `enabled` attribute of its entry of the driver before the first frame.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What kind of device makes relative movements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Two axes, a wheel, three buttons.
    #[default]
    Mouse,
    /// A mouse with the property of the sticks between a notebook's keys.
    PointingStick,
    /// A touchpad that also reports relative movement, as those with an own mouse mode do.
    Touchpad,
    /// A knob with the axis `REL_DIAL` and one button.
    Dial,
    /// A wheel with a button, and without the axes of a mouse.
    Wheel,
    /// Two axes without any button.
    Buttonless,
}

/// One report of a mouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The place of the mouse in the list.
    pub mouse: usize,
    /// Its time in microseconds from the start of the plan.
    pub at_us: u64,
    /// The events without the closing `SYN_REPORT`.
    pub events: Vec<Event>,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `EV_*`.
    pub kind: u16,
    /// The code within the type.
    pub code: u16,
    /// The value.
    pub value: i32,
}

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The kernel took over the times of the plan (from 6.8). If not, the frames were sent in
    /// real time, and the times of the record are those of their arrival.
    pub stamped: bool,
    /// One for each mouse of the plan.
    pub mice: Vec<MouseRecord>,
}

/// What the reader of one mouse saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MouseRecord {
    /// The event node.
    pub node: String,
    /// The input device, `inputN`.
    pub device: String,
    /// What the `enabled` attribute of its entry of the driver said before the first frame;
    /// nothing if the driver has not taken it.
    pub enabled: Option<bool>,
    /// The events in order of arrival, `SYN_REPORT` included.
    pub events: Vec<SeenEvent>,
}

/// One event as the reader of the event node saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenEvent {
    /// Its time in microseconds from the start of the plan.
    pub at_us: i64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// A complete report as the reader saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFrame {
    /// Its time in microseconds from the start of the plan.
    pub at_us: i64,
    /// The events without the closing `SYN_REPORT`.
    pub events: Vec<Event>,
}

impl SeenFrame {
    /// The sum of the values of a relative axis in this frame.
    #[must_use]
    pub fn relative(&self, axis: u16) -> i32 {
        self.events
            .iter()
            .filter(|event| event.kind == code::EV_REL && event.code == axis)
            .map(|event| event.value)
            .sum()
    }

    /// Horizontal and vertical movement.
    #[must_use]
    pub fn movement(&self) -> (i32, i32) {
        (self.relative(code::REL_X), self.relative(code::REL_Y))
    }
}

impl Mouse {
    /// A usual mouse.
    #[must_use]
    pub fn new(name: &str, vendor: u16, product: u16) -> Self {
        Self { name: name.to_owned(), vendor, product, kind: Kind::Mouse, enabled: None }
    }
}

impl MouseRecord {
    /// The events cut into frames at each `SYN_REPORT`.
    #[must_use]
    pub fn frames(&self) -> Vec<SeenFrame> {
        let mut frames = Vec::new();
        let mut events = Vec::new();
        for seen in &self.events {
            if seen.event.kind == code::EV_SYN && seen.event.code == code::SYN_REPORT {
                frames.push(SeenFrame { at_us: seen.at_us, events: std::mem::take(&mut events) });
            } else {
                events.push(seen.event);
            }
        }
        frames
    }

    /// The reader lost events.
    #[must_use]
    pub fn dropped(&self) -> bool {
        self.events
            .iter()
            .any(|seen| seen.event.kind == code::EV_SYN && seen.event.code == code::SYN_DROPPED)
    }
}
