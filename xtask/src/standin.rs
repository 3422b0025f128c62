// SPDX-License-Identifier: MIT OR Apache-2.0
//! The stand-in base and builder images, made from Debian packages and the files in
//! `tests/standin/`, whose README names every stand-in.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::headers::{Headers, PLACE};
use crate::kernels::Kernel;
use crate::mirror::Mirror;
use crate::privilege;
use crate::process;
use crate::progress::{Origin, Step, Steps};
use crate::source;
use crate::workshop::{Workshop, bootstrap};

/// The suite of the base's user space: the first with dnf5.
const SUITE: &str = "forky";
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "dnf5",
    "rpm",
    "file",
    "systemd-sysv",
    "udev",
    "dbus",
    "polkitd",
    "libpam-systemd",
    "kmod",
    "util-linux",
    "procps",
    "ostree",
    "dbus-user-session",
];
/// Module folders that no test needs and that are most of the size.
pub(crate) const LEFT_OUT_MODULES: &[&str] = &[
    "drivers/gpu",
    "drivers/net",
    "drivers/media",
    "drivers/infiniband",
    "drivers/scsi",
    "net",
    "sound",
];
const FILES: &str = "tests/standin";

/// The images that the build uses in place of Aurora and Fedora.
#[derive(Debug)]
pub(crate) struct Standin {
    /// Reference of the base image in the workshop's storage.
    pub(crate) base: String,
    /// Reference of the builder image.
    pub(crate) builder: String,
}

impl Standin {
    /// Makes both images, or finds them in the workshop's storage.
    pub(crate) fn make(
        cache: &Cache,
        steps: &Steps,
        workshop: &Workshop,
        kernel: &Kernel,
    ) -> Result<Self> {
        let maker = Maker { cache, steps, workshop, kernel, headers: None };
        let root = user_space(cache, steps)?;
        let repo = maker.repo()?;
        Ok(Self { base: maker.base(&root, &repo)?, builder: maker.builder()? })
    }

    /// The base of another build, as the developers' variant is: with a kernel of its own and the
    /// headers of it. Returns its reference; the builder is the same.
    pub(crate) fn developers_base(
        cache: &Cache,
        steps: &Steps,
        workshop: &Workshop,
        kernel: &Kernel,
        headers: &Headers,
    ) -> Result<String> {
        let maker = Maker { cache, steps, workshop, kernel, headers: Some(&headers.unpacked) };
        let root = user_space(cache, steps)?;
        let repo = maker.repo()?;
        maker.base(&root, &repo)
    }
}

/// The base's user space as an archive: a Debian to which nothing has been done.
pub(crate) fn user_space(cache: &Cache, steps: &Steps) -> Result<Utf8PathBuf> {
    let sources = Mirror::find()?.sources(&[SUITE]);
    let key = Key::new("standin-root-1").parts(PACKAGES).parts(&sources);
    let title = "stand-in base: user space";
    let made = cache.entry(steps, "standin-root", title, key, |step, folder| {
        let mut command = bootstrap(SUITE, "minbase", PACKAGES, &folder.join("root.tar"));
        process::run(step, command.args(&sources))
    })?;
    Ok(made.join("root.tar"))
}

struct Maker<'a> {
    cache: &'a Cache,
    steps: &'a Steps,
    workshop: &'a Workshop,
    kernel: &'a Kernel,
    /// The headers that go into the base, for the variant that has them.
    headers: Option<&'a Utf8Path>,
}

