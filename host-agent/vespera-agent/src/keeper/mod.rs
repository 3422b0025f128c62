// SPDX-License-Identifier: MIT OR Apache-2.0
//! The owner of the state. It runs on a thread of its own and waits for files and disks there, so
//! that no read on the bus ever waits for one; what it knows is published as snapshots.
//!
//! - [`force`]: the shared settings: putting them in force, and what others write
//! - [`requests`]: what is asked for over the bus
//! - [`trial`]: settings that go back by themselves
//! - [`devices`]: the mice
//! - [`health`]: reports, findings of the agent itself, history of boots
//! - [`import`]: what the public tools saved
//! - [`seen`]: what the driver was last seen to hold
//! - [`view`]: the snapshot

mod devices;
mod force;
mod health;
mod import;
mod requests;
mod seen;
mod trial;
mod view;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::health::{Check, Root};
use maccel_core::driver::{Device, Driver, DriverError, MODULE};
use maccel_core::settings::Settings;
use maccel_core::settings_file::{self, FILE_NAME, Layer, Layers, ProfileName, SettingsFile};
use vespera_api::Error;

use self::health::History;
use self::trial::Trial;
use crate::journal;
use crate::message::Event;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// The public tools write a change file by file; this long after the first write it is looked at.
const SETTLE: Duration = Duration::from_millis(50);

/// A module that is on its way in is looked at again after this time.
const COMING: Duration = Duration::from_millis(50);

/// The state, and what belongs to it.
pub(crate) struct Keeper {
    root: Root,
    store: Store,
    layers: Layers,
    /// Whose session is the active one.
    user: Option<u32>,
    /// The profile of that user, which stands in for the shared settings.
    user_profile: Option<ProfileName>,
    driver: Option<Driver>,
    /// Which loading of the module `driver` is.
    instance: Option<u64>,
    /// What the driver was last seen to hold.
    seen: Option<Settings>,
    /// Why what it holds now is not known, or should not be there.
    unread: Option<String>,
    devices: BTreeMap<String, Device>,
    trial: Option<Trial>,
    last_trial: u32,
    applied_profile: Option<ProfileName>,
    findings: BTreeMap<&'static str, Check>,
    history: History,
    look_at: Option<Instant>,
    module_at: Option<Instant>,
    /// When locked values were put back lately.
    put_back: Vec<Instant>,
    recheck_at: Option<Instant>,
    /// The findings of the reports.
    reported: Vec<Check>,
    rechecked: Option<Instant>,
    snapshot: Snapshot,
}

impl Keeper {
    /// Reads everything and puts the saved settings in force.
    pub(crate) fn start(root: Root, store: Store) -> Self {
        let mut keeper = Self {
            root,
            store,
            layers: Layers::default(),
            user: None,
            user_profile: None,
            driver: None,
            instance: None,
            seen: None,
            unread: None,
            devices: BTreeMap::new(),
            trial: None,
            last_trial: 0,
            applied_profile: None,
            findings: BTreeMap::new(),
            history: History::default(),
            look_at: None,
            module_at: None,
            put_back: Vec::new(),
            recheck_at: None,
            reported: Vec::new(),
            rechecked: None,
            snapshot: Snapshot::default(),
        };
        let found = keeper.store.load();
        keeper.layers.state = found.file;
        keeper.note_damage(found.damage);
        keeper.load_layers();
        keeper.import();
        keeper.load_history();
        keeper.module_changed();
        // A note of a trial that outlived the boot has served; the saved settings apply.
        keeper.forget_trial_note();
        keeper.look_at_reports();
        keeper.publish();
        keeper
    }

