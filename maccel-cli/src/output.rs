// SPDX-License-Identifier: MIT OR Apache-2.0
//! What commands print.

use maccel_core::changes::Changes;
use maccel_core::settings::Settings;
use serde_json::{Map, Value, json};

/// The version of all JSON.
pub(crate) const FORMAT: u32 = 1;

/// What a command has to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error; no fault.
    pub(crate) note: String,
}

impl Output {
    /// For standard output alone.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Output { text: text.into(), note: String::new() }
    }
}

/// A JSON document as it is printed.
pub(crate) fn document(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Settings as a JSON object: names of the command line, natural units.
pub(crate) fn settings(settings: &Settings) -> anyhow::Result<Map<String, Value>> {
    let mut map = Map::new();
    map.insert("format".to_owned(), json!(FORMAT));
    if let Value::Object(values) = serde_json::to_value(Changes::all(settings))? {
        map.extend(values);
    }
    Ok(map)
}

/// An error and its causes, in the public command's form. A cause that the line above says
/// already is left out.
pub(crate) fn error(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let line = cause.to_string();
        if lines.last().is_none_or(|last| !last.ends_with(&line)) {
            lines.push(line);
        }
    }
    let mut text = format!("Error: {}\n", lines.remove(0));
    match &lines[..] {
        [] => {}
        [only] => text.push_str(&format!("\nCaused by:\n    {only}\n")),
        many => {
            text.push_str("\nCaused by:\n");
            for (number, line) in many.iter().enumerate() {
                text.push_str(&format!("{number:5}: {line}\n"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    #[test]
    fn errors_look_as_the_public_commands_do_and_say_nothing_twice() {
        let one = anyhow::anyhow!("no number");
        assert_eq!(super::error(&one), "Error: no number\n");
        let two = Err::<(), _>(one).context("LIMIT: no number").unwrap_err();
        assert_eq!(super::error(&two), "Error: LIMIT: no number\n");
        let three = two.context("cannot read");
        assert_eq!(
            super::error(&three),
            "Error: cannot read\n\nCaused by:\n    LIMIT: no number\n"
        );
        let four = three.context("first");
        assert_eq!(
            super::error(&four),
            "Error: first\n\nCaused by:\n    0: cannot read\n    1: LIMIT: no number\n"
        );
    }
}
