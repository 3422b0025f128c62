// SPDX-License-Identifier: MIT OR Apache-2.0
//! The name of a profile.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The most bytes in a name.
const LONGEST: usize = 64;

/// The name of a profile: one to 64 bytes, no control characters, no space at the ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ProfileName(String);

/// A text that cannot name a profile.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "'{}' cannot name a profile: 1 to {LONGEST} bytes without control characters and without \
     spaces at the ends are right", .0.escape_debug()
)]
pub struct BadProfileName(String);

impl ProfileName {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`BadProfileName`].
    pub fn new(text: &str) -> Result<Self, BadProfileName> {
        let good = (1..=LONGEST).contains(&text.len())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        if good { Ok(ProfileName(text.to_owned())) } else { Err(BadProfileName(text.to_owned())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ProfileName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ProfileName::new(&text).map_err(serde::de::Error::custom)
    }
}
