// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the image says of itself.

use serde_json::Value;

use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::customize::identity::{IMAGE_JSON, OS_RELEASE};
use crate::kernel;

pub(super) fn image_json(subject: &Subject<'_>) -> Outcome {
    let path = subject.at(IMAGE_JSON);
    if !path.exists() {
        return Ok(Verdict::Wrong(format!("{path} is missing")));
    }
    let image: Value = match serde_json::from_str(&subject.read(IMAGE_JSON)?) {
        Ok(image) => image,
        Err(error) => return Ok(Verdict::Wrong(format!("{path} is not JSON: {error}"))),
    };
    let release =
        kernel::release(subject.root).map_err(|error| Unable::Other(error.to_string()))?;
    let config =
        serde_json::to_value(subject.config).map_err(|error| Unable::Other(error.to_string()))?;
    let mut wrong = Vec::new();
    for (key, expected) in [
        ("name", Value::from(subject.config.name())),
        ("kernel", Value::from(release)),
        ("config", config),
    ] {
        if image[key] != expected {
            wrong.push(match key {
                "config" => "config is another configuration".to_owned(),
                key => format!("{key} is {}, not {expected}", image[key]),
            });
        }
    }
    if subject.config.maccel.enabled && image["driver"].is_null() {
        wrong.push("driver is not recorded".to_owned());
    }
    Ok(none_of(&wrong, path.as_str(), "not this image"))
}

pub(super) fn os_release(subject: &Subject<'_>) -> Outcome {
    let text = subject.read(OS_RELEASE)?;
    let name = subject.config.name();
    let expected = format!("IMAGE_ID=\"{name}\"");
    if text.lines().any(|line| line == expected) {
        return Ok(Verdict::Fine(name));
    }
    Ok(Verdict::Wrong(format!("/{OS_RELEASE} has no line {expected}; tools take it for the base")))
}
