// SPDX-License-Identifier: MIT OR Apache-2.0
//! Emits what changed from one snapshot to the next: one signal for each interface, and the mice
//! that came and went.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::watch;
use vespera_api::names::{self, DEVICE, HEALTH, MACCEL, ROOT_OBJECT};
use zbus::fdo::Properties;
use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedVariant, Variant, as_variant};

use super::device::{self, Device};
use super::gate::Gate;
use super::line::Line;
use super::{health, maccel};
use crate::journal;
use crate::snapshot::{DeviceView, Snapshot};

/// Who emits.
pub(crate) struct Announcer {
    pub(super) connection: Connection,
    pub(super) gate: Arc<Gate>,
    pub(super) line: Line,
    pub(super) view: watch::Receiver<Arc<Snapshot>>,
    pub(super) announced: watch::Sender<u64>,
    /// What clients know.
    pub(super) last: Arc<Snapshot>,
}

type Values = BTreeMap<String, OwnedVariant>;

impl Announcer {
    /// Emits until the keeper ends.
    pub(crate) async fn run(mut self) {
        loop {
            let now = Arc::clone(&self.view.borrow_and_update());
            if now.serial != self.last.serial {
                if let Err(error) = self.announce(&now).await {
                    journal::warning(&format!("cannot tell of a change: {error}"));
                }
                self.last = Arc::clone(&now);
            }
            self.announced.send_replace(now.serial);
            if self.view.changed().await.is_err() {
                return;
            }
        }
    }

    /// Makes the objects of the mice that are there from the start.
    pub(super) async fn begin(&mut self) -> zbus::Result<()> {
        let first = Arc::clone(&self.last);
        for input in first.devices.keys() {
            self.add(input).await?;
        }
        Ok(())
    }

    async fn announce(&self, now: &Snapshot) -> zbus::Result<()> {
        self.changed(ROOT_OBJECT, MACCEL, &maccel::properties(&self.last), maccel::properties(now))
            .await?;
        if self.last.health != now.health {
            let before = health::properties(&self.last);
            self.changed(ROOT_OBJECT, HEALTH, &before, health::properties(now)).await?;
        }
        for (input, before) in &self.last.devices {
            match now.devices.get(input) {
                Some(view) if same_mouse(before, view) => self.device(input, before, view).await?,
                _ => self.remove(input).await?,
            }
        }
        for (input, view) in &now.devices {
            if !self.last.devices.get(input).is_some_and(|before| same_mouse(before, view)) {
                self.add(input).await?;
            }
        }
        Ok(())
    }

    async fn device(&self, input: &str, before: &DeviceView, now: &DeviceView) -> zbus::Result<()> {
        let Some(path) = names::device_path(input) else { return Ok(()) };
        self.changed(&path, DEVICE, &device_values(before)?, device_values(now)?).await
    }

    /// Emits what differs; what is no longer there counts as invalidated.
    async fn changed(
        &self,
        path: &str,
        interface: &'static str,
        before: &Values,
        now: Values,
    ) -> zbus::Result<()> {
        let gone: Vec<&str> =
            before.keys().filter(|name| !now.contains_key(*name)).map(String::as_str).collect();
        let changed: HashMap<&str, Variant<'_>> = now
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, value)| Ok((name.as_str(), Variant::try_clone(value)?)))
            .collect::<zbus::Result<_>>()?;
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let emitter = SignalEmitter::new(&self.connection, path)?;
        let interface = InterfaceName::from_static_str(interface)?;
        Properties::properties_changed(&emitter, interface, changed, Cow::Borrowed(&gone)).await
    }

    async fn add(&self, input: &str) -> zbus::Result<()> {
        let Some(path) = names::device_path(input) else { return Ok(()) };
        let (gate, line) = (Arc::clone(&self.gate), self.line.clone());
        let device = Device { gate, line, input: input.to_owned() };
        self.connection.object_server().at(path, device).await.map(drop)
    }

    async fn remove(&self, input: &str) -> zbus::Result<()> {
        let Some(path) = names::device_path(input) else { return Ok(()) };
        self.connection.object_server().remove::<Device, _>(path).await.map(drop)
    }
}

fn same_mouse(one: &DeviceView, other: &DeviceView) -> bool {
    (&one.name, &one.id) == (&other.name, &other.id)
}

fn device_values(view: &DeviceView) -> zbus::Result<Values> {
    Ok(BTreeMap::from([
        ("Enabled".to_owned(), as_variant::to_owned_variant(&view.enabled)?),
        ("Settings".to_owned(), as_variant::to_owned_variant(&device::settings_of(view))?),
    ]))
}
