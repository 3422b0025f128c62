// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared settings: putting them in force, and what others write.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::health::Check;
use ::health::catalogue::SETTINGS_NOT_IN_FORCE;
use maccel_core::changes::Changes;
use maccel_core::driver::{Driver, DriverError, Feature};
use maccel_core::parameter::Parameter;
use maccel_core::settings::{Mode, Settings, SettingsError};
use maccel_core::settings_file::{Layers, ProfileName};
use vespera_api::Result;

use super::seen::{self, Seen, SeenMouse};
use super::trial::{Before, Trial};
use super::{Keeper, error_of};
use crate::journal;

/// Within this time locked values are put back at most [`MOST_PUT_BACK`] times: two programs that
/// undo each other's writes would else keep the processor busy for ever.
const CONTEST: Duration = Duration::from_secs(10);
const MOST_PUT_BACK: usize = 5;

impl Keeper {
    /// The settings that should be in force.
    pub(super) fn wanted(&self) -> std::result::Result<Settings, SettingsError> {
        self.saved().map(|saved| self.as_the_driver_can(saved))
    }

    /// The settings that are saved, whatever the driver can do.
    pub(super) fn saved(&self) -> std::result::Result<Settings, SettingsError> {
        self.saved_in(&self.layers)
    }

    /// The settings that would be saved in these files.
    pub(super) fn saved_in(&self, layers: &Layers) -> std::result::Result<Settings, SettingsError> {
        match self.user_profile.as_ref().and_then(|name| layers.profile(name.as_str())) {
            Some(settings) => settings,
            None => layers.settings(),
        }
    }

    /// The settings that should be in force, or `otherwise` if what is saved contradicts itself.
    pub(super) fn wanted_or(&self, otherwise: &Settings) -> Settings {
        self.wanted().unwrap_or_else(|_| otherwise.clone())
    }

    fn lacks_tables(&self) -> bool {
        self.driver.as_ref().is_some_and(|driver| !driver.has(Feature::Lut))
    }

    /// Settings without a look-up table that their mode does not use, where the driver cannot hold
    /// one: that is no reason to refuse the rest.
    pub(super) fn as_the_driver_can(&self, settings: Settings) -> Settings {
        if !self.lacks_tables() || settings.mode() == Mode::Lut {
            return settings;
        }
        let mut without = settings.clone();
        match without.clear_lut() {
            Ok(()) => without,
            Err(_) => settings,
        }
    }

    /// Settings that were read back, with the saved table that the driver could not hold.
    pub(super) fn with_saved_table(&self, settings: Settings) -> Settings {
        let has_own = settings.lut().is_some_and(|table| !table.is_empty());
        let Ok(saved) = self.saved() else { return settings };
        let (true, false, Some(table)) = (self.lacks_tables(), has_own, saved.lut()) else {
            return settings;
        };
        let mut with = settings.clone();
        match with.set_lut(table) {
            Ok(()) => with,
            Err(_) => settings,
        }
    }

    /// A driver that was not there before: takes over what others wrote while we were away, or
    /// puts the saved settings in force.
    pub(super) fn meet_driver(&mut self) {
        let interrupted = self.store.trial_was_running();
        match self.instance.and_then(|instance| seen::recall(&self.root, instance)) {
            Some(seen) => {
                self.layers.options = seen.options;
                if interrupted {
                    // What is saved may be refused: then this stays in force.
                    self.put_seen(&seen.settings, &seen.mice);
                    journal::trial_ended("the agent was started again");
                } else {
                    self.seen = Some(seen.settings);
                    // What was written meanwhile belongs to what was in force then; who is active
                    // now logind tells later.
                    let now = std::mem::replace(&mut self.user_profile, seen.profile);
                    self.recall_devices(&seen.mice);
                    self.look();
                    self.user_profile = now;
                }
            }
            None => {
                // What the module came with: its defaults, or the administrator's options.
                let options = self.driver.as_ref().map(Driver::settings);
                self.layers.options = options.and_then(std::result::Result::ok).unwrap_or_default();
            }
        }
        self.restore();
    }

    /// Puts in force what was before a trial that was cut short.
    fn put_seen(&mut self, shared: &Settings, mice: &BTreeMap<String, SeenMouse>) {
        self.put_seen_mice(mice);
        if let Err(error) = self.put(shared) {
            journal::not_restored(&error.to_string());
        }
    }

