// SPDX-License-Identifier: MIT OR Apache-2.0
//! What differs between two images: packages, kernel, module, files, layers, and with these what
//! a host that has the old one would download.

mod files;
mod side;
mod summary;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use files::{Changes, File};
pub use side::{Error, Layer, Side};

/// Version of the form of the JSON.
const FORMAT: u32 = 1;

/// A value that may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// In the old image.
    pub old: T,
    /// In the new one.
    pub new: T,
}

/// The difference between two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Version of the form.
    pub format: u32,
    /// What was compared.
    pub reference: Pair<String>,
    /// Kernel release; `None` where an image does not have exactly one.
    pub kernel: Pair<Option<String>>,
    /// The module, as one line; `None` where there is none.
    pub module: Pair<Option<String>>,
    /// Packages that one of them has and the other not, or in another version.
    pub packages: BTreeMap<String, Pair<Option<String>>>,
    /// Why packages are not compared, where they are not.
    pub no_packages: Option<String>,
    /// Files.
    pub files: Changes,
    /// The layers of the new image, the lowest first.
    pub layers: Vec<NewLayer>,
    /// Bytes that a host with the old image downloads for the new one.
    pub download: u64,
    /// Whether sizes are those at a registry: storage keeps layers unpacked.
    pub packed: bool,
}

/// A layer of the new image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewLayer {
    /// The layer.
    #[serde(flatten)]
    pub layer: Layer,
    /// Whether the old image has it as well.
    pub shared: bool,
}

/// Compares two opened images.
///
/// # Errors
///
/// When files of either cannot be read.
pub fn diff(old: &Side<'_>, new: &Side<'_>) -> Result<Diff, Error> {
    let had: BTreeSet<&str> = old.layers.iter().map(|layer| layer.digest.as_str()).collect();
    let layers: Vec<NewLayer> = new
        .layers
        .iter()
        .map(|layer| NewLayer { layer: layer.clone(), shared: had.contains(layer.digest.as_str()) })
        .collect();
    let download = layers.iter().filter(|new| !new.shared).map(|new| new.layer.size).sum();
    let (packages, no_packages) = match (&old.packages, &new.packages) {
        (Ok(old), Ok(new)) => (changed(old, new), None),
        (Err(reason), _) | (_, Err(reason)) => (BTreeMap::new(), Some(reason.clone())),
    };
    Ok(Diff {
        format: FORMAT,
        reference: Pair { old: old.reference.clone(), new: new.reference.clone() },
        kernel: Pair { old: old.kernel.clone(), new: new.kernel.clone() },
        module: Pair { old: old.module.clone(), new: new.module.clone() },
        packages,
        no_packages,
        files: files::compare(&old.opened, &new.opened)?,
        layers,
        download,
        packed: old.is_packed() && new.is_packed(),
    })
}

fn changed(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> BTreeMap<String, Pair<Option<String>>> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| {
            (name.clone(), Pair { old: old.get(name).cloned(), new: new.get(name).cloned() })
        })
        .filter(|(_, pair)| pair.old != pair.new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_came_went_or_changed_are_told() {
        let packages = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(name, version)| ((*name).into(), (*version).into())).collect()
        };
        let old = packages(&[("bash", "5.2"), ("kernel", "6.1"), ("vim", "9")]);
        let new = packages(&[("bash", "5.2"), ("kernel", "6.2"), ("htop", "3")]);
        let found = changed(&old, &new);
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["htop", "kernel", "vim"]);
        assert_eq!(found["vim"], Pair { old: Some("9".into()), new: None });
        assert_eq!(found["kernel"], Pair { old: Some("6.1".into()), new: Some("6.2".into()) });
    }
}
