// SPDX-License-Identifier: MIT OR Apache-2.0
//! `org.vespera.Agent1.Health`: whether the payload fits this system.

use std::collections::BTreeMap;
use std::sync::Arc;

use vespera_api::names::HEALTH;
use vespera_api::{BootRecord, CheckRecord, DeploymentRecord, Result};
use zbus::message::Header;
use zbus::{OwnedVariant, as_variant, interface};

use super::gate::Gate;
use super::line::Line;
use crate::message::Request;
use crate::snapshot::Snapshot;

/// The object.
pub(crate) struct Health {
    pub(super) gate: Arc<Gate>,
    pub(super) line: Line,
}

#[interface(name = "org.vespera.Agent1.Health")]
impl Health {
    async fn recheck(&self, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(HEALTH, "Recheck", &call).await?;
        self.line.ask(&permit, Request::Recheck).await.map(drop)
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.line.now().health.state.clone()
    }

    #[zbus(property)]
    fn kernel(&self) -> String {
        self.line.now().health.kernel.clone()
    }

    #[zbus(property)]
    fn checks(&self) -> Vec<CheckRecord> {
        self.line.now().health.checks.clone()
    }

    #[zbus(property)]
    fn deployments(&self) -> Vec<DeploymentRecord> {
        self.line.now().health.deployments.clone()
    }

    #[zbus(property)]
    fn history(&self) -> Vec<BootRecord> {
        self.line.now().health.history.clone()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

/// The properties of a snapshot that can change, by name.
pub(super) fn properties(snapshot: &Snapshot) -> BTreeMap<String, OwnedVariant> {
    let health = &snapshot.health;
    let values = [
        ("State", as_variant::to_owned_variant(&health.state)),
        ("Kernel", as_variant::to_owned_variant(&health.kernel)),
        ("Checks", as_variant::to_owned_variant(&health.checks)),
        ("Deployments", as_variant::to_owned_variant(&health.deployments)),
        ("History", as_variant::to_owned_variant(&health.history)),
    ];
    // Records have nothing that the bus could not carry.
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.ok()?))).collect()
}
