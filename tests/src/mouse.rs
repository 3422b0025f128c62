// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plans for virtual mice in a guest.

use vespera_guest::mouse::{Event, Frame, Mouse, Plan, code};

pub use vespera_guest::mouse::{
    Kind, MouseRecord, Record, SeenEvent, SeenFrame, code as event_code,
};

use crate::error::HarnessError;
use crate::guest::Guest;

/// Mice, and what they are to do. Every play creates the mice anew, so a driver has no memory of
/// an earlier one.
#[derive(Debug, Clone, Default)]
pub struct MousePlan(Plan);

impl MousePlan {
    /// A plan with one mouse, number 0.
    #[must_use]
    pub fn one_mouse() -> Self {
        Self::default().and_mouse("vespera test mouse 0")
    }

    /// Adds a mouse; the first is number 0.
    #[must_use]
    pub fn and_mouse(mut self, name: &str) -> Self {
        let number = u16::try_from(self.0.mice.len()).unwrap_or(u16::MAX);
        self.0.mice.push(Mouse::new(name, 0x1209, 0x5000 | number));
        self
    }

    /// A plan with one device of this kind, number 0. `enabled` is what the `enabled` attribute
    /// of its entry is set to first, if anything.
    #[must_use]
    pub fn one_device(kind: Kind, enabled: Option<bool>) -> Self {
        let mut plan = Self::one_mouse();
        for mouse in &mut plan.0.mice {
            (mouse.kind, mouse.enabled) = (kind, enabled);
        }
        plan
    }

    /// Adds a report of any events at a time in microseconds from the start.
    #[must_use]
    pub fn frame(mut self, mouse: usize, at_us: u64, events: &[(u16, u16, i32)]) -> Self {
        let events =
            events.iter().map(|&(kind, code, value)| Event { kind, code, value }).collect();
        self.0.frames.push(Frame { mouse, at_us, events });
        self
    }

    /// Adds a movement.
    #[must_use]
    pub fn movement(self, mouse: usize, at_us: u64, x: i32, y: i32) -> Self {
        // A mouse reports only the axes that moved; the kernel would drop the zero anyway.
        let events: Vec<_> = [(code::EV_REL, code::REL_X, x), (code::EV_REL, code::REL_Y, y)]
            .into_iter()
            .filter(|(.., value)| *value != 0)
            .collect();
        self.frame(mouse, at_us, &events)
    }

    /// The plan itself.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// Plays the plan in the guest and gives what the readers of the event nodes saw.
    ///
    /// # Errors
    /// If the guest cannot create the mice, or a reader lost events.
    pub fn play(&self, guest: &Guest) -> Result<Record, HarnessError> {
        let mut plan = self.0.clone();
        plan.frames.sort_by_key(|frame| frame.at_us);
        let content =
            |problem: String| HarnessError::Content { path: "mouse plan".into(), problem };
        let text = serde_json::to_vec(&plan).map_err(|error| content(error.to_string()))?;
        let argv = [guest.hello().program.as_str(), "mouse"];
        let output = guest.command(argv).stdin(text).run()?.success()?;
        let record: Record = serde_json::from_str(&output.stdout)
            .map_err(|error| content(format!("{error}: {}", output.stdout)))?;
        match record.mice.iter().find(|mouse| mouse.dropped()) {
            Some(mouse) => Err(content(format!("the reader of {} lost events", mouse.node))),
            None => Ok(record),
        }
    }
}
