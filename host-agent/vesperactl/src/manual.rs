// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions and man pages, from the definition of the command line.

use anyhow::Context;
use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::{self, Outcome};

const NAME: &str = "vesperactl";

/// The completions of one shell.
pub(crate) fn completion(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    Outcome { text: String::from_utf8_lossy(&script).into_owned(), code: exit::HEALTHY }
}

/// One man page for each subcommand; prints what was written.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<Outcome> {
    clap_mangen::generate_to(Args::command().name(NAME), folder)
        .with_context(|| format!("cannot write man pages into {folder}"))?;
    Ok(Outcome { text: format!("{folder}\n"), code: exit::HEALTHY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_pages_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            let script = completion(shell).text;
            assert!(script.contains("doctor") && script.contains("unload"), "{shell}");
        }
        let fixture = module_check::fixtures::FixtureRoot::new();
        man(fixture.root().path()).unwrap();
        for page in ["vesperactl.1", "vesperactl-module-check.1", "vesperactl-group-add.1"] {
            assert!(fixture.root().exists(page), "{page}");
        }
        assert!(fixture.root().read("vesperactl.1").unwrap().contains("Exit codes"));
    }
}
