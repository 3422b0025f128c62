// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel.toml`: settings, profiles, devices and users on disk. Text only; who reads and writes
//! the files is the agent.
//!
//! Three files of the same form are layers: what the image ships, what the administrator says,
//! what was set at run time. A later layer wins value by value ([`layers`]). Values are in natural
//! units under the names of the command line.
//!
//! ```
//! let file = maccel_core::settings_file::parse(r#"
//!     version = 1
//!     [settings]
//!     mode = "natural"
//!     sens-mult = 1.25
//!     [profiles.slow]
//!     sens-mult = 0.5
//!     [[device]]
//!     match = "046d:c088"
//!     enabled = false
//! "#)?;
//! assert_eq!(file.settings.number("SENS_MULT"), Some(1.25));
//! # Ok::<(), maccel_core::settings_file::FileError>(())
//! ```

pub mod device;
pub mod layers;
pub mod profile;

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

pub use device::{DeviceEntry, DeviceMatch};
pub use layers::{Layer, Layers};
pub use profile::ProfileName;

use crate::changes::Changes;
use crate::parameter::{self, Parameter};

/// The version of the format that is written.
pub const VERSION: u32 = 1;

/// The name of the file in each layer's folder.
pub const FILE_NAME: &str = "maccel.toml";

/// Turns the table of one version into that of the next.
type Migration = fn(&mut toml::Table);

/// One step for each version that has been superseded.
const MIGRATIONS: [Migration; VERSION as usize - 1] = [];

/// One `maccel.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// [`VERSION`].
    version: Version,
    /// The parameters that nobody may change at run time; the administrator's file only.
    #[serde(default, skip_serializing_if = "Locked::is_empty")]
    pub locked: Locked,
    /// The shared settings, as far as this layer has a say.
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub settings: Changes,
    /// Named settings; parameters that a profile does not name have their default in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<ProfileName, Changes>,
    /// Settings of single mice.
    #[serde(default, rename = "device", skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceEntry>,
    /// The profile of a user, by user id; applied while the user's session is the active one.
    #[serde(default, skip_serializing_if = "Users::is_empty")]
    pub users: Users,
}

/// Why a text is not a `maccel.toml`.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum FileError {
    /// Not TOML, an unknown key or a wrong value; the message shows line and column.
    #[error("{}", .0.to_string().trim_end())]
    Toml(#[from] toml::de::Error),
    /// A version that this program does not know.
    #[error("its version is {0}, known are 1 to {VERSION}: it was written by a newer Vespera")]
    Newer(i64),
    /// It cannot be written as TOML.
    #[error("cannot be written: {0}")]
    Write(#[from] toml::ser::Error),
    /// A key that has no place in this layer.
    #[error("'locked' belongs in the administrator's file, not here")]
    Locked,
}

/// Reads the text of a file, of any version up to [`VERSION`].
///
/// # Errors
/// [`FileError`].
pub fn parse(text: &str) -> Result<SettingsFile, FileError> {
    let mut table: toml::Table = toml::from_str(text)?;
    let version = match table.get("version").and_then(toml::Value::as_integer) {
        Some(version) if version > i64::from(VERSION) => return Err(FileError::Newer(version)),
        // A missing or senseless version is left to the strict reader, which says where.
        version => version.and_then(|version| u32::try_from(version).ok()).unwrap_or(VERSION),
    };
    if version == VERSION || version == 0 {
        return Ok(toml::from_str(text)?);
    }
    for step in &MIGRATIONS[version as usize - 1..] {
        step(&mut table);
    }
    Ok(table.try_into()?)
}

/// Writes a file; [`parse`] gives the same again.
///
/// # Errors
/// [`FileError::Write`].
pub fn format(file: &SettingsFile) -> Result<String, FileError> {
    Ok(toml::to_string(file)?)
}

/// The version of a file that is read as the newest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Version),
            other => Err(D::Error::custom(format!("there is no version {other}"))),
        }
    }
}

/// Parameters that nobody may change at run time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked(Vec<&'static str>);

impl Locked {
    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The locked parameters in table order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        parameter::all().iter().filter(|p| self.holds(p))
    }

    /// Whether a parameter is locked.
    pub fn holds(&self, parameter: &Parameter) -> bool {
        self.0.contains(&parameter.name.as_str())
    }

    /// Locks a parameter.
    pub fn add(&mut self, parameter: &'static Parameter) {
        if !self.holds(parameter) {
            self.0.push(&parameter.name);
        }
    }
}

impl Serialize for Locked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.parameters().map(Parameter::cli_name))
    }
}

impl<'de> Deserialize<'de> for Locked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut locked = Locked::default();
        for LockedName(parameter) in Vec::<LockedName>::deserialize(deserializer)? {
            locked.add(parameter);
        }
        Ok(locked)
    }
}

/// One entry of `locked`; its errors point at it.
struct LockedName(&'static Parameter);

impl<'de> Deserialize<'de> for LockedName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = parameter::all().iter().find(|p| p.cli_name() == name);
        found
            .map(LockedName)
            .ok_or_else(|| D::Error::custom(format!("there is no parameter '{name}'")))
    }
}

/// The profile of each user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<u32, ProfileName>);

impl Users {
    /// Whether no user has a profile.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The profile of a user.
    pub fn profile_of(&self, uid: u32) -> Option<&ProfileName> {
        self.0.get(&uid)
    }

    /// Gives a user a profile.
    pub fn set(&mut self, uid: u32, profile: ProfileName) {
        self.0.insert(uid, profile);
    }

    /// Takes a user's profile away.
    fn clear(&mut self, uid: u32) {
        self.0.remove(&uid);
    }

    /// Takes a profile away from all users.
    fn forget(&mut self, profile: &ProfileName) {
        self.0.retain(|_, own| own != profile);
    }

    /// Adds `later` users, which win.
    fn merge(&mut self, later: &Users) {
        self.0.extend(later.0.iter().map(|(uid, profile)| (*uid, profile.clone())));
    }
}

impl Serialize for Users {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(uid, name)| (uid.to_string(), name)))
    }
}

impl<'de> Deserialize<'de> for Users {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = BTreeMap::<Uid, ProfileName>::deserialize(deserializer)?;
        Ok(Users(table.into_iter().map(|(Uid(uid), name)| (uid, name)).collect()))
    }
}

/// A user id as a key; its errors point at it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Uid(u32);

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // u32::MAX is "no user" to the kernel.
        match text.parse() {
            Ok(uid) if uid != u32::MAX && format!("{uid}") == text => Ok(Uid(uid)),
            _ => Err(D::Error::custom(format!("'{text}' is not a user id, for example 1000"))),
        }
    }
}

#[cfg(test)]
mod tests;
