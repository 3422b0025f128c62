// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was built, for people and for programs.

use serde_json::{Value, json};

use crate::config::Config;
use crate::plan::{Image, label};

/// Version of the form of the JSON.
const FORMAT: u32 = 1;
/// What people are told to follow.
const TAG: &str = "latest";
/// Labels worth a line: their name for people, and the label.
const SHOWN: &[(&str, &str)] = &[
    ("base", "org.opencontainers.image.base.name"),
    ("base digest", label::AURORA_DIGEST),
    ("kernel", label::KERNEL),
    ("driver", label::MACCEL_COMMIT),
    ("revision", label::REVISION),
    ("built", label::BUILD_DATE),
];

/// The metadata of a build: all that the next run or a later reader may want to know.
pub fn metadata(image: &Image, digest: Option<&str>) -> Value {
    json!({
        "format": FORMAT,
        "name": image.name,
        "image": image.image,
        "digest": digest,
        "tags": image.tags,
        "platforms": image.platforms,
        "base": image.base,
        "build_args": image.build_args,
        "labels": image.labels,
    })
}

/// The summary of a build in Markdown, with the commands that get it onto a machine.
pub fn markdown(config: &Config, image: &Image, digest: Option<&str>) -> String {
    let reference = format!("{}:{TAG}", image.image);
    let mut text = format!("## {}\n\n| | |\n|---|---|\n", image.name);
    let mut row = |name: &str, value: &str| text.push_str(&format!("| {name} | `{value}` |\n"));
    row("image", &image.image);
    if let Some(digest) = digest {
        row("digest", digest);
    }
    row("tags", &image.tags.join(", "));
    for (name, key) in SHOWN {
        if let Some(value) = image.labels.get(*key) {
            row(name, value);
        }
    }
    // Only an image that carries its policy and is signed can be asked for by a strict host.
    let (policy, transport) = if config.signing.image {
        ("--enforce-container-sigpolicy ", "ostree-image-signed:docker://")
    } else {
        ("", "ostree-unverified-registry:")
    };
    text.push_str(&format!(
        "\nLook at it:\n\n```\npodman pull {reference}\n```\n\n\
         Move a machine to it, then restart it:\n\n```\nsudo bootc switch {policy}{reference}\n```\n\n\
         The same with rpm-ostree:\n\n```\nrpm-ostree rebase {transport}{reference}\n```\n\n\
         Go back:\n\n```\nsudo bootc rollback\n```\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Facts, plan};

    fn image(text: &str) -> (Config, Image) {
        let (config, _) = Config::parse("c.yaml", text).unwrap();
        let facts = Facts {
            owner: Some("me".into()),
            date: Some("2026-11-22T02:00:00Z".into()),
            kernel: Some("6.17.1".into()),
            ..Facts::default()
        };
        let image = plan(&config, &facts).builds.remove(0);
        (config, image)
    }

    #[test]
    fn summary_has_the_commands_of_this_variant() {
        let (config, image) = image("base: {variant: aurora-dx, gpu_variant: nvidia-open}");
        let text = markdown(&config, &image, Some("sha256:1"));
        for line in [
            "| digest | `sha256:1` |",
            "| tags | `latest, 20261122` |",
            "| kernel | `6.17.1` |",
            "podman pull ghcr.io/me/vespera-dx-nvidia-open:latest",
            "sudo bootc switch ghcr.io/me/vespera-dx-nvidia-open:latest",
            "rpm-ostree rebase ostree-unverified-registry:ghcr.io/me/vespera-dx-nvidia-open:latest",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn signed_image_is_moved_to_by_the_strict_commands() {
        let (config, image) = image("signing: {image: true}");
        let text = markdown(&config, &image, None);
        assert!(text.contains("bootc switch --enforce-container-sigpolicy ghcr.io/me/vespera"));
        assert!(text.contains("ostree-image-signed:docker://ghcr.io/me/vespera:latest"));
        assert!(!text.contains("digest |"), "{text}");
    }

    #[test]
    fn metadata_holds_what_the_next_run_compares() {
        let (_, image) = image("");
        let metadata = metadata(&image, Some("sha256:1"));
        assert_eq!(metadata["digest"], "sha256:1");
        assert_eq!(metadata["tags"][2], "main");
        assert_eq!(metadata["labels"][label::KERNEL], "6.17.1");
        assert_eq!(metadata["build_args"]["GPU_VARIANT"], "main");
    }
}
