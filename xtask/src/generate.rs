// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are made from others and committed all the same, because tools that
//! know nothing of cargo read them, or people do.

use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use maccel_core::c_header;

use crate::source;

/// What to do with the generated files.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Args {
    /// Only say which files are not current; fails if there are any
    #[arg(long)]
    pub(crate) check: bool,
}

/// A committed file and the text it should hold.
struct Generated {
    path: &'static str,
    text: String,
}

/// Documents with examples in them.
const WITH_EXAMPLES: &[&str] = &["README.md", "docs/applications.md"];
/// What stands before an example: this, its path, and [`EXAMPLE_END`].
const EXAMPLE: &str = "<!-- example: ";
const EXAMPLE_END: &str = " -->";

/// The crates whose tests make documents and pictures of what they alone know, the beginning of
/// the names of those tests, and the variable that has them write.
const MAKERS: &[&str] = &["vespera-api", "health", "image", "maccel-cli", "vesperactl"];
const MAKING: &str = "committed_document";
const WRITE: &str = "VESPERA_GENERATE";

fn all() -> Result<Vec<Generated>> {
    let mut all = vec![
        Generated { path: c_header::PARAMETERS_PATH, text: c_header::render()? },
        Generated { path: c_header::TABLES_PATH, text: c_header::render_tables() },
    ];
    for path in WITH_EXAMPLES {
        let text = std::fs::read_to_string(source::root()?.join(path)).context(*path)?;
        all.push(Generated { path, text: with_examples(&text, example)? });
    }
    Ok(all)
}

/// Entry point of `cargo xtask generate`.
pub(crate) fn main(args: &Args) -> Result<()> {
    files(args.check)?;
    documents(args.check)
}

/// Compares or writes what is made here. What the tests of other crates make, they compare
/// whenever they run.
pub(crate) fn files(check: bool) -> Result<()> {
    let mut stale: Vec<Utf8PathBuf> = Vec::new();
    for Generated { path, text } in all()? {
        let file = source::root()?.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|now| now == text) {
            continue;
        }
        if check {
            stale.push(path.into());
        } else {
            std::fs::write(&file, text).with_context(|| format!("cannot write {file}"))?;
            println!("wrote {path}");
        }
    }
    if !stale.is_empty() {
        bail!("not current: {stale:?}; `cargo xtask generate` writes them anew");
    }
    Ok(())
}

/// Has the tests that make documents compare or write them.
fn documents(check: bool) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(source::root()?).args(["test", "--locked", "--quiet", "--no-fail-fast"]);
    MAKERS.iter().for_each(|maker| {
        cargo.args(["--package", maker]);
    });
    cargo.args(["--", MAKING]);
    if !check {
        cargo.env(WRITE, "1");
    }
    let output = cargo.output().context("cannot start cargo")?;
    if !output.status.success() {
        // The tests say on one stream what is stale, cargo on the other what does not compile.
        let said = [output.stdout, output.stderr].concat();
        bail!("{}", String::from_utf8_lossy(&said).trim());
    }
    Ok(())
}

/// The text of an example, without its licence line.
fn example(path: &str) -> Result<String> {
    let text = std::fs::read_to_string(source::root()?.join(path)).context(path.to_owned())?;
    let lines = text.lines().filter(|line| !line.contains("SPDX-License-Identifier"));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

/// A document with the text of each example in the block of code that follows its path.
fn with_examples(text: &str, example: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut made = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        let path = line.strip_prefix(EXAMPLE).and_then(|rest| rest.strip_suffix(EXAMPLE_END));
        let Some(path) = path else { continue };
        let fence = lines.next().filter(|line| line.starts_with("```"));
        let fence = fence.with_context(|| format!("no block of code follows {path}"))?;
        if !lines.any(|line| line == "```") {
            bail!("the block of code of {path} has no end");
        }
        made.push_str(&format!("{fence}\n{}```\n", example(path)?));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_in_documents_are_those_that_are_tested() {
        let mut seen = 0;
        for path in WITH_EXAMPLES {
            let text = std::fs::read_to_string(source::root().unwrap().join(path)).unwrap();
            seen += text.matches(EXAMPLE).count();
            assert!(
                with_examples(&text, example).unwrap() == text,
                "{path} is not current; `cargo xtask generate` writes it anew"
            );
        }
        assert!(seen >= 4, "{seen} examples");
    }

    #[test]
    fn documents_that_are_made_name_files_that_are_there() {
        let root = source::root().unwrap();
        let mut named = std::collections::BTreeSet::new();
        for path in source::files(&["docs"]).unwrap() {
            let text = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
            let head = text.lines().find_map(|line| line.strip_prefix("<!-- Made from "));
            let Some(head) = head else { continue };
            let words = head.split([' ', ',']).filter(|word| word.contains('/'));
            for word in words {
                assert!(root.join(word).exists(), "{path} is made from {word}, which is not there");
                named.insert(word.to_owned());
            }
        }
        for maker in ["host-agent/api/tests/reference.rs", "host-agent/health/tests/reference.rs"] {
            assert!(named.contains(maker), "no document is made from {maker}");
        }
    }

    #[test]
    fn an_example_replaces_what_stands_in_its_place() {
        let text = "a\n<!-- example: x.sh -->\n```sh\nold\nolder\n```\nb\n";
        let made = with_examples(text, |path| Ok(format!("echo {path}\n"))).unwrap();
        assert_eq!(made, "a\n<!-- example: x.sh -->\n```sh\necho x.sh\n```\nb\n");
        assert!(with_examples("<!-- example: x.sh -->\ntext\n", |_| Ok(String::new())).is_err());
    }
}
