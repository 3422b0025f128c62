// SPDX-License-Identifier: MIT OR Apache-2.0
//! Building an image with buildah or podman, whichever is there and safe.

use std::fmt;

use camino::Utf8Path;

use crate::plan::Image;
use crate::tool::{self, Tools};
use crate::version::{self, BUILDAH, PODMAN};

/// What follows the image's name in that of the repository with its layers.
const LAYERS: &str = "-layers";
/// The secret with the key that the driver is signed with.
pub const MODULE_KEY: &str = "module-key";
/// Where the kernel lists the emulators of other machines.
const EMULATORS: &str = "proc/sys/fs/binfmt_misc";

fn least() -> String {
    format!("buildah {} or podman {}", BUILDAH.least, PODMAN.least)
}

/// A build that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No tool is there, or none that is safe.
    #[error("no tool to build with: {0}; install {least}, or newer", least = least())]
    NoTool(String),
    /// Another machine's programs cannot run here.
    #[error(
        "{platform} cannot be built on this machine without emulation: install qemu-user-static \
         (with binfmt support), or set the workflow's QEMU step up before the build"
    )]
    NoEmulation {
        /// The platform.
        platform: String,
    },
    /// The tool could not be run.
    #[error(transparent)]
    Tool(#[from] tool::Error),
    /// The build failed.
    #[error("{program} could not build {image} (exit code {code})")]
    Failed {
        /// The tool.
        program: &'static str,
        /// The image.
        image: String,
        /// Its exit code.
        code: i32,
    },
}

/// How to build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Containerfile.
    pub file: String,
    /// Folder that it is built in.
    pub context: String,
    /// Names of the result.
    pub names: Vec<String>,
    /// Build arguments over those of the plan, as `KEY=VALUE`.
    pub build_args: Vec<String>,
    /// Secrets, as buildah takes them.
    pub secrets: Vec<String>,
    /// Do not use what earlier builds left.
    pub no_cache: bool,
    /// Make one layer.
    pub squash: bool,
    /// Keep layers in a repository beside the image's own, and take them from there.
    pub layer_cache: bool,
    /// Stages at a time.
    pub jobs: Option<u32>,
    /// Anything else for the tool.
    pub extra: Vec<String>,
}

/// Someone who builds images.
pub trait Builder: fmt::Debug {
    /// Builds, and hands on every line of the log as it comes.
    ///
    /// # Errors
    ///
    /// When the image does not come about.
    fn build(
        &self,
        image: &Image,
        options: &Options,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), Error>;
}

/// Builds by buildah or podman, which take the same arguments.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Which of the two.
    pub name: &'static str,
    tools: &'a dyn Tools,
}

impl<'a> Program<'a> {
    /// Finds the one that is there and safe.
    ///
    /// # Errors
    ///
    /// [`Error::NoTool`], with what was found instead.
    pub fn choose(tools: &'a dyn Tools) -> Result<Self, Error> {
        let mut found = Vec::new();
        for needed in [BUILDAH, PODMAN] {
            match version::check(needed, tools) {
                Ok(_) => return Ok(Self { name: needed.program, tools }),
                Err(version::Error::Tool(tool::Error::Missing { program, .. })) => {
                    found.push(format!("{program} is not installed"));
                }
                Err(error) => found.push(error.to_string()),
            }
        }
        Err(Error::NoTool(found.join("; ")))
    }
}

impl Builder for Program<'_> {
    fn build(
        &self,
        image: &Image,
        options: &Options,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let args = arguments(image, options);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match self.tools.follow(self.name, &args, "build an image", line)? {
            0 => Ok(()),
            code => Err(Error::Failed { program: self.name, image: image.name.clone(), code }),
        }
    }
}

/// Refuses a platform that this machine cannot run the programs of.
///
/// # Errors
///
/// [`Error::NoEmulation`], with how to set it up.
pub fn emulation(root: &Utf8Path, platforms: &[String]) -> Result<(), Error> {
    for platform in platforms {
        let (own, emulator) = match platform.as_str() {
            "linux/amd64" => ("x86_64", "qemu-x86_64"),
            "linux/arm64" => ("aarch64", "qemu-aarch64"),
            _ => continue,
        };
        if std::env::consts::ARCH != own && !root.join(EMULATORS).join(emulator).exists() {
            return Err(Error::NoEmulation { platform: platform.clone() });
        }
    }
    Ok(())
}

