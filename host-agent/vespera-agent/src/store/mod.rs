// SPDX-License-Identifier: MIT OR Apache-2.0
//! What outlives the agent, in `/var/lib/vespera`. Whenever the power goes, the settings found
//! afterwards are the old or the new ones.
//!
//! - `maccel.toml`: what was set at run time; `maccel.toml.good`: the same, should it get damaged
//! - `trial.json`: there is a trial, so what the driver holds is not to be kept
//! - `history.json`: the boots
//! - `imported`: the public tools' values have been taken over
//! - [`disk`]: the file operations

pub(crate) mod disk;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use health::Root;
use maccel_core::settings_file::{self, FILE_NAME, Layer, SettingsFile};

use self::disk::{Disk, HostDisk};

const TRIAL: &str = "trial.json";
const HISTORY: &str = "history.json";
const IMPORTED: &str = "imported";

/// The folder.
pub(crate) struct Store {
    folder: Utf8PathBuf,
    disk: Box<dyn Disk>,
}

/// What was set at run time, as found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The file, or the last good copy of it, or nothing.
    pub(crate) file: SettingsFile,
    /// Why it is not the file itself, and where that is now.
    pub(crate) damage: Option<String>,
}

/// How much was saved.
#[derive(Debug)]
pub(crate) enum Saved {
    /// The file and its good copy.
    Whole,
    /// The file, which is what counts; the good copy is still an earlier one.
    WithoutCopy(io::Error),
}

impl Store {
    /// The folder of `root`.
    pub(crate) fn new(root: &Root) -> Self {
        Self::with_disk(root.at(Layer::State.folder()), Box::new(HostDisk))
    }

    /// A folder on any disk.
    pub(crate) fn with_disk(folder: Utf8PathBuf, disk: Box<dyn Disk>) -> Self {
        Self { folder, disk }
    }

    /// Reads what was set at run time. A file that cannot be understood is set aside, so that
    /// nothing of it is lost, and the last good copy takes its place.
    pub(crate) fn load(&mut self) -> Found {
        let path = self.path(FILE_NAME);
        let why = match self.read(&path) {
            Ok(Some(file)) => return Found { file, damage: None },
            // Nothing was set yet, or somebody took it away on purpose.
            Ok(None) => return Found::default(),
            Err(why) => why,
        };
        let good = self.read(&self.path(&good())).ok().flatten();
        let kept = match self.set_aside(&path, good.as_ref()) {
            Ok(aside) => format!("it is kept as {aside}"),
            Err(error) => format!("and it cannot be set aside: {error}"),
        };
        let instead = match good {
            Some(_) => "the last good copy applies",
            None => "there is no good copy, so nothing of it applies",
        };
        let damage = Some(format!("{path}: {why}; {kept}; {instead}"));
        Found { file: good.unwrap_or_default(), damage }
    }

    /// Gives a damaged file another name and puts the good one in its place. In this order, a
    /// power cut leaves the damaged file or the good one.
    fn set_aside(
        &mut self,
        path: &Utf8Path,
        good: Option<&SettingsFile>,
    ) -> io::Result<Utf8PathBuf> {
        let aside = self.path(&format!("{FILE_NAME}.damaged"));
        match (good, self.disk.read(path)) {
            (Some(good), Ok(Some(bytes))) => {
                disk::replace(&mut *self.disk, &aside, &bytes)?;
                self.save(good)?;
            }
            (good, _) => {
                self.disk.rename(path, &aside)?;
                if let Some(good) = good {
                    self.save(good)?;
                }
            }
        }
        Ok(aside)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<SettingsFile>, String> {
        let Some(bytes) = self.disk.read(path).map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        let file = settings_file::parse(&text).map_err(|error| error.to_string())?;
        Layer::State.accepts(&file).map_err(|error| error.to_string())?;
        Ok(Some(file))
    }

    /// Saves what was set at run time. After an error the file is as it was, unless the medium
    /// refused the very last step: the sync of the new name.
    pub(crate) fn save(&mut self, file: &SettingsFile) -> io::Result<Saved> {
        let text = settings_file::format(file).map_err(io::Error::other)?;
        self.replace(FILE_NAME, text.as_bytes())?;
        // The file is what the next boot reads: from here on nothing may be called refused.
        Ok(match self.replace(&good(), text.as_bytes()) {
            Ok(()) => Saved::Whole,
            Err(error) => Saved::WithoutCopy(error),
        })
    }

    /// Notes that a trial is about to begin.
    pub(crate) fn begin_trial(&mut self, id: u32) -> io::Result<()> {
        let text = format!("{{\"format\": 1, \"trial\": {id}}}\n");
        self.replace(TRIAL, text.as_bytes())
    }

    /// Notes that no trial runs.
    pub(crate) fn end_trial(&mut self) -> io::Result<()> {
        self.disk.remove(&self.path(TRIAL))?;
        self.disk.sync_folder(&self.folder)
    }

    /// Whether a trial was cut short. A note that cannot be read is one all the same.
    pub(crate) fn trial_was_running(&self) -> bool {
        !matches!(self.disk.read(&self.path(TRIAL)), Ok(None))
    }

    /// Whether the public tools' values have been taken over.
    pub(crate) fn has_imported(&self) -> bool {
        !matches!(self.disk.read(&self.path(IMPORTED)), Ok(None))
    }

    /// Notes that they have, with what there was to say about it.
    pub(crate) fn note_import(&mut self, words: &str) -> io::Result<()> {
        self.replace(IMPORTED, words.as_bytes())
    }

    /// The text of the history of boots; empty without one.
    pub(crate) fn history(&self) -> io::Result<Vec<u8>> {
        Ok(self.disk.read(&self.path(HISTORY))?.unwrap_or_default())
    }

    /// Saves the history of boots.
    pub(crate) fn save_history(&mut self, text: &[u8]) -> io::Result<()> {
        self.replace(HISTORY, text)
    }

    fn replace(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        disk::replace(&mut *self.disk, &path, bytes)
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.folder.join(name)
    }
}

fn good() -> String {
    format!("{FILE_NAME}.good")
}

#[cfg(test)]
mod power_cuts;
#[cfg(test)]
mod tests;
