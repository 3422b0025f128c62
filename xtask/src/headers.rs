// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module is built against: the headers of a kernel, unpacked, not installed.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{Cache, Key};
use crate::compilers::Compilers;
use crate::enter::Room;
use crate::kernels::{Kernel, extract};
use crate::privilege;
use crate::process;
use crate::progress::Steps;

/// Where a room shows the headers. The packages are made for `/`, and their Makefile
/// names its other half by the full path.
pub(crate) const PLACE: &str = "/headers";

/// The processor family of a kernel, as Debian names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// x86_64, which the tests boot.
    Amd64,
    /// aarch64, which is compiled for.
    Arm64,
}

impl Family {
    /// Debian's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// What the names of a compiler and its companions begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Amd64 => "",
            Self::Arm64 => "aarch64-linux-gnu-",
        }
    }
}

/// A room with the headers of one kernel.
pub(crate) struct Headers {
    /// The compilers, with the headers among them.
    pub(crate) room: Room,
    /// The build folder in that room, for `make -C`.
    pub(crate) build: String,
    /// The compiler that built the kernel, for example `gcc-12`.
    pub(crate) compiler: String,
    /// The headers themselves, with `usr/src` and `usr/lib`.
    pub(crate) unpacked: Utf8PathBuf,
}

impl Headers {
    /// Those of a kernel, or of its sibling of another family.
    pub(crate) fn find(
        cache: &Cache,
        steps: &Steps,
        compilers: &Compilers,
        kernel: &Kernel,
        family: Family,
    ) -> Result<Self> {
        let release = kernel.release.replace(Family::Amd64.name(), family.name());
        let package = format!("linux-headers-{release}");
        let key = Key::new("headers-2").part(compilers.key()).part(&package).part(PLACE);
        let name = format!("headers-{}-{}", kernel.name.replace('.', "_"), family.name());
        let title = format!("headers of kernel {}, {}", kernel.name, family.name());
        let made = cache.entry(steps, &name, &title, key, |step, folder| {
            let room = compilers.room().bind(folder, "/w");
            process::run(step, room.command("apt-get")?.args(["--quiet", "update"]))?;
            let wanted = format!("{package}:{}", family.name());
            extract(step, &room, folder, &wanted, &["linux-headers-", "linux-kbuild-"])?;
            let makefile = format!("/w/unpacked/usr/src/{package}/Makefile");
            let change = format!("s#/usr/src/#{PLACE}/usr/src/#g");
            process::run(step, room.command("sed")?.args(["--in-place", &change, &makefile]))?;
            privilege::remove_tree(&folder.join("unpacked/usr/share"))
        })?;
        let unpacked = made.join("unpacked");
        let compiler = compiler(&unpacked.join("usr/src").join(&package))?;
        let room = compilers.room().bind_read_only(&unpacked, PLACE);
        Ok(Self { room, build: format!("{PLACE}/usr/src/{package}"), compiler, unpacked })
    }
}

fn compiler(build: &Utf8Path) -> Result<String> {
    let path = build.join("include/config/auto.conf");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    compiler_of(&text).with_context(|| format!("{path} names no compiler")).map(str::to_owned)
}

/// The compiler in a kernel's configuration, without the family before its name.
fn compiler_of(config: &str) -> Option<&str> {
    let line = config.lines().find_map(|line| line.strip_prefix("CONFIG_CC_VERSION_TEXT="))?;
    // Newer ones leave the quotes out.
    let program = line.trim_start_matches('"').split_whitespace().next()?;
    Some(program.rsplit_once("-gnu-").map_or(program, |(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_names_the_compiler_it_was_built_with() {
        let old = "CONFIG_X=y\nCONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14) 12.2.0\"\n";
        assert_eq!(compiler_of(old), Some("gcc-12"));
        let new = "CONFIG_CC_VERSION_TEXT=x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0";
        assert_eq!(compiler_of(new), Some("gcc-14"));
        assert_eq!(compiler_of("CONFIG_X=y\n"), None);
    }
}
