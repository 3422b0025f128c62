// SPDX-License-Identifier: MIT OR Apache-2.0
//! An image opened as a folder: at a registry, in an OCI layout or in container storage.
//!
//! buildah makes a working container of it, which costs a pull at most, and shows its files. The
//! layers lie beneath as folders of their own, so that what one layer has and a later one hides is
//! seen as well.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::registry::with_transport;
use crate::tool::{self, Tools};
use crate::version;

const STORAGE: &str = "containers-storage:";
const MOUNTS: &str = "/proc/self/mountinfo";

/// An image that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// buildah is missing or refused.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// buildah is too old.
    #[error(transparent)]
    Version(#[from] version::Error),
    /// What buildah says of the image cannot be read.
    #[error("what buildah says of {reference} cannot be read: {source}")]
    Unreadable {
        /// The image.
        reference: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file of the image cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The list of mounts cannot be read.
    #[error("cannot read {MOUNTS}")]
    Mounts(#[source] io::Error),
}

/// An image as a folder. The working container goes when this does.
#[derive(Debug)]
pub struct Opened<'a> {
    tools: &'a dyn Tools,
    container: String,
    /// Its files.
    pub root: Utf8PathBuf,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its configuration as text: environment, history and labels of every step.
    pub config: String,
    /// The folders of its layers, the topmost first; none where storage does not keep them apart.
    pub layers: Vec<Utf8PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Inspected {
    #[serde(rename = "Config")]
    config: String,
}

#[derive(Debug, Default, Deserialize)]
struct ImageConfig {
    #[serde(default)]
    config: RunConfig,
}

#[derive(Debug, Default, Deserialize)]
struct RunConfig {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl<'a> Opened<'a> {
    /// Opens an image; without a transport, the reference is one of a registry.
    ///
    /// # Errors
    ///
    /// When buildah cannot get it, or cannot show its files.
    pub fn open(reference: &str, insecure: bool, tools: &'a dyn Tools) -> Result<Self, Error> {
        version::check(version::BUILDAH, tools)?;
        let full = with_transport(reference);
        let mut args = vec!["from", "--quiet"];
        match full.strip_prefix(STORAGE) {
            // By its plain name: with the transport, buildah would copy the storage onto itself.
            Some(name) => args.extend(["--pull=never", name]),
            None if insecure => args.extend(["--pull=always", "--tls-verify=false", &full]),
            None => args.extend(["--pull=always", &full]),
        }
        let outcome = tools.run("buildah", &args, "open an image")?;
        // From here on, the container goes with the value, however this ends.
        let mut opened = Self {
            tools,
            container: outcome.stdout.lines().last().unwrap_or_default().trim().to_owned(),
            root: Utf8PathBuf::new(),
            labels: BTreeMap::new(),
            config: String::new(),
            layers: Vec::new(),
        };
        let mounted = tools.run("buildah", &["mount", &opened.container], "show its files")?;
        opened.root = mounted.stdout.trim().into();
        let args = ["inspect", "--type", "container", opened.container.as_str()];
        let told = tools.run("buildah", &args, "read its labels")?.stdout;
        let unreadable = |source| Error::Unreadable { reference: reference.to_owned(), source };
        opened.config = serde_json::from_str::<Inspected>(&told).map_err(unreadable)?.config;
        let config: ImageConfig = serde_json::from_str(&opened.config).map_err(unreadable)?;
        opened.labels = config.config.labels.unwrap_or_default();
        let mounts = fs::read_to_string(MOUNTS).map_err(Error::Mounts)?;
        opened.layers = layers(&mounts, &opened.root);
        Ok(opened)
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        // A container that stays costs some space; there is nobody left to tell.
        let _ = self.tools.outcome("buildah", &["rm", &self.container], "close an image");
    }
}

/// Whether this process may mount; without root, it runs inside `buildah unshare`.
///
/// # Errors
///
/// When the process cannot see whose it is.
pub fn may_mount() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// The folders that an overlay shows at `root`, the topmost first.
fn layers(mountinfo: &str, root: &Utf8Path) -> Vec<Utf8PathBuf> {
    // Field five is the mount point; the options of the file system are the last field.
    let options = mountinfo
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some(root.as_str()))
        .and_then(|line| line.rsplit(' ').next())
        .unwrap_or_default();
    let lower = options.split(',').find_map(|option| option.strip_prefix("lowerdir="));
    // Long lists are written relative to the folder of all layers: .../overlay/ID/merged.
    let home = root.parent().and_then(Utf8Path::parent).unwrap_or(root);
    lower.into_iter().flat_map(|lower| lower.split(':')).map(|folder| home.join(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, failed, ok};

    #[test]
    fn layers_are_those_of_the_mount_the_topmost_first() {
        let mounts = "22 1 0:5 / /dev rw - devtmpfs devtmpfs rw\n\
            89 86 0:42 / /s/overlay/1/merged rw,relatime - overlay overlay \
            rw,lowerdir=/s/overlay/l/B:/s/overlay/l/A,upperdir=/s/overlay/1/diff\n\
            90 86 0:43 / /s/overlay/2/merged rw,relatime - overlay overlay rw,lowerdir=l/C:l/D\n";
        assert_eq!(
            layers(mounts, "/s/overlay/1/merged".into()),
            ["/s/overlay/l/B", "/s/overlay/l/A"]
        );
        assert_eq!(
            layers(mounts, "/s/overlay/2/merged".into()),
            ["/s/overlay/l/C", "/s/overlay/l/D"]
        );
        assert_eq!(layers(mounts, "/elsewhere".into()), [""; 0]);
    }

    #[test]
    fn working_container_is_removed_also_when_the_image_cannot_be_shown() {
        let tools = FakeTools::default().with("buildah", |args| match args {
            ["--version"] => ok("buildah version 1.39.3"),
            ["from", ..] => ok("pulled\nx-working-container\n"),
            ["rm", ..] => ok(""),
            _ => failed("cannot mount"),
        });
        assert!(Opened::open("containers-storage:localhost/x", false, &tools).is_err());
        assert_eq!(
            tools.calls(),
            [
                "buildah --version",
                "buildah from --quiet --pull=never localhost/x",
                "buildah mount x-working-container",
                "buildah rm x-working-container",
            ]
        );
    }
}
