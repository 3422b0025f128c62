// SPDX-License-Identifier: MIT OR Apache-2.0
//! The man pages, from the definition of the command line.

use camino::Utf8Path;
use clap::CommandFactory;
use manual::program::Program;

use crate::args::Args;

/// Writes them below a folder, as `man8/NAME.8`.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<()> {
    let pages = Program {
        command: Args::command(),
        section: 8,
        description: DESCRIPTION,
        files: FILES,
        see_also: &["vesperactl(1)", "vespera-agent(8)", "maccel(1)"],
    };
    Ok(pages.write(folder)?)
}

const DESCRIPTION: &[&str] = &[
    "`vespera-module.service` runs it at boot before the desktop. It looks for the module of the \
     running kernel, loads it unless it is loaded, and writes down what it found. A module that \
     does not fit is a finding, not a failure: the boot stays as it is.",
    "`vespera-module-check.service` runs it with `--no-load` when the module is added and when \
     vespera-agent asks for another check. That looks, gives the files of a loaded module to the \
     group, and writes down what it found; the service has not even the right to load. A module \
     that somebody has removed stays out until the next boot, or until root runs \
     `vesperactl module load`.",
];

const FILES: &[(&str, &str)] = &[
    ("/usr/lib/modules/KERNEL/extra/maccel/", "the module"),
    ("/run/vespera/module.json", "what was found, written anew by each run"),
    ("/run/vespera/deployments.json", "the modules of the next boot and of the rollback"),
    ("/run/vespera/request/check", "the agent's wish for another check"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_there_and_mandoc_has_nothing_to_say() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        for page in ["vespera-module.8", "vespera-module-permissions.8"] {
            assert!(folder.join("man8").join(page).exists(), "{page}");
        }
        assert_eq!(::manual::lint::pages(folder).unwrap(), 5);
    }
}
