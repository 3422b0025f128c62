// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked for over the bus. Each request is done whole or not at all.

use std::time::Instant;

use maccel_core::changes::Changes;
use maccel_core::settings::Settings;
use maccel_core::settings_file::{Layers, ProfileName};
use vespera_api::{Error, Result};

use super::trial::Before;
use super::{Keeper, error_of};
use crate::journal;
use crate::message::{Reply, Request};

/// The most profiles that are saved: whoever may save one may not fill the disk.
const MOST_PROFILES: usize = 100;

impl Keeper {
    /// Does what is asked for.
    pub(crate) fn request(&mut self, request: Request, now: Instant) -> Result<Reply> {
        let outcome = self.handle(request, now);
        self.publish();
        let serial = self.snapshot.serial;
        outcome.map(|trial| Reply { serial, trial })
    }

    fn handle(&mut self, request: Request, now: Instant) -> Result<u32> {
        match request {
            Request::Set(changes) => self.set(&changes)?,
            Request::Reset => self.reset()?,
            Request::Trial { changes, seconds } => return self.try_out(changes, seconds),
            Request::TrialOn { input, changes, seconds } => {
                return self.try_out_on(&input, changes, seconds);
            }
            Request::ConfirmTrial(id) => self.confirm_trial(id)?,
            Request::CancelTrial(id) => self.cancel_trial(id)?,
            Request::SaveProfile(name) => self.save_profile(&name)?,
            Request::ApplyProfile(name) => self.apply_profile(&name)?,
            Request::DeleteProfile(name) => self.delete_profile(&name)?,
            Request::SetEnabled { input, enabled } => self.set_enabled(&input, enabled)?,
            Request::SetDevice { input, changes } => self.set_device(&input, &changes)?,
            Request::Inherit { input } => self.inherit(&input)?,
            Request::Recheck => self.recheck(now)?,
        }
        Ok(0)
    }

    fn set(&mut self, changes: &Changes) -> Result<()> {
        self.refuse_in_trial()?;
        let before = self.in_force()?;
        // What is saved may not be in force, and is not given up for that.
        let wanted = self.allowed(&self.wanted_or(&before), changes)?;
        let kept = self.with_saved_table(wanted.clone());
        let layers = self.layers_with(&kept)?;
        self.put_and_save(&before, &wanted, layers)?;
        self.judge();
        Ok(())
    }

    fn try_out(&mut self, changes: Changes, seconds: u32) -> Result<u32> {
        self.refuse_in_trial()?;
        let before = self.in_force()?;
        let wanted = self.allowed(&before, &changes)?;
        self.begin_trial(Before::Shared(before), changes, &wanted, seconds)
    }

    fn try_out_on(&mut self, input: &str, changes: Changes, seconds: u32) -> Result<u32> {
        self.refuse_in_trial()?;
        let (before, wanted) = self.own_with(input, &changes)?;
        self.begin_trial(before, changes, &wanted, seconds)
    }

    /// `before` with `changes`, unless a lock forbids one.
    pub(super) fn allowed(&self, before: &Settings, changes: &Changes) -> Result<Settings> {
        let wanted = changes.apply(before)?;
        match self.layers.lock_broken_by(before, &wanted) {
            Some(parameter) => Err(Error::Locked(format!(
                "{} is locked by the administrator in /etc/vespera/maccel.toml",
                parameter.bus_name()
            ))),
            None => Ok(wanted),
        }
    }

    /// Puts `wanted` in force and saves `layers`, both or neither.
    pub(super) fn put_and_save(
        &mut self,
        before: &Settings,
        wanted: &Settings,
        layers: Layers,
    ) -> Result<()> {
        self.put(wanted).map_err(error_of)?;
        let outcome = self.save_layers(layers);
        if outcome.is_err()
            && let Err(error) = self.put(before)
        {
            journal::not_restored(&error.to_string());
            self.judge();
        }
        outcome
    }

