// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions and man pages from the definition of the command line; in the tests, the documents
//! and their pictures.

mod settings_file;

#[cfg(test)]
mod documents;

use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;
use manual::program::Program;
use serde_json::json;

use crate::args::Args;
use crate::output::{FORMAT, Output, document};

const NAME: &str = "maccel";

/// Prints the completions of one shell.
pub(crate) fn completion(json: bool, shell: Shell) -> anyhow::Result<Output> {
    let script = completions(shell);
    Ok(Output::text(if json {
        document(&json!({"format": FORMAT, "shell": shell.to_string(), "text": script}))?
    } else {
        script
    }))
}

/// The completions of one shell.
fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes the man pages below a folder, as `man1/NAME.1` and `man5/maccel.toml.5`; prints the
/// folder.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<Output> {
    let pages = Program {
        command: Args::command().name(NAME),
        section: 1,
        description: DESCRIPTION,
        files: FILES,
        see_also: &["vesperactl(1)", "maccel.toml(5)", "vespera-agent(8)"],
    };
    pages.write(folder)?;
    settings_file::write(folder)?;
    Ok(Output::text(format!("{folder}\n")))
}

const DESCRIPTION: &[&str] = &[
    "Without a command the terminal interface starts: the curve with the mouse on it, all \
     parameters, the mice, the profiles. All commands of the public program of this name work as \
     they do there.",
    "Values are read from the driver. They are written through the agent where it runs, which \
     keeps them; else to the driver, and kept as scripts that the public tools read.",
];

const FILES: &[(&str, &str)] = &[
    ("/sys/module/maccel/parameters/", "the settings in force, one file for each parameter"),
    ("/sys/class/maccel/", "the mice that the driver serves"),
    ("/dev/maccel", "the last speed of any mouse"),
    ("/var/opt/maccel/resets/", "values that the public tools have saved"),
];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args;

    #[test]
    fn completions_and_pages_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let script = completions(shell);
            assert!(script.contains("no-accel") && script.contains("completion"), "{shell}");
        }
        manual::lint::bash_completions(&completions(Shell::Bash)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        for page in ["maccel.1", "maccel-set-all-natural.1", "maccel-get-param.1"] {
            assert!(folder.join("man1").join(page).exists(), "{page}");
        }
        let page = std::fs::read_to_string(folder.join("man1/maccel.1")).unwrap();
        assert!(page.contains("EXIT CODES") && page.contains("EXAMPLES"));
        assert!(manual::lint::pages(folder).unwrap() > 20);
    }

    #[test]
    fn the_time_of_a_trial_is_the_one_that_is_told() {
        let time = manual::examples::default_of(&Args::command(), "trial", "seconds").unwrap();
        let told = format!("{time} seconds with `maccel trial`");
        assert!(manual::examples::says("docs/concepts.md", &told).unwrap(), "{told}");
    }

    #[test]
    fn every_command_in_the_documents_is_one() {
        let shown = manual::examples::commands(NAME).unwrap();
        assert!(shown.len() > 10, "{shown:?}");
        let faults = shown.iter().filter_map(|one| {
            one.fault(Args::try_parse_from(args::spelled_out(one.words.clone())))
        });
        assert_eq!(faults.collect::<Vec<_>>(), [""; 0]);
    }
}
