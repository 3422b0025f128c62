// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands about a finished image: verify, stage, publish.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use image::config::Config;
use image::customize::{Printed, policy};
use image::diff::{Diff, Side};
use image::opened::{self, Opened};
use image::plan::{self, Facts, Image, label};
use image::publish::{self, Cosign, GitHub, Publisher, Signer, Verified, Verifier};
use image::registry::{Registry as _, Skopeo};
use image::verify::{self as checks, Subject};
use image::{clock, summary, tool};
use serde_json::json;

use crate::args::{Publish, Stage, Staged, Verify};
use crate::commands::{FAULTS, append, given, known, load};
use crate::secret;

/// Set for the process inside `buildah unshare`, so that it does not go there again.
const INSIDE: &str = "VESPERA_UNSHARED";

pub(crate) fn verify(args: Verify) -> Result<ExitCode> {
    let config = load(&args.config, &args.built)?;
    let report = match (args.image, args.root) {
        (Some(reference), _) => {
            as_root()?;
            let opened = Opened::open(&reference, args.insecure, &tool::Path)?;
            checks::image(&opened, &config, &Facts::default(), &tool::Path)
        }
        (None, Some(root)) => checks::verify(&Subject {
            root: &root,
            config: &config,
            label: args.label.as_deref(),
            image: None,
            tools: &tool::Path,
        }),
        (None, None) => bail!("neither an image nor a root folder is given"),
    };
    if args.json {
        println!("{:#}", serde_json::to_value(&report)?);
    } else if args.markdown {
        print!("{}", report.markdown());
    } else {
        print!("{}", report.text());
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
}

pub(crate) fn diff(old: &str, new: &str, insecure: bool) -> Result<Diff> {
    as_root()?;
    let old = Side::open(old, insecure, &tool::Path)?;
    let new = Side::open(new, insecure, &tool::Path)?;
    Ok(image::diff::diff(&old, &new)?)
}

pub(crate) fn stage(args: Stage) -> Result<ExitCode> {
    let config = load(&args.staged.file, &args.staged.built)?;
    let facts = facts(&args.staged);
    let image = plan::image(&config, &facts, config.base.variant, config.base.gpu);
    let digest = push(&args.staged, args.from, &image)?;
    if let Some(file) = args.outputs {
        append(&file, &format!("image={}\ndigest={digest}\n", image.image))
            .with_context(|| format!("cannot write {file}"))?;
    }
    if args.staged.json {
        let tag = publish::staging_tag(&args.staged.run);
        let value = json!({ "format": 1, "image": image.image, "tag": tag, "digest": digest });
        println!("{value:#}");
    } else {
        println!("{}@{digest}", image.image);
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn publish(args: Publish) -> Result<ExitCode> {
    as_root()?;
    let (config, facts) = (load(&args.staged.file, &args.staged.built)?, facts(&args.staged));
    let planned = |facts: &Facts| plan::image(&config, facts, config.base.variant, config.base.gpu);
    let (staging, insecure) = (publish::staging_tag(&args.staged.run), args.staged.insecure);
    let store = GitHub(Skopeo::new(&tool::Path, insecure)?);
    let key = secret::given(args.key);
    let shipped = Some(args.public_key).filter(|path| path.exists());
    let signer = key
        .as_deref()
        .map(|key| Cosign::new(&tool::Path, key, shipped.as_deref(), insecure))
        .transpose()
        .map_err(publish::Error::from)?;
    let must_be_signed = config.signing.image;
    if must_be_signed && signer.is_none() {
        // Before anything is pushed.
        return Err(publish::Error::NoKey.into());
    }
    let digest = match (given(args.digest), given(args.from)) {
        (Some(digest), _) => digest,
        (None, Some(from)) => push(&args.staged, Some(from), &planned(&facts))?,
        (None, None) => publish::staged(&store, &planned(&facts), &staging)?,
    };
    // What is told about the image is what it says itself, its date above all: this may be another
    // day than that of the build.
    let reference = format!("{}@{digest}", planned(&facts).image);
    let labels = store.inspect(&reference)?.ok_or(publish::Error::NotStaged(reference))?.labels;
    let date = facts.date.clone().or_else(|| labels.get(label::BUILD_DATE).cloned());
    let dated = Facts { date: Some(date.unwrap_or_else(clock::now)), ..facts.clone() };
    let image = Image { labels, ..planned(&dated) };
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let scratch = Utf8Path::from_path(folder.path()).context("its name is not UTF-8")?;
    let publisher = Publisher {
        store: &store,
        verifier: &Pulled { config: &config, facts: &facts, insecure },
        signer: signer.as_ref().map(|signer| signer as &dyn Signer),
        must_be_signed,
        scratch,
    };
    let mut report = Printed::beside(args.staged.json);
    let published = publisher.publish(&image, &digest, &staging, &mut report);
    if let (Err(publish::Error::Unverified { report, .. }), Some(file)) =
        (&published, &args.summary)
    {
        // The job ends here; its summary is where people look for the reason.
        append(file, &report.markdown()).with_context(|| format!("cannot write {file}"))?;
    }
    let published = published?;
    if let Some(file) = args.summary {
        let text = summary::markdown(&config, &image, Some(&digest));
        append(&file, &format!("{text}\n{}", published.report.markdown()))
            .with_context(|| format!("cannot write {file}"))?;
    }
    if let Some(file) = args.metadata {
        let metadata = summary::metadata(&image, Some(&digest));
        write(&file, &format!("{metadata:#}\n"))?;
    }
    if args.staged.json {
        let value = json!({
            "format": 1,
            "image": image.image,
            "digest": digest,
            "tags": published.tags,
            "signed": published.signed,
            "kept_staging": published.kept_staging,
            "verification": published.report,
        });
        println!("{value:#}");
    } else {
        println!("published {}@{digest} as {}", image.image, published.tags.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

fn facts(staged: &Staged) -> Facts {
    known(staged.facts.clone())
}

fn push(staged: &Staged, from: Option<String>, image: &Image) -> Result<String> {
    let store = Skopeo::new(&tool::Path, staged.insecure)?;
    let local = || format!("containers-storage:localhost/{}:local", image.name);
    let from = given(from).unwrap_or_else(local);
    let tag = publish::staging_tag(&staged.run);
    Ok(publish::stage(&store, &from, image, &tag, &mut Printed::beside(staged.json))?)
}

fn write(file: &Utf8PathBuf, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {file}"))
}

/// Verifies what is at the registry, not what was built: it is what hosts get.
#[derive(Debug)]
struct Pulled<'a> {
    config: &'a Config,
    facts: &'a Facts,
    insecure: bool,
}

impl Verifier for Pulled<'_> {
    fn verify(&self, reference: &str) -> Result<Verified, opened::Error> {
        let opened = Opened::open(reference, self.insecure, &tool::Path)?;
        let report = checks::image(&opened, self.config, self.facts, &tool::Path);
        let path = opened.root.join(policy::KEY);
        let key = path.exists().then(|| fs::read_to_string(&path)).transpose();
        let key = key.map_err(|source| opened::Error::File { path, source })?;
        Ok(Verified { report, key })
    }
}

/// Goes on as root of a user namespace where this is not root: only root can look at an image's
/// files as they are.
fn as_root() -> Result<()> {
    if opened::may_mount()? || std::env::var_os(INSIDE).is_some() {
        return Ok(());
    }
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new("buildah");
    command.arg("unshare").arg(own).args(std::env::args_os().skip(1)).env(INSIDE, "1");
    // It comes back only where it could not be run.
    let (program, purpose) = ("buildah".to_owned(), "open an image without being root".to_owned());
    Err(match command.exec() {
        error if error.kind() == io::ErrorKind::NotFound => {
            tool::Error::Missing { program, purpose }
        }
        source => tool::Error::Start { program, purpose, source },
    }
    .into())
}
