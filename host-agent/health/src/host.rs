// SPDX-License-Identifier: MIT OR Apache-2.0
//! Facts that are shown but not judged: kernel, boot, image.

use module_check::Root;
use serde::Serialize;
use serde_json::Value;

/// The release of the running kernel.
pub fn kernel(root: &Root) -> Option<String> {
    root.line("proc/sys/kernel/osrelease")
}

/// The identity of this boot.
pub fn boot_id(root: &Root) -> Option<String> {
    root.line("proc/sys/kernel/random/boot_id")
}

/// What this system calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ImageFacts {
    /// The name of the image or, without one, of the operating system.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The kernel the image was built with.
    pub kernel: Option<String>,
    /// Whether `/usr/share/vespera/image.json` is there.
    pub vespera: bool,
}

impl ImageFacts {
    /// Reads `/usr/share/vespera/image.json`, completed from os-release.
    pub fn read(root: &Root) -> Self {
        let json = root.read("usr/share/vespera/image.json").ok();
        let os = root.read("etc/os-release").or_else(|_| root.read("usr/lib/os-release"));
        Self::parse(json.as_deref(), os.as_deref().unwrap_or_default())
    }

    /// Both files' texts, read leniently: an image of another version may say more or less.
    pub fn parse(json: Option<&str>, os_release: &str) -> Self {
        let facts: Value =
            json.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        let from_json = |name: &str| facts.pointer(name)?.as_str().map(str::to_owned);
        let os = |key: &str| os_value(os_release, key);
        Self {
            name: from_json("/name").or_else(|| os("NAME")).or_else(|| os("ID")),
            version: from_json("/version")
                .or_else(|| os("IMAGE_VERSION"))
                .or_else(|| os("OSTREE_VERSION"))
                .or_else(|| os("VERSION_ID")),
            kernel: from_json("/kernel"),
            vespera: json.is_some(),
        }
    }
}

/// One value of an os-release file, without its quotes.
fn os_value(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OS: &str =
        "NAME=\"Aurora\"\nPRETTY_NAME='Aurora 44'\nVERSION_ID=44\nOSTREE_VERSION=44.1\n";

    #[test]
    fn the_images_own_words_come_before_the_systems() {
        let json = r#"{"name":"vespera","version":"44.20260819","kernel":"6.17.1"}"#;
        let facts = ImageFacts::parse(Some(json), OS);
        assert_eq!(facts.name.as_deref(), Some("vespera"));
        assert_eq!(facts.version.as_deref(), Some("44.20260819"));
        assert_eq!(facts.kernel.as_deref(), Some("6.17.1"));
        assert!(facts.vespera);
    }

    #[test]
    fn without_an_image_or_with_a_damaged_file_the_system_speaks() {
        for json in [None, Some("{"), Some("[]"), Some("{\"version\":7}")] {
            let facts = ImageFacts::parse(json, OS);
            assert_eq!(facts.name.as_deref(), Some("Aurora"), "{json:?}");
            assert_eq!(facts.version.as_deref(), Some("44.1"), "{json:?}");
        }
    }
}