impl Maker<'_> {
    /// The small RPMs and their repository.
    fn repo(&self) -> Result<Utf8PathBuf> {
        let key = Key::new("standin-repo-1").part(self.workshop.key());
        let key = source::hash(key, &["tests/standin/rpms"])?;
        let title = "stand-in base: RPM repository";
        let specs = source::root()?.join(FILES).join("rpms");
        let made = self.cache.entry(self.steps, "standin-repo", title, key, |step, folder| {
            let room = self.workshop.room(self.cache)?.bind(folder, "/w");
            let room = room.bind_read_only(&specs, "/specs");
            for spec in specs.read_dir_utf8()? {
                let name = spec?.file_name().to_owned();
                process::run(
                    step,
                    room.command("rpmbuild")?
                        .args(["-bb", "--quiet", "--define", "_rpmdir /w", "--define"])
                        .args(["_topdir /tmp/rpmbuild", &format!("/specs/{name}")]),
                )?;
            }
            process::run(step, room.command("createrepo_c")?.args(["--quiet", "/w"]))
        })?;
        Ok(made)
    }

    fn base(&self, root: &Utf8Path, repo: &Utf8Path) -> Result<String> {
        let key = Key::new("standin-base-2")
            .part(self.workshop.key())
            .part(root.as_str())
            .part(repo.as_str())
            .part(&self.kernel.release)
            .part(self.headers.map_or("", Utf8Path::as_str))
            .parts(LEFT_OUT_MODULES);
        let key = source::hash(key, &["tests/standin/base.Containerfile", "tests/standin/files"])?;
        let (name, title) = match self.headers {
            None => ("vespera-standin", "stand-in base: image"),
            Some(_) => ("vespera-standin-dx", "stand-in base: image for developers"),
        };
        self.image(name, title, key, |step, context| {
            fs::hard_link(root, context.join("root.tar"))
                .or_else(|_| fs::copy(root, context.join("root.tar")).map(drop))?;
            let files = source::root()?.join(FILES).join("files");
            process::run(step, &mut copy(&["-r"], &files, &context.join("files")))?;
            process::run(step, &mut copy(&["-r"], repo, &context.join("repo")))?;
            self.put_headers(step, &context.join("headers"))?;
            self.modules(step, &context.join("modules"))
        })
    }

    /// The headers where Fedora's kernel-devel has them. Debian's name each other by their full
    /// path, and the Containerfile shows the base at `/base`.
    fn put_headers(&self, step: &Step, target: &Utf8Path) -> Result<()> {
        fs::create_dir_all(target)?;
        let Some(headers) = self.headers else { return Ok(()) };
        process::run(step, &mut copy(&["-r"], &headers.join("usr/."), target))?;
        let package = format!("linux-headers-{}", self.kernel.release);
        let makefile = target.join("src").join(&package).join("Makefile");
        let text = fs::read_to_string(&makefile).with_context(|| format!("no {makefile}"))?;
        fs::write(&makefile, text.replace(&format!("{PLACE}/usr/src/"), "/base/usr/src/"))?;
        let kernels = target.join("src/kernels");
        fs::create_dir_all(&kernels)?;
        std::os::unix::fs::symlink(format!("../{package}"), kernels.join(&self.kernel.release))?;
        Ok(())
    }

    /// The kernel as Fedora Atomic lays it out: everything below one folder.
    fn modules(&self, step: &Step, target: &Utf8Path) -> Result<()> {
        fs::create_dir_all(target)?;
        process::run(step, &mut copy(&["-r"], &self.kernel.modules(), target))?;
        let folder = target.join(&self.kernel.release);
        for left in LEFT_OUT_MODULES {
            privilege::remove_tree(&folder.join("kernel").join(left))?;
        }
        for link in ["build", "source"] {
            privilege::remove_tree(&folder.join(link))?;
        }
        fs::copy(self.kernel.folder.join("vmlinuz"), folder.join("vmlinuz"))?;
        let headers = format!("usr/src/linux-headers-{}/Module.symvers", self.kernel.release);
        let of = self.headers.unwrap_or(self.workshop.root());
        let symvers =
            fs::read(of.join(&headers)).with_context(|| format!("no {headers} in {of}"))?;
        fs::write(folder.join("symvers"), symvers)?;
        let room = self.workshop.room(self.cache)?.bind(&folder, "/w");
        process::run(step, room.command("xz")?.args(["--check=crc32", "-0", "/w/symvers"]))
    }

    fn title(&self) -> &'static str {
        if self.headers.is_some() { "aurora-dx" } else { "aurora" }
    }

    fn builder(&self) -> Result<String> {
        let key =
            Key::new("standin-builder-1").part(self.workshop.key()).part(&self.kernel.release);
        let key = source::hash(key, &["tests/standin/builder.Containerfile"])?;
        self.image("vespera-builder", "stand-in builder: image", key, |step, context| {
            let mut tar = privilege::command("tar");
            tar.args(["--create", "--one-file-system", "--numeric-owner"]);
            tar.arg(format!("--file={}", context.join("root.tar")));
            for left in
                ["./var/cache", "./var/lib/apt", "./var/lib/containers", "./var/tmp", "./boot"]
            {
                tar.arg(format!("--exclude={left}/*"));
            }
            process::run(step, tar.args(["-C", self.workshop.root().as_str(), "."]))
        })
    }

    /// Builds an image from `tests/standin/NAME.Containerfile` (by its short name)
    /// unless the storage has it under its key.
    fn image(
        &self,
        name: &str,
        title: &str,
        key: Key,
        context: impl FnOnce(&Step, &Utf8Path) -> Result<()>,
    ) -> Result<String> {
        let reference = format!("localhost/{name}:{}", key.text());
        let recipe = if name == "vespera-builder" { "builder" } else { "base" };
        self.steps.step(title, |step| {
            let storage = self.workshop.room(self.cache)?;
            if stored(&storage, &reference)? {
                return Ok((reference.clone(), Origin::Reused));
            }
            let folder = self.cache.folder("scratch")?.join(name);
            privilege::remove_tree(&folder)?;
            fs::create_dir_all(&folder)?;
            context(step, &folder)?;
            let files = source::root()?.join(FILES);
            let room =
                storage.clone().bind_read_only(&folder, "/w").bind_read_only(&files, "/standin");
            process::run(
                step,
                room.command("buildah")?
                    .args(["build", "--quiet", "--layers=false", "--force-rm", "--network=host"])
                    .arg(format!("--build-arg=KERNEL_RELEASE={}", self.kernel.release))
                    .arg(format!("--build-arg=TITLE={}", self.title()))
                    .arg(format!("--file=/standin/{recipe}.Containerfile"))
                    .args(["--tag", &reference, "/w"]),
            )?;
            privilege::remove_tree(&folder)?;
            forget_older(&storage, &reference)?;
            Ok((reference.clone(), Origin::Made))
        })
    }
}

/// Removes the images of the same name that `reference` has replaced.
pub(crate) fn forget_older(room: &Room, reference: &str) -> Result<()> {
    let same_name = |image: &str| {
        image.rsplit_once(':').map(|(name, _)| name) == reference.rsplit_once(':').map(|(n, _)| n)
    };
    let listed =
        process::read(room.command("buildah")?.args(["images", "--format={{.Name}}:{{.Tag}}"]))?;
    for old in listed.lines().filter(|&image| image != reference && same_name(image)) {
        process::read(room.command("buildah")?.args(["rmi", "--force", old]))?;
    }
    Ok(())
}

/// Whether the storage of `room` holds an image of this name.
pub(crate) fn stored(room: &Room, reference: &str) -> Result<bool> {
    let mut command = room.command("buildah")?;
    command.args(["inspect", "--type=image", reference]);
    Ok(command.output().context("cannot start buildah")?.status.success())
}

fn copy(options: &[&str], from: &Utf8Path, to: &Utf8Path) -> Command {
    let mut command = Command::new("cp");
    command.args(options).args([from.as_str(), to.as_str()]);
    command
}
