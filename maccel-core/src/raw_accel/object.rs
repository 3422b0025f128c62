// SPDX-License-Identifier: MIT OR Apache-2.0
//! A JSON object that knows its place in the file and which of its keys were asked for.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::ReadError;

/// One object of the file.
pub(super) struct Object<'a> {
    map: &'a Map<String, Value>,
    path: String,
    asked: RefCell<Vec<String>>,
}

impl<'a> Object<'a> {
    /// The object at `path`.
    pub(super) fn new(value: &'a Value, path: &str) -> Result<Self, ReadError> {
        let map = value.as_object().ok_or_else(|| wrong(path, value, "an object"))?;
        Ok(Object { map, path: path.to_owned(), asked: RefCell::new(Vec::new()) })
    }

    /// Where a key of this object is.
    pub(super) fn at(&self, key: &str) -> String {
        let key = if key.contains(|c: char| !c.is_alphanumeric()) {
            format!("\"{key}\"")
        } else {
            key.to_owned()
        };
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    /// The value of the first of these spellings that is there.
    pub(super) fn find(&self, spellings: &[&str]) -> Option<(&'a Value, String)> {
        self.asked.borrow_mut().extend(spellings.iter().map(|s| (*s).to_owned()));
        spellings.iter().find_map(|key| Some((self.map.get(*key)?, self.at(key))))
    }

    /// An object of this one.
    pub(super) fn object(&self, spellings: &[&str]) -> Result<Option<Object<'a>>, ReadError> {
        self.find(spellings).map(|(value, path)| Object::new(value, &path)).transpose()
    }

    /// The members of an array, with their places.
    pub(super) fn array(&self, key: &str) -> Result<Vec<(&'a Value, String)>, ReadError> {
        let Some((value, path)) = self.find(&[key]) else { return Ok(Vec::new()) };
        let array = value.as_array().ok_or_else(|| wrong(&path, value, "an array"))?;
        Ok(array.iter().enumerate().map(|(i, value)| (value, format!("{path}[{i}]"))).collect())
    }

    /// A finite number, or `absent`.
    pub(super) fn number(&self, spellings: &[&str], absent: f64) -> Result<f64, ReadError> {
        match self.find(spellings) {
            None => Ok(absent),
            Some((value, path)) => number(value, &path),
        }
    }

    /// A truth value, or `absent`.
    pub(super) fn switch(&self, key: &str, absent: bool) -> Result<bool, ReadError> {
        match self.find(&[key]) {
            None => Ok(absent),
            Some((value, path)) => {
                value.as_bool().ok_or_else(|| wrong(&path, value, "true or false"))
            }
        }
    }

    /// A text, or an empty one.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, ReadError> {
        match self.find(&[key]) {
            None => Ok(""),
            Some((value, path)) => value.as_str().ok_or_else(|| wrong(&path, value, "a text")),
        }
    }

    /// One of several words, or the first of them.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<T, ReadError> {
        let list = || {
            let names: Vec<&str> = words.iter().map(|w| w.0).collect();
            format!("one of {}", names.join(", "))
        };
        let Some((value, path)) = self.find(&[key]) else {
            return Err(ReadError::Missing { path: self.path.clone(), key: key.to_owned() });
        };
        words
            .iter()
            .find(|(name, _)| value.as_str() == Some(name))
            .map(|&(_, word)| word)
            .ok_or_else(|| wrong(&path, value, &list()))
    }

    /// The keys that nobody asked for, with their places.
    pub(super) fn strangers(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        self.map.keys().filter(|key| !asked.contains(key)).map(|key| self.at(key)).collect()
    }
}

/// A finite number.
pub(super) fn number(value: &Value, path: &str) -> Result<f64, ReadError> {
    value.as_f64().filter(|n| n.is_finite()).ok_or_else(|| wrong(path, value, "a number"))
}

fn wrong(path: &str, value: &Value, wanted: &str) -> ReadError {
    let mut found = value.to_string();
    if found.chars().count() > 40 {
        found = found.chars().take(37).collect::<String>() + "...";
    }
    let path = if path.is_empty() { "the file" } else { path };
    ReadError::Value { path: path.to_owned(), found, wanted: wanted.to_owned() }
}
