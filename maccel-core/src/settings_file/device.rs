// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of single mice, found by vendor, product and serial number.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::changes::Changes;

/// Which mice an entry speaks of: `vvvv:pppp`, or `vvvv:pppp:serial` for a single one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceMatch {
    id: String,
    serial: Option<String>,
}

/// A text that matches no mouse.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not vvvv:pppp or vvvv:pppp:serial with lower-case hexadecimal v and p")]
pub struct BadMatch(String);

impl DeviceMatch {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`BadMatch`].
    pub fn parse(text: &str) -> Result<Self, BadMatch> {
        let bad = || BadMatch(text.to_owned());
        let mut parts = text.splitn(3, ':');
        let (Some(vendor), Some(product)) = (parts.next(), parts.next()) else {
            return Err(bad());
        };
        let four_digits = |part: &str| {
            part.len() == 4
                && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let serial = parts.next();
        let serial_is_good =
            serial.is_none_or(|serial| !serial.is_empty() && !serial.chars().any(char::is_control));
        if !(four_digits(vendor) && four_digits(product) && serial_is_good) {
            return Err(bad());
        }
        Ok(DeviceMatch { id: format!("{vendor}:{product}"), serial: serial.map(str::to_owned) })
    }

    /// The narrowest match for a mouse with this id (`vvvv:pppp`) and serial number (may be empty).
    ///
    /// # Errors
    /// [`BadMatch`] for an id of another form.
    pub fn narrowest(id: &str, uniq: &str) -> Result<Self, BadMatch> {
        let whole = DeviceMatch::parse(&format!("{id}:{uniq}"));
        whole.or_else(|_| DeviceMatch::parse(id))
    }

    /// Whether it means the mouse with this id and serial number.
    pub fn means(&self, id: &str, uniq: &str) -> bool {
        self.id == id && self.serial.as_deref().is_none_or(|serial| serial == uniq)
    }

    /// Whether it means a single mouse.
    pub fn has_serial(&self) -> bool {
        self.serial.is_some()
    }
}

impl fmt::Display for DeviceMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.serial.as_ref().map_or(Ok(()), |serial| write!(f, ":{serial}"))
    }
}

impl Serialize for DeviceMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DeviceMatch::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What holds for the mice of one match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// The mice.
    #[serde(rename = "match")]
    pub matches: DeviceMatch,
    /// Whether their movement is accelerated; not said means as the driver decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Their own settings, on top of the shared ones; not said means the shared ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Changes>,
}