    /// Puts the saved settings in force, unless they are already. A trial goes on: one of the
    /// shared settings keeps them all back, one of a mouse only that mouse's.
    pub(super) fn restore(&mut self) {
        let before = self.trial.as_ref().map(|trial| &trial.before);
        if self.driver.is_some() && !matches!(before, Some(Before::Shared(_))) {
            let outcome = match self.wanted() {
                Ok(wanted) => self.put(&wanted),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = outcome {
                journal::not_restored(&error.to_string());
                self.look();
            }
        }
        self.judge();
    }

    /// Puts settings in force. After an error those before are.
    pub(super) fn put(&mut self, wanted: &Settings) -> std::result::Result<(), DriverError> {
        let driver = self.driver.as_ref().ok_or(DriverError::NotLoaded)?;
        let effective = match driver.settings() {
            Ok(now) if now == *wanted => now,
            _ => driver.write(wanted)?,
        };
        self.see(effective);
        self.restore_devices();
        Ok(())
    }

    /// Notes what the driver holds.
    fn see(&mut self, settings: Settings) {
        self.seen = Some(settings);
        self.unread = None;
        self.remember();
    }

    /// Remembers it for an agent that starts again; of what is on trial, what it goes back to.
    pub(super) fn remember(&self) {
        let (Some(instance), Some(settings)) = (self.instance, self.seen.clone()) else { return };
        let options = self.layers.options.clone();
        let profile = self.user_profile.clone();
        let mice = self.devices.values().map(|mouse| (mouse.input.clone(), mouse.into())).collect();
        let mut seen = Seen { options, settings, profile, mice };
        match self.trial.as_ref().map(|trial| &trial.before) {
            Some(Before::Shared(before)) => seen.settings = before.clone(),
            Some(Before::One { input, own, .. }) => {
                if let Some(mouse) = seen.mice.get_mut(input) {
                    mouse.settings = own.clone();
                }
            }
            None => {}
        }
        if let Err(error) = seen::remember(&self.root, instance, &seen) {
            journal::warning(&format!("cannot note what is in force: {error}"));
        }
    }

    /// From now on this profile of the active user stands in for the shared settings; what is in
    /// force is of it.
    pub(super) fn stands_in(&mut self, profile: Option<ProfileName>) {
        self.user_profile = profile;
        self.remember();
    }

    /// Looks at what the driver holds; somebody may have written it.
    pub(super) fn look(&mut self) {
        let Some(driver) = &self.driver else { return };
        let found = driver.settings();
        if matches!(found, Err(DriverError::NotLoaded)) {
            self.module_changed();
            return;
        }
        // Before the shared settings: what follows from those is put in force on the mice, too.
        let kept = self.look_at_devices(found.as_ref().ok());
        match found {
            Ok(now) => {
                self.unread = None;
                self.note_outside(now);
            }
            Err(error @ DriverError::Invalid(_)) => self.undo_invalid(&error),
            Err(error) => {
                journal::warning(&error.to_string());
                self.unread = Some(error.to_string());
            }
        }
        if kept {
            // Locked values come back.
            self.restore_devices();
        }
        self.judge();
    }

    /// The public driver takes any value, and some stop the kernel: they go at once.
    fn undo_invalid(&mut self, error: &DriverError) {
        journal::warning(&format!("{error}; the settings before come back"));
        let before = match &self.seen {
            Some(seen) => seen.clone(),
            None => self.wanted().unwrap_or_default(),
        };
        if let Err(cause) = self.put(&before) {
            journal::not_restored(&cause.to_string());
            self.unread = Some(format!("{error}; {cause}"));
        }
    }

    /// What others wrote wins and is saved; what is locked comes back.
    fn note_outside(&mut self, now: Settings) {
        let Some(before) = self.seen.clone() else { return self.see(now) };
        if now == before {
            return;
        }
        let mut free = Changes::between(&before, &now);
        let mut locked = Changes::between(&now, &before);
        for parameter in free.parameters() {
            if self.layers.locked().holds(parameter) {
                free.forget(&parameter.name);
            } else {
                locked.forget(&parameter.name);
            }
        }
        if !free.is_empty() {
            journal::outside(&names(&free));
            self.keep_outside(&free, &now);
        }
        if locked.is_empty() {
            self.see(now);
            self.restore_devices();
            return;
        }
        if self.is_contested(Instant::now()) {
            journal::not_restored("another program writes locked values again and again");
            self.see(now);
            return;
        }
        journal::locked(&names(&locked));
        let back = locked.apply(&now).map_err(DriverError::from);
        if let Err(error) = back.and_then(|back| self.put(&back)) {
            journal::not_restored(&error.to_string());
            self.see(now);
        }
    }

    /// Whether locked values were put back so often lately that it leads nowhere; else they are
    /// about to be once more.
    fn is_contested(&mut self, now: Instant) -> bool {
        let contested = self.put_back_lately(now) >= MOST_PUT_BACK;
        if !contested {
            self.put_back.push(now);
        }
        contested
    }

    /// How often locked values were put back lately.
    fn put_back_lately(&mut self, now: Instant) -> usize {
        self.put_back.retain(|before| now.duration_since(*before) < CONTEST);
        self.put_back.len()
    }

    /// Puts the saved settings in force if that failed before: udev hands the files over in its own
    /// time, and tells when it has.
    pub(super) fn retry(&mut self, now: Instant) {
        let failed = self.findings.get(SETTINGS_NOT_IN_FORCE.code).is_some_and(Check::is_failed);
        if failed && self.put_back_lately(now) < MOST_PUT_BACK {
            self.restore();
        }
    }

    /// Saves what others wrote, and only that: the rest may be on trial, or what is saved could not
    /// be put in force.
    fn keep_outside(&mut self, free: &Changes, now: &Settings) {
        let otherwise = match &mut self.trial {
            Some(Trial { before: Before::Shared(before), changes, .. }) => {
                changes.merge(free);
                if let Ok(changed) = free.apply(before) {
                    *before = changed;
                }
                before
            }
            _ => now,
        }
        .clone();
        let kept = self.saved().and_then(|saved| free.apply(&saved)).unwrap_or(otherwise);
        match self.layers_with(&self.with_saved_table(kept)) {
            Ok(layers) => self.keep_layers(layers),
            Err(error) => journal::warning(&error.to_string()),
        }
    }

    /// Saves what others wrote. It is in force, so it holds even if that fails, of which there is a
    /// finding then; the next that is saved saves it, too.
    pub(super) fn keep_layers(&mut self, layers: Layers) {
        if let Err(error) = self.save_layers(layers.clone()) {
            journal::warning(&error.to_string());
            self.layers = layers;
        }
    }

    /// The files with `settings` as those set at run time, for the active user or for all.
    pub(super) fn layers_with(
        &self,
        settings: &Settings,
    ) -> std::result::Result<Layers, SettingsError> {
        let mut layers = self.layers.clone();
        match &self.user_profile {
            // The user's own profile follows what the user does.
            Some(name) => {
                let changes = Changes::between(&Settings::default(), settings);
                layers.state.profiles.insert(name.clone(), changes);
            }
            None => layers.remember(settings)?,
        }
        Ok(layers)
    }

    /// Saves `layers` and makes them ours.
    pub(super) fn save_layers(&mut self, layers: Layers) -> Result<()> {
        // After a failure the disk may hold anything, so also what has not changed is saved.
        if layers != self.layers || self.is_unsaved() {
            let outcome = self.store.save(&layers.state);
            self.note_saved(&outcome);
            if let Err(error) = outcome {
                let words = format!("cannot save the settings: {error}");
                return Err(vespera_api::Error::WriteFailed(words));
            }
            self.layers = layers;
        }
        Ok(())
    }

    /// The settings in force, with what others may just have written.
    pub(super) fn in_force(&mut self) -> Result<Settings> {
        self.look();
        match &self.seen {
            Some(seen) => Ok(seen.clone()),
            None => Err(error_of(DriverError::NotLoaded)),
        }
    }

    /// This user's session is the active one, or the files say another profile for the user.
    pub(super) fn follow_user(&mut self, uid: Option<u32>) {
        self.user = uid;
        let users = self.layers.users();
        let profile = uid.and_then(|uid| users.profile_of(uid)).cloned();
        if profile == self.user_profile {
            return;
        }
        self.end_trial("the active user has another profile");
        self.look();
        self.user_profile = profile;
        self.restore();
    }
}

/// The parameters by their names on the command line.
pub(super) fn names(changes: &Changes) -> String {
    let names: Vec<_> = changes.parameters().into_iter().map(Parameter::cli_name).collect();
    names.join(", ")
}
