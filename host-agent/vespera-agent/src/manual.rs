// SPDX-License-Identifier: MIT OR Apache-2.0
//! The man page, from the definition of the command line.

use camino::Utf8Path;
use clap::CommandFactory;
use manual::program::Program;

use crate::args::Args;

/// Writes it below a folder, as `man8/vespera-agent.8`.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<()> {
    let pages = Program {
        command: Args::command(),
        section: 8,
        description: DESCRIPTION,
        files: FILES,
        see_also: &[
            "maccel.toml(5)",
            "vesperactl(1)",
            "maccel(1)",
            "vespera-module(8)",
            "polkit(8)",
        ],
    };
    Ok(pages.write(folder)?)
}

const DESCRIPTION: &[&str] = &[
    "`vespera-agent.service` runs it as the user `vespera-agent`, without any capability. It puts \
     the saved settings in force when the module comes, saves what is set over the bus or by other \
     programs, runs trials that go back by themselves, and keeps profiles and the history of boots.",
    "It owns the name `org.vespera.Agent1` on the system bus. Everyone may read; what changes \
     something needs one of the polkit actions `org.vespera.agent1.change-settings`, \
     `org.vespera.agent1.manage-profiles` and `org.vespera.agent1.recheck`. The person at the \
     machine needs no password for them; in a Vespera image nor does a member of the group \
     `maccel`. Others need that of an administrator. The interfaces are described in \
     `/usr/share/dbus-1/interfaces/org.vespera.Agent1.Maccel.xml` and its neighbours.",
    "SIGTERM and SIGINT end it; a trial goes back before.",
];

const FILES: &[(&str, &str)] = &[
    ("/usr/lib/vespera/maccel.toml", "settings of the image"),
    ("/etc/vespera/maccel.toml", "settings of the administrator"),
    ("/var/lib/vespera/maccel.toml", "what was set at run time"),
    ("/var/lib/vespera/history.json", "the boots of this system"),
    ("/run/vespera/", "what vespera-module found; the agent looks at no kernel by itself"),
    ("/run/vespera-agent/seen.json", "what the driver was last seen to hold"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_mandoc_has_nothing_to_say() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        let page = std::fs::read_to_string(folder.join("man8/vespera-agent.8")).unwrap();
        assert!(page.contains("/var/lib/vespera/maccel.toml"), "{page}");
        assert!(!page.contains("SUBCOMMANDS"), "{page}");
        assert_eq!(::manual::lint::pages(folder).unwrap(), 1);
    }
}
