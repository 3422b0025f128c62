// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl set` and `vesperactl reset`: change the settings of the driver, for good.

use health::Root;
use vespera_api::{MaccelProxy, dict};

use crate::agent::{self, Wait};
use crate::assignment::{self, Assignments};
use crate::exit::{self, Outcome};

/// Sets all or none.
pub(crate) fn run(root: &Root, assignments: &Assignments) -> anyhow::Result<Outcome> {
    let change = dict::write(&assignment::parse(&assignments.assignments)?);
    agent::ask(root, Wait::Person, async |bus| MaccelProxy::new(bus).await?.set(&change).await)?;
    Ok(Outcome { text: String::new(), code: exit::HEALTHY })
}

/// Goes back to the settings of the system.
pub(crate) fn reset(root: &Root) -> anyhow::Result<Outcome> {
    agent::ask(root, Wait::Person, async |bus| MaccelProxy::new(bus).await?.reset().await)?;
    Ok(Outcome { text: String::new(), code: exit::HEALTHY })
}
