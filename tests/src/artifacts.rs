// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests run on, as `cargo xtask` lists it in a file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::HarnessError;

/// The environment variable with the path of the list.
pub const VARIABLE: &str = "VESPERA_ARTIFACTS";
const FORMAT: u32 = 1;

/// The list of artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifacts {
    format: u32,
    /// The static program of the guest.
    pub guest: PathBuf,
    /// Kernels to boot.
    pub kernels: Vec<Kernel>,
    /// Roots of images.
    #[serde(default)]
    pub images: Vec<Image>,
    /// The folder with the packages: `deb`, `rpm`, and `standin` with what a Fedora has besides.
    #[serde(default)]
    pub packages: Option<PathBuf>,
}

/// A distribution kernel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// Its series, as in `6.12`.
    pub name: String,
    /// `uname -r`.
    pub release: String,
    /// The unpacked kernel, an ELF file.
    pub vmlinux: PathBuf,
    /// Its folder of modules, with `modules.dep`.
    pub modules: PathBuf,
    /// The driver built for it.
    #[serde(default)]
    pub maccel: Option<PathBuf>,
    /// What it has to be told on its command line to boot here.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// A bootable root.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// What the tests call it.
    pub name: String,
    /// The root as an erofs image.
    pub root: PathBuf,
    /// The release of the kernel whose modules it holds.
    pub kernel: String,
    /// Where the image came from.
    pub reference: String,
}

impl Artifacts {
    /// Reads the list that [`VARIABLE`] names.
    ///
    /// # Errors
    /// If the variable is not set, or the list cannot be read or understood.
    pub fn from_environment() -> Result<Self, HarnessError> {
        let path =
            std::env::var_os(VARIABLE).ok_or(HarnessError::NoArtifacts { variable: VARIABLE })?;
        Self::read(Path::new(&path))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, HarnessError> {
        let text = fs::read_to_string(path).map_err(HarnessError::file("reading", path))?;
        let content = |problem| HarnessError::Content { path: path.to_owned(), problem };
        let list: Self = serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
        if list.format != FORMAT {
            return Err(content(format!("format {} where {FORMAT} is expected", list.format)));
        }
        Ok(list)
    }

    /// The kernel of a series or of a release.
    ///
    /// # Errors
    /// If there is none; the error names those there are.
    pub fn kernel(&self, name: &str) -> Result<&Kernel, HarnessError> {
        self.kernels.iter().find(|kernel| kernel.name == name || kernel.release == name).ok_or_else(
            || HarnessError::Missing {
                what: format!("kernel {name}"),
                there: list(self.kernels.iter().map(|kernel| &kernel.name)),
            },
        )
    }

    /// The image of a name.
    ///
    /// # Errors
    /// If there is none; the error names those there are.
    pub fn image(&self, name: &str) -> Result<&Image, HarnessError> {
        self.images.iter().find(|image| image.name == name).ok_or_else(|| HarnessError::Missing {
            what: format!("image {name}"),
            there: list(self.images.iter().map(|image| &image.name)),
        })
    }

    /// A kernel the image holds no modules for.
    ///
    /// # Errors
    /// If all kernels fit the image.
    pub fn kernel_foreign_to(&self, image: &Image) -> Result<&Kernel, HarnessError> {
        self.kernels.iter().find(|kernel| kernel.release != image.kernel).ok_or_else(|| {
            HarnessError::Missing {
                what: format!("kernel other than {}", image.kernel),
                there: list(self.kernels.iter().map(|kernel| &kernel.release)),
            }
        })
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"format":1,"guest":"/g","kernels":[
        {"name":"6.12","release":"6.12.1-a","vmlinux":"/v","modules":"/m","maccel":"/k"},
        {"name":"6.1","release":"6.1.0-b","vmlinux":"/v","modules":"/m","maccel":null}],
        "images":[{"name":"vespera","root":"/r","kernel":"6.12.1-a","reference":"localhost/v"}]}"#;

    fn read(text: &str) -> Result<Artifacts, HarnessError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("artifacts.json");
        fs::write(&path, text).unwrap();
        Artifacts::read(&path)
    }

    #[test]
    fn kernels_are_found_by_series_and_release() {
        let list = read(LIST).unwrap();
        assert_eq!(list.kernel("6.1").unwrap(), list.kernel("6.1.0-b").unwrap());
        let image = list.image("vespera").unwrap();
        assert_eq!(list.kernel_foreign_to(image).unwrap().name, "6.1");
    }

    #[test]
    fn what_is_missing_is_named_with_what_there_is() {
        let error = read(LIST).unwrap().kernel("7.3").unwrap_err();
        assert_eq!(error.to_string(), "the artifacts have no kernel 7.3 (there are: 6.12, 6.1)");
    }

    #[test]
    fn another_format_is_refused() {
        let error = read(&LIST.replace("\"format\":1", "\"format\":2")).unwrap_err();
        assert!(error.to_string().contains("format 2 where 1 is expected"), "{error}");
    }
}
