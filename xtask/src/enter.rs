// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a command inside a root folder, in a mount namespace of its own, so that
//! every mount ends with the command and nothing of it shows on the host.
//!
//! [`Room`] builds such a command; it starts this very program again as
//! `xtask enter …`, which does the mounts as a process with a single thread.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::privilege;
use crate::process;

/// Arguments of `xtask enter`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The root folder to enter
    #[arg(long)]
    root: Utf8PathBuf,
    /// A folder of the host and where it is to be seen inside
    #[arg(long, num_args = 2, value_names = ["HOST", "INSIDE"])]
    bind: Vec<Utf8PathBuf>,
    /// The same, read-only
    #[arg(long, num_args = 2, value_names = ["HOST", "INSIDE"])]
    bind_read_only: Vec<Utf8PathBuf>,
    /// A variable that names a proxy: nothing else of the environment comes along
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"])]
    proxy: Vec<String>,
    /// The folder inside in which the command starts
    #[arg(long, default_value = "/")]
    workdir: Utf8PathBuf,
    /// Pack the files of this container image into the folder inside that is given in
    /// place of a command
    #[arg(long, value_name = "IMAGE")]
    export: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// The programs of an image, for the packages.
const PROGRAMS: &[&str] = &[
    "usr/bin/maccel",
    "usr/bin/vesperactl",
    "usr/libexec/vespera/vespera-agent",
    "usr/libexec/vespera/vespera-module",
];

/// How programs are told of a proxy, in both spellings.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// A root folder with what is to be seen inside it.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    root: Utf8PathBuf,
    /// Option, folder of the host, folder inside.
    binds: Vec<[String; 3]>,
    workdir: Utf8PathBuf,
}

impl Room {
    /// A room whose root is `root`.
    pub(crate) fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), binds: Vec::new(), workdir: "/".into() }
    }

    /// Shows the host's folder `host` at `inside`, writable.
    pub(crate) fn bind(mut self, host: &Utf8Path, inside: &str) -> Self {
        self.binds.push(["--bind", host.as_str(), inside].map(str::to_owned));
        self
    }

    /// Shows the host's folder `host` at `inside`, read-only.
    pub(crate) fn bind_read_only(mut self, host: &Utf8Path, inside: &str) -> Self {
        self.binds.push(["--bind-read-only", host.as_str(), inside].map(str::to_owned));
        self
    }

    /// Sets the folder in which commands start.
    pub(crate) fn workdir(mut self, inside: &str) -> Self {
        self.workdir = inside.into();
        self
    }

    /// A command that runs `program` inside.
    pub(crate) fn command(&self, program: &str) -> Result<Command> {
        let mut command = self.enter()?;
        command.args(["--", program]);
        Ok(command)
    }

    /// A command that packs the files of `image` into the inside's `folder`.
    pub(crate) fn export(&self, image: &str, folder: &str) -> Result<Command> {
        let mut command = self.enter()?;
        command.args(["--export", image, "--", folder]);
        Ok(command)
    }

    fn enter(&self) -> Result<Command> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let program = Utf8PathBuf::try_from(program)?;
        let mut command = privilege::command(program.as_str());
        command.args(["enter", "--root", self.root.as_str(), "--workdir", self.workdir.as_str()]);
        command.args(self.binds.iter().flatten());
        // sudo takes them away, too.
        for name in PROXIES {
            if let Ok(value) = std::env::var(name) {
                command.args(["--proxy", name, &value]);
            }
        }
        Ok(command)
    }
}

/// Entry point of `xtask enter`: mounts, changes root, and becomes the command.
pub(crate) fn main(args: &Args) -> Result<()> {
    let (program, rest) = args.command.split_first().context("no command given")?;
    prepare(args).with_context(|| format!("cannot set up {}", args.root))?;
    nix::unistd::chroot(args.root.as_std_path()).context("chroot")?;
    nix::unistd::chdir(args.workdir.as_std_path())
        .with_context(|| format!("no folder {} inside", args.workdir))?;
    if let Some(image) = &args.export {
        return export(image, program);
    }
    let mut command = Command::new(program);
    environment(&mut command).args(rest);
    for variable in args.proxy.chunks_exact(2) {
        command.env(&variable[0], &variable[1]);
    }
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {program} inside {}", args.root))
}

