// SPDX-License-Identifier: MIT OR Apache-2.0
//! The `.modinfo` section: `key=value` texts, each ended by a NUL.

/// All pairs in the order of the file; keys may repeat (`alias`, `parm`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModInfo {
    pairs: Vec<(String, String)>,
}

impl ModInfo {
    /// Reads the section's bytes. Entries without `=` are padding or damage and carry no meaning
    /// for the kernel either, so they are passed over.
    pub fn parse(section: &[u8]) -> Self {
        let pairs = section
            .split(|byte| *byte == 0)
            .filter_map(|entry| {
                let text = String::from_utf8_lossy(entry);
                let (key, value) = text.split_once('=')?;
                Some((key.to_owned(), value.to_owned()))
            })
            .collect();
        Self { pairs }
    }

    /// The first value of `key`, as the kernel's own `get_modinfo` takes it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Every pair.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_at_the_first_equals_sign_and_padding_is_passed_over() {
        let info = ModInfo::parse(b"license=GPL\0\0parm=A:a=b\0noise\0vermagic=6.1 SMP \0");
        assert_eq!(info.get("license"), Some("GPL"));
        assert_eq!(info.get("parm"), Some("A:a=b"));
        assert_eq!(info.get("vermagic"), Some("6.1 SMP "));
        assert_eq!(info.get("noise"), None);
        assert_eq!(info.pairs().count(), 3);
    }

    #[test]
    fn the_first_of_repeated_keys_counts() {
        assert_eq!(ModInfo::parse(b"version=1\0version=2\0").get("version"), Some("1"));
    }
}