/// The arguments of the tool; buildah and podman take the same.
pub fn arguments(image: &Image, options: &Options) -> Vec<String> {
    // Docker's format: the labels are in the image either way, and every registry takes it.
    let mut args: Vec<String> =
        ["build", "--format", "docker", "--layers"].map(str::to_owned).into();
    let mut pair = |option: &str, value: &str| {
        args.push(option.to_owned());
        args.push(value.to_owned());
    };
    let overridden =
        |key: &str| options.build_args.iter().any(|own| own.split('=').next() == Some(key));
    for (key, value) in image.build_args.iter().filter(|(key, _)| !overridden(key)) {
        pair("--build-arg", &format!("{key}={value}"));
    }
    for value in &options.build_args {
        pair("--build-arg", value);
    }
    for (key, value) in &image.labels {
        pair("--label", &format!("{key}={value}"));
    }
    for secret in &options.secrets {
        pair("--secret", secret);
    }
    for name in &options.names {
        pair("--tag", name);
    }
    if image.platforms != ["linux/amd64"] || std::env::consts::ARCH != "x86_64" {
        pair("--platform", &image.platforms.join(","));
    }
    if let Some(jobs) = options.jobs {
        pair("--jobs", &jobs.to_string());
    }
    if options.layer_cache {
        let repository = format!("{}{LAYERS}", image.image);
        pair("--cache-from", &repository);
        pair("--cache-to", &repository);
    }
    pair("--file", &options.file);
    for (wanted, option) in [(options.no_cache, "--no-cache"), (options.squash, "--squash")] {
        if wanted {
            args.push(option.to_owned());
        }
    }
    args.extend_from_slice(&options.extra);
    args.push(options.context.clone());
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Gpu, Variant};
    use crate::customize::fixtures::{FakeTools, Root, failed, ok};
    use crate::plan::{self, Facts};

    fn image(text: &str) -> Image {
        let (config, _) = Config::parse("c.yaml", text).unwrap();
        let facts = Facts { owner: Some("me".into()), ..Facts::default() };
        plan::image(&config, &facts, Variant::Aurora, Gpu::NvidiaOpen)
    }

    fn options() -> Options {
        Options {
            file: "Containerfile".into(),
            context: ".".into(),
            names: vec!["localhost/vespera:local".into()],
            ..Options::default()
        }
    }

    #[test]
    fn arguments_labels_and_format_are_those_of_the_plan() {
        let args = arguments(&image(""), &options()).join(" ");
        for part in [
            "build --format docker --layers ",
            " --build-arg AURORA_VARIANT=aurora ",
            " --build-arg GPU_VARIANT=nvidia-open ",
            " --build-arg IMAGE_REGISTRY=ghcr.io ",
            " --build-arg IMAGE_NAME=me/vespera-nvidia-open ",
            " --label org.vespera.gpu.variant=nvidia-open ",
            " --label org.vespera.image.variant=vespera-nvidia-open ",
            " --tag localhost/vespera:local ",
        ] {
            assert!(args.contains(part), "{part}: {args}");
        }
        assert!(args.ends_with(" --file Containerfile ."), "{args}");
    }

    #[test]
    fn options_of_a_person_reach_the_tool() {
        let options = Options {
            no_cache: true,
            squash: true,
            jobs: Some(4),
            build_args: vec!["CUSTOM_OPTION=x".into(), "BASE_IMAGE=localhost/base".into()],
            secrets: vec!["id=key,src=key.pem".into()],
            extra: vec!["--network=host".into()],
            ..options()
        };
        let text = "build: {platforms: [linux/arm64]}";
        let args = arguments(&image(text), &options).join(" ");
        for part in [
            "--build-arg CUSTOM_OPTION=x",
            "--secret id=key,src=key.pem",
            "--platform linux/arm64",
            "--jobs 4",
            "--no-cache --squash --network=host .",
        ] {
            assert!(args.contains(part), "{part}: {args}");
        }
        assert_eq!(args.matches("BASE_IMAGE=").count(), 1, "{args}");
    }

    /// What the two tools say, and which is taken.
    #[test]
    fn safe_tool_is_chosen_and_an_old_one_refused() {
        let cases: &[(Option<&'static str>, Option<&'static str>, Option<&str>)] = &[
            (Some("buildah version 1.39.3 (image-spec 1.1.0)"), None, Some("buildah")),
            (Some("buildah version 1.28.2 (image-spec 1.0.2)"), None, None),
            (Some("buildah version 1.28.2"), Some("podman version 5.4.2"), Some("podman")),
            (None, Some("podman version 5.10.0-rc1"), Some("podman")),
            (None, Some("podman version 4.3.1"), None),
            (None, None, None),
        ];
        for (buildah, podman, expected) in cases {
            let mut tools = FakeTools::default();
            for (program, said) in [("buildah", buildah), ("podman", podman)] {
                if let Some(said) = *said {
                    tools = tools.with(program, move |_| ok(said));
                }
            }
            assert_eq!(
                Program::choose(&tools).ok().map(|it| it.name),
                *expected,
                "{buildah:?} {podman:?}"
            );
        }
        let tools = FakeTools::default().with("buildah", |_| ok("buildah version 1.28.2"));
        let error = Program::choose(&tools).unwrap_err().to_string();
        assert!(error.contains("buildah 1.28 is too old") && error.contains("1.39"), "{error}");
    }

    #[test]
    fn foreign_platform_needs_its_emulator() {
        let root = Root::new();
        let foreign = if std::env::consts::ARCH == "x86_64" { "arm64" } else { "amd64" };
        let platforms = vec![format!("linux/{foreign}")];
        let error = emulation(root.path(), &platforms).unwrap_err().to_string();
        assert!(error.contains("qemu-user-static"), "{error}");
        for emulator in ["qemu-aarch64", "qemu-x86_64"] {
            root.file(&format!("{EMULATORS}/{emulator}"), "enabled");
        }
        emulation(root.path(), &platforms).unwrap();
    }

    #[test]
    fn failed_build_hands_on_its_log_and_its_code() {
        let tools = FakeTools::default().with("buildah", |_| failed("STEP 1\nno space left"));
        let program = Program { name: "buildah", tools: &tools };
        let mut log = Vec::new();
        let error = program
            .build(&image(""), &options(), &mut |line| log.push(line.to_owned()))
            .unwrap_err();
        assert_eq!(log, ["STEP 1", "no space left"]);
        assert!(error.to_string().contains("vespera-nvidia-open (exit code 1)"), "{error}");
    }
}
