// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the machine must have, and how its package manager calls it.
//!
//! Little is asked of the machine itself: QEMU, mmdebstrap, and what the workspace's
//! own crates link to. Compiler, buildah, RPM tools and kernel headers live in the
//! workshop ([`crate::workshop`]), alike on every distribution.

use std::fs;
use std::io::{IsTerminal, Write};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::privilege;
use crate::process;

/// How set-up behaves.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Install what is missing without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Entry point of `cargo xtask setup`.
pub(crate) fn main(args: &Args) -> Result<()> {
    let installed = ensure(*args)?;
    println!("{}", if installed { "set-up is complete" } else { "nothing is missing" });
    Ok(())
}

/// One thing the machine must have.
pub(crate) struct Need {
    /// What it is for, as shown to the person.
    why: &'static str,
    /// Whether it is there.
    present: fn() -> bool,
    /// Package names: Debian and Ubuntu, Fedora.
    packages: (&'static [&'static str], &'static [&'static str]),
}

const NEEDS: &[Need] = &[
    Need {
        why: "QEMU, which boots the image",
        present: || process::exists("qemu-system-x86_64"),
        packages: (&["qemu-system-x86"], &["qemu-system-x86-core"]),
    },
    Need {
        why: "mmdebstrap, which makes the tool root and the stand-in base",
        present: || process::exists("mmdebstrap"),
        packages: (&["mmdebstrap"], &["mmdebstrap", "apt", "debian-keyring"]),
    },
    Need {
        why: "Debian's archive keys, which vouch for what mmdebstrap unpacks",
        present: || fs::metadata("/usr/share/keyrings/debian-archive-keyring.gpg").is_ok(),
        packages: (&["debian-archive-keyring"], &["debian-keyring"]),
    },
    Need {
        why: "a C compiler, for the driver's arithmetic under test",
        present: || process::exists("cc"),
        packages: (&["gcc", "libc6-dev"], &["gcc", "glibc-devel"]),
    },
    Need {
        why: "the static C library, for the program inside the test guest",
        present: || any_file(LIBRARY_FOLDERS, "libc.a"),
        packages: (&["libc6-dev"], &["glibc-static"]),
    },
    Need {
        why: "tmux, which types into the terminal interface and reads its screen",
        present: || process::exists("tmux"),
        packages: (&["tmux"], &["tmux"]),
    },
    Need {
        why: "mandoc, which checks the man pages",
        present: || process::exists("mandoc"),
        packages: (&["mandoc"], &["mandoc"]),
    },
    Need {
        why: "gjs, for the example in JavaScript",
        present: || process::exists("gjs"),
        packages: (&["gjs"], &["gjs"]),
    },
    Need {
        why: "Python's GObject, for the example in Python",
        present: || {
            process::read(Command::new("/usr/bin/python3").args(["-c", "import gi"])).is_ok()
        },
        packages: (&["python3-gi"], &["python3-gobject-base"]),
    },
    Need {
        why: "busctl, for the example in shell",
        present: || process::exists("busctl"),
        packages: (&["systemd"], &["systemd"]),
    },
    Need {
        why: "rustfmt, which checks the form of the code",
        present: || process::exists("rustfmt"),
        packages: (&["rustfmt"], &["rustfmt"]),
    },
    Need {
        why: "clippy, which checks its habits",
        present: || process::exists("cargo-clippy"),
        packages: (&["rust-clippy"], &["clippy"]),
    },
    Need {
        why: "libkmod's header, for vespera-module",
        present: || fs::metadata("/usr/include/libkmod.h").is_ok(),
        packages: (&["libkmod-dev"], &["kmod-devel"]),
    },
    Need {
        why: "libudev's header, for vespera-agent",
        present: || fs::metadata("/usr/include/libudev.h").is_ok(),
        packages: (&["libudev-dev"], &["systemd-devel"]),
    },
    Need {
        why: "pkg-config, which finds that library while building",
        present: || process::exists("pkg-config"),
        packages: (&["pkg-config"], &["pkgconf-pkg-config"]),
    },
    Need {
        why: "libclang, which reads that header while building",
        present: || libclang().is_some(),
        packages: (&["libclang-dev"], &["clang-devel"]),
    },
    Need {
        why: "clang with its fuzzer, for the driver's arithmetic",
        present: || fuzzer().is_some(),
        packages: (&["clang", "libclang-rt-dev", "make"], &["clang", "compiler-rt", "make"]),
    },
    Need {
        why: "dbus-daemon, the bus that the agent is tested on",
        present: || process::exists("dbus-daemon"),
        packages: (&["dbus-daemon"], &["dbus-daemon"]),
    },
    Need {
        why: "polkitd, which the agent asks who may do what",
        present: || POLKITD.iter().any(|path| fs::metadata(path).is_ok()),
        packages: (&["polkitd"], &["polkit"]),
    },
    Need {
        why: "mkfs.ext4, for the disks whose guests lose power",
        present: || process::exists("mkfs.ext4"),
        packages: (&["e2fsprogs"], &["e2fsprogs"]),
    },
    Need {
        why: "ostree, whose deployments the checks look at",
        present: || process::exists("ostree"),
        packages: (&["ostree"], &["ostree"]),
    },
    Need {
        why: "newuidmap, with which others than root test as several users",
        present: || process::exists("newuidmap") || privilege::is_root(),
        packages: (&["uidmap"], &["shadow-utils"]),
    },
    Need {
        why: "Python with environments, for the linters of Containerfile and workflows",
        present: || {
            process::read(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
        },
        packages: (&["python3-venv"], &["python3"]),
    },
    Need {
        why: "openssl, which signs modules",
        present: || process::exists("openssl"),
        packages: (&["openssl"], &["openssl"]),
    },
    Need {
        why: "git, which lists the source files that a result depends on",
        present: || process::exists("git"),
        packages: (&["git"], &["git-core"]),
    },
];

/// What only `cargo xtask bench` needs.
pub(crate) const BENCH: &[Need] = &[
    Need {
        why: "valgrind, which counts instructions",
        present: || process::exists("valgrind"),
        packages: (&["valgrind"], &["valgrind"]),
    },
    Need {
        why: "Python, which makes the table of them",
        present: || process::exists("python3"),
        packages: (&["python3-minimal"], &["python3"]),
    },
];

/// What only `cargo xtask soak` needs.
pub(crate) const SOAK: &[Need] = &[Need {
    why: "Perl with its modules, for the kernel's style check",
    present: || process::read(Command::new("perl").args(CHECKPATCH)).is_ok(),
    packages: (&["perl"], &["perl"]),
}];
/// The modules that checkpatch.pl uses and a small Perl lacks.
const CHECKPATCH: &[&str] = &["-MTerm::ANSIColor", "-MEncode", "-e1"];

/// Where distributions keep it.
const POLKITD: &[&str] =
    &["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd", "/usr/libexec/polkit-1/polkitd"];

const LIBRARY_FOLDERS: &[&str] =
    &["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];

fn any_file(folders: &[&str], name: &str) -> bool {
    folders.iter().any(|folder| fs::metadata(format!("{folder}/{name}")).is_ok())
}

/// Whether libclang's library is somewhere that build scripts look.
fn libclang() -> Option<()> {
    // Not libclang-cpp, which is another library.
    let is_it = |name: &str| {
        name.starts_with("libclang.so")
            || (name.starts_with("libclang-") && !name.starts_with("libclang-cpp"))
    };
    let llvm = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let llvm = llvm.filter(|path| path.to_string_lossy().contains("/llvm")).map(|p| p.join("lib"));
    LIBRARY_FOLDERS.iter().map(Into::into).chain(llvm).find_map(|folder| {
        fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
            let name = entry.file_name();
            (is_it(&name.to_string_lossy()) && name.to_string_lossy().contains(".so")).then_some(())
        })
    })
}

