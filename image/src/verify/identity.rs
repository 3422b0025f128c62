// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the image says of itself.

use module_check::tree::path_in_index;
use serde_json::Value;

use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::config::Gpu;
use crate::customize::identity::{IMAGE_JSON, OS_RELEASE};
use crate::kernel;

/// The module of NVIDIA's driver.
const NVIDIA: &str = "nvidia";

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

/// The open NVIDIA driver is in the base of its variant, and in no other.
pub(super) fn graphics(subject: &Subject<'_>) -> Outcome {
    let release =
        kernel::release(subject.root).map_err(|error| Unable::Other(error.to_string()))?;
    let index = format!("{}/{release}/modules.dep", kernel::MODULES);
    if !subject.at(&index).exists() {
        return Ok(Verdict::Skipped("the kernel has no modules".into()));
    }
    let has_driver = path_in_index(&subject.read(&index)?, NVIDIA).is_some();
    let gpu = subject.config.base.gpu;
    let word = gpu.word();
    Ok(match (gpu, has_driver) {
        (Gpu::NvidiaOpen, false) => Verdict::Wrong(format!(
            "{word}, but the kernel has no module `{NVIDIA}`: this is another variant's base"
        )),
        (Gpu::Main, true) => Verdict::Wrong(format!(
            "{word}, but the kernel has the module `{NVIDIA}`: this is another variant's base"
        )),
        _ => Verdict::Fine(word.to_owned()),
    })
}
