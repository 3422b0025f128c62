// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands of `docs/packages.md` that make the driver, run in a root word for word.

use anyhow::{Context, Result};

use crate::enter::Room;
use crate::packages::Build;
use crate::process;
use crate::progress::Step;
use crate::source;

const PAGE: &str = "docs/packages.md";
/// In the root there is another kernel than the machine's, no RPM knows what a Debian has installed,
/// and nothing can be loaded. A file that `dnf` is to install has to be there.
const STANDINS: &str = r#"
sudo() { "$@"; }
uname() { echo KERNEL; }
vesperactl() { test "$*" = 'module load'; }
dnf() { for word; do case $word in /*) test -f "$word" ;; esac; done; }
dkms() { command dkms "$@" -k KERNEL; }
rpmbuild() { command rpmbuild --nodeps --quiet "$@"; }
"#;
/// What is tried: the heading, a word of its block, and what proves that it did what it says.
const TRIED: &[(&str, &str, &str)] = &[
    (
        "## Fedora",
        "--without programs",
        "rpm -qpl ~/rpmbuild/RPMS/*/kmod-maccel-KERNEL-*.rpm | grep /KERNEL/extra/maccel/maccel.ko",
    ),
    (
        "## DKMS on any distribution",
        "dkms install",
        "modinfo -k KERNEL -n maccel | grep /updates/dkms/; dkms remove maccel/$version",
    ),
];

/// Runs them in a room that has the archive of the sources in `/w/build`, headers for `kernel` and
/// DKMS.
pub(crate) fn run(step: &Step, room: &Room, kernel: &str) -> Result<()> {
    let page = source::root()?.join(PAGE);
    let page = std::fs::read_to_string(&page).with_context(|| format!("cannot read {page}"))?;
    for (heading, word, proof) in TRIED {
        let script = script(&page, heading, word, proof)?.replace("KERNEL", kernel);
        process::run(step, room.command("sh")?.args(["-ec", &script]))
            .with_context(|| format!("{PAGE}, {heading}"))?;
    }
    Ok(())
}

fn script(page: &str, heading: &str, word: &str, proof: &str) -> Result<String> {
    let version = block(page, "# ", "version=").context("there is no version")?;
    let block = block(page, heading, word)
        .with_context(|| format!("{PAGE}: no block below {heading} has {word}"))?;
    let folder = format!(
        "rm -rf /w/documented; mkdir /w/documented; cd /w/documented; cp /w/build/{} .",
        Build::archive()
    );
    Ok([STANDINS, &folder, &version, &block, proof].join("\n"))
}

/// The block of commands with this word in it, of those below a heading.
fn block(page: &str, heading: &str, word: &str) -> Option<String> {
    let mut below = "";
    let mut open: Option<String> = None;
    for line in page.lines() {
        if let Some(text) = open.as_mut() {
            if line != "```" {
                text.push_str(line);
                text.push('\n');
                continue;
            }
            let found = open.take().filter(|text| text.contains(word));
            if below.starts_with(heading) && found.is_some() {
                return found;
            }
        } else if line == "```sh" {
            open = Some(String::new());
        } else if line.starts_with('#') {
            below = line;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_its_heading_and_a_word() {
        let page =
            "# T\n```sh\na=1\n```\n## B\n```sh\n# no heading\nb one\n```\n```sh\nb two\n```\n";
        assert_eq!(block(page, "# ", "a=").unwrap(), "a=1\n");
        assert_eq!(block(page, "## B", "two").unwrap(), "b two\n");
        assert_eq!(block(page, "## B", "one").unwrap(), "# no heading\nb one\n");
        assert_eq!(block(page, "# T", "two"), None);
    }

    #[test]
    fn the_page_has_the_commands_that_are_tried() {
        let page = std::fs::read_to_string(source::root().unwrap().join(PAGE)).unwrap();
        for (heading, word, proof) in TRIED {
            let script = script(&page, heading, word, proof).unwrap();
            assert!(script.contains("\nversion=") && script.contains(word), "{script}");
        }
    }
}
