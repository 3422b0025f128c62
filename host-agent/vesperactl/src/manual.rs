// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions and man pages, from the definition of the command line.

use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;
use manual::program::Program;

use crate::args::Args;
use crate::exit::{self, Outcome};

const NAME: &str = "vesperactl";

/// The completions of one shell.
pub(crate) fn completion(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    Outcome { text: String::from_utf8_lossy(&script).into_owned(), code: exit::HEALTHY }
}

/// Writes the man pages below a folder as `man1/NAME.1`; prints the folder.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<Outcome> {
    let pages = Program {
        command: Args::command().name(NAME),
        section: 1,
        description: DESCRIPTION,
        files: FILES,
        see_also: &["maccel(1)", "maccel.toml(5)", "vespera-agent(8)", "vespera-module(8)"],
    };
    pages.write(folder)?;
    Ok(Outcome { text: format!("{folder}\n"), code: exit::HEALTHY })
}

const DESCRIPTION: &[&str] = &[
    "`vesperactl status` says on one screen whether the kernel module fits the running kernel, is \
     loaded and can be set, whether the next boot will have it, and, for each fault, the command \
     that mends it. The checks are made here: they need neither the agent nor its bus.",
    "What changes settings goes through the agent, which keeps them; who may ask it for what is \
     a matter of polkit.",
];

const FILES: &[(&str, &str)] = &[
    ("/run/vespera/module.json", "what vespera-module found at this boot"),
    ("/run/vespera/deployments.json", "the modules of the next boot and of the rollback"),
    ("/usr/share/vespera/image.json", "what the image was made of"),
    ("/usr/share/vespera/module-signing.der", "the certificate that the module is signed with"),
];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn completions_and_pages_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let script = completion(shell).text;
            assert!(script.contains("doctor") && script.contains("unload"), "{shell}");
        }
        manual::lint::bash_completions(&completion(Shell::Bash).text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        for page in ["vesperactl.1", "vesperactl-module-check.1", "vesperactl-group-add.1"] {
            assert!(folder.join("man1").join(page).exists(), "{page}");
        }
        let page = std::fs::read_to_string(folder.join("man1/vesperactl.1")).unwrap();
        assert!(page.contains("EXIT CODES") && page.contains("/run/vespera/module.json"));
        assert!(manual::lint::pages(folder).unwrap() > 20);
    }

    #[test]
    fn the_time_of_a_trial_is_the_one_that_is_told() {
        let time = manual::examples::default_of(&Args::command(), "trial", "seconds").unwrap();
        let told = format!("{time} with `vesperactl trial`");
        assert!(manual::examples::says("docs/concepts.md", &told).unwrap(), "{told}");
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let shown = manual::examples::commands(NAME).unwrap();
        assert!(shown.len() > 10, "{shown:?}");
        let faults = shown.iter().filter_map(|one| one.fault(Args::try_parse_from(&one.words)));
        assert_eq!(faults.collect::<Vec<_>>(), [""; 0]);
    }
}
