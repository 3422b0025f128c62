// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entries that the driver makes for the devices it has taken.

use std::fs;
use std::io;

use anyhow::{Context, Result};

/// Sets the `enabled` attribute of a device's entry, if asked for, and says what it then is;
/// nothing if the device has no entry.
pub(crate) fn enable(input: &str, wanted: Option<bool>) -> Result<Option<bool>> {
    let path = format!("/sys/class/maccel/{input}/enabled");
    if let Some(wanted) = wanted {
        fs::write(&path, if wanted { "1" } else { "0" })
            .with_context(|| format!("writing {path}"))?;
    }
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim() == "1")),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {path}")),
    }
}

/// There is no such entry, or it went between opening and reading.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV))
}

/// Prints the names in a folder, in order.
pub(crate) fn list(folder: &str) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.to_owned())? {
        names.push(entry.with_context(|| folder.to_owned())?.file_name());
    }
    names.sort();
    for name in names {
        println!("{}", name.to_string_lossy());
    }
    Ok(())
}
