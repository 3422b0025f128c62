// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root folder and paths inside it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

/// The folder that is `/` for everything that is read: the running system, another deployment,
/// an unpacked image or a test's temporary folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(Utf8PathBuf);

impl Root {
    /// Takes `folder` as the root.
    pub fn new(folder: impl Into<Utf8PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Whether this is the running system's own root.
    pub fn is_host(&self) -> bool {
        self.0 == "/"
    }

    /// Where `inside` (with or without a leading slash) lies on this machine.
    pub fn at(&self, inside: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        let inside = inside.as_ref();
        self.0.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// The path as seen from inside the root, with a leading slash.
    pub fn inside(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(&self.0)
            .map_or_else(|_| path.to_owned(), |rest| Utf8Path::new("/").join(rest))
    }

    /// Reads a text file inside the root.
    pub fn read(&self, inside: impl AsRef<Utf8Path>) -> io::Result<String> {
        std::fs::read_to_string(self.at(inside))
    }

    /// Reads a one-line file; `None` when it is not there, is empty or cannot be read.
    ///
    /// For facts whose absence is an answer in itself (sysfs attributes of an unloaded module).
    pub fn line(&self, inside: impl AsRef<Utf8Path>) -> Option<String> {
        let text = self.read(inside).ok()?;
        let line = text.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// Whether something exists at this path inside the root.
    pub fn exists(&self, inside: impl AsRef<Utf8Path>) -> bool {
        self.at(inside).exists()
    }
}

impl Default for Root {
    fn default() -> Self {
        Self::new("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_in_and_out_with_or_without_a_slash() {
        let root = Root::new("/srv/image");
        assert_eq!(root.at("/usr/lib"), "/srv/image/usr/lib");
        assert_eq!(root.at("usr/lib"), "/srv/image/usr/lib");
        assert_eq!(root.inside(&root.at("usr/lib")), "/usr/lib");
        assert_eq!(Root::default().inside(Utf8Path::new("/usr/lib")), "/usr/lib");
    }
}
