// SPDX-License-Identifier: MIT OR Apache-2.0
//! `org.vespera.Agent1.Device`: one mouse.

use std::sync::Arc;

use vespera_api::dict::{self, Dict};
use vespera_api::names::DEVICE;
use vespera_api::{Error, Result};
use zbus::Connection;
use zbus::interface;
use zbus::message::Header;

use super::caller;
use super::gate::Gate;
use super::line::Line;
use super::maccel::all_of;
use crate::message::Request;
use crate::snapshot::DeviceView;

/// The object.
pub(crate) struct Device {
    pub(super) gate: Arc<Gate>,
    pub(super) line: Line,
    pub(super) input: String,
}

#[interface(name = "org.vespera.Agent1.Device")]
impl Device {
    async fn set_enabled(&self, enabled: bool, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(DEVICE, "SetEnabled", &call).await?;
        let input = self.input.clone();
        self.line.ask(&permit, Request::SetEnabled { input, enabled }).await.map(drop)
    }

    async fn set_settings(&self, change: Dict, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(DEVICE, "SetSettings", &call).await?;
        let (input, changes) = (self.input.clone(), dict::read(&change)?);
        self.line.ask(&permit, Request::SetDevice { input, changes }).await.map(drop)
    }

    #[zbus(out_args("trial"))]
    async fn trial(
        &self,
        change: Dict,
        seconds: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<u32> {
        let permit = self.gate.admit(DEVICE, "Trial", &call).await?;
        let (input, changes) = (self.input.clone(), dict::read(&change)?);
        let request = Request::TrialOn { input, changes, seconds };
        caller::begin_trial(connection, &permit, &self.line, request).await
    }

    async fn inherit(&self, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(DEVICE, "Inherit", &call).await?;
        let input = self.input.clone();
        self.line.ask(&permit, Request::Inherit { input }).await.map(drop)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn name(&self) -> Result<String> {
        self.view().map(|view| view.name)
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> Result<String> {
        self.view().map(|view| view.id)
    }

    #[zbus(property)]
    fn enabled(&self) -> Result<bool> {
        self.view().map(|view| view.enabled)
    }

    #[zbus(property)]
    fn settings(&self) -> Result<Dict> {
        self.view().map(|view| settings_of(&view))
    }
}

impl Device {
    fn view(&self) -> Result<DeviceView> {
        let view = self.line.now().devices.get(&self.input).cloned();
        view.ok_or_else(|| Error::WriteFailed(format!("{} was unplugged", self.input)))
    }
}

/// A mouse's own settings, empty if it has none.
pub(super) fn settings_of(view: &DeviceView) -> Dict {
    view.settings.as_ref().map(all_of).unwrap_or_default()
}
