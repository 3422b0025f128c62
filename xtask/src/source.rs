// SPDX-License-Identifier: MIT OR Apache-2.0
//! The repository's own files: where they are and what they hash to.

use std::process::Command;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::Key;
use crate::process;

/// The top folder of the repository.
pub(crate) fn root() -> Result<Utf8PathBuf> {
    // xtask is always built from the tree it works on.
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Utf8Path::to_owned).context("xtask has no parent folder")
}

/// The files below `paths` that git tracks or would track, sorted.
pub(crate) fn files(paths: &[&str]) -> Result<Vec<Utf8PathBuf>> {
    let root = root()?;
    let listed = process::read(
        Command::new("git")
            .args([
                "-C",
                root.as_str(),
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .arg("--")
            .args(paths),
    )?;
    let mut files: Vec<Utf8PathBuf> =
        listed.split_terminator('\0').map(Utf8PathBuf::from).collect();
    files.retain(|file| root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// Adds names and contents of all files below `paths` to a key.
pub(crate) fn hash(mut key: Key, paths: &[&str]) -> Result<Key> {
    let root = root()?;
    for file in files(paths)? {
        let bytes =
            std::fs::read(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
        key = key.part(file.as_str()).part(bytes);
    }
    Ok(key)
}

/// Files whose first lines name their licence.
const LICENSED: &[&str] =
    &["rs", "c", "h", "toml", "Containerfile", "service", "path", "rules", "yml", "yaml", "spec"];
/// A file over this size does not belong into a repository of sources.
const LARGEST: u64 = 1_000_000;

/// The table of requirements with the test that proves each.
const REQUIREMENTS: &str = "docs/requirements.md";

/// The table of journal entries.
const JOURNAL: &str = "docs/journal.md";
/// Where the programs are that write to the journal.
const JOURNAL_WRITERS: &str = "host-agent/";

/// Checks what every file of the repository must fulfil: a licence line where the
/// format has comments, and a sensible size; that the tests named in the table of
/// requirements exist; and that the table of journal entries is complete.
pub(crate) fn check() -> Result<()> {
    let root = root()?;
    let mut faults = Vec::new();
    for file in files(&["."])? {
        let path = root.join(&file);
        if path.metadata()?.len() > LARGEST {
            faults.push(format!("{file}: larger than {LARGEST} bytes"));
        }
        let name = file.extension().or(file.file_name()).unwrap_or_default();
        if LICENSED.contains(&name) {
            let text = std::fs::read_to_string(&path).with_context(|| format!("{file}"))?;
            if !text.lines().take(3).any(|line| line.contains("SPDX-License-Identifier: ")) {
                faults.push(format!("{file}: no SPDX-License-Identifier in its first lines"));
            }
        }
    }
    let mut code = String::new();
    let mut writers = String::new();
    for file in files(&["*.rs"])? {
        let text = std::fs::read_to_string(root.join(&file)).with_context(|| format!("{file}"))?;
        code += &text;
        if file.as_str().starts_with(JOURNAL_WRITERS) {
            writers += &text;
        }
    }
    let journal = std::fs::read_to_string(root.join(JOURNAL)).context(JOURNAL)?;
    faults.extend(undocumented(&writers, &journal));
    let table = std::fs::read_to_string(root.join(REQUIREMENTS)).context(REQUIREMENTS)?;
    for test in named_tests(&table) {
        let name = test.rsplit("::").next().unwrap_or_default();
        // Unit tests are functions; system tests are registered by name.
        if !code.contains(&format!("fn {name}(")) && !code.contains(&format!("\"{name}\"")) {
            faults.push(format!("{REQUIREMENTS}: there is no test {test}"));
        }
    }
    if !faults.is_empty() {
        anyhow::bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// Message identifiers that stand in the code or in the table, but not once in each.
fn undocumented(code: &str, table: &str) -> Vec<String> {
    let in_code = identifiers(code, '"');
    let in_table = identifiers(table, '`');
    let mut faults = Vec::new();
    for id in &in_code {
        if in_code.iter().filter(|other| *other == id).count() > 1 {
            faults.push(format!("{JOURNAL_WRITERS}: the MESSAGE_ID {id} stands twice"));
        }
        if !in_table.contains(id) {
            faults.push(format!("{JOURNAL}: there is no MESSAGE_ID {id}, which the code writes"));
        }
    }
    let unwritten = in_table.iter().filter(|id| !in_code.contains(id));
    faults.extend(unwritten.map(|id| format!("{JOURNAL}: nothing writes the MESSAGE_ID {id}")));
    faults
}

/// The 128-bit numbers between two of `quote`.
fn identifiers(text: &str, quote: char) -> Vec<&str> {
    let is_identifier = |word: &&str| {
        word.len() == 32 && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    };
    text.split(quote).filter(is_identifier).collect()
}

/// The names in backticks that are paths of tests.
fn named_tests(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| line.starts_with("| ")).flat_map(|line| {
        line.split('`').skip(1).step_by(2).filter(|word| word.contains("::") && !word.contains(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_identifiers_must_stand_once_in_the_code_and_in_the_table() {
        let (one, two) = ("c".repeat(32), "d".repeat(32));
        let code = format!("const ID_A: &str = \"{one}\";");
        let table = format!("| `{one}` | what |");
        assert_eq!(undocumented(&code, &table), [""; 0]);
        assert_eq!(undocumented(&format!("{code}{code}"), &table).len(), 2);
        assert_eq!(undocumented(&format!("{code} \"{two}\""), &table).len(), 1);
        assert_eq!(undocumented(&code, &format!("{table} `{two}`")).len(), 1);
    }

    #[test]
    fn tests_named_in_a_table_are_found_and_other_code_is_not() {
        let table =
            "| A-1 | x | `vespera-image plan` | done: `image::a::works`, `b::c` |\n`d::e`\n";
        assert_eq!(named_tests(table).collect::<Vec<_>>(), ["image::a::works", "b::c"]);
    }
}
