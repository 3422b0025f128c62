// SPDX-License-Identifier: MIT OR Apache-2.0
//! What mandoc has to say about man pages, and bash about completions. For tests: both have to be
//! installed.

use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

/// Why pages or completions do not pass.
#[derive(thiserror::Error)]
pub enum Error {
    /// A program is not there.
    #[error("cannot run {0}, which `cargo xtask setup` installs: {1}")]
    Start(&'static str, std::io::Error),
    /// A folder cannot be listed.
    #[error("cannot list {0}: {1}")]
    List(Utf8PathBuf, std::io::Error),
    /// Remarks of a program.
    #[error("{0} has remarks:\n{1}")]
    Remarks(&'static str, String),
}

/// As for people: a failed test shows this, with each remark on a line.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const MANDOC: &str = "mandoc";
const BASH: &str = "bash";

/// Has bash read the completions for it, without running them. zsh and fish are no part of most
/// machines: `cargo xtask test` has them.
///
/// # Errors
/// When it cannot parse them.
pub fn bash_completions(script: &str) -> Result<(), Error> {
    let fault = |error| Error::Start(BASH, error);
    let mut bash = Command::new(BASH);
    bash.arg("-n").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = bash.spawn().map_err(fault)?;
    // Closed behind the last byte: bash then knows that it has read all.
    if let Some(mut input) = child.stdin.take() {
        input.write_all(script.as_bytes()).map_err(fault)?;
    }
    let run = child.wait_with_output().map_err(fault)?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    if run.status.success() && said.is_empty() { Ok(()) } else { Err(Error::Remarks(BASH, said)) }
}

/// Has mandoc look at all pages below a folder of man pages, and says how many there are.
///
/// # Errors
/// When it has anything to say, style included.
pub fn pages(folder: &Utf8Path) -> Result<usize, Error> {
    let mut found = Vec::new();
    let list = |folder: &Utf8Path| {
        let entries = folder.read_dir_utf8().and_then(Iterator::collect::<Result<Vec<_>, _>>);
        entries.map_err(|error| Error::List(folder.to_owned(), error))
    };
    for section in list(folder)? {
        found.extend(list(section.path())?.into_iter().map(|entry| entry.path().to_owned()));
    }
    found.sort();
    let run = Command::new(MANDOC).args(["-T", "lint", "-W", "style"]).args(&found).output();
    let run = run.map_err(|error| Error::Start(MANDOC, error))?;
    let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let said: String =
        said.concat().lines().filter(|line| !line.is_empty()).map(|l| format!("{l}\n")).collect();
    if said.is_empty() && run.status.success() {
        Ok(found.len())
    } else {
        Err(Error::Remarks(MANDOC, said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_that_bash_cannot_parse_are_found() {
        assert!(bash_completions("_x() { if true; then echo; fi; }\n").is_ok());
        assert!(bash_completions("_x() { if true; then echo; }\n").is_err());
    }

    #[test]
    fn a_page_that_mandoc_has_remarks_about_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let page = folder.join("man1/x.1");
        std::fs::create_dir(folder.join("man1")).unwrap();
        std::fs::write(page, ".TH x 1\n.SH NAME\nx\n.nosuchmacro\n").unwrap();
        let error = pages(folder).unwrap_err().to_string();
        assert!(error.contains("nosuchmacro"), "{error}");
    }
}
