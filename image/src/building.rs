// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command that builds an image.

use std::fs::File;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use image::build::{self, Builder as _, Options, Program};
use image::config::Config;
use image::customize::{Printed, Report as _};
use image::driver::{headers, sign};
use image::plan::{self, Facts};
use image::registry::Skopeo;
use image::tool::Tools as _;
use image::{clock, explain, inspect, tool};
use serde_json::json;

use crate::args::Build;
use crate::commands::{append, known, load};
use crate::secret;

pub(crate) fn build(args: Build) -> Result<ExitCode> {
    let config = load(&args.config, &args.built)?;
    let program = Program::choose(&tool::Path)?;
    let mut facts = known(args.facts);
    facts.date.get_or_insert_with(clock::now);
    let (facts, rpms) = if args.offline {
        (facts, None)
    } else {
        ask(&config, facts, &Skopeo::new(&tool::Path, args.insecure)?)?
    };
    let mut image = plan::image(&config, &facts, config.base.variant, config.base.gpu);
    if let Some(platform) = args.platform {
        image.platforms = vec![platform];
    }
    build::emulation("/".into(), &image.platforms)?;
    let names = match args.names {
        names if names.is_empty() => vec![format!("localhost/{}:local", image.name)],
        names => names,
    };
    let key = secret::given(args.module_key).map(|key| secret::File::of(&key)).transpose()?;
    let key = key.as_ref().map(secret::File::path);
    let options = Options {
        file: args.file,
        context: args.context,
        names,
        build_args: build_args(args.build_args, args.headers.or(rpms), key)?,
        secrets: secrets(args.secrets, key),
        no_cache: args.no_cache,
        squash: args.squash,
        layer_cache: args.layer_cache,
        jobs: args.jobs,
        extra: args.extra,
    };
    let mut report = Printed::beside(args.json);
    report.line(&format!("free space: {}", free()));
    let started = Instant::now();
    let mut log = Log::create(args.log)?;
    let result = program.build(&image, &options, &mut |line| {
        report.line(line);
        log.line(line);
    });
    report.line(&format!("free space: {}", free()));
    if result.is_err() {
        for explanation in explain::explain(&log.text) {
            let text = explanation.text();
            eprintln!("\n{text}");
            log.line(&text);
            if let Some(file) = &args.summary {
                append(file, &explanation.markdown())
                    .with_context(|| format!("cannot write {file}"))?;
            }
        }
    }
    result?;
    log.close()?;
    let seconds = started.elapsed().as_secs();
    if args.json {
        let value = json!({
            "format": 1,
            "name": image.name,
            "names": options.names,
            "program": program.name,
            "seconds": seconds,
            "labels": image.labels,
            "build_args": image.build_args,
        });
        println!("{value:#}");
    } else {
        println!("built {} in {seconds} s with {}", image.name, program.name);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the build said: kept for the explanation, and written as it comes, since a build that is
/// killed or fills the disk leaves nothing else.
#[derive(Debug)]
struct Log {
    text: String,
    file: Option<(Utf8PathBuf, File)>,
    fault: Option<io::Error>,
}

impl Log {
    fn create(path: Option<Utf8PathBuf>) -> Result<Self> {
        let create = |path: Utf8PathBuf| {
            let file = File::create(&path).with_context(|| format!("cannot write {path}"))?;
            anyhow::Ok((path, file))
        };
        Ok(Self { text: String::new(), file: path.map(create).transpose()?, fault: None })
    }

    /// A log that cannot be written on does not stop the build; [`Log::close`] tells of it.
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        if let (Some((_, file)), None) = (&mut self.file, &self.fault) {
            self.fault = writeln!(file, "{line}").err();
        }
    }

    fn close(self) -> Result<()> {
        match (self.file, self.fault) {
            (Some((path, _)), Some(fault)) => {
                Err(fault).with_context(|| format!("cannot write all of {path}"))
            }
            _ => Ok(()),
        }
    }
}

/// Asks the registry what is not given: which build of the base this will be, its kernel, and
/// where the headers of that kernel are.
fn ask(
    config: &Config,
    mut facts: Facts,
    registry: &Skopeo<'_>,
) -> Result<(Facts, Option<String>)> {
    let base = inspect::configured(registry, config, &facts)?;
    let rpms = if config.maccel.enabled { headers::image(registry, &base)? } else { None };
    facts.base_digest.get_or_insert(base.digest);
    facts.kernel.get_or_insert(base.kernel);
    Ok((facts, rpms))
}

/// What the Containerfile has to know besides the plan. The fingerprint is there for the layer
/// cache, which does not look at secrets: another key is another build.
fn build_args(
    mut given: Vec<String>,
    headers: Option<String>,
    key: Option<&Utf8Path>,
) -> Result<Vec<String>> {
    given.extend(headers.map(|image| format!("HEADERS_IMAGE={image}")));
    if let Some(key) = key {
        given.push(format!("MODULE_KEY={}", sign::fingerprint(key, &tool::Path)?));
    }
    Ok(given)
}

fn secrets(mut given: Vec<String>, key: Option<&Utf8Path>) -> Vec<String> {
    given.extend(key.map(|key| format!("id={},src={key}", build::MODULE_KEY)));
    given
}

/// The free space where this is built, for whoever reads the log of a build that ran out of it.
fn free() -> String {
    let args = ["--human-readable", "--output=avail,target", "."];
    tool::Path
        .run("df", &args, "see the free space")
        .ok()
        .and_then(|said| said.stdout.lines().last().map(|line| line.trim().to_owned()))
        .unwrap_or_else(|| "not known".to_owned())
}
