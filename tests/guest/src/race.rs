// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done to a driver while mice move, and what became of their reports.

use serde::{Deserialize, Serialize};

/// What happens at the same time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// Mice that move, each in a thread of its own.
    pub mice: u32,
    /// Reports of each, at least: they move until the cycles and reloads are done.
    pub frames: u64,
    /// Files written in a loop as long as the mice move. `*` stands for every mouse's folder.
    pub writes: Vec<Write>,
    /// So often one more mouse comes, moves and goes.
    pub cycles: u32,
    /// So often the driver is removed and inserted.
    pub reloads: u32,
}

/// A value for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The file.
    pub path: String,
    /// What is written.
    pub value: String,
}

/// How it went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaceRecord {
    /// One for each mouse.
    pub mice: Vec<Tally>,
    /// Writes that were taken.
    pub written: u64,
    /// Writes that were refused, or found no file.
    pub refused: u64,
    /// Mice that came and went.
    pub cycles: u32,
    /// Times the driver was removed and inserted.
    pub reloads: u32,
    /// Processors of the guest.
    pub processors: usize,
}

/// The reports of one mouse. Each has a button change, both axes, and a wheel step with its number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Reports written.
    pub sent: u64,
    /// Reports read whole: one end, the button and the wheel step of this report, in order.
    pub whole: u64,
    /// The first others.
    pub others: Vec<String>,
    /// Movements read and how often.
    pub movements: Vec<((i32, i32), u64)>,
}

/// How a line on the guest's console begins that says how far a race is.
pub const PROGRESS: &str = "race: ";
/// Horizontal movement of each report.
pub const X: i32 = 3;
/// Vertical movement of each report.
pub const Y: i32 = -2;
