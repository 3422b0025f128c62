// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the image says of itself.

use camino::Utf8Path;
use module_check::tree::path_in_index;
use serde_json::Value;

use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::config::Gpu;
use crate::customize::identity::{IMAGE_JSON, OS_RELEASE};
use crate::customize::policy;
use crate::kernel;
use crate::publish::policy::{attachments, requirement};

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

/// The entry, the key and the word where signatures are: one without the others enforces nothing,
/// or lets no image in at all.
pub(super) fn policy(subject: &Subject<'_>) -> Outcome {
    let key = subject.at(policy::KEY);
    if !key.exists() {
        return Ok(if subject.config.signing.image {
            Verdict::Wrong(format!("signing.image is true, but {key} is missing"))
        } else {
            Verdict::Skipped("the image ships no key".into())
        });
    }
    let image: Value = serde_json::from_str(&subject.read(IMAGE_JSON)?)
        .map_err(|error| Unable::Other(format!("/{IMAGE_JSON}: {error}")))?;
    let Some(repository) = image["reference"].as_str() else {
        return Ok(Verdict::Wrong(format!("/{IMAGE_JSON} does not say where it is published")));
    };
    let mut wrong = Vec::new();
    let policy: Value = serde_json::from_str(&subject.read(policy::POLICY)?)
        .map_err(|error| Unable::Other(format!("/{}: {error}", policy::POLICY)))?;
    let entry = &policy["transports"]["docker"][repository];
    if *entry != requirement(&Utf8Path::new("/").join(policy::KEY)) {
        wrong.push(format!("/{} does not ask for it of {repository}", policy::POLICY));
    }
    let registries = subject.at(policy::REGISTRIES);
    if !registries.exists() || subject.read(policy::REGISTRIES)? != attachments(repository) {
        wrong.push(format!("{registries} does not say that signatures lie beside the images"));
    }
    Ok(none_of(&wrong, repository, "nobody checks the signature"))
}
