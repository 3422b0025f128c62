// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the driver was last seen to hold, in `/run`: tells an agent that starts again what others
//! wrote while it was away from what a fresh module came with. During a trial it holds what the
//! trial goes back to.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use ::health::{Root, host};
use maccel_core::changes::Changes;
use maccel_core::driver::{Device, MODULE};
use maccel_core::settings::Settings;
use maccel_core::settings_file::ProfileName;
use serde::{Deserialize, Serialize};

/// The file.
const PATH: &str = "run/vespera-agent/seen.json";
const FORMAT: u32 = 1;

/// What is remembered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: u32,
    boot_id: String,
    instance: u64,
    options: Changes,
    settings: Changes,
    /// Absent in what agents before this field wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    /// As the profile.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    mice: BTreeMap<String, MouseRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MouseRecord {
    enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<Changes>,
}

/// Settings that the driver held.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// With which options the module came.
    pub(super) options: Settings,
    /// What was in force, and not on trial.
    pub(super) settings: Settings,
    /// The profile of the active user, if that was in force.
    pub(super) profile: Option<ProfileName>,
    /// The mice by their entries. The kernel gives no entry a second time in a boot.
    pub(super) mice: BTreeMap<String, SeenMouse>,
}

/// What the driver held for one mouse.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SeenMouse {
    /// Whether it was accelerated.
    pub(super) enabled: bool,
    /// Its own settings, but not those on trial.
    pub(super) settings: Option<Settings>,
}

/// Tells one loading of the module from the next: sysfs never gives a folder the same number again.
pub(super) fn instance(root: &Root) -> Option<u64> {
    std::fs::metadata(root.at(MODULE)).ok().map(|folder| folder.ino())
}

/// What this loading of the module was last seen to hold.
pub(super) fn recall(root: &Root, instance: u64) -> Option<Seen> {
    let record: Record = serde_json::from_str(&root.read(PATH).ok()?).ok()?;
    let same = record.format == FORMAT
        && record.instance == instance
        && host::boot_id(root).is_some_and(|boot| boot == record.boot_id);
    let settings = |changes: &Changes| changes.apply(&Settings::default()).ok();
    let mouse = |record: &MouseRecord| {
        let own = record.settings.as_ref().map(|own| settings(own).ok_or(())).transpose().ok()?;
        Some(SeenMouse { enabled: record.enabled, settings: own })
    };
    let mice = record.mice.iter();
    same.then_some(Seen {
        mice: mice.filter_map(|(input, record)| Some((input.clone(), mouse(record)?))).collect(),
        options: settings(&record.options)?,
        settings: settings(&record.settings)?,
        profile: record.profile.and_then(|name| ProfileName::new(&name).ok()),
    })
}

/// Remembers it. /run does not outlive a power cut, so a rename is enough.
pub(super) fn remember(root: &Root, instance: u64, seen: &Seen) -> std::io::Result<()> {
    let record = Record {
        format: FORMAT,
        boot_id: host::boot_id(root).unwrap_or_default(),
        instance,
        options: Changes::all(&seen.options),
        settings: Changes::all(&seen.settings),
        profile: seen.profile.as_ref().map(|name| name.as_str().to_owned()),
        mice: seen.mice.iter().map(|(input, mouse)| (input.clone(), mouse.into())).collect(),
    };
    let path = root.at(PATH);
    let new = root.at(format!("{PATH}.new"));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&new, serde_json::to_vec(&record)?)?;
    std::fs::rename(&new, &path)
}

impl From<&SeenMouse> for MouseRecord {
    fn from(mouse: &SeenMouse) -> Self {
        Self { enabled: mouse.enabled, settings: mouse.settings.as_ref().map(Changes::all) }
    }
}

impl From<&Device> for SeenMouse {
    fn from(mouse: &Device) -> Self {
        Self { enabled: mouse.enabled, settings: mouse.settings.clone() }
    }
}
