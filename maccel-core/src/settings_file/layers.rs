// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three layers of settings, and what follows from them.

use std::collections::BTreeMap;

use super::{DeviceEntry, DeviceMatch, FileError, Locked, ProfileName, SettingsFile, Users};
use crate::changes::Changes;
use crate::parameter::Parameter;
use crate::settings::{Settings, SettingsError};

/// Where a file comes from; later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What the image ships.
    Image,
    /// What the administrator says.
    Admin,
    /// What was set at run time.
    State,
}

impl Layer {
    /// All layers, the weakest first.
    pub const ALL: [Layer; 3] = [Layer::Image, Layer::Admin, Layer::State];

    /// The folder of its file, from the root.
    pub const fn folder(self) -> &'static str {
        match self {
            Layer::Image => "usr/lib/vespera",
            Layer::Admin => "etc/vespera",
            Layer::State => "var/lib/vespera",
        }
    }

    /// Whether a file may be of this layer.
    ///
    /// # Errors
    /// [`FileError::Locked`] for a lock that is not the administrator's.
    pub fn accepts(self, file: &SettingsFile) -> Result<(), FileError> {
        if self != Layer::Admin && !file.locked.is_empty() {
            Err(FileError::Locked)
        } else {
            Ok(())
        }
    }
}

/// The three files, and what is below them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    /// What the module came with: its defaults, or the options of modprobe.d.
    pub options: Settings,
    /// What the image ships.
    pub image: SettingsFile,
    /// What the administrator says.
    pub admin: SettingsFile,
    /// What was set at run time.
    pub state: SettingsFile,
}

impl Layers {
    fn files(&self) -> [&SettingsFile; 3] {
        [&self.image, &self.admin, &self.state]
    }

    /// The parameters that nobody may change at run time.
    pub fn locked(&self) -> &Locked {
        &self.admin.locked
    }

    /// The settings without what was set at run time: those that `Reset` goes back to.
    ///
    /// # Errors
    /// [`SettingsError::LutMissing`] for mode `lut` without a table.
    pub fn base(&self) -> Result<Settings, SettingsError> {
        let mut changes = self.image.settings.clone();
        changes.merge(&self.admin.settings);
        changes.apply(&self.options)
    }

    /// The settings that should be in force.
    ///
    /// # Errors
    /// As [`Layers::base`].
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        self.unlocked(&self.state.settings).apply(&self.base()?)
    }

    /// Notes `settings` as those set at run time. Values that the layers below give anyway are not
    /// noted, so that they follow when the administrator changes them.
    ///
    /// # Errors
    /// As [`Layers::base`].
    pub fn remember(&mut self, settings: &Settings) -> Result<(), SettingsError> {
        self.state.settings = self.unlocked(&Changes::between(&self.base()?, settings));
        Ok(())
    }

    /// The first locked parameter that turning `from` into `to` would change.
    pub fn lock_broken_by(&self, from: &Settings, to: &Settings) -> Option<&'static Parameter> {
        let changed = Changes::between(from, to).parameters();
        changed.into_iter().find(|parameter| self.locked().holds(parameter))
    }

    /// All profiles; of two with one name that of the later layer.
    pub fn profiles(&self) -> BTreeMap<&ProfileName, &Changes> {
        self.files().into_iter().flat_map(|file| &file.profiles).collect()
    }

    /// The settings of a profile; locked parameters have their locked value in each.
    ///
    /// # Errors
    /// As [`Layers::base`].
    pub fn profile(&self, name: &str) -> Option<Result<Settings, SettingsError>> {
        let profiles = self.profiles();
        let (_, changes) = profiles.into_iter().find(|(own, _)| own.as_str() == name)?;
        Some(self.with_locks(changes.apply(&Settings::default())))
    }

    /// `settings` with the locked values in place.
    fn with_locks(
        &self,
        settings: Result<Settings, SettingsError>,
    ) -> Result<Settings, SettingsError> {
        let settings = settings?;
        let mut back = Changes::between(&settings, &self.base()?);
        for parameter in back.parameters() {
            if !self.locked().holds(parameter) {
                back.forget(&parameter.name);
            }
        }
        back.apply(&settings)
    }

    /// The profile of each user.
    pub fn users(&self) -> Users {
        let mut users = Users::default();
        for file in self.files() {
            users.merge(&file.users);
        }
        users
    }

    /// Notes a profile as that of a user; not where the layers below say the same anyway.
    pub fn give_profile(&mut self, uid: u32, profile: &ProfileName) {
        self.state.users.clear(uid);
        if self.users().profile_of(uid) != Some(profile) {
            self.state.users.set(uid, profile.clone());
        }
    }

    /// Deletes a profile that was saved at run time, and says whether there was one. If none of
    /// that name is left, the users who got it at run time have what the layers below say again.
    pub fn delete_profile(&mut self, name: &str) -> bool {
        let Ok(name) = ProfileName::new(name) else { return false };
        let was_there = self.state.profiles.remove(&name).is_some();
        if was_there && !self.profiles().contains_key(&name) {
            self.state.users.forget(&name);
        }
        was_there
    }

    /// What the files say of a mouse with this id and serial number: whether it is accelerated, and
    /// what is different on it. An entry with a serial number wins over one without, and a later
    /// layer over an earlier one.
    pub fn device_changes(&self, id: &str, uniq: &str) -> (Option<bool>, Option<&Changes>) {
        let mut enabled = None;
        let mut own = None;
        for narrow in [false, true] {
            for entry in self.files().into_iter().flat_map(|file| &file.devices) {
                if entry.matches.has_serial() == narrow && entry.matches.means(id, uniq) {
                    enabled = entry.enabled.or(enabled);
                    own = entry.settings.as_ref().or(own);
                }
            }
        }
        (enabled, own)
    }

    /// What follows from [`Layers::device_changes`] on top of `shared` settings. A mouse on which
    /// nothing is different has no settings of its own.
    ///
    /// # Errors
    /// As [`Layers::base`].
    pub fn device(
        &self,
        id: &str,
        uniq: &str,
        shared: &Settings,
    ) -> Result<(Option<bool>, Option<Settings>), SettingsError> {
        let (enabled, own) = self.device_changes(id, uniq);
        let own = own.filter(|changes| !changes.is_empty());
        let own = own.map(|changes| self.with_locks(changes.apply(shared))).transpose()?;
        Ok((enabled, own))
    }

    /// The run-time entry for a mouse, made if there is none yet.
    pub fn device_entry(&mut self, matches: &DeviceMatch) -> &mut DeviceEntry {
        let devices = &mut self.state.devices;
        let index =
            devices.iter().position(|entry| entry.matches == *matches).unwrap_or_else(|| {
                devices.push(DeviceEntry {
                    matches: matches.clone(),
                    enabled: None,
                    settings: None,
                });
                devices.len() - 1
            });
        &mut devices[index]
    }

    fn unlocked(&self, changes: &Changes) -> Changes {
        let mut changes = changes.clone();
        for parameter in self.locked().parameters() {
            changes.forget(&parameter.name);
        }
        changes
    }
}
