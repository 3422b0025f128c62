// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration of an image.
//!
//! [`file`] is what a person typed, with every rule a value must keep; [`Config`] is what it
//! means. Only a file without a single violation becomes a `Config`, so the rest of the program
//! never meets a half-valid one.

pub mod choice;
mod diagnostic;
mod file;
mod rules;

use std::fs;

use camino::Utf8Path;
use serde::Serialize;

pub use choice::{Gpu, Source, Strategy, Stream, Variant};
pub use diagnostic::{Diagnostic, Invalid};
pub use file::ConfigFile;

/// What an image can be built for.
pub const PLATFORMS: &[&str] = &["linux/amd64", "linux/arm64"];

/// The name under which the configuration lies at the top of a repository.
pub const FILE_NAME: &str = "vespera-config.yaml";

/// A configuration that keeps every rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// What the image is built from.
    pub base: Base,
    /// What is added to it and taken from it.
    pub packages: Packages,
    /// The mouse driver.
    pub maccel: Maccel,
    /// How and where it is built.
    pub build: Build,
    /// Keys by which the module and the image are signed.
    pub signing: Signing,
}

/// What the image is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Which Aurora.
    pub variant: Variant,
    /// For which graphics card.
    pub gpu: Gpu,
    /// Registry and owner of the base images.
    pub registry: String,
    /// Release stream.
    pub stream: Stream,
    /// A tag instead of the stream's own.
    pub tag: Option<String>,
    /// A digest that the base must have.
    pub digest: Option<String>,
}

/// Packages to add and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// RPMs to install.
    pub add_rpm: Vec<String>,
    /// RPMs to remove.
    pub remove_rpm: Vec<String>,
    /// Flatpaks that are installed at first boot.
    pub add_flatpak: Vec<String>,
    /// Flatpaks that are not wanted.
    pub remove_flatpak: Vec<String>,
    /// Repositories that are on during the transaction only.
    pub repositories: Vec<String>,
}

/// The mouse driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maccel {
    /// Whether the image has it at all.
    pub enabled: bool,
    /// Where its source comes from.
    pub source: Source,
    /// The git repository, for [`Source::Git`].
    pub repository: Option<String>,
    /// The commit, for [`Source::Git`].
    pub commit: Option<String>,
    /// The curve of a fresh installation.
    pub curve: Option<String>,
}

/// How and where the image is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// One image or all of them.
    pub strategy: Strategy,
    /// The registry that the image is pushed to.
    pub registry: String,
    /// Owner, where the configuration names one before the image name.
    pub owner: Option<String>,
    /// The name that the variant's suffixes are added to.
    pub image_name: String,
    /// The platform, as `linux/amd64`; exactly one.
    pub platforms: Vec<String>,
    /// Tags beside the usual ones.
    pub tags: Vec<String>,
}

/// Keys; only whether and where, never a key itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Signing {
    /// Whether a module without a signature fails the build.
    pub module: bool,
    /// Whether an image without a signature may be published.
    pub image: bool,
}

impl Config {
    /// Parses a configuration and applies every rule.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with all violations, each with its line and column in `text`.
    pub fn parse(name: &str, text: &str) -> Result<(Self, Vec<String>), Invalid> {
        let file = diagnostic::read(name, text)?;
        Ok((Self::from(&file), file.warnings()))
    }

    /// Reads and parses a configuration file.
    ///
    /// # Errors
    ///
    /// [`Invalid`] as for [`Config::parse`], also when the file cannot be read.
    pub fn load(path: &Utf8Path) -> Result<(Self, Vec<String>), Invalid> {
        let text = fs::read_to_string(path)
            .map_err(|error| Invalid::unreadable(path.as_str(), &error.to_string()))?;
        Self::parse(path.as_str(), &text)
    }
}

impl Config {
    /// The image's name with the suffixes of its variant, by Aurora's convention.
    pub fn name(&self) -> String {
        self.name_of(self.base.variant, self.base.gpu)
    }

    /// The same configuration for another combination, as a matrix or a build argument asks for.
    #[must_use]
    pub fn with(&self, variant: Variant, gpu: Gpu) -> Self {
        let mut other = self.clone();
        if (variant, gpu) != (self.base.variant, self.base.gpu) {
            // A digest is one image's: of another variant's repository it would name nothing.
            other.base.digest = None;
        }
        (other.base.variant, other.base.gpu) = (variant, gpu);
        other
    }

    /// The name that another combination would have.
    pub fn name_of(&self, variant: Variant, gpu: Gpu) -> String {
        format!("{}{}{}", self.build.image_name, variant.suffix(), gpu.suffix())
    }
}

impl From<&ConfigFile> for Config {
    fn from(file: &ConfigFile) -> Self {
        // The rules have passed: an unknown word cannot be here any more, and the default would
        // be taken only for a word that the rules forgot.
        let (owner, image_name) = match file.build.image_name.rsplit_once('/') {
            Some((owner, name)) => (Some(owner.to_owned()), name.to_owned()),
            None => (None, file.build.image_name.clone()),
        };
        Self {
            base: Base {
                variant: Variant::from_word(&file.base.variant).unwrap_or_default(),
                gpu: Gpu::from_word(&file.base.gpu_variant).unwrap_or_default(),
                registry: file.base.registry.clone(),
                stream: Stream::from_word(&file.base.stream).unwrap_or_default(),
                tag: file.base.tag.clone(),
                digest: file.base.digest.clone(),
            },
            packages: Packages {
                add_rpm: file.packages.add_rpm.clone(),
                remove_rpm: file.packages.remove_rpm.clone(),
                add_flatpak: file.packages.add_flatpak.clone(),
                remove_flatpak: file.packages.remove_flatpak.clone(),
                repositories: file.packages.repositories.clone(),
            },
            maccel: Maccel {
                enabled: file.maccel.enabled,
                source: Source::from_word(&file.maccel.source).unwrap_or_default(),
                repository: file.maccel.repository.clone(),
                commit: file.maccel.commit.clone(),
                curve: file.maccel.curve.clone(),
            },
            build: Build {
                strategy: Strategy::from_word(&file.build.strategy).unwrap_or_default(),
                registry: file.build.registry.clone(),
                owner,
                image_name,
                platforms: file.build.platforms.clone(),
                tags: file.build.tags.clone(),
            },
            signing: Signing { module: file.signing.module, image: file.signing.image },
        }
    }
}

#[cfg(test)]
mod tests;
