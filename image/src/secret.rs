// SPDX-License-Identifier: MIT OR Apache-2.0
//! A key as a workflow hands it over: in a file, or in a variable that is empty where nobody has
//! set the secret.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

const VARIABLE: &str = "env://";

/// The word that was given, unless it names a variable that is not set or empty.
pub(crate) fn given(key: Option<String>) -> Option<String> {
    key.filter(|key| match key.strip_prefix(VARIABLE) {
        Some(variable) => std::env::var_os(variable).is_some_and(|value| !value.is_empty()),
        None => !key.is_empty(),
    })
}

/// A key as a file. One out of a variable is gone again with this value.
#[derive(Debug)]
pub(crate) struct File {
    path: Utf8PathBuf,
    _temporary: Option<tempfile::NamedTempFile>,
}

impl File {
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Writes what a variable holds to a file that only this user can read.
    pub(crate) fn of(key: &str) -> Result<Self> {
        let Some(variable) = key.strip_prefix(VARIABLE) else {
            return Ok(Self { path: key.into(), _temporary: None });
        };
        let value = std::env::var(variable).with_context(|| format!("no variable {variable}"))?;
        let mut file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        file.write_all(value.as_bytes()).context("cannot write a temporary file")?;
        let path = Utf8Path::from_path(file.path()).context("its name is not UTF-8")?.to_owned();
        Ok(Self { path, _temporary: Some(file) })
    }
}
