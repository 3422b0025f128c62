// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Vespera image: built by `vespera-image build` from the repository's own
//! Containerfile, verified, and its files as a root that QEMU can boot.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::kernels::only_entry;
use crate::privilege;
use crate::process;
use crate::progress::{Origin, Step, Steps};
use crate::source;
use crate::standin::{forget_older, stored};
use crate::workshop::Workshop;

/// Everything that the Containerfile copies: what the result depends on.
pub(crate) const SOURCES: &[&str] = &[
    "Containerfile",
    ".containerignore",
    CONFIG,
    "Cargo.toml",
    "Cargo.lock",
    "maccel-core",
    "kmod",
    "manual",
    "module-check",
    "host-agent",
    "maccel-cli",
    "image",
    "packaging/Makefile",
    "packaging/rootfs",
    "tests/Cargo.toml",
    "tests/guest/Cargo.toml",
    "xtask/Cargo.toml",
];
const CONFIG: &str = "vespera-config.yaml";
/// The folder of the repository with our own driver.
const DRIVER: &str = "kmod";

/// What is built, from what.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// What the harness calls the image.
    pub(crate) name: &'static str,
    /// Reference of the base in the workshop's storage.
    pub(crate) base: String,
    /// Reference of the builder.
    pub(crate) builder: String,
    /// The kernel release of the base.
    pub(crate) kernel: String,
    /// A configuration in place of the repository's own.
    pub(crate) config: Option<String>,
    /// Files that replace those of the repository, by their paths.
    pub(crate) changes: Vec<(&'static str, String)>,
    /// A file with the key for the driver.
    pub(crate) module_key: Option<Utf8PathBuf>,
}

/// A built image.
#[derive(Debug)]
pub(crate) struct Image {
    /// What the harness calls it.
    pub(crate) name: &'static str,
    /// Its name in the workshop's storage.
    pub(crate) reference: String,
    /// The kernel release it boots.
    pub(crate) kernel: String,
    /// What it was built by, as the tests verify it.
    pub(crate) config: Utf8PathBuf,
}

/// The files of an image.
#[derive(Debug)]
pub(crate) struct Files {
    /// All of them, as an erofs file system.
    pub(crate) root: Utf8PathBuf,
    /// The driver that was built into it, as it is on a host.
    pub(crate) maccel: Utf8PathBuf,
    /// A folder with the compiled programs of people and units.
    pub(crate) programs: Utf8PathBuf,
}

/// What every build works with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Yard<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) steps: &'a Steps,
    pub(crate) workshop: &'a Workshop,
    /// `vespera-image`, as a static program.
    pub(crate) program: &'a Utf8Path,
}

