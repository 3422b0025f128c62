// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a base is, from its labels.

use serde::Serialize;

use crate::config::Config;
use crate::plan::label::OSTREE_LINUX;
use crate::plan::{self, Facts};
use crate::registry::{self, Inspected, Registry};

/// Version of the form of the JSON.
const FORMAT: u32 = 1;

/// A base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Version of the form.
    pub format: u32,
    /// The reference that was asked for.
    pub reference: String,
    /// Digest of its manifest.
    pub digest: String,
    /// Its kernel release.
    pub kernel: String,
    /// Its Fedora release, where the kernel is one of Fedora's.
    pub fedora: Option<u32>,
    /// Its own version, where it tells one.
    pub version: Option<String>,
}

/// A base that nothing can be built on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry gave no answer.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// There is no such image.
    #[error("{0} does not exist; look at base.variant, base.stream and base.tag")]
    Absent(String),
    /// It has no kernel that anything could be built for.
    #[error(
        "{0} has no label ostree.linux, so its kernel is not known without pulling it; is it a \
         bootable image?"
    )]
    NoKernel(String),
}

/// Asks a registry about a base.
///
/// # Errors
///
/// When there is no answer, no such image, or no kernel release to be found.
pub fn base(registry: &dyn Registry, reference: &str) -> Result<Base, Error> {
    let inspected =
        registry.inspect(reference)?.ok_or_else(|| Error::Absent(reference.to_owned()))?;
    of(reference, &inspected)
}

/// Asks about the base that will be built on: by its digest where that is known, since its tag may
/// name a later build with another kernel by now.
///
/// # Errors
///
/// As for [`base`].
pub fn configured(registry: &dyn Registry, config: &Config, facts: &Facts) -> Result<Base, Error> {
    let reference = plan::base(config, config.base.variant, config.base.gpu);
    base(registry, &plan::by_digest(&reference, facts))
}

/// Reads what is known of a base.
///
/// # Errors
///
/// When its labels do not tell the kernel release.
pub fn of(reference: &str, inspected: &Inspected) -> Result<Base, Error> {
    let kernel = inspected
        .labels
        .get(OSTREE_LINUX)
        .filter(|kernel| !kernel.is_empty())
        .ok_or_else(|| Error::NoKernel(reference.to_owned()))?;
    // The version label of Aurora holds a date and no `fcNN`; the kernel release always does.
    let fedora = fedora(kernel);
    Ok(Base {
        format: FORMAT,
        reference: reference.to_owned(),
        digest: inspected.digest.clone(),
        kernel: kernel.clone(),
        fedora,
        version: inspected.labels.get("org.opencontainers.image.version").cloned(),
    })
}

/// 44 of `7.1.4-200.fc44.x86_64`.
fn fedora(kernel: &str) -> Option<u32> {
    kernel.split('.').find_map(|part| part.strip_prefix("fc")?.parse().ok())
}

impl Base {
    /// The base for a person.
    pub fn text(&self) -> String {
        let version = self.version.as_deref().unwrap_or("not told");
        let fedora = self.fedora.map_or("not told".to_owned(), |release| release.to_string());
        format!(
            "base    {}\ndigest  {}\nkernel  {}\nfedora  {fedora}\nversion {version}\n",
            self.reference, self.digest, self.kernel
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(labels: &[(&str, &str)]) -> Inspected {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Inspected { digest: "sha256:1".into(), labels }
    }

    #[test]
    fn kernel_and_fedora_release_come_from_the_kernel_label() {
        let labels = [
            (OSTREE_LINUX, "7.1.4-200.fc44.x86_64"),
            ("org.opencontainers.image.version", "44.20260819.1"),
        ];
        let base = of("b", &inspected(&labels)).unwrap();
        assert_eq!((base.kernel.as_str(), base.fedora), ("7.1.4-200.fc44.x86_64", Some(44)));
        assert_eq!(base.version.as_deref(), Some("44.20260819.1"));
    }

    #[test]
    fn base_without_a_kernel_stops_and_one_of_another_system_has_no_fedora_release() {
        for labels in [&[][..], &[(OSTREE_LINUX, "")]] {
            assert!(matches!(of("b", &inspected(labels)), Err(Error::NoKernel(_))));
        }
        let other = of("b", &inspected(&[(OSTREE_LINUX, "6.12.1-generic")])).unwrap();
        assert_eq!(other.fedora, None);
        assert!(other.text().contains("fedora  not told"), "{}", other.text());
    }

    #[test]
    fn base_whose_digest_is_known_is_asked_about_by_it() {
        use crate::customize::fixtures::{FakeTools, ok};
        use crate::registry::Skopeo;
        let (config, _) = Config::parse("c.yaml", "").unwrap();
        let asked = |digest: Option<&str>| {
            let tools = FakeTools::default().with("skopeo", |_| {
                ok(r#"{"Digest": "sha256:1", "Labels": {"ostree.linux": "6.17.1-300.fc43.x86_64"}}"#)
            });
            let facts = Facts { base_digest: digest.map(str::to_owned), ..Facts::default() };
            configured(&Skopeo { tools: &tools, insecure: false }, &config, &facts).unwrap();
            tools.calls().remove(0)
        };
        assert!(asked(None).ends_with("docker://ghcr.io/ublue-os/aurora:stable"));
        let digest = format!("sha256:{}", "a".repeat(64));
        let by_digest = format!("docker://ghcr.io/ublue-os/aurora@{digest}");
        assert!(asked(Some(&digest)).ends_with(&by_digest), "{}", asked(Some(&digest)));
    }
}
