// SPDX-License-Identifier: MIT OR Apache-2.0
//! Races run inside a guest.

use std::time::Duration;

use vespera_guest::race::Race;

pub use vespera_guest::race::{PROGRESS, Race as RacePlan, RaceRecord, Tally, Write, X, Y};

use crate::error::HarnessError;
use crate::guest::Guest;

/// Runs a race and gives its record.
///
/// # Errors
/// If a mouse cannot be created, the driver does not come or go, or the time is over.
pub fn run(guest: &Guest, race: &Race, limit: Duration) -> Result<RaceRecord, HarnessError> {
    let content = |problem: String| HarnessError::Content { path: "race".into(), problem };
    let text = serde_json::to_vec(race).map_err(|error| content(error.to_string()))?;
    let argv = [guest.hello().program.as_str(), "race"];
    let output = guest.command(argv).stdin(text).timeout(limit).run()?.success()?;
    serde_json::from_str(&output.stdout)
        .map_err(|error| content(format!("{error}: {}", output.stdout)))
}
