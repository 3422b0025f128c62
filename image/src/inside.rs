// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands that run inside the container build.

use std::fs;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use image::config::Config;
use image::customize::identity::BuildFacts;
use image::customize::module::Built;
use image::customize::{self, Printed, Report};
use image::publish::signing::PUBLIC_KEY;
use image::{driver, kernel, tool};
use serde_json::json;

use crate::args::{Driver, Identity, Part};
use crate::commands::given;

pub(crate) fn customize(
    root: &Utf8Path,
    config: &Config,
    part: Part,
    json: bool,
) -> Result<ExitCode> {
    let (name, began) = (part.name(), SystemTime::now());
    if json {
        let mut done = Vec::new();
        apply(root, config, part, &mut done)?;
        customize::times::settle(root, began)?;
        println!("{:#}", json!({ "format": 1, "part": name, "root": root, "done": done }));
    } else {
        apply(root, config, part, &mut Printed::Stdout)?;
        customize::times::settle(root, began)?;
    }
    Ok(ExitCode::SUCCESS)
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
