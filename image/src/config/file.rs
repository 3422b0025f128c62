// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration as it is typed, with the rule of every value beside it.
//!
//! Choices are strings here, not enums: a wrong word is then a violation among others, and all of
//! them are shown at once instead of the first only.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::choice::{Gpu, Source, Strategy, Stream, Variant};
use super::rules;

/// Configuration of a Vespera image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "vespera-config.yaml")]
pub struct ConfigFile {
    /// What the image is built from.
    #[serde(default, deserialize_with = "null_as_default")]
    #[garde(dive)]
    pub base: BaseFile,
    /// What is added to it and taken from it.
    #[serde(default, deserialize_with = "null_as_default")]
    #[garde(dive)]
    pub packages: PackagesFile,
    /// The mouse driver.
    #[serde(default, deserialize_with = "null_as_default")]
    #[garde(dive)]
    pub maccel: MaccelFile,
    /// How and where the image is built.
    #[serde(default, deserialize_with = "null_as_default")]
    #[garde(dive)]
    pub build: BuildFile,
    /// What must be signed.
    #[serde(default, deserialize_with = "null_as_default")]
    #[garde(dive)]
    pub signing: SigningFile,
}

/// What the image is built from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BaseFile {
    /// Which Aurora: the desktop, or the desktop with developer tools.
    #[garde(custom(rules::word(Variant::WORDS)))]
    #[schemars(extend("enum" = Variant::WORDS))]
    pub variant: String,
    /// For which graphics card. `nvidia-open` needs a Turing card (GTX 16, RTX 20) or newer.
    #[garde(custom(rules::gpu))]
    #[schemars(extend("enum" = Gpu::WORDS))]
    pub gpu_variant: String,
    /// Registry and owner of the base images.
    #[garde(custom(rules::registry))]
    pub registry: String,
    /// Release stream of the base.
    #[garde(custom(rules::word(Stream::WORDS)))]
    #[schemars(extend("enum" = Stream::WORDS))]
    pub stream: String,
    /// A tag of the base instead of the stream's own, as `stable-20260902.1`.
    #[garde(inner(custom(rules::tag)))]
    pub tag: Option<String>,
    /// The digest that the base must have, as `sha256:` and 64 hexadecimal digits.
    #[garde(inner(custom(rules::digest)))]
    pub digest: Option<String>,
}

/// Packages to add and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PackagesFile {
    /// RPMs to install from the repositories of the base.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(inner(custom(rules::rpm)))]
    pub add_rpm: Vec<String>,
    /// RPMs to remove. A package that others need must be listed with them.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(inner(custom(rules::rpm)), custom(rules::apart_from("add_rpm", &self.add_rpm)))]
    pub remove_rpm: Vec<String>,
    /// Flatpaks from Flathub, installed at the first boot with a network.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(inner(custom(rules::flatpak)))]
    pub add_flatpak: Vec<String>,
    /// Flatpaks that are not wanted; removed once from a system that has them.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(
        inner(custom(rules::flatpak)),
        custom(rules::apart_from("add_flatpak", &self.add_flatpak))
    )]
    pub remove_flatpak: Vec<String>,
    /// Identifiers of repositories that are on while packages are installed, and only then.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(inner(custom(rules::repository_id)))]
    pub repositories: Vec<String>,
}

/// The mouse driver.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MaccelFile {
    /// Whether the image has the driver and its tools.
    #[garde(skip)]
    pub enabled: bool,
    /// `bundled` is the driver of this repository, `git` one from `repository` at `commit`.
    #[garde(custom(rules::word(Source::WORDS)))]
    #[schemars(extend("enum" = Source::WORDS))]
    pub source: String,
    /// Git repository of the driver; read with `source: git` only.
    #[garde(
        inner(custom(rules::git_url)),
        custom(rules::needed_for_git(&self.source, "repository"))
    )]
    pub repository: Option<String>,
    /// The full commit, 40 hexadecimal digits; what was cloned is compared with it.
    #[garde(inner(custom(rules::commit)), custom(rules::needed_for_git(&self.source, "commit")))]
    pub commit: Option<String>,
    /// The acceleration of a fresh installation, as the name of a shipped profile.
    #[garde(inner(custom(rules::profile)))]
    pub curve: Option<String>,
}

/// How and where the image is built.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildFile {
    /// `single` builds the image named here, `matrix` every combination that Aurora has.
    #[garde(custom(rules::word(Strategy::WORDS)))]
    #[schemars(extend("enum" = Strategy::WORDS))]
    pub strategy: String,
    /// Registry that the image is pushed to.
    #[garde(custom(rules::registry))]
    pub registry: String,
    /// Name that the variant's suffixes are added to, with or without an owner before it.
    #[garde(custom(rules::image_name))]
    pub image_name: String,
    /// The platform to build for, as a list of one.
    #[garde(custom(rules::one_platform), inner(custom(rules::platform)))]
    #[schemars(length(equal = 1))]
    pub platforms: Vec<String>,
    /// Tags beside `latest` and the date.
    #[serde(deserialize_with = "null_as_default")]
    #[garde(inner(custom(rules::tag)))]
    pub tags: Vec<String>,
}

/// What must be signed. Keys themselves are secrets of the build and are never written here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SigningFile {
    /// Whether a kernel module without a signature fails the build.
    #[garde(skip)]
    pub module: bool,
    /// Whether an image without a signature is not published.
    #[garde(skip)]
    pub image: bool,
}

impl Default for BaseFile {
    fn default() -> Self {
        Self {
            variant: Variant::default().word().into(),
            gpu_variant: Gpu::default().word().into(),
            registry: "ghcr.io/ublue-os".into(),
            stream: Stream::default().word().into(),
            tag: None,
            digest: None,
        }
    }
}

impl Default for MaccelFile {
    fn default() -> Self {
        Self {
            enabled: true,
            source: Source::default().word().into(),
            repository: None,
            commit: None,
            curve: None,
        }
    }
}

impl Default for BuildFile {
    fn default() -> Self {
        Self {
            strategy: Strategy::default().word().into(),
            registry: "ghcr.io".into(),
            image_name: "vespera".into(),
            platforms: vec!["linux/amd64".into()],
            tags: Vec::new(),
        }
    }
}

impl ConfigFile {
    /// What is allowed, but surely not meant.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.maccel.source == Source::Bundled.word() {
            for (key, value) in
                [("repository", &self.maccel.repository), ("commit", &self.maccel.commit)]
            {
                if value.is_some() {
                    warnings.push(format!(
                        "maccel.{key} is not read: the driver of this repository is built; \
                         write `source: git` to build another one"
                    ));
                }
            }
        }
        warnings
    }
}

/// Takes a key without a value (`add_rpm:` with everything below it commented out) as the default.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
