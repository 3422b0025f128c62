// SPDX-License-Identifier: MIT OR Apache-2.0
//! The name of a profile.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The most characters in a name.
const LONGEST: usize = 64;

/// The name of a profile: 1 to 64 ASCII letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ProfileName(String);

/// A text that cannot name a profile.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "'{}' cannot name a profile: 1 to {LONGEST} letters a to z, digits, '-' and '_' are right",
    .0.escape_debug()
)]
pub struct BadProfileName(String);

impl ProfileName {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`BadProfileName`].
    pub fn new(text: &str) -> Result<Self, BadProfileName> {
        let good = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
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
