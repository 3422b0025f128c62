// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an image has besides its files: labels, history, layers.

use camino::Utf8Path;

use super::lints::{SECRET_PLACES, private_keys};
use super::{Outcome, Subject, Unable, Verdict, none_of};
use crate::plan::{Facts, label, labels as planned};

const FOLDER: &str = "a root folder is no image";
/// Labels that the configuration alone decides.
const DECIDED: &[&str] = &[
    label::SCHEMA,
    label::CONFIG_HASH,
    label::STRATEGY,
    label::IMAGE_VARIANT,
    label::AURORA_VARIANT,
    label::GPU_VARIANT,
];
/// The layers that the Containerfile makes, looked through whole. Those below are the base's.
const OWN_LAYERS: usize = 4;

pub(super) fn labels(subject: &Subject<'_>) -> Outcome {
    let Some(image) = subject.image else { return Ok(Verdict::Skipped(FOLDER.into())) };
    let expected = planned(subject.config, &Facts::default(), "");
    let wrong: Vec<String> = DECIDED
        .iter()
        .filter(|&&key| image.labels.get(key) != expected.get(key))
        .map(|&key| {
            let show = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".into());
            let (found, wanted) = (show(image.labels.get(key)), show(expected.get(key)));
            format!("{key} is {found}, not {wanted}")
        })
        .collect();
    Ok(none_of(&wrong, &format!("{} as configured", DECIDED.len()), "not this image's"))
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
