// SPDX-License-Identifier: MIT OR Apache-2.0
//! The devices the driver serves: its entries under `/sys/class/maccel`.

use std::io;

use module_check::Root;
use serde::Serialize;

use crate::permissions::CLASS;

/// One mouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mouse {
    /// The name of its entry, `inputN`.
    pub input: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// Vendor and product, `vvvv:pppp`.
    pub id: Option<String>,
    /// Whether its movement is accelerated.
    pub enabled: Option<bool>,
    /// `inherit`, or its own settings.
    pub settings: Option<String>,
}

/// All mice, in the order of their numbers; none with the public driver, which has no entries.
pub fn list(root: &Root) -> io::Result<Vec<Mouse>> {
    let entries = match root.at(CLASS).read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut mice = Vec::new();
    for entry in entries {
        let input = entry?.file_name().to_owned();
        // The char device's own entry lies beside them.
        let Some(number) = input.strip_prefix("input").and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let attribute = |name: &str| root.line(format!("{CLASS}/{input}/{name}"));
        let mouse = Mouse {
            name: attribute("name"),
            id: attribute("id"),
            enabled: attribute("enabled").map(|value| value != "0" && value != "N"),
            settings: attribute("settings"),
            input,
        };
        mice.push((number, mouse));
    }
    mice.sort_by_key(|(number, _)| *number);
    Ok(mice.into_iter().map(|(_, mouse)| mouse).collect())
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn mice_come_in_the_order_of_their_numbers_without_the_char_device() {
        let fixture = FixtureRoot::new();
        assert_eq!(list(fixture.root()).unwrap(), []);
        fixture.file("sys/class/maccel/maccel/dev", b"240:0\n");
        fixture.file("sys/class/maccel/input12/name", b"B\n");
        fixture.file("sys/class/maccel/input5/name", b"A\n");
        fixture.file("sys/class/maccel/input5/id", b"046d:c08b\n");
        fixture.file("sys/class/maccel/input5/enabled", b"0\n");
        fixture.file("sys/class/maccel/input5/settings", b"inherit\n");
        let mice = list(fixture.root()).unwrap();
        assert_eq!(mice.len(), 2);
        assert_eq!(mice[1].name.as_deref(), Some("B"));
        assert_eq!(
            mice[0],
            Mouse {
                input: "input5".to_owned(),
                name: Some("A".to_owned()),
                id: Some("046d:c08b".to_owned()),
                enabled: Some(false),
                settings: Some("inherit".to_owned()),
            }
        );
    }
}