impl Yard<'_> {
    /// Builds an image and verifies it, or finds it in the workshop's storage.
    pub(crate) fn build(&self, recipe: &Recipe) -> Result<Image> {
        let crates = vendor(self.cache, self.steps)?;
        let mut key = Key::new("image-3")
            .part(recipe.name)
            .part(&recipe.base)
            .part(&recipe.builder)
            .part(recipe.config.as_deref().unwrap_or_default())
            .parts(recipe.module_key.iter().map(|path| path.as_str()));
        for (path, text) in &recipe.changes {
            key = key.part(path).part(text);
        }
        let reference = format!("localhost/{}:{}", recipe.name, source::hash(key, SOURCES)?.text());
        let context = self.context(recipe)?;
        let title = format!("image {}: build and verify", recipe.name);
        self.steps.step(&title, |step| {
            let storage = self.workshop.room(self.cache)?;
            if stored(&storage, &reference)? {
                return Ok(((), Origin::Reused));
            }
            let room = self.room(&context)?.bind_read_only(&crates, "/w/crates");
            process::run(step, &mut self.command(&room, recipe, &reference)?)?;
            let mut verify = room.command(&self.inside())?;
            process::run(
                step,
                verify.args(["verify", &format!("containers-storage:{reference}")]),
            )?;
            forget_older(&storage, &reference)?;
            Ok(((), Origin::Made))
        })?;
        Ok(Image {
            name: recipe.name,
            reference,
            kernel: recipe.kernel.clone(),
            config: context.join(CONFIG),
        })
    }

    fn command(&self, room: &Room, recipe: &Recipe, reference: &str) -> Result<Command> {
        let mut build = room.command(&self.inside())?;
        build.args(["build", CONFIG, "--offline", "--tag", reference]);
        build.args(["--kernel", &recipe.kernel, "--driver", &driver_version()?]);
        for (name, value) in [("BASE_IMAGE", &recipe.base), ("BUILDER_IMAGE", &recipe.builder)] {
            build.arg(format!("--build-arg={name}={value}"));
        }
        if let Some(key) = &recipe.module_key {
            build.args([
                "--module-key",
                &format!("/w/keys/{}", key.file_name().unwrap_or_default()),
            ]);
        }
        build.args(["--", "--pull=never", "--network=host", "--force-rm"]);
        build.arg("--build-context=crates=/w/crates");
        Ok(build)
    }

    /// The workshop with the program, the repository, and the keys.
    fn room(&self, context: &Utf8Path) -> Result<Room> {
        let programs = self.program.parent().context("the program has no folder")?;
        Ok(self
            .workshop
            .room(self.cache)?
            .bind_read_only(programs, "/w/bin")
            .bind_read_only(context, "/w/source")
            .bind_read_only(&keys(self.cache)?, "/w/keys")
            .workdir("/w/source"))
    }

    fn inside(&self) -> String {
        format!("/w/bin/{}", self.program.file_name().unwrap_or_default())
    }

    /// The folder that is built in: the repository itself, or a copy with the recipe's own files.
    fn context(&self, recipe: &Recipe) -> Result<Utf8PathBuf> {
        let root = source::root()?;
        let own = recipe.config.iter().map(|text| (CONFIG, text.as_str()));
        let changes: Vec<(&str, &str)> =
            own.chain(recipe.changes.iter().map(|(path, text)| (*path, text.as_str()))).collect();
        if changes.is_empty() {
            return Ok(root);
        }
        let folder = self.cache.folder("scratch")?.join(format!("context-{}", recipe.name));
        privilege::remove_tree(&folder)?;
        fs::create_dir_all(&folder)?;
        // With their times: the layer cache looks at them.
        let mut copy = Command::new("cp");
        copy.current_dir(&root).args(["--archive", "--parents"]).args(source::files(SOURCES)?);
        process::read(copy.arg(&folder))?;
        for (path, text) in changes {
            let path = folder.join(path);
            fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
        }
        Ok(folder)
    }

    /// Unpacks an image for QEMU, or finds its files in the cache.
    pub(crate) fn files(&self, image: &Image) -> Result<Files> {
        let made = self.cache.entry(
            self.steps,
            &format!("image-root-{}", image.name),
            &format!("image {}: root for QEMU", image.name),
            Key::new("image-root-2").part(&image.reference),
            |step, folder| {
                let room = self.workshop.room(self.cache)?.bind(folder, "/w");
                process::run(step, &mut room.export(&image.reference, "/w")?)
            },
        )?;
        let maccel = only_entry(&made.join("maccel"))?;
        Ok(Files {
            root: made.join("root.erofs"),
            maccel: made.join("maccel").join(maccel),
            programs: made.join("programs"),
        })
    }
}

/// The sources of all crates, so that the programs are built without a network.
pub(crate) fn vendor(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    let key = source::hash(Key::new("crates-1"), &["Cargo.lock"])?;
    cache.entry(steps, "crates", "crates for the image build", key, |step, folder| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(source::root()?).args(["vendor", "--locked", "--quiet"]);
        process::run(step, cargo.arg(folder.join("vendor")))?;
        let config = "[source.crates-io]\nreplace-with = \"vendored\"\n\
                      [source.vendored]\ndirectory = \"/crates/vendor\"\n";
        fs::write(folder.join("config.toml"), config).context("cannot write cargo's configuration")
    })
}

/// The folder with the keys of the tests.
pub(crate) fn keys(cache: &Cache) -> Result<Utf8PathBuf> {
    cache.folder("keys")
}

/// As `vespera-image detect` has it: the tree of the driver's folder.
fn driver_version() -> Result<String> {
    let root = source::root()?;
    let tree = format!("HEAD:{DRIVER}");
    process::read(Command::new("git").args(["-C", root.as_str(), "rev-parse", "--verify", &tree]))
}

/// Builds `vespera-image` as a static program: it runs in the tool roots, which are another
/// distribution. Returns its path.
pub(crate) fn program(cache: &Cache, step: &Step) -> Result<Utf8PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = cache.folder("target-guest")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(source::root()?)
        .args(["build", "--locked", "--package=image", "--target", &target])
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    process::run(step, &mut cargo)?;
    Ok(folder.join(target).join("debug/vespera-image"))
}