/// What programs inside may know of the world outside: nothing but these.
fn environment(command: &mut Command) -> &mut Command {
    command.env_clear().envs([
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        // The only isolation that works without cgroup delegation and a network of its own.
        ("BUILDAH_ISOLATION", "chroot"),
    ])
}

fn prepare(args: &Args) -> Result<()> {
    let none: Option<&str> = None;
    let root = &args.root;
    unshare(CloneFlags::CLONE_NEWNS).context("no mount namespace (root is needed)")?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let bind = |from: &Utf8Path, to: &Utf8Path| {
        mount(Some(from.as_str()), to.as_str(), none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
            .with_context(|| format!("cannot show {from} at {to}"))
    };
    // A bind of the root onto itself makes it a mount point, which pivoting tools expect.
    bind(root, root)?;
    mount(Some("proc"), root.join("proc").as_str(), Some("proc"), MsFlags::empty(), none)?;
    bind("/sys".into(), &root.join("sys"))?;
    bind("/dev".into(), &root.join("dev"))?;
    for folder in ["run", "tmp"] {
        mount(Some("tmpfs"), root.join(folder).as_str(), Some("tmpfs"), MsFlags::empty(), none)?;
    }
    let resolver = root.join("etc/resolv.conf");
    if fs::metadata("/etc/resolv.conf").is_ok() && fs::metadata(&resolver).is_ok() {
        bind("/etc/resolv.conf".into(), &resolver)?;
    }
    let show = |pair: &[Utf8PathBuf]| {
        let target = root.join(pair[1].as_str().trim_start_matches('/'));
        fs::create_dir_all(&target).with_context(|| format!("cannot create {target}"))?;
        bind(&pair[0], &target).map(|()| target)
    };
    for pair in args.bind.chunks_exact(2) {
        show(pair)?;
    }
    for pair in args.bind_read_only.chunks_exact(2) {
        let target = show(pair)?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, target.as_str(), none, flags, none)?;
    }
    Ok(())
}

/// Mounts `image` with buildah and packs its files into `folder`/root.erofs; the
/// driver and the programs are copied beside it. The mount lives only as long as this process's
/// namespace, which is why it is one call.
fn export(image: &str, folder: &str) -> Result<()> {
    let buildah =
        |args: &[&str]| process::read(environment(&mut Command::new("buildah")).args(args));
    let container = buildah(&["from", "--pull=never", image])?;
    let packed = buildah(&["mount", &container])
        .and_then(|mounted| pack(Utf8Path::new(&mounted), Utf8Path::new(folder)));
    buildah(&["rm", &container])?;
    packed
}

fn pack(mounted: &Utf8Path, folder: &Utf8Path) -> Result<()> {
    let target = folder.join("root.erofs");
    // Inline data confuses the overlay of older kernels; plain blocks cost little.
    process::read(environment(&mut Command::new("mkfs.erofs")).args([
        "--quiet",
        "-E^inline_data",
        target.as_str(),
        mounted.as_str(),
    ]))?;
    let modules = mounted.join("usr/lib/modules");
    for release in modules.read_dir_utf8().with_context(|| format!("no {modules}"))? {
        let driver = release?.into_path().join("extra/maccel");
        for file in driver.read_dir_utf8().into_iter().flatten() {
            let file = file?;
            fs::create_dir_all(folder.join("maccel"))?;
            fs::copy(file.path(), folder.join("maccel").join(file.file_name()))?;
        }
    }
    let programs = folder.join("programs");
    fs::create_dir_all(&programs)?;
    for program in PROGRAMS {
        let name = program.rsplit('/').next().unwrap_or(program);
        fs::copy(mounted.join(program), programs.join(name))
            .with_context(|| format!("no {program} in the image"))?;
    }
    Ok(())
}
