// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether files that passed an older JSON schema pass a newer one.
//!
//! It knows the keywords that our schema uses. Any other one that changed counts as a break:
//! better to be asked about a harmless change than to miss one.

use serde_json::{Map, Value};

/// Keywords that tell people something and refuse nothing.
const REMARKS: &[&str] =
    &["$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"];
/// Keywords that are compared on their own.
const COMPARED: &[&str] =
    &["$defs", "$ref", "type", "enum", "properties", "required", "additionalProperties", "items"];
/// Bounds that may only go down, and those that may only go up.
const LOWER: &[&str] = &["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const UPPER: &[&str] = &["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];

/// What the newer schema refuses and the older one took, each with where it is.
pub(crate) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Comparison { old, new, found: &mut found }.at("", old, new);
    found
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: &'a mut Vec<String>,
}

impl<'a> Comparison<'a> {
    fn at(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolved(self.old, old), resolved(self.new, new));
        let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
            // `true` takes everything, `false` nothing.
            if old != new && *new != Value::Bool(true) && *old != Value::Bool(false) {
                self.say(path, "is another schema now");
            }
            return;
        };
        self.types(path, old, new);
        self.choices(path, old, new);
        self.keys(path, old, new);
        if let Some(items) = new.get("items") {
            match old.get("items") {
                Some(before) => self.at(&format!("{path}[]"), before, items),
                None => self.say(path, "its items may no longer be anything"),
            }
        }
        self.bounds(path, old, new);
        let keywords = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
        for keyword in keywords {
            let known = [REMARKS, COMPARED, LOWER, UPPER]
                .iter()
                .any(|known| known.contains(&keyword.as_str()));
            if !known && old.get(keyword) != new.get(keyword) {
                self.say(path, &format!("`{keyword}` changed"));
            }
        }
    }

    fn types(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let Some(allowed) = new.get("type").map(words) else { return };
        let Some(before) = old.get("type").map(words) else {
            return self.say(path, &format!("must be {} now", allowed.join(" or ")));
        };
        for kind in before {
            let taken = allowed.contains(&kind)
                || kind == "integer" && allowed.iter().any(|allowed| allowed == "number");
            if !taken {
                self.say(path, &format!("may no longer be {kind}"));
            }
        }
    }

    fn choices(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let Some(allowed) = new.get("enum").and_then(Value::as_array) else { return };
        let Some(before) = old.get("enum").and_then(Value::as_array) else {
            return self.say(path, "may only be one of some choices now");
        };
        for choice in before.iter().filter(|choice| !allowed.contains(choice)) {
            self.say(path, &format!("the choice {choice} is gone"));
        }
    }

    fn keys(&mut self, path: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let closed = new.get("additionalProperties") == Some(&Value::Bool(false));
        let after = new.get("properties").and_then(Value::as_object);
        for (key, before) in old.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match after.and_then(|after| after.get(key)) {
                Some(now) => self.at(&inner, before, now),
                None if closed => self.say(&inner, "is gone"),
                None => {}
            }
        }
        let was_closed = old.get("additionalProperties") == Some(&Value::Bool(false));
        if closed && !was_closed {
            self.say(path, "takes no other keys any more");
        }
        let required = |schema: &Map<String, Value>| schema.get("required").map(words);
        let before = required(old).unwrap_or_default();
        for key in required(new).unwrap_or_default() {
            if !before.contains(&key) {
                self.say(path, &format!("`{key}` must be given now"));
            }
        }
    }

    fn bounds(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        for (keywords, is_lower) in [(LOWER, true), (UPPER, false)] {
            for keyword in keywords {
                let bound = |schema: &Map<String, Value>| schema.get(*keyword)?.as_f64();
                let narrower = match (bound(old), bound(new)) {
                    (_, None) => false,
                    (None, Some(_)) => true,
                    (Some(old), Some(new)) if is_lower => new > old,
                    (Some(old), Some(new)) => new < old,
                };
                if narrower {
                    self.say(path, &format!("`{keyword}` is narrower"));
                }
            }
        }
    }

    fn say(&mut self, path: &str, what: &str) {
        let path = if path.is_empty() { "the file" } else { path };
        self.found.push(format!("{path}: {what}"));
    }
}

