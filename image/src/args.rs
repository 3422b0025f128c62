// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use camino::Utf8PathBuf;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use image::config::choice::{RETIRED_GPU, RETIRED_GPU_REASON};
use image::config::{FILE_NAME, Gpu, PLATFORMS, Variant};
use image::publish::signing::PUBLIC_KEY;

/// From vespera-config.yaml to a verified image
#[derive(Debug, Parser)]
#[command(name = "vespera-image", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure, 2 usage, 3 configuration invalid, \
4 verify found faults, 5 registry or network, 6 tool missing or refused";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a configuration and show everything that is wrong with it
    Check {
        /// The configuration
        #[arg(default_value = FILE_NAME)]
        file: Utf8PathBuf,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON schema of the configuration
    Schema {
        /// Compare it with a committed copy instead
        #[arg(long, value_name = "FILE")]
        check: Option<Utf8PathBuf>,
        /// Print the result of the comparison as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what would be built: names, tags, labels, build arguments
    Plan {
        /// The configuration
        #[arg(default_value = FILE_NAME)]
        file: Utf8PathBuf,
        #[command(flatten)]
        facts: Known,
        /// Print the plan as JSON
        #[arg(long, conflicts_with = "matrix")]
        json: bool,
        /// Print the matrix of a workflow, on one line
        #[arg(long)]
        matrix: bool,
    },
    /// Show what a base is, from its registry, without pulling it
    Inspect {
        /// The configuration whose base is asked for
        #[arg(default_value = FILE_NAME)]
        file: Utf8PathBuf,
        /// Another image than the configured base
        #[arg(long)]
        image: Option<String>,
        /// Allow plain HTTP
        #[arg(long)]
        insecure: bool,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Decide whether there must be a build, and say why
    Detect(Detect),
    /// Build the configured image with buildah or podman
    Build(Box<Build>),
    /// Build the driver for the kernel of a base; runs inside the container build
    Driver(Driver),
    /// Summarise a build: what it is, and how to get it onto a machine
    Summary {
        /// The configuration
        #[arg(default_value = FILE_NAME)]
        file: Utf8PathBuf,
        #[command(flatten)]
        facts: Known,
        /// Digest of the published image
        #[arg(long)]
        digest: Option<String>,
        #[command(flatten)]
        built: Built,
        /// Print the metadata as JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain the known failures in the log of a build
    Explain {
        /// The log; `-` is standard input
        #[arg(default_value = "-")]
        log: Utf8PathBuf,
        /// Print the explanations as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the one kernel release of a root
    Kernel {
        /// The root folder
        #[arg(long)]
        root: Utf8PathBuf,
        /// Value of the label ostree.linux, which must agree
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Verify that an image is what the configuration says
    Verify(Verify),
    /// Compare two images: packages, kernel, module, files, layers, download
    Diff {
        /// The old image: at a registry, or with a transport
        old: String,
        /// The new one
        new: String,
        /// Allow plain HTTP
        #[arg(long)]
        insecure: bool,
        /// Print the difference as JSON
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// Print the difference as Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Push a built image to a staging tag, and tell its digest there
    Stage(Stage),
    /// Verify a staged image, sign it, and set its final tags
    Publish(Publish),
    /// Change a root as the configuration says; runs inside the container build
    Customize {
        /// The root folder
        #[arg(long, default_value = "/", global = true)]
        root: Utf8PathBuf,
        /// The configuration
        #[arg(long, default_value = FILE_NAME, global = true)]
        config: Utf8PathBuf,
        #[command(flatten)]
        built: Built,
        /// Print what was done as JSON
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        part: Part,
    },
    /// Print the completions of a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Write the man pages below a folder, as man1/NAME.1 and man5/NAME.5
    #[command(hide = true)]
    Man {
        /// The folder
        folder: Utf8PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Build {
    /// The configuration
    #[arg(default_value = FILE_NAME)]
    pub(crate) config: Utf8PathBuf,
    #[command(flatten)]
    pub(crate) facts: Known,
    #[command(flatten)]
    pub(crate) built: Built,
    /// Containerfile
    #[arg(long, default_value = "Containerfile")]
    pub(crate) file: String,
    /// Folder that it is built in
    #[arg(long, default_value = ".")]
    pub(crate) context: String,
    /// Name of the result; localhost/NAME:local if none is given
    #[arg(long = "tag")]
    pub(crate) names: Vec<String>,
    /// Build argument over those of the plan, as KEY=VALUE
    #[arg(long = "build-arg")]
    pub(crate) build_args: Vec<String>,
    /// Key that the driver is signed with, and its certificate: a PEM file, or env://VARIABLE
    #[arg(long, value_name = "FILE")]
    pub(crate) module_key: Option<String>,
    /// Image with the kernel RPMs of the base; found by the base's kernel if none is given
    #[arg(long)]
    pub(crate) headers: Option<String>,
    /// Ask no registry: neither for the base's digest and kernel nor for its headers
    #[arg(long)]
    pub(crate) offline: bool,
    /// Allow plain HTTP
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Secret, as id=NAME,src=FILE
    #[arg(long = "secret")]
    pub(crate) secrets: Vec<String>,
    /// Do not use what earlier builds left
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Make one layer
    #[arg(long)]
    pub(crate) squash: bool,
    /// Keep layers in a repository beside the image's own, and take them from there: on a machine
    /// that starts empty, it keeps layers that did not change the same for every host
    #[arg(long)]
    pub(crate) layer_cache: bool,
    /// Platform over that of the configuration; another machine's needs emulation
    #[arg(long, value_parser = PossibleValuesParser::new(PLATFORMS.iter().copied()))]
    pub(crate) platform: Option<String>,
    /// Stages at a time
    #[arg(long)]
    pub(crate) jobs: Option<u32>,
    /// File that the log is kept in
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<Utf8PathBuf>,
    /// Append the explanation of a failure in Markdown to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<Utf8PathBuf>,
    /// Print the result as JSON; the log goes to the standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Anything else for buildah or podman
    #[arg(last = true)]
    pub(crate) extra: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Driver {
    /// The configuration
    #[arg(long, default_value = FILE_NAME)]
    pub(crate) config: Utf8PathBuf,
    /// The files of the base
    #[arg(long)]
    pub(crate) base: Utf8PathBuf,
    /// The driver of this repository
    #[arg(long)]
    pub(crate) bundled: Utf8PathBuf,
    /// The files of an image with kernel RPMs
    #[arg(long)]
    pub(crate) rpms: Utf8PathBuf,
    /// PEM file with the signing key and its certificate; no file is no key
    #[arg(long)]
    pub(crate) key: Utf8PathBuf,
    /// Where the module, its kernel release and its certificate go
    #[arg(long)]
    pub(crate) out: Utf8PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Detect {
    /// The configuration
    #[arg(default_value = FILE_NAME)]
    pub(crate) file: Utf8PathBuf,
    /// Owner of the images at the registry
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Build, changes or not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", action = ArgAction::Set)]
    pub(crate) force: bool,
    /// Build, since something was pushed that goes into the image
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value = "false", action = ArgAction::Set)]
    pub(crate) push: bool,
    /// Folder of the repository, for the version of the bundled driver and of what is copied
    #[arg(long, default_value = ".")]
    pub(crate) repository: Utf8PathBuf,
    /// Image that the driver is compiled in; a new one is a reason to build
    #[arg(long)]
    pub(crate) builder: Option<String>,
    /// Allow plain HTTP
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Append the outputs to this file, as a workflow reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs: Option<Utf8PathBuf>,
    /// Append a summary in Markdown to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<Utf8PathBuf>,
    /// Print the decision as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["image", "root"]))]
pub(crate) struct Verify {
    /// The image: at a registry, or with one of the transports oci: and containers-storage:
    pub(crate) image: Option<String>,
    /// A root folder instead
    #[arg(long)]
    pub(crate) root: Option<Utf8PathBuf>,
    /// The configuration
    #[arg(long, default_value = FILE_NAME)]
    pub(crate) config: Utf8PathBuf,
    /// Value of the label ostree.linux of a root folder, which must agree
    #[arg(long, requires = "root")]
    pub(crate) label: Option<String>,
    #[command(flatten)]
    pub(crate) built: Built,
    /// Allow plain HTTP
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Print the report as JSON
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print the report as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Stage {
    #[command(flatten)]
    pub(crate) staged: Staged,
    /// The built image; containers-storage:localhost/NAME:local if none is given
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Append the outputs `image` and `digest` to this file, as a workflow reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs: Option<Utf8PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) staged: Staged,
    /// Digest of the staged image; the one that this run's staging tag names if none is given
    #[arg(long, conflicts_with = "from")]
    pub(crate) digest: Option<String>,
    /// Built image to stage first
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Key to sign with: a file, or env://VARIABLE, which may be empty; its password is in
    /// COSIGN_PASSWORD
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// Public half of the key, as the image ships it
    #[arg(long, default_value = PUBLIC_KEY)]
    pub(crate) public_key: Utf8PathBuf,
    /// Append a summary in Markdown to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<Utf8PathBuf>,
    /// Write the metadata as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) metadata: Option<Utf8PathBuf>,
}

/// What both halves of publishing have to know.
#[derive(Debug, ClapArgs)]
pub(crate) struct Staged {
    /// The configuration
    #[arg(default_value = FILE_NAME)]
    pub(crate) file: Utf8PathBuf,
    #[command(flatten)]
    pub(crate) facts: Known,
    #[command(flatten)]
    pub(crate) built: Built,
    /// Name of this run, for the staging tag
    #[arg(long)]
    pub(crate) run: String,
    /// Print the result as JSON; what is done goes to the standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Allow plain HTTP
    #[arg(long)]
    pub(crate) insecure: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Remove and install RPMs, list Flatpaks
    Packages,
    /// Install programs, units, rules and the image's identity
    Payload(Payload),
    /// Install the kernel module and index it
    Module {
        /// The folder that the driver's stage wrote
        #[arg(long)]
        from: Utf8PathBuf,
    },
    /// Say what this image is, and by which signature hosts take the next one
    Identity(Identity),
    /// Remove what a build leaves behind and check the root
    Finish,
}

impl Part {
    /// Its word on the command line.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Payload(_) => "payload",
            Self::Module { .. } => "module",
            Self::Identity(_) => "identity",
            Self::Finish => "finish",
        }
    }
}

/// Which image was built, where build arguments differ from the configuration
#[derive(Debug, ClapArgs)]
pub(crate) struct Built {
    /// Variant of the base
    #[arg(long, global = true, value_parser = variant)]
    pub(crate) aurora_variant: Option<Variant>,
    /// Graphics variant
    #[arg(long, global = true, value_parser = gpu)]
    pub(crate) gpu_variant: Option<Gpu>,
}

/// What is known about a run; an empty value counts as not given
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Known {
    /// Owner of the images at the registry
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Date of the build, RFC 3339
    #[arg(long)]
    pub(crate) date: Option<String>,
    /// Git revision
    #[arg(long)]
    pub(crate) revision: Option<String>,
    /// Address of the repository
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Digest of the base
    #[arg(long)]
    pub(crate) base_digest: Option<String>,
    /// Commit, or tree, of the driver
    #[arg(long)]
    pub(crate) driver: Option<String>,
    /// Kernel release of the base
    #[arg(long)]
    pub(crate) kernel: Option<String>,
    /// Digest of the image that the driver is compiled in
    #[arg(long)]
    pub(crate) builder_digest: Option<String>,
    /// Hash of what the Containerfile copies, as `detect` tells it
    #[arg(long)]
    pub(crate) sources: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Payload {
    /// Folder with rootfs/ and image-rootfs/
    #[arg(long)]
    pub(crate) from: Utf8PathBuf,
}

/// What only whoever started the build knows; an empty value counts as not given
#[derive(Debug, ClapArgs)]
pub(crate) struct Identity {
    /// Registry that the image is published at
    #[arg(long)]
    pub(crate) registry: Option<String>,
    /// Owner and name there
    #[arg(long)]
    pub(crate) image_name: Option<String>,
    /// Version of the image
    #[arg(long)]
    pub(crate) image_version: Option<String>,
    /// Reference of the base
    #[arg(long)]
    pub(crate) base: Option<String>,
    /// Digest of the base
    #[arg(long)]
    pub(crate) base_digest: Option<String>,
    /// Git revision
    #[arg(long)]
    pub(crate) revision: Option<String>,
    /// Date of the build, RFC 3339
    #[arg(long)]
    pub(crate) date: Option<String>,
    /// Public key of the image's signature; no file is no key
    #[arg(long)]
    pub(crate) public_key: Option<Utf8PathBuf>,
}

fn variant(word: &str) -> Result<Variant, String> {
    Variant::from_word(word).ok_or_else(|| format!("allowed: {}", Variant::WORDS.join(", ")))
}

fn gpu(word: &str) -> Result<Gpu, String> {
    if word == RETIRED_GPU {
        return Err(RETIRED_GPU_REASON.to_owned());
    }
    Gpu::from_word(word).ok_or_else(|| format!("allowed: {}", Gpu::WORDS.join(", ")))
}
