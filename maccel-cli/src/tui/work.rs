// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done outside, one after the other, on a thread of its own: the agent may have to ask
//! a person first.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use maccel_core::changes::Changes;
use maccel_core::settings::Settings;

use crate::args::{Common, Switch};
use crate::host::Host;
use crate::profile;
use crate::provisional::Provisional;
use crate::tui::state::TRIAL_SECONDS;
use crate::tui::update::{Effect, Event};
use crate::{devices, write};

/// The screen counts a trial down from when it is in force; this much later the settings go back
/// even if the screen hangs.
const SLACK: u32 = 5;

/// The worker.
#[derive(Debug)]
pub(crate) struct Work {
    orders: Sender<Effect>,
    /// Closed when the worker has ended.
    ended: Receiver<()>,
}

impl Work {
    /// Orders something.
    pub(crate) fn send(&self, effect: Effect) -> Result<(), SendError<Effect>> {
        self.orders.send(effect)
    }

    /// Waits until all is done, but not longer than this; gives whether it is. What is not done
    /// ends with the program.
    pub(crate) fn finish(self, longest: Duration) -> bool {
        drop(self.orders);
        // A worker that panicked has said so.
        self.ended.recv_timeout(longest) != Err(RecvTimeoutError::Timeout)
    }
}

/// Starts the worker.
pub(crate) fn start(common: Common, events: Sender<Event>) -> Work {
    let (orders, inbox) = mpsc::channel::<Effect>();
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let _end: Sender<()> = end;
        let mut tried = None;
        // What is shown, and what an answer is about, is the mouse that was chosen last.
        let mut common = common;
        for effect in inbox {
            let wrote = effect.writes();
            if let Effect::Read(device)
            | Effect::Look(device)
            | Effect::Write(device, _)
            | Effect::Try(device, _) = &effect
            {
                common.device.clone_from(device);
            }
            let event = done(&common, &mut tried, effect)
                .unwrap_or_else(|error| failed(&common, &error, wrote));
            // Without a receiver the program is ending, and the rest still has to be done.
            let _ = events.send(event);
        }
    });
    Work { orders, ended }
}

/// Does it; gives what there is to tell.
fn done(common: &Common, tried: &mut Option<Provisional>, effect: Effect) -> anyhow::Result<Event> {
    match effect {
        Effect::Write(device, changes) => {
            let note = write::change(&open(common, device.clone())?, &changes)?;
            written(common, device, note)
        }
        Effect::Try(device, wanted) => {
            attempt(common, tried, &open(common, device.clone())?, &wanted)?;
            written(common, device, String::new())
        }
        Effect::TryProfile(name) => {
            let wanted = profile::settings(common, &name)?;
            attempt(common, tried, &open(common, None)?, &wanted)?;
            written(common, None, format!("profile {name} is on trial"))
        }
        Effect::Keep => {
            let tried = tried.take().context("the trial has ended: the old settings are back")?;
            let note = tried.keep(&open(common, common.device.clone())?)?;
            let note = if note.is_empty() { "kept".to_owned() } else { note };
            back(common, common.device.clone(), note)
        }
        Effect::Back => {
            tried.take().map_or(Ok(()), Provisional::back)?;
            written(common, common.device.clone(), String::new())
        }
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
    }
}

/// Puts settings in force that are not kept.
fn attempt(
    common: &Common,
    tried: &mut Option<Provisional>,
    host: &Host,
    wanted: &Settings,
) -> anyhow::Result<()> {
    *tried = Some(match tried.take() {
        Some(before) => before.instead(common, host, wanted)?,
        None => {
            let changes = Changes::between(&host.settings()?, wanted);
            Provisional::begin(common, host, &changes, TRIAL_SECONDS + SLACK)?
        }
    });
    Ok(())
}

fn open(common: &Common, device: Option<String>) -> anyhow::Result<Host> {
    Host::open(&Common { device, ..common.clone() })
}

/// What is in force after a change.
fn written(common: &Common, device: Option<String>, note: String) -> anyhow::Result<Event> {
    let host = open(common, device)?;
    let (settings, devices) = (host.settings()?, host.driver.devices()?);
    Ok(Event::Done { settings, devices, note, wrote: true })
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
