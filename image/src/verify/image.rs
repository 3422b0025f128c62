// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an image has besides its files: labels, history, layers.

use camino::Utf8Path;

use super::lints::{SECRET_PLACES, private_keys};
use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::plan::{label, labels as planned};

const FOLDER: &str = "a root folder is no image";
/// Labels that the configuration decides.
const DECIDED: &[&str] = &[
    label::SCHEMA,
    label::CONFIG_HASH,
    label::STRATEGY,
    label::IMAGE_VARIANT,
    label::AURORA_VARIANT,
    label::GPU_VARIANT,
];
/// Labels that say what the image was made of, as far as whoever verifies it knows.
const MADE_OF: &[&str] = &[
    label::AURORA_DIGEST,
    label::MACCEL_COMMIT,
    label::KERNEL,
    label::BUILDER_DIGEST,
    label::SOURCES,
    label::REVISION,
    label::BUILD_DATE,
];
/// The layers that the Containerfile makes, looked through whole. Those below are the base's.
const OWN_LAYERS: usize = 7;

pub(super) fn labels(subject: &Subject<'_>) -> Outcome {
    let Some(image) = subject.image else { return Ok(Verdict::Skipped(FOLDER.into())) };
    let expected = planned(subject.config, image.facts, "");
    // A label that must not be there is one of the driver where none is wanted.
    let absent = |key: &str| key == label::MACCEL_COMMIT && !subject.config.maccel.enabled;
    let known = MADE_OF.iter().filter(|&&key| expected.contains_key(key) || absent(key));
    let compared: Vec<&str> = DECIDED.iter().chain(known).copied().collect();
    let wrong: Vec<String> = compared
        .iter()
        .filter(|&&key| image.labels.get(key) != expected.get(key))
        .map(|&key| {
            let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".into());
            let (found, wanted) = (show(image.labels.get(key)), show(expected.get(key)));
            format!("{key} is {found}, not {wanted}")
        })
        .collect();
    Ok(none_of(&wrong, &format!("{} as configured and built", compared.len()), "not this image's"))
}

/// A key that a later step removed is still in the layer of the earlier one, for everyone who
/// pulls the image.
pub(super) fn secrets(subject: &Subject<'_>) -> Outcome {
    let Some(image) = subject.image else { return Ok(Verdict::Skipped(FOLDER.into())) };
    let mut found = Vec::new();
    let keys = image.config.split("-----BEGIN ").skip(1);
    if keys.filter_map(|rest| rest.split("-----").next()).any(|kind| kind.ends_with("PRIVATE KEY"))
    {
        found.push("the image's environment or history".to_owned());
    }
    if image.layers.is_empty() {
        return Err(Unable::Other("container storage does not keep the layers apart".into()));
    }
    for (number, layer) in image.layers.iter().enumerate() {
        let places = if number < OWN_LAYERS { &[""] } else { SECRET_PLACES };
        let layer = real(layer)?;
        for path in private_keys(&layer, places)? {
            found.push(format!("{path} (layer {} from the top)", number + 1));
        }
    }
    Ok(none_of(&found, &format!("{} layers", image.layers.len()), "private key in"))
}

/// Layers are named by links.
fn real(layer: &Utf8Path) -> Result<camino::Utf8PathBuf, Unable> {
    layer.canonicalize_utf8().map_err(|error| Unable::Read(layer.to_owned(), error))
}