    fn reset(&mut self) -> Result<()> {
        self.refuse_in_trial()?;
        let before = self.in_force()?;
        let base = self.layers.base()?;
        let wanted = self.as_the_driver_can(base.clone());
        let layers = self.layers_with(&base)?;
        self.put_and_save(&before, &wanted, layers)?;
        self.judge();
        Ok(())
    }

    fn save_profile(&mut self, name: &str) -> Result<()> {
        self.refuse_in_trial()?;
        let name = named(name)?;
        let settings = self.in_force()?;
        let mut layers = self.layers.clone();
        let changes = Changes::between(&Settings::default(), &settings);
        layers.state.profiles.insert(name.clone(), changes);
        if layers.state.profiles.len() > MOST_PROFILES {
            return Err(Error::InvalidValue(format!(
                "there are {MOST_PROFILES} profiles already; delete one first"
            )));
        }
        self.save_layers(layers)?;
        self.applied_profile = Some(name);
        Ok(())
    }

    fn apply_profile(&mut self, name: &str) -> Result<()> {
        self.refuse_in_trial()?;
        let missing = || no_profile(name);
        self.layers.profile(name).ok_or_else(missing)??;
        let before = self.in_force()?;
        let profile = self.layers.profile(name).ok_or_else(missing)??;
        let name = named(name)?;
        let wanted = self.as_the_driver_can(profile.clone());
        match self.user.filter(|_| self.user_profile.is_some()) {
            Some(uid) => self.put_as_profile_of(uid, &name, &before, &wanted)?,
            None => self.put_and_save(&before, &wanted, self.layers_with(&profile)?)?,
        }
        self.applied_profile = Some(name);
        self.judge();
        Ok(())
    }

    /// Makes a profile that of a user. The one the user had keeps what the user saved in it.
    fn put_as_profile_of(
        &mut self,
        uid: u32,
        name: &ProfileName,
        before: &Settings,
        wanted: &Settings,
    ) -> Result<()> {
        let mut layers = self.layers.clone();
        layers.give_profile(uid, name);
        self.put_and_save(before, wanted, layers)?;
        self.stands_in(Some(name.clone()));
        Ok(())
    }

    fn delete_profile(&mut self, name: &str) -> Result<()> {
        let is_known = self.layers.profile(name).is_some();
        // What others have just written belongs to what was in force until now.
        self.look();
        let mut layers = self.layers.clone();
        if !layers.delete_profile(name) {
            return Err(match is_known {
                true => Error::Locked(format!(
                    "the profile '{name}' is the image's or the administrator's, it stays"
                )),
                false => no_profile(name),
            });
        }
        self.save_layers(layers)?;
        // It may have been the active user's.
        self.follow_user(self.user);
        self.restore();
        Ok(())
    }

    fn set_enabled(&mut self, input: &str, enabled: bool) -> Result<()> {
        self.change_device(input, |_, entry| entry.enabled = Some(enabled))
    }

    fn set_device(&mut self, input: &str, changes: &Changes) -> Result<()> {
        self.refuse_on_trial(input)?;
        let shared = self.in_force()?;
        let locked = |layers: &Layers| {
            let wanted = changes.apply(&shared)?;
            Ok::<_, Error>(layers.lock_broken_by(&shared, &wanted))
        };
        if let Some(parameter) = locked(&self.layers)? {
            let name = parameter.bus_name();
            return Err(Error::Locked(format!("{name} is locked by the administrator")));
        }
        self.change_device(input, |own, entry| {
            let mut merged = own.cloned().unwrap_or_default();
            merged.merge(changes);
            entry.settings = Some(merged);
        })
    }

    fn inherit(&mut self, input: &str) -> Result<()> {
        self.refuse_on_trial(input)?;
        // Empty rather than none: a layer below may have settings for this mouse.
        self.change_device(input, |_, entry| entry.settings = Some(Changes::default()))
    }
}

fn named(name: &str) -> Result<ProfileName> {
    ProfileName::new(name).map_err(|error| Error::InvalidValue(error.to_string()))
}

fn no_profile(name: &str) -> Error {
    Error::NoSuchProfile(format!("there is no profile '{name}'"))
}
