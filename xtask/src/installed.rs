// SPDX-License-Identifier: MIT OR Apache-2.0
//! The packages, installed in a root by the package managers themselves, and taken away again:
//! what they leave is compared with what was there.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;

use crate::cache::{Cache, Key};
use crate::enter::Room;
use crate::kernels::Kernel;
use crate::privilege;
use crate::process;
use crate::progress::{Step, Steps};
use crate::standin;

/// Lists the root without what package managers, logs and DKMS (its key) keep for themselves. The users stay, as
/// both distributions have it, and lie in files that were there before.
const LIST: &str = "find / -xdev \\( -path /packages -o -path /kernel -o -path /headers \
    -o -path /var/cache -o -path '/var/lib/dkms/mok.*' \
    -o -path /var/log -o -path /var/lib/dpkg -o -path /var/lib/rpm \
    -o -path /usr/lib/sysimage \\) -prune -o -print";
/// What depmod reads besides the modules.
const MODULE_LISTS: &[&str] = &["modules.builtin", "modules.builtin.modinfo", "modules.order"];
/// No service starts in a root: what a script asks to be started is written down, with the module
/// that is there by then.
const INSTALL_DKMS: &str = r#"
mkdir -p /run/systemd/system /run/first
cat > /run/first/deb-systemd-invoke <<'END'
#!/bin/sh
echo "$* with $(modinfo -k KERNEL -n maccel)" >> /run/asked
END
chmod 755 /run/first/deb-systemd-invoke
PATH=/run/first:$PATH dpkg --install /packages/deb/maccel-dkms_*.deb
grep '^start vespera-module.service with .*/updates/dkms/' /run/asked"#;
/// What must be there while a package is, and whose words are checked.
const VERSION_OF: &str = "/usr/bin/maccel --version && /usr/bin/vesperactl --version";
/// Users and units, as the scripts of a package have made them.
const MADE: &str = "getent passwd vespera-agent && getent group maccel && \
    test -h /etc/systemd/system/multi-user.target.wants/vespera-agent.service && \
    test -h /etc/systemd/system/sysinit.target.wants/vespera-module.service";

/// Installs, verifies and removes the packages of `packages`, or finds in the cache that it was
/// done.
pub(crate) fn check(
    cache: &Cache,
    steps: &Steps,
    name: &str,
    packages: &Utf8Path,
    kernel: &Kernel,
) -> Result<()> {
    let archive = standin::user_space(cache, steps)?;
    let key = Key::new("installed-1").part(packages.as_str()).part(archive.as_str());
    let key = key.part(&kernel.release);
    let title = "packages: install, verify and remove in a root";
    cache.entry(steps, name, title, key, |step, folder| {
        let root = folder.join("root");
        std::fs::create_dir_all(&root)?;
        let mut tar = privilege::command("tar");
        tar.args(["--extract", "--file", archive.as_str(), "--directory", root.as_str()]);
        process::run(step, &mut tar)?;
        let room = Room::new(&root)
            .bind_read_only(packages, "/packages")
            .bind_read_only(&kernel.modules(), "/kernel");
        let here = Here { room: &room, step, kernel: &kernel.release };
        here.prepare()?;
        here.debian().context("Debian packages")?;
        here.rpm().context("RPMs")?;
        privilege::remove_tree(&root)
    })?;
    Ok(())
}

/// The root and what is tried in it: `/packages` has the packages, `/kernel` the kernel's modules.
pub(crate) struct Here<'a> {
    pub(crate) room: &'a Room,
    pub(crate) step: &'a Step,
    pub(crate) kernel: &'a str,
}

