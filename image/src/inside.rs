// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands that run inside the container build.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use image::config::{Config, FILE_NAME};
use image::customize::identity::BuildFacts;
use image::customize::module::Built;
use image::customize::{self, Printed, Report};
use image::publish::signing::PUBLIC_KEY;
use image::{driver, kernel, plan, tool};
use serde_json::json;

use crate::args::{self, Driver, Identity, Part};
use crate::commands::{given, with};

pub(crate) fn customize(
    root: &Utf8Path,
    written: &Config,
    built: &args::Built,
    part: Part,
    json: bool,
) -> Result<ExitCode> {
    let config = &with(written, built);
    let note = match &part {
        Part::Identity(args) => unheeded(written, config, given(args.base.clone()).as_deref())?,
        _ => None,
    };
    let (name, began) = (part.name(), customize::times::now());
    if json {
        let mut done = Vec::new();
        apply(root, config, part, &mut done)?;
        done.extend(note);
        customize::times::settle(root, began)?;
        println!("{:#}", json!({ "format": 1, "part": name, "root": root, "done": done }));
    } else {
        apply(root, config, part, &mut Printed::Stdout)?;
        if let Some(note) = note {
            Printed::Stdout.line(&note);
        }
        customize::times::settle(root, began)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the configuration says of the base, and this build did otherwise: only `vespera-image build`
/// reads it before the base is taken. A digest that is not kept is a fault, since whoever pinned it
/// trusts no other.
fn unheeded(written: &Config, config: &Config, base: Option<&str>) -> Result<Option<String>> {
    if let Some(digest) = &config.base.digest
        && !base.is_some_and(|base| base.ends_with(digest.as_str()))
    {
        bail!(
            "base.digest is {digest}, and this build started from {}: build by `vespera-image \
             build`, or with --build-arg BASE_IMAGE=REFERENCE@{digest}",
            base.unwrap_or("whatever the base's tag names today")
        );
    }
    let named = plan::base(written, written.base.variant, written.base.gpu);
    let (unwritten, _) = Config::parse(FILE_NAME, "")?;
    let started = plan::base(&unwritten, config.base.variant, config.base.gpu);
    Ok((base.is_none() && named != started).then(|| {
        format!(
            "note: the base is that of the build's arguments ({started} if there are no others); \
             {FILE_NAME} says {named}, which `vespera-image build` follows"
        )
    }))
}

fn apply(root: &Utf8Path, config: &Config, part: Part, report: &mut dyn Report) -> Result<()> {
    let tools = &tool::Path;
    match part {
        Part::Packages => customize::packages::apply(root, &config.packages, tools, report)?,
        Part::Payload(payload) => {
            let release = kernel::release(root)?;
            let placed = if config.maccel.enabled {
                let placed = customize::payload::install(root, &payload.from, tools, report)?;
                if let Some(name) = &config.maccel.curve {
                    customize::curve::write(root, name, report)?;
                }
                placed
            } else {
                report.line("payload: not wanted, maccel.enabled is false");
                Vec::new()
            };
            let facts =
                BuildFacts { name: config.name(), payload: placed, ..BuildFacts::default() };
            customize::identity::write(root, config, &release, &facts, report)?;
        }
        Part::Module { .. } if !config.maccel.enabled => {
            report.line("module: not wanted, maccel.enabled is false");
        }
        Part::Module { from } => {
            let path = from.join(driver::RELEASE);
            let release =
                fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            let (module, certificate) = (from.join(driver::MODULE), from.join(driver::CERTIFICATE));
            let certificate = certificate.exists().then_some(certificate.as_path());
            let built = Built { module: &module, release: release.trim(), certificate };
            customize::module::install(root, built, config.signing.module, tools, report)?;
        }
        Part::Identity(identity) => self::identity(root, config, identity, report)?,
        Part::Finish => customize::finish::finish(root, report)?,
    }
    Ok(())
}

fn identity(
    root: &Utf8Path,
    config: &Config,
    args: Identity,
    report: &mut dyn Report,
) -> Result<()> {
    let key = args.public_key.filter(|path| path.exists());
    let reference = match (given(args.registry), given(args.image_name)) {
        (Some(registry), Some(name)) => Some(format!("{registry}/{name}")),
        _ => None,
    };
    let facts = BuildFacts {
        name: config.name(),
        reference: reference.clone(),
        enforced: reference.is_some() && key.is_some(),
        version: given(args.image_version),
        base: given(args.base),
        base_digest: given(args.base_digest),
        revision: given(args.revision),
        date: given(args.date),
        payload: Vec::new(),
    };
    customize::identity::write(root, config, &kernel::release(root)?, &facts, report)?;
    match (reference, key) {
        (Some(repository), Some(key)) => {
            customize::policy::write(root, &repository, &key, report)?;
        }
        (reference, _) if config.signing.image => bail!(
            "signing.image is true, and hosts could not enforce it: {} is missing",
            reference.map_or("the name of the image (IMAGE_NAME)", |_| PUBLIC_KEY)
        ),
        _ => report.line("policy: none; hosts take this image with any signature or none"),
    }
    Ok(())
}

pub(crate) fn driver(args: &Driver) -> Result<ExitCode> {
    let (config, _) = Config::load(&args.config)?;
    let stage = driver::Stage {
        maccel: &config.maccel,
        base: &args.base,
        bundled: &args.bundled,
        rpms: &args.rpms,
        key: Some(args.key.as_path()).filter(|key| key.exists()),
        out: &args.out,
        tools: &tool::Path,
    };
    driver::build(&stage, &mut Printed::Stdout)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::config::{Gpu, Variant};

    fn written(text: &str) -> Config {
        Config::parse(FILE_NAME, text).unwrap().0
    }

    #[test]
    fn pinned_base_that_the_build_did_not_start_from_is_refused() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let config = written(&format!("base: {{digest: '{digest}'}}"));
        for base in [None, Some("ghcr.io/ublue-os/aurora:stable")] {
            let error = unheeded(&config, &config, base).unwrap_err().to_string();
            assert!(error.contains("BASE_IMAGE=REFERENCE@sha256:"), "{error}");
        }
        let kept = format!("ghcr.io/ublue-os/aurora@{digest}");
        assert_eq!(unheeded(&config, &config, Some(&kept)).unwrap(), None);
        // It is the digest of one variant; a build of another one has none.
        let other = config.clone().with(Variant::AuroraDx, Gpu::Main);
        unheeded(&config, &other, Some("ghcr.io/ublue-os/aurora-dx:stable")).unwrap();
    }

    #[test]
    fn configured_base_that_a_plain_build_does_not_follow_is_told() {
        let config = written("base: {variant: aurora-dx}");
        let plain = config.clone().with(Variant::Aurora, Gpu::Main);
        let note = unheeded(&config, &plain, None).unwrap().unwrap();
        assert!(note.contains("vespera-config.yaml says ghcr.io/ublue-os/aurora-dx"), "{note}");
        assert_eq!(unheeded(&config, &config, None).unwrap(), None);
        assert_eq!(unheeded(&config, &plain, Some("localhost/mine")).unwrap(), None);
    }
}
