// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of the configuration as people read of them, from its JSON schema.

use serde_json::Value;

use crate::schema;

/// A part of the file: `base`, `packages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The key of the part.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// The keys in it.
    pub keys: Vec<Key>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// What may stand there: `text`, `true or false`, a list, or one of some words.
    pub value: String,
    /// What stands for it when it is left out, as it would be typed; empty if nothing does.
    pub default: String,
    /// What it is for.
    pub about: String,
}

/// All parts in the order of the file, each with its keys in the order of their names.
pub fn sections() -> Vec<Section> {
    let schema: Value = serde_json::from_str(&schema::text()).unwrap_or_default();
    let parts = ["base", "packages", "maccel", "build", "signing"];
    let mut sections: Vec<Section> = object(&schema["properties"])
        .map(|(name, part)| {
            let reference = part["$ref"].as_str().unwrap_or_default();
            let definition = &schema["$defs"][reference.trim_start_matches("#/$defs/")];
            let keys = object(&definition["properties"]).map(|(name, key)| describe(name, key));
            Section { name: name.clone(), about: text(&part["description"]), keys: keys.collect() }
        })
        .collect();
    sections.sort_by_key(|own| parts.iter().position(|part| *part == own.name));
    sections
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn describe(name: &str, key: &Value) -> Key {
    let kinds: Vec<String> = match &key["type"] {
        Value::Array(kinds) => kinds.iter().map(text).filter(|kind| kind != "null").collect(),
        one => vec![text(one)],
    };
    let value = match (key["enum"].as_array(), kinds.first().map(String::as_str)) {
        (Some(words), _) => {
            words.iter().map(|word| format!("`{}`", text(word))).collect::<Vec<_>>().join(" or ")
        }
        (None, Some("boolean")) => "`true` or `false`".to_owned(),
        (None, Some("array")) => "list of texts".to_owned(),
        _ => "text".to_owned(),
    };
    let default = match &key["default"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string().replace('"', ""),
    };
    Key { name: name.to_owned(), value, default, about: text(&key["description"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use manual::committed::{document, head, heading, row};

    use super::*;
    use crate::config::{Config, FILE_NAME};

    #[test]
    fn every_key_of_the_schema_has_its_words_its_default_and_what_it_is_for() {
        let sections = sections();
        let names: Vec<&str> = sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["base", "packages", "maccel", "build", "signing"]);
        let keys: Vec<&Key> = sections.iter().flat_map(|section| &section.keys).collect();
        assert!(keys.len() >= 20, "{keys:?}");
        assert!(keys.iter().all(|key| key.about.ends_with('.')), "{keys:?}");
        let gpu = keys.iter().find(|key| key.name == "gpu_variant").unwrap();
        assert_eq!((gpu.value.as_str(), gpu.default.as_str()), ("`main` or `nvidia-open`", "main"));
        let platforms = keys.iter().find(|key| key.name == "platforms").unwrap();
        assert_eq!(platforms.default, "[linux/amd64]");
    }

    #[test]
    fn committed_document_with_the_keys_is_current() {
        let mut text = head("Configuration keys", "the JSON schema of the configuration");
        text += "What an image is made of stands in `vespera-config.yaml`, at the top of the \
                 repository. A key that\nis left out has its default; one that is not known is \
                 an error. `vespera-image check` shows every\nfault with its line, and an editor \
                 that reads the first line of the shipped file shows them as you\ntype: the \
                 schema is [vespera-config-v1.json](../image/schema/vespera-config-v1.json). How \
                 to build:\n[image.md](image.md).\n";
        for section in sections() {
            text += &format!("\n## {}\n\n{}\n\n", section.name, section.about);
            text += &heading(&["key", "value", "default", "meaning"]);
            for key in section.keys {
                let default = match key.default.as_str() {
                    "" => String::new(),
                    default => format!("`{default}`"),
                };
                text += &row(&[&format!("`{}`", key.name), &key.value, &default, &key.about]);
            }
        }
        document("docs/configuration.md", &text).unwrap();
    }

    /// Whoever follows a page must find what its example built.
    #[test]
    fn the_page_on_images_names_what_its_own_example_builds() {
        let page = "docs/image.md";
        let blocks = manual::examples::blocks("yaml").unwrap();
        let block = blocks.iter().find(|block| block.place.starts_with(page)).unwrap();
        let (config, _) = Config::parse(FILE_NAME, &block.text).unwrap();
        let name = format!("localhost/{}:local", config.name());
        let shown = manual::examples::blocks("").unwrap();
        let shown = shown.iter().filter(|block| block.place.starts_with(page));
        let text: String = shown.map(|block| block.text.as_str()).collect();
        let words = text.split_whitespace().map(|word| word.replace("containers-storage:", ""));
        let named: Vec<_> = words.filter(|word| word.starts_with("localhost/")).collect();
        assert_eq!(named, [name.as_str(), name.as_str()]);
    }

    #[test]
    fn configurations_in_documents_are_valid() {
        let blocks = manual::examples::blocks("yaml").unwrap();
        assert!(!blocks.is_empty());
        for block in blocks {
            let read = Config::parse(FILE_NAME, &block.text);
            assert!(read.is_ok(), "{}: {}", block.place, read.unwrap_err());
        }
    }
}
