// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents that are made from others and committed all the same, because people read them where
//! no program runs. Tests make them; `cargo xtask generate` runs those tests with [`WRITE`] set.

use std::{env, fmt};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{FileError, read, write};

/// The variable that has them written instead of compared.
pub const WRITE: &str = "VESPERA_GENERATE";

/// A document that is not what it should be.
#[derive(thiserror::Error)]
pub enum Error {
    /// It holds something else.
    #[error("{0} is not current; `cargo xtask generate` writes it anew")]
    Stale(Utf8PathBuf),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// As for people: a failed test shows this, and what to do has to be in it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Compares a document of the repository with what it should hold, or writes it.
///
/// # Errors
/// When it holds something else, or cannot be written.
pub fn document(path: &str, text: &str) -> Result<(), Error> {
    if env::var_os(WRITE).is_some() {
        return Ok(write(&repository().join(path), text)?);
    }
    compare(path, text)
}

fn compare(path: &str, text: &str) -> Result<(), Error> {
    match read(&repository().join(path)) {
        Ok(now) if now == text => Ok(()),
        _ => Err(Error::Stale(path.into())),
    }
}

/// The top folder of the repository.
pub fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The first lines of every generated document in Markdown.
pub fn head(title: &str, made_from: &str) -> String {
    format!(
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n\
         <!-- Made from {made_from} by `cargo xtask generate`. -->\n\
         # {title}\n\n"
    )
}

/// A row of a table in Markdown.
pub fn row(cells: &[&str]) -> String {
    let cells: Vec<String> =
        cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The heading of a table in Markdown.
pub fn heading(cells: &[&str]) -> String {
    format!("{}|{}\n", row(cells), "---|".repeat(cells.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_than_the_committed_one_is_an_error_that_says_what_to_run() {
        let error = compare("README.md", "").unwrap_err();
        for shown in [format!("{error}"), format!("{error:?}")] {
            assert!(
                shown.contains("README.md") && shown.contains("cargo xtask generate"),
                "{shown}"
            );
        }
        assert!(compare("docs/none-of-this-name.md", "").is_err());
    }

    #[test]
    fn cells_stay_in_their_row() {
        assert_eq!(row(&["a|b", "c\nd"]), "| a\\|b | c d |\n");
        assert_eq!(heading(&["a", "b"]), "| a | b |\n|---|---|\n");
    }
}
