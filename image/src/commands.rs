// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each command does with the library, and the exit code of each kind of error.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use image::build;
use image::config::{Config, Invalid};
use image::customize;
use image::detect::Trigger;
use image::plan::{self, Facts};
use image::publish::{self, signing};
use image::registry::{self, Registry as _, Skopeo};
use image::{
    clock, diff, explain, git, inspect, kernel, opened, schema, source, summary, survey, tool,
    version,
};
use serde_json::json;

use crate::args::{Args, Built, Command, Detect, Known};
use crate::{building, inside, manual, releases};

const FAILURE: u8 = 1;
const CONFIGURATION: u8 = 3;
pub(crate) const FAULTS: u8 = 4;
const REGISTRY: u8 = 5;
const TOOL: u8 = 6;

/// Runs one command.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    match args.command {
        Command::Check { file, json } => check(&file, json),
        Command::Schema { check: None, json: _ } => {
            // It is JSON in any case.
            print!("{}", schema::text());
            Ok(ExitCode::SUCCESS)
        }
        Command::Schema { check: Some(file), json } => {
            let committed =
                fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
            schema::check(&committed)?;
            if json {
                println!("{:#}", json!({ "format": 1, "file": file, "current": true }));
            } else {
                println!("{file}: current");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Plan { file, facts, json, matrix } => {
            let (config, mut warnings) = Config::load(&file)?;
            let mut plan = plan::plan(&config, &known(facts));
            warnings.append(&mut plan.warnings);
            plan.warnings = warnings;
            if matrix {
                println!("{}", plan.matrix());
            } else if json {
                println!("{:#}", serde_json::to_value(&plan)?);
            } else {
                print!("{}", plan.text());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Inspect { file, image, insecure, json } => {
            let (config, _) = Config::load(&file)?;
            let reference =
                image.unwrap_or_else(|| plan::base(&config, config.base.variant, config.base.gpu));
            let base = inspect::base(&Skopeo::new(&tool::Path, insecure)?, &reference)?;
            if json {
                println!("{:#}", serde_json::to_value(&base)?);
            } else {
                print!("{}", base.text());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Build(args) => building::build(*args),
        Command::Driver(args) => inside::driver(&args),
        Command::Summary { file, facts, digest, built, json } => {
            let config = load(&file, &built)?;
            let (variant, gpu) = (config.base.variant, config.base.gpu);
            let image = plan::image(&config, &known(facts), variant, gpu);
            let digest = given(digest);
            if json {
                println!("{:#}", summary::metadata(&image, digest.as_deref()));
            } else {
                print!("{}", summary::markdown(&config, &image, digest.as_deref()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Explain { log, json } => explain(&log, json),
        Command::Detect(detect) => self::detect(detect),
        Command::Kernel { root, label } => {
            let release = kernel::release(&root)?;
            kernel::agrees(&release, &label)?;
            println!("{release}");
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify(args) => releases::verify(args),
        Command::Diff { old, new, insecure, json, markdown } => {
            let diff = releases::diff(&old, &new, insecure)?;
            if json {
                println!("{:#}", serde_json::to_value(&diff)?);
            } else if markdown {
                print!("{}", diff.markdown());
            } else {
                print!("{}", diff.text());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Stage(args) => releases::stage(args),
        Command::Publish(args) => releases::publish(args),
        Command::Customize { root, config, built, json, part } => {
            let written = Config::load(&config)?.0;
            inside::customize(&root, &written, &built, part, json)
        }
        Command::Completion { shell } => {
            print!("{}", manual::completion(shell));
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { folder } => {
            manual::man(&folder)?;
            println!("{folder}");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The configuration, with the variants that a build argument may have changed.
pub(crate) fn load(file: &Utf8Path, built: &Built) -> Result<Config> {
    Ok(with(&Config::load(file)?.0, built))
}

pub(crate) fn with(config: &Config, built: &Built) -> Config {
    let (variant, gpu) = (config.base.variant, config.base.gpu);
    config.clone().with(built.aurora_variant.unwrap_or(variant), built.gpu_variant.unwrap_or(gpu))
}

/// Prints an error and finds its exit code.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(invalid) = error.downcast_ref::<Invalid>() {
        eprintln!("{invalid}");
        return ExitCode::from(CONFIGURATION);
    }
    let said = format!("{error:#}");
    eprintln!("vespera-image: {said}");
    let code = code(error);
    if code == REGISTRY {
        for explanation in explain::explain(&said) {
            eprintln!("\n{}", explanation.text());
        }
    }
    ExitCode::from(code)
}

/// The exit code of an error's kind. A missing tool hides in several of them.
fn code(error: &anyhow::Error) -> u8 {
    let registry = |error: &registry::Error| match error {
        registry::Error::Tool(_) => TOOL,
        _ => REGISTRY,
    };
    match error.downcast_ref() {
        Some(publish::Error::Registry(error)) => return registry(error),
        Some(publish::Error::NotStaged(_) | publish::Error::Moved { .. }) => return REGISTRY,
        Some(publish::Error::Unverified { .. }) => return FAULTS,
        Some(
            publish::Error::NoKey
            | publish::Error::Enforced { .. }
            | publish::Error::Signing(signing::Error::AnotherKey(_)),
        ) => return CONFIGURATION,
        Some(publish::Error::Open(error)) => return opened(error),
        Some(publish::Error::Signing(signing::Error::Tool(error))) => return tool_code(error),
        _ => {}
    }
    match error.downcast_ref() {
        Some(diff::Error::Open(error)) => return opened(error),
        Some(diff::Error::Tool(error)) => return tool_code(error),
        Some(diff::Error::Version(_)) => return TOOL,
        _ => {}
    }
    if let Some(error) = error.downcast_ref() {
        return opened(error);
    }
    if error.is::<tool::Error>() {
        return TOOL;
    }
    if error.is::<version::Error>() {
        return TOOL;
    }
    match error.downcast_ref() {
        Some(inspect::Error::Registry(error)) => return registry(error),
        Some(inspect::Error::Absent(_)) => return REGISTRY,
        _ => {}
    }
    if let Some(error) = error.downcast_ref() {
        return registry(error);
    }
    match error.downcast_ref() {
        Some(source::Error::Git(_)) => return TOOL,
        Some(_) => return REGISTRY,
        _ => {}
    }
    if let Some(
        build::Error::NoTool(_) | build::Error::Tool(_) | build::Error::NoEmulation { .. },
    ) = error.downcast_ref()
    {
        return TOOL;
    }
    match error.downcast_ref() {
        Some(customize::Error::Tool(_)) => TOOL,
        _ => FAILURE,
    }
}

/// buildah gets an image from a registry, too; what it then says is the registry's word.
fn opened(error: &opened::Error) -> u8 {
    match error {
        opened::Error::Tool(error) => tool_code(error),
        opened::Error::Version(_) => TOOL,
        _ => FAILURE,
    }
}

fn tool_code(error: &tool::Error) -> u8 {
    match error {
        tool::Error::Failed { .. } => REGISTRY,
        _ => TOOL,
    }
}

fn detect(args: Detect) -> Result<ExitCode> {
    let (config, _) = Config::load(&args.file)?;
    let git = git::Program::new(&tool::Path).map_err(source::Error::Git)?;
    let driver = source::driver(&config.maccel, &args.repository, &git)?;
    if let Some(newer) = &driver.newer {
        eprintln!("note: the driver's repository is at {newer}; maccel.commit is another one");
    }
    let sources = Some(source::copied(&args.repository, &git)?);
    let registry = Skopeo::new(&tool::Path, args.insecure)?;
    let builder_digest = match given(args.builder) {
        None => None,
        Some(builder) => {
            Some(registry.inspect(&builder)?.ok_or(inspect::Error::Absent(builder))?.digest)
        }
    };
    let facts = Facts {
        owner: given(args.owner),
        date: Some(clock::now()),
        driver: driver.version,
        builder_digest,
        sources,
        ..Facts::default()
    };
    let trigger = Trigger { forced: args.force, push: args.push };
    let survey = survey::survey(&config, &facts, trigger, &registry)?;
    for (file, text) in [(args.outputs, survey.output_lines()), (args.summary, survey.markdown())] {
        if let Some(file) = file {
            append(&file, &text).with_context(|| format!("cannot write {file}"))?;
        }
    }
    if args.json {
        println!("{:#}", serde_json::to_value(&survey)?);
    } else {
        print!("{}", survey.text());
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(log: &Utf8Path, json: bool) -> Result<ExitCode> {
    let text = if log == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(log) };
    let found = explain::explain(&text.with_context(|| format!("cannot read {log}"))?);
    if json {
        println!("{:#}", json!({ "format": 1, "failures": found }));
        return Ok(ExitCode::SUCCESS);
    }
    for explanation in &found {
        println!("{}", explanation.text());
    }
    if found.is_empty() {
        println!("nothing in this log is a failure that is known here");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn append(file: &Utf8Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
}

fn check(file: &Utf8Path, json: bool) -> Result<ExitCode> {
    let result = Config::load(file);
    if json {
        let (valid, warnings, violations) = match &result {
            Ok((_, warnings)) => (true, warnings.as_slice(), &[][..]),
            Err(invalid) => (false, &[][..], invalid.violations.as_slice()),
        };
        let value = json!({
            "format": 1,
            "file": file,
            "valid": valid,
            "warnings": warnings,
            "violations": violations,
        });
        println!("{value:#}");
        return Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(CONFIGURATION) });
    }
    let (_, warnings) = result?;
    for warning in warnings {
        eprintln!("{file}: warning: {warning}");
    }
    println!("{file}: valid");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn known(known: Known) -> Facts {
    Facts {
        owner: given(known.owner),
        date: given(known.date),
        revision: given(known.revision),
        source: given(known.source),
        base_digest: given(known.base_digest),
        driver: given(known.driver),
        kernel: given(known.kernel),
        builder_digest: given(known.builder_digest),
        sources: given(known.sources),
    }
}

/// A build argument that nobody set arrives as an empty word.
pub(crate) fn given(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}