    /// The snapshot of now.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// When [`Keeper::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let trial = self.trial.as_ref().map(|trial| trial.deadline);
        [self.look_at, self.module_at, self.recheck_at, trial].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.look_at.is_some_and(|due| due <= now) {
            self.look_at = None;
            self.look();
        }
        if self.module_at.is_some_and(|due| due <= now) {
            self.module_changed();
        }
        if self.recheck_at.is_some_and(|due| due <= now) {
            self.ask_for_check(now);
        }
        if self.trial.as_ref().is_some_and(|trial| trial.deadline <= now) {
            self.end_trial("its time is over");
        }
        self.publish();
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Written => {
                self.look_at.get_or_insert(now + SETTLE);
            }
            Event::Module => {
                self.module_changed();
                self.retry(now);
            }
            Event::DeviceAdded(input) => {
                self.device_added(&input);
                self.retry(now);
            }
            Event::DeviceRemoved(input) => self.device_removed(&input),
            Event::Report => self.look_at_reports(),
            Event::Layer => {
                // What others have just written is theirs, before it could be undone.
                self.look();
                let of_their_own = self.saved_mice();
                self.load_layers();
                self.follow_user(self.user);
                self.restore();
                self.release(&of_their_own);
                self.judge();
            }
            Event::Resumed => {
                self.module_changed();
                self.look();
                self.restore();
                self.restore_devices();
                self.judge();
            }
            Event::CallerLeft(id) => {
                if self.trial.as_ref().is_some_and(|trial| trial.id == id) {
                    self.end_trial("its caller has left the bus");
                }
            }
            Event::ActiveUser(uid) => self.follow_user(uid),
            // At the next start the driver's settings would be taken for an outside write.
            Event::Stop => self.end_trial("the agent stops"),
        }
        self.publish();
    }

    /// Reads the files of the image and the administrator.
    fn load_layers(&mut self) {
        let mut faults = Vec::new();
        for layer in [Layer::Image, Layer::Admin] {
            let path = format!("{}/{FILE_NAME}", layer.folder());
            let file = match self.root.read(&path) {
                Ok(text) => settings_file::parse(&text)
                    .and_then(|file| layer.accepts(&file).map(|()| file))
                    .map_err(|error| error.to_string()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Ok(SettingsFile::default())
                }
                Err(error) => Err(error.to_string()),
            };
            let own = match layer {
                Layer::Image => &mut self.layers.image,
                _ => &mut self.layers.admin,
            };
            match file {
                Ok(file) => *own = file,
                // What was understood before still holds: a slip of the pen unlocks nothing.
                Err(error) => faults.push(format!("/{path}: {error}")),
            }
        }
        self.note_refused_layers(&faults);
    }

    /// The module came, went, or is another one now.
    fn module_changed(&mut self) {
        let driver = Driver::open(self.root.path()).ok();
        // Its events come before it is ready, and none when it is.
        let coming = self.root.line(format!("{MODULE}/initstate")).is_some_and(|s| s == "coming");
        self.module_at = coming.then(|| Instant::now() + COMING);
        let instance = driver.as_ref().and_then(|_| seen::instance(&self.root));
        if driver.is_some() && instance == self.instance {
            return;
        }
        let there_was = self.driver.is_some();
        self.instance = instance;
        self.seen = None;
        self.unread = None;
        self.put_back.clear();
        self.devices.clear();
        if self.trial.take().is_some() {
            journal::trial_ended("the module was unloaded");
            self.forget_trial_note();
        }
        self.driver = driver;
        if self.driver.is_some() {
            journal::module(true);
            self.meet_driver();
            self.meet_devices();
        } else if there_was {
            journal::module(false);
        }
        self.judge();
    }
}

/// The error of a call for what went wrong at the driver.
pub(crate) fn error_of(error: DriverError) -> Error {
    let text = error.to_string();
    match error {
        DriverError::NotLoaded => Error::ModuleNotLoaded(text),
        DriverError::Settings(error) => error.into(),
        DriverError::Lacks(_) => Error::InvalidValue(text),
        _ => Error::WriteFailed(text),
    }
}

#[cfg(test)]
mod tests;
