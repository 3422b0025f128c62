// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions and man pages from the definition of the command line, and the pictures of the
//! documents.

use anyhow::Context;
use camino::Utf8Path;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::output::Output;
use crate::{plot, tui};

const NAME: &str = "maccel";

/// The completions of one shell.
pub(crate) fn completion(shell: Shell) -> Output {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    Output::text(String::from_utf8_lossy(&script))
}

/// One man page for each subcommand; prints what was written.
pub(crate) fn man(folder: &Utf8Path) -> anyhow::Result<Output> {
    clap_mangen::generate_to(Args::command().name(NAME), folder)
        .with_context(|| format!("cannot write man pages into {folder}"))?;
    Ok(Output::text(format!("{folder}\n")))
}

/// The pictures of the documents, by file name: the terminal interface and a plot.
fn drawings() -> anyhow::Result<[(&'static str, String); 2]> {
    Ok([("tui.svg", tui::picture::example()?), ("plot.svg", plot::example()?)])
}

/// Draws the pictures of the documents; prints what was written.
pub(crate) fn pictures(folder: &Utf8Path) -> anyhow::Result<Output> {
    for (name, picture) in drawings()? {
        let file = folder.join(name);
        std::fs::write(&file, picture).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(Output::text(format!("{folder}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_of_the_documents_are_fresh() {
        for (name, picture) in drawings().unwrap() {
            let file = format!("{}/../docs/pictures/{name}", env!("CARGO_MANIFEST_DIR"));
            let committed = std::fs::read_to_string(file).unwrap_or_default();
            assert!(committed == picture, "{name} is stale, run: maccel pictures docs/pictures");
        }
    }

    #[test]
    fn completions_and_pages_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let script = completion(shell).text;
            assert!(script.contains("no-accel") && script.contains("completion"), "{shell}");
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        man(folder).unwrap();
        for page in ["maccel.1", "maccel-set-all-natural.1", "maccel-get-param.1"] {
            assert!(folder.join(page).exists(), "{page}");
        }
        let page = std::fs::read_to_string(folder.join("maccel.1")).unwrap();
        assert!(page.contains("Exit codes") && page.contains("Examples"));
    }
}
