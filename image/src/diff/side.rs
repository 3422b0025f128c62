// SPDX-License-Identifier: MIT OR Apache-2.0
//! One of the two images.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::customize::module;
use crate::kernel;
use crate::modinfo::{self, Modinfo};
use crate::opened::{self, Opened};
use crate::registry::with_transport;
use crate::tool::{self, Tools};
use crate::version;

const QUERY: &str = "%{NAME}.%{ARCH}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n";
const STORAGE: &str = "containers-storage:";

/// Images that could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One could not be opened.
    #[error(transparent)]
    Open(#[from] opened::Error),
    /// A program is missing or refused.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// skopeo is too old.
    #[error(transparent)]
    Version(#[from] version::Error),
    /// What skopeo says cannot be read.
    #[error("the layers of {reference} cannot be read: {source}")]
    Unreadable {
        /// The image.
        reference: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "PascalCase"))]
pub struct Layer {
    /// Its digest.
    pub digest: String,
    /// Its size in bytes, as it lies there.
    pub size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    layers_data: Vec<Layer>,
}

/// An image with what is compared.
#[derive(Debug)]
pub struct Side<'a> {
    pub(super) opened: Opened<'a>,
    pub(super) reference: String,
    pub(super) layers: Vec<Layer>,
    pub(super) kernel: Option<String>,
    pub(super) module: Option<String>,
    /// Versions by name and architecture, or why they are not known.
    pub(super) packages: Result<BTreeMap<String, String>, String>,
}

impl<'a> Side<'a> {
    /// Opens an image and reads what is compared.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or its layers are not told.
    pub fn open(reference: &str, insecure: bool, tools: &'a dyn Tools) -> Result<Self, Error> {
        let full = with_transport(reference);
        let mut args = vec!["inspect", "--no-tags"];
        if insecure {
            args.push("--tls-verify=false");
        }
        args.push(&full);
        version::check(version::SKOPEO, tools)?;
        let told = tools.run("skopeo", &args, "read the layers of an image")?.stdout;
        let manifest: Manifest = serde_json::from_str(&told)
            .map_err(|source| Error::Unreadable { reference: reference.to_owned(), source })?;
        let opened = Opened::open(reference, insecure, tools)?;
        let kernel = kernel::release(&opened.root).ok();
        let module = kernel.as_deref().and_then(|release| described(&opened, release));
        Ok(Self {
            reference: reference.to_owned(),
            layers: manifest.layers_data,
            module,
            packages: packages(&opened, tools),
            kernel,
            opened,
        })
    }

    /// Whether the sizes of its layers are those that go over a network.
    pub(super) fn is_packed(&self) -> bool {
        !self.reference.starts_with(STORAGE)
    }
}

/// The module in one line.
fn described(opened: &Opened<'_>, release: &str) -> Option<String> {
    let bytes = fs::read(module::path(&opened.root, release)).ok()?;
    let info = Modinfo::parse(&modinfo::decompress(&bytes).ok()?).ok()?;
    let word = |value: Option<String>| value.unwrap_or_else(|| "unknown".into());
    let signed = info.signature.as_ref().map_or("not signed".to_owned(), |signature| {
        format!("signed by {}", signature.signer.as_deref().unwrap_or(&signature.key_id))
    });
    let kernel = info.kernel().to_owned();
    Some(format!(
        "{} {}, sources {}, for {kernel}, {signed}",
        info.name,
        word(info.version),
        word(info.srcversion)
    ))
}

/// By the image's own rpm, as verification asks it.
fn packages(opened: &Opened<'_>, tools: &dyn Tools) -> Result<BTreeMap<String, String>, String> {
    if !opened.root.join("usr/bin/rpm").exists() {
        return Err(format!("{} has no rpm", opened.root));
    }
    let args = [opened.root.as_str(), "/usr/bin/rpm", "-qa", "--queryformat", QUERY];
    let said = tools
        .run("chroot", &args, "list the packages of an image")
        .map_err(|error| error.to_string())?;
    Ok(parse(&said.stdout))
}

/// Several versions of one package are one value.
fn parse(text: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, version) in text.lines().filter_map(|line| line.split_once('\t')) {
        let version = version.strip_prefix("0:").unwrap_or(version);
        found.entry(name.to_owned()).or_default().push(version.to_owned());
    }
    found
        .into_iter()
        .map(|(name, mut versions)| {
            versions.sort();
            (name, versions.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_listed_by_name_with_all_their_versions() {
        let text =
            "bash.x86_64\t0:5.2-1\nkey.(none)\t0:b-2\nkey.(none)\t0:a-1\nvim.x86_64\t2:9-1\n";
        let found = parse(text);
        assert_eq!(found["bash.x86_64"], "5.2-1");
        assert_eq!(found["key.(none)"], "a-1, b-2");
        assert_eq!(found["vim.x86_64"], "2:9-1");
    }
}
