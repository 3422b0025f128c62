// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes over, once, what the public command line saved as scripts. They are read, never run.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;
use maccel_core::changes::Changes;
use maccel_core::reset_script::{self, FOLDER, LONGEST};
use nix::fcntl::OFlag;

use super::Keeper;
use crate::journal;

impl Keeper {
    /// Takes the values over, unless that was done or something was set already.
    pub(super) fn import(&mut self) {
        let folder = self.root.at(FOLDER);
        if self.store.has_imported() || !folder.is_dir() {
            return;
        }
        let (changes, refused) = read(&folder);
        let mut layers = self.layers.clone();
        if layers.state.settings.is_empty() {
            layers.state.settings = changes.clone();
        }
        self.note_import(&refused);
        let words = format!("{}\n{}\n", super::force::names(&changes), refused.join("\n"));
        let outcome = self
            .save_layers(layers)
            .map_err(|error| error.to_string())
            .and_then(|()| self.store.note_import(&words).map_err(|error| error.to_string()));
        match outcome {
            Ok(()) => journal::imported(&super::force::names(&changes)),
            Err(error) => journal::warning(&error),
        }
    }
}

/// The values of all scripts in a folder, and the reasons why some are not taken.
fn read(folder: &Utf8Path) -> (Changes, Vec<String>) {
    let mut changes = Changes::default();
    let mut refused = Vec::new();
    let mut names: Vec<String> = match folder.read_dir_utf8() {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name().to_owned()).collect(),
        Err(error) => {
            refused.push(format!("{folder}: {error}"));
            Vec::new()
        }
    };
    names.sort();
    // Anything else that lies there is none of our business.
    for name in names.iter().filter(|name| reset_script::parameter_of(name).is_some()) {
        let outcome =
            script(&folder.join(name)).map_err(|error| error.to_string()).and_then(|text| {
                reset_script::read_into(&mut changes, name, &text)
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = outcome {
            refused.push(format!("{name}: {error}"));
        }
    }
    (changes, refused)
}

/// The text of a script. A group may write the folder, so nothing but a small plain file is read.
fn script(path: &Utf8Path) -> io::Result<String> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let mut text = String::new();
    file.take(LONGEST as u64 + 1).read_to_string(&mut text)?;
    if text.len() > LONGEST {
        return Err(io::Error::other(format!("longer than {LONGEST} bytes")));
    }
    Ok(text)
}