/// Whether clang is there with the library of its fuzzer, which is packaged apart.
fn fuzzer() -> Option<()> {
    if !process::exists("clang") {
        return None;
    }
    let folder = process::read(Command::new("clang").arg("-print-resource-dir")).ok()?;
    walkdir::WalkDir::new(folder).into_iter().flatten().find_map(|entry| {
        entry.file_name().to_string_lossy().starts_with("libclang_rt.fuzzer").then_some(())
    })
}

/// The package managers we know, with the words that install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
}

impl Manager {
    fn find() -> Option<Self> {
        if process::exists("apt-get") && fs::metadata("/etc/debian_version").is_ok() {
            Some(Self::Apt)
        } else if process::exists("dnf") {
            Some(Self::Dnf)
        } else {
            None
        }
    }

    fn packages(self, need: &Need) -> &'static [&'static str] {
        match self {
            Self::Apt => need.packages.0,
            Self::Dnf => need.packages.1,
        }
    }

    /// The commands that install `packages`, each as a list of words.
    fn commands(self, packages: &[&str]) -> Vec<Vec<String>> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut install = match self {
            Self::Apt => words(&["apt-get", "install", "--yes", "--no-install-recommends"]),
            Self::Dnf => words(&["dnf", "install", "--assumeyes"]),
        };
        install.extend(words(packages));
        match self {
            // A new machine's package lists are empty or old.
            Self::Apt => vec![words(&["apt-get", "update"]), install],
            Self::Dnf => vec![install],
        }
    }
}

