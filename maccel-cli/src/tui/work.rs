// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done outside, one after the other, on a thread of its own: the agent may have to ask
//! a person first.

use std::sync::mpsc::{self, SendError, Sender};
use std::thread::{self, JoinHandle};

use maccel_core::changes::Changes;
use maccel_core::settings::Settings;

use crate::args::{Common, Switch};
use crate::guard::{Guard, Promise};
use crate::host::Host;
use crate::profile;
use crate::tui::update::{Effect, Event};
use crate::{devices, write};

/// The worker.
#[derive(Debug)]
pub(crate) struct Work {
    orders: Sender<Effect>,
    thread: JoinHandle<()>,
}

impl Work {
    /// Orders something.
    pub(crate) fn send(&self, effect: Effect) -> Result<(), SendError<Effect>> {
        self.orders.send(effect)
    }

    /// Waits until all is done.
    pub(crate) fn finish(self) {
        drop(self.orders);
        // A worker that panicked has said so.
        let _ = self.thread.join();
    }
}

/// Starts the worker.
pub(crate) fn start(common: Common, events: Sender<Event>) -> Work {
    let (orders, inbox) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut guard = None;
        // What is shown, and what an answer is about, is the mouse that was chosen last.
        let mut common = common;
        for effect in inbox {
            let wrote = matches!(effect, Effect::Write(..));
            if let Effect::Read(device) | Effect::Look(device) | Effect::Write(device, _) = &effect
            {
                common.device.clone_from(device);
            }
            let event = done(&common, &mut guard, effect)
                .unwrap_or_else(|error| Some(failed(&common, &error, wrote)));
            if let Some(event) = event {
                // Without a receiver the program is ending, and the rest still has to be done.
                let _ = events.send(event);
            }
        }
    });
    Work { orders, thread }
}

/// Does it; gives what there is to tell.
fn done(
    common: &Common,
    guard: &mut Option<Guard>,
    effect: Effect,
) -> anyhow::Result<Option<Event>> {
    let told = match effect {
        Effect::Promise(device, before) => {
            *guard = Some(promise(common, device, &before)?);
            return Ok(None);
        }
        Effect::Release => {
            guard.take().map_or(Ok(()), Guard::keep)?;
            return Ok(None);
        }
        Effect::Write(device, changes) => write(common, device, &changes),
        Effect::Read(device) => back(common, device, String::new()),
        Effect::Look(device) => {
            let host = open(common, device.clone())?;
            let (settings, devices) = (host.settings()?, host.driver.devices()?);
            Ok(Event::Seen { device, settings, devices })
        }
        Effect::ListProfiles => {
            let (profiles, active) = profile::list(common)?;
            Ok(Event::Profiles(profiles, active))
        }
        Effect::SaveProfile(name) => {
            profile::save(common, &name)?;
            back(common, common.device.clone(), format!("saved as {name}"))
        }
        Effect::ApplyProfile(name) => {
            // A profile is for all mice.
            profile::apply(&Common { device: None, ..common.clone() }, &name)?;
            back(common, common.device.clone(), format!("profile {name} is in force"))
        }
        Effect::DeleteProfile(name) => {
            profile::delete(common, &name)?;
            back(common, common.device.clone(), format!("profile {name} is deleted"))
        }
        Effect::Accelerate(input, on) => {
            let host = open(common, Some(input.clone()))?;
            devices::switch(&host, &input, Some(if on { Switch::On } else { Switch::Off }))?;
            back(common, common.device.clone(), String::new())
        }
    };
    told.map(Some)
}

/// A process that puts settings back when this one is gone.
fn promise(common: &Common, device: Option<String>, before: &Settings) -> anyhow::Result<Guard> {
    let host = open(common, device.clone())?;
    let promise = Promise {
        device,
        settings: Some(Changes::all(before)),
        inherit: host.device.is_some_and(|device| device.settings.is_none()),
        ..Promise::default()
    };
    Guard::set(common, &promise)
}

fn open(common: &Common, device: Option<String>) -> anyhow::Result<Host> {
    Host::open(&Common { device, ..common.clone() })
}

fn write(common: &Common, device: Option<String>, changes: &Changes) -> anyhow::Result<Event> {
    let note = write::change(&open(common, device.clone())?, changes)?;
    let host = open(common, device)?;
    Ok(Event::Done {
        settings: host.settings()?,
        devices: host.driver.devices()?,
        note,
        wrote: true,
    })
}

/// What is in force now.
fn back(common: &Common, device: Option<String>, note: String) -> anyhow::Result<Event> {
    let host = open(common, device)?;
    let (settings, devices) = (host.settings()?, host.driver.devices()?);
    Ok(Event::Done { settings, devices, note, wrote: false })
}

fn failed(common: &Common, error: &anyhow::Error, wrote: bool) -> Event {
    let why: Vec<String> = error.chain().map(ToString::to_string).collect();
    let settings = Host::open(common).and_then(|host| host.settings()).ok();
    Event::Failed { why: why.join(": "), settings, wrote }
}