impl Here<'_> {
    /// Lets the root have as much of a kernel as depmod asks for.
    fn prepare(&self) -> Result<()> {
        // Which left out documentation.
        self.run("rm /etc/dpkg/dpkg.cfg.d/99mmdebstrap")?;
        self.run(&format!("mkdir -p {}/kernel", self.modules()))?;
        for list in MODULE_LISTS {
            self.run(&format!("cp /kernel/{list} {}", self.modules()))?;
        }
        // Where no module is left DKMS takes what depmod has written along.
        let one = "find /kernel/kernel -type f -name '*.ko*' -print -quit";
        self.run(&format!("cp $({one}) {}/kernel", self.modules()))?;
        self.run(&format!("depmod {}", self.kernel))
    }

    fn modules(&self) -> String {
        format!("/usr/lib/modules/{}", self.kernel)
    }

    fn run(&self, script: &str) -> Result<()> {
        process::run(self.step, self.room.command("sh")?.args(["-ec", script]))
    }

    fn files(&self) -> Result<BTreeSet<String>> {
        let listed = process::read(self.room.command("sh")?.args(["-ec", LIST]))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// What an installed package has to be, whatever brought it.
    fn works(&self) -> Result<()> {
        self.run(VERSION_OF)?;
        self.run(MADE)?;
        self.run(&format!("modinfo -k {} -n maccel", self.kernel))
    }

    fn rpm(&self) -> Result<()> {
        self.run("rpm --install /packages/standin/system.rpm")?;
        let before = self.files()?;
        let module = format!("kmod-maccel-{}", self.kernel);
        let files =
            ["vespera-agent", "maccel", &module].map(|name| format!("/packages/rpm/{name}.rpm"));
        // With all that they require, and without a word of a script.
        let install = format!("said=$(rpm --install {} 2>&1); test -z \"$said\"", files.join(" "));
        self.run(&install)?;
        self.works()?;
        self.run("test -s /usr/share/zsh/site-functions/_maccel")?;
        let names = format!("vespera-agent maccel {module}");
        self.run(&format!("rpm --verify {names}"))?;
        self.run(&format!("rpm --erase {names}"))?;
        left(&before, &self.files()?)
    }

    fn debian(&self) -> Result<()> {
        let before = self.files()?;
        let module = format!("maccel-modules-{}", self.kernel);
        let packages = format!("/packages/deb/vespera_*.deb /packages/deb/{module}_*.deb");
        self.run(&format!("dpkg --install {packages}"))?;
        self.works()?;
        // Where the zsh of each distribution looks.
        self.run("test -s /usr/share/zsh/vendor-completions/_maccel")?;
        self.run(&format!("said=$(dpkg --verify vespera {module}); test -z \"$said\""))?;
        self.run(&format!("dpkg --purge vespera {module}"))?;
        left(&before, &self.files()?)
    }

    /// Has DKMS build the driver from its package, against the headers whose build folder is `build`.
    pub(crate) fn dkms(&self, build: &str) -> Result<()> {
        self.prepare()?;
        self.run(&format!("ln -s {build} {}/build", self.modules()))?;
        let kernel = self.kernel;
        let before = self.files()?;
        self.run(&INSTALL_DKMS.replace("KERNEL", kernel))?;
        self.run(&format!("dkms status -k {kernel} | grep '^maccel/.*: installed'"))?;
        self.run(&format!("modinfo -k {kernel} -n maccel | grep /updates/dkms/"))?;
        self.run(&format!("modinfo -k {kernel} -F vermagic maccel | grep -F '{kernel} '"))?;
        self.run("dpkg --purge maccel-dkms")?;
        left(&before, &self.files()?)
    }
}

/// Fails with what was not there before, and with what was and is no more.
fn left(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Result<()> {
    let left: Vec<&String> = after.difference(before).collect();
    let missing: Vec<&String> = before.difference(after).collect();
    if !left.is_empty() || !missing.is_empty() {
        bail!("after the removal there are still {left:?}, and {missing:?} are missing");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_and_what_is_taken_along_are_both_faults() {
        let set = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        left(&set(&["a", "b"]), &set(&["a", "b"])).unwrap();
        let error = left(&set(&["a", "b"]), &set(&["b", "c"])).unwrap_err().to_string();
        assert!(
            error.contains("still [\"c\"]") && error.contains("[\"a\"] are missing"),
            "{error}"
        );
    }
}