/// Installs what is missing. Returns whether anything was.
///
/// # Errors
/// If something is missing and cannot be installed: the error holds the exact
/// commands that a person with the right to do so would type.
pub(crate) fn ensure(args: Args) -> Result<bool> {
    ensure_with(args, &[])
}

/// Installs what is missing of what every command needs, and of `more`.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn ensure_with(args: Args, more: &[Need]) -> Result<bool> {
    if std::env::consts::ARCH != "x86_64" {
        bail!("the guests are x86_64 machines; this one is {}", std::env::consts::ARCH);
    }
    let missing: Vec<&Need> = NEEDS.iter().chain(more).filter(|need| !(need.present)()).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    println!("This machine lacks:");
    for need in &missing {
        println!("  - {}", need.why);
    }
    let Some(manager) = Manager::find() else {
        bail!("no package manager that I know (apt-get, dnf): please install the above by hand");
    };
    let mut packages: Vec<&str> =
        missing.iter().flat_map(|need| manager.packages(need)).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    let commands = manager.commands(&packages);
    let typed = commands
        .iter()
        .map(|words| format!("  {}{}", privilege::prefix(), words.join(" ")))
        .collect::<Vec<_>>()
        .join("\n");
    if !privilege::available() {
        bail!("installing needs root, and there is no sudo here; as root, run:\n{typed}");
    }
    println!("These commands install it:\n{typed}");
    if !privilege::is_root() && !args.yes && !agreed()? {
        bail!("not installed; run the commands above yourself, or pass --yes");
    }
    for words in commands {
        let Some((program, rest)) = words.split_first() else { continue };
        let status = privilege::command(program)
            .args(rest)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .with_context(|| format!("cannot start {program}"))?;
        if !status.success() {
            bail!("`{}` ended with {status}", words.join(" "));
        }
    }
    if let Some(need) = missing.iter().find(|need| !(need.present)()) {
        bail!("installed {}, but this is still missing: {}", packages.join(" "), need.why);
    }
    Ok(true)
}

fn agreed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("Install now? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_has_a_package_on_every_distribution() {
        for need in NEEDS.iter().chain(BENCH).chain(SOAK) {
            assert!(!need.packages.0.is_empty() && !need.packages.1.is_empty(), "{}", need.why);
        }
    }

    #[test]
    fn what_cannot_be_installed_from_here_is_told_before_the_first_command() {
        let text = std::fs::read_to_string(crate::source::root().unwrap().join("README.md"));
        let text = text.unwrap().replace('\n', " ");
        let (_, needed) = text.split_once("They need ").unwrap();
        let (needed, _) = needed.split_once("they install the rest").unwrap();
        let rust = format!("Rust {} or newer", env!("CARGO_PKG_RUST_VERSION"));
        // The shell's own check of it, cargo's, git's and the linker's come before ours.
        for word in ["x86_64", "apt or dnf", "git", "gcc", &rust, "sudo"] {
            assert!(needed.contains(word), "{word}: {needed}");
        }
    }

    #[test]
    fn apt_refreshes_its_lists_before_it_installs() {
        let commands = Manager::Apt.commands(&["gcc"]);
        assert_eq!(commands.first().map(|c| c.join(" ")), Some("apt-get update".into()));
        assert!(commands.last().is_some_and(|c| c.contains(&"gcc".to_owned())));
    }
}