/// Follows `$ref` into `$defs` of the same file.
fn resolved<'a>(file: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    // Deeper chains would be a circle.
    for _ in 0..16 {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| file.pointer(pointer));
        match target {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// One word, or a list of them.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn old() -> Value {
        json!({
            "$defs": {"Base": {"type": "object", "additionalProperties": false, "properties": {
                "variant": {"type": "string", "enum": ["aurora", "aurora-dx"], "default": "aurora"},
                "tag": {"type": ["string", "null"]},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
                "names": {"type": "array", "items": {"type": "string"}},
            }}},
            "type": "object",
            "additionalProperties": false,
            "properties": {"base": {"$ref": "#/$defs/Base", "description": "x"}},
        })
    }

    /// What is broken when the value at `pointer` is replaced, or removed.
    fn changed(pointer: &str, to: Option<Value>) -> Vec<String> {
        let mut new = old();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match to {
            Some(value) => drop(parent.insert(key.to_owned(), value)),
            None => drop(parent.remove(key).unwrap()),
        }
        breaks(&old(), &new)
    }

    const BASE: &str = "/$defs/Base/properties";

    #[test]
    fn what_takes_more_or_says_it_otherwise_is_no_break() {
        for (path, value) in [
            ("variant/enum", json!(["aurora", "aurora-dx", "aurora-asus"])),
            ("variant/default", json!("aurora-dx")),
            ("variant/description", json!("another text")),
            ("count/type", json!("number")),
            ("count/minimum", json!(0)),
            ("count/maximum", json!(10)),
            ("new", json!({"type": "string"})),
        ] {
            assert_eq!(changed(&format!("{BASE}/{path}"), Some(value)), [""; 0], "{path}");
        }
        assert_eq!(changed(&format!("{BASE}/variant/enum"), None), [""; 0]);
        assert_eq!(breaks(&old(), &old()), [""; 0]);
    }

    #[test]
    fn each_narrowing_is_a_break_that_names_the_key() {
        for (path, value, said) in [
            ("variant/enum", json!(["aurora"]), "base.variant: the choice \"aurora-dx\" is gone"),
            ("tag/type", json!("string"), "base.tag: may no longer be null"),
            ("tag/enum", json!(["x"]), "base.tag: may only be one of some choices now"),
            ("count/minimum", json!(2), "base.count: `minimum` is narrower"),
            ("count/maximum", json!(8), "base.count: `maximum` is narrower"),
            ("count/multipleOf", json!(2), "base.count: `multipleOf` changed"),
            ("tag/pattern", json!("^a"), "base.tag: `pattern` changed"),
            ("tag/minLength", json!(1), "base.tag: `minLength` is narrower"),
            ("names/items", json!({"type": "integer"}), "base.names[]: may no longer be string"),
        ] {
            assert_eq!(changed(&format!("{BASE}/{path}"), Some(value)), [said], "{path}");
        }
    }

    #[test]
    fn a_key_that_goes_away_or_must_be_given_is_a_break() {
        assert_eq!(changed(&format!("{BASE}/tag"), None), ["base.tag: is gone"]);
        let required = changed("/$defs/Base/required", Some(json!(["tag"])));
        assert_eq!(required, ["base: `tag` must be given now"]);
        let mut open = old();
        open["additionalProperties"] = json!(true);
        assert_eq!(breaks(&open, &old()), ["the file: takes no other keys any more"]);
    }

    #[test]
    fn a_definition_may_be_renamed_or_written_in_place() {
        let mut new = old();
        let base = new["$defs"]["Base"].clone();
        new["properties"]["base"] = base;
        assert_eq!(breaks(&old(), &new), [""; 0]);
        new["properties"]["base"] = json!({"type": "string"});
        assert!(breaks(&old(), &new).contains(&"base: may no longer be object".to_owned()));
    }
}
