// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's source: our own folder, or a git repository at exactly the configured commit.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::config::{Maccel, Source};
use crate::customize::Report;
use crate::git::{self, Git as _};
use crate::tool::Tools;

/// Where a repository may keep the driver.
const FOLDERS: &[&str] = &["kmod", "driver", "."];
/// What the description of the driver's build names.
const OBJECT: &str = "maccel.o";

/// A source that is not what the configuration names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository gave no such commit.
    #[error("no commit {commit} in {repository}; look at maccel.commit:\n{reason}")]
    Absent {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
        /// What git said.
        reason: String,
    },
    /// What was fetched is another commit.
    #[error(
        "{repository} gave the commit {found} for {commit}: what was asked for is not a commit, \
         or the repository is not to be trusted; nothing was built"
    )]
    Mismatch {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
        /// What is there.
        found: String,
    },
    /// The repository holds no driver.
    #[error(
        "no driver in {repository} at {commit}: none of its folders {} builds {OBJECT}",
        FOLDERS.join(", ")
    )]
    NoDriver {
        /// The repository.
        repository: String,
        /// The commit.
        commit: String,
    },
    /// git is missing, or too old.
    #[error(transparent)]
    Git(#[from] git::Error),
}

/// The folder with the driver; a repository is fetched below `scratch`.
///
/// # Errors
///
/// When the repository does not have the commit, or no driver.
pub fn folder(
    maccel: &Maccel,
    bundled: &Utf8Path,
    scratch: &Utf8Path,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<Utf8PathBuf, Error> {
    let (Source::Git, Some(repository), Some(commit)) =
        (maccel.source, &maccel.repository, &maccel.commit)
    else {
        report.line(&format!("driver: the one of this repository, {bundled}"));
        return Ok(bundled.to_owned());
    };
    let clone = scratch.join("source");
    fetch(repository, commit, &clone, tools)?;
    report.line(&format!("driver: {repository} at {commit}"));
    FOLDERS
        .iter()
        .map(|folder| clone.join(folder))
        .find(|folder| builds(folder))
        .ok_or_else(|| Error::NoDriver { repository: repository.clone(), commit: commit.clone() })
}

/// Fetches one commit and compares it.
fn fetch(repository: &str, commit: &str, clone: &Utf8Path, tools: &dyn Tools) -> Result<(), Error> {
    let fetched = git::Program::new(tools)?.fetch(repository, commit, clone);
    let (repository, commit) = (repository.to_owned(), commit.to_owned());
    match fetched {
        Ok(found) if found == commit => Ok(()),
        Ok(found) => Err(Error::Mismatch { repository, commit, found }),
        Err(git::Error::Refused(reason)) => Err(Error::Absent { repository, commit, reason }),
        Err(error) => Err(error.into()),
    }
}

fn builds(folder: &Utf8Path) -> bool {
    ["Kbuild", "Makefile"]
        .iter()
        .any(|name| fs::read_to_string(folder.join(name)).is_ok_and(|text| text.contains(OBJECT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::customize::fixtures::Root;
    use crate::tool::Path;

    fn git(root: &Root, args: &[&str]) -> String {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        let mut all = vec!["-C", root.path().as_str()];
        all.extend(identity);
        all.extend_from_slice(args);
        Path.run("git", &all, "test").unwrap().stdout.trim().to_owned()
    }

    fn commit(root: &Root) -> String {
        git(root, &["add", "--all"]);
        git(root, &["commit", "--quiet", "--no-gpg-sign", "--message", "x"]);
        git(root, &["rev-parse", "HEAD"])
    }

    /// A real repository with a driver in its folder `driver`, at two commits.
    fn repository() -> (Root, [String; 2]) {
        let root = Root::new();
        git(&root, &["init", "--quiet"]);
        root.file("driver/Makefile", "obj-m := maccel.o\n");
        root.file("driver/version", "1");
        let first = commit(&root);
        root.file("driver/version", "2");
        let second = commit(&root);
        (root, [first, second])
    }

    fn get(root: &Root, commit: &str) -> Result<String, Error> {
        let text =
            format!("maccel: {{source: git, repository: '{}', commit: '{commit}'}}", root.path());
        let maccel = Config::parse("c.yaml", &text).unwrap().0.maccel;
        let scratch = Root::new();
        let mut report: Vec<String> = Vec::new();
        let folder = folder(&maccel, "kmod".into(), scratch.path(), &Path, &mut report)?;
        Ok(fs::read_to_string(folder.join("version")).unwrap())
    }

    #[test]
    fn driver_of_a_repository_is_the_one_at_the_commit_not_the_newest() {
        let (root, [first, second]) = repository();
        assert_eq!(get(&root, &first).unwrap(), "1");
        assert_eq!(get(&root, &second).unwrap(), "2");
    }

    #[test]
    fn commit_that_is_not_there_and_one_that_is_none_are_refused() {
        let (root, _) = repository();
        let absent = get(&root, &"0".repeat(40)).unwrap_err();
        assert!(matches!(absent, Error::Absent { .. }), "{absent}");
        // The number of a tag leads to a commit, which is another one than was named.
        git(&root, &["tag", "--annotate", "--message", "x", "v1"]);
        let tag = git(&root, &["rev-parse", "v1"]);
        let mismatch = get(&root, &tag).unwrap_err();
        assert!(matches!(mismatch, Error::Mismatch { .. }), "{mismatch}");
    }

    #[test]
    fn repository_without_a_driver_is_told() {
        let root = Root::new();
        git(&root, &["init", "--quiet"]);
        root.file("README", "x");
        let only = commit(&root);
        let error = get(&root, &only).unwrap_err();
        assert!(matches!(error, Error::NoDriver { .. }), "{error}");
    }
}
