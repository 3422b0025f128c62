// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sources of a release as git has them: what is not committed yet, the commit, the archive.
//!
//! Programs are compiled from the files that lie here, archive and tag are made of the commit: they
//! are the same sources only where nothing is left to commit.

use std::process::Command;

use anyhow::{Result, bail};
use camino::Utf8Path;

use crate::process;

/// The most files that are named.
const NAMED: usize = 10;

/// What keeps the files of `root` from being those of a commit; an empty list if nothing does. Where
/// a release is only tried (`dry_run`), this is said and no fault: one tries while at work.
pub(crate) fn faults(root: &Utf8Path, dry_run: bool) -> Result<Vec<String>> {
    let Some(said) = uncommitted(root)? else { return Ok(Vec::new()) };
    if dry_run {
        println!("warning: {said}; a release stops here");
        return Ok(Vec::new());
    }
    Ok(vec![said])
}

/// The commit that `root` is at.
pub(crate) fn commit(root: &Utf8Path) -> Result<String> {
    process::read(git(root).args(["rev-parse", "HEAD"]))
}

/// Stops unless `root` still is what `commit` has: hours may pass between the checks and the tag.
pub(crate) fn still_at(root: &Utf8Path, commit: &str) -> Result<()> {
    let now = self::commit(root)?;
    if now != commit {
        bail!("built from {commit}, and meanwhile this is {now}: not published");
    }
    match uncommitted(root)? {
        Some(said) => bail!("changed since it was built: {said}"),
        None => Ok(()),
    }
}

/// Packs the commit's files into `target`, below the folder `top`.
pub(crate) fn archive(root: &Utf8Path, top: &str, target: &Utf8Path) -> Result<()> {
    let mut git = git(root);
    git.args(["archive", "--format=tar.gz", &format!("--prefix={top}/")]);
    process::read(git.arg("--output").arg(target).arg("HEAD")).map(drop)
}

/// A sentence that names what git would commit; `None` if there is nothing.
fn uncommitted(root: &Utf8Path) -> Result<Option<String>> {
    let listed = process::read(git(root).args(["status", "--porcelain"]))?;
    let files: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.trim_start().split_once(' '))
        .map(|own| own.1.trim())
        .collect();
    if files.is_empty() {
        return Ok(None);
    }
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = files[..files.len().min(NAMED)].join(", ");
    Ok(Some(format!("not committed, so neither in the archive nor at the tag: {named}{more}")))
}

fn git(root: &Utf8Path) -> Command {
    let mut git = Command::new("git");
    git.args(["-C", root.as_str()]);
    // Set where git itself runs this, in a hook or a rebase, and then another repository's.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one commit, which has the file `kept`.
    struct Repository(tempfile::TempDir);

    impl Repository {
        fn new() -> Self {
            let made = Self(tempfile::tempdir().unwrap());
            made.run(&["init", "--quiet"]);
            made.write("kept", "first\n");
            made.write(".gitignore", "target/\n");
            made.commit();
            made
        }

        fn root(&self) -> &Utf8Path {
            Utf8Path::from_path(self.0.path()).unwrap()
        }

        fn run(&self, words: &[&str]) {
            process::read(git(self.root()).args(words)).unwrap();
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.root().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn commit(&self) {
            self.run(&["add", "--all"]);
            let person = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
            let words = ["-c", "commit.gpgsign=false", "commit", "--quiet", "--message=x"];
            self.run(&[&person[..], &words[..]].concat());
        }
    }

    #[test]
    fn what_is_not_committed_stops_a_release_and_is_only_said_of_a_trial() {
        let repository = Repository::new();
        let root = repository.root();
        assert_eq!(faults(root, false).unwrap(), [""; 0]);
        repository.write("target/release-files/SHA256SUMS", "x");
        assert_eq!(faults(root, false).unwrap(), [""; 0], "ignored files are nobody's");
        for (path, text) in [("kept", "second\n"), ("new/file", "x\n")] {
            repository.write(path, text);
            let found = faults(root, false).unwrap();
            let first = path.split('/').next().unwrap();
            assert!(found.len() == 1 && found[0].contains(first), "{path}: {found:?}");
            assert_eq!(faults(root, true).unwrap(), [""; 0]);
            repository.run(&["add", "--all"]);
            assert_eq!(faults(root, false).unwrap().len(), 1, "{path} is staged");
            repository.commit();
            assert_eq!(faults(root, false).unwrap(), [""; 0]);
        }
        (0..12).for_each(|number| repository.write(&format!("n{number}"), "x\n"));
        let found = faults(root, false).unwrap().concat();
        assert!(found.ends_with(" and 2 more"), "{found}");
    }

    #[test]
    fn a_commit_or_a_change_while_it_is_built_stops_the_publishing() {
        let repository = Repository::new();
        let root = repository.root();
        let built = commit(root).unwrap();
        still_at(root, &built).unwrap();
        repository.write("kept", "second\n");
        assert!(still_at(root, &built).unwrap_err().to_string().contains("kept"));
        repository.commit();
        assert!(still_at(root, &built).unwrap_err().to_string().contains("meanwhile"));
        still_at(root, &commit(root).unwrap()).unwrap();
    }

    #[test]
    fn the_archive_holds_what_is_committed_below_its_folder() {
        let repository = Repository::new();
        repository.write("folder/own", "x\n");
        repository.commit();
        repository.write("kept", "second\n");
        repository.write("loose", "x\n");
        let place = tempfile::tempdir().unwrap();
        let target = Utf8Path::from_path(place.path()).unwrap().join("sources.tar.gz");
        archive(repository.root(), "vespera-1", &target).unwrap();
        let tar = |words: &[&str]| process::read(Command::new("tar").args(words)).unwrap();
        let listed = tar(&["--list", "--file", target.as_str()]);
        let inside = |path: &str| format!("vespera-1/{path}");
        let wanted = ["", ".gitignore", "folder/", "folder/own", "kept"].map(inside);
        assert_eq!(listed.lines().collect::<Vec<_>>(), wanted);
        let kept = tar(&["--extract", "--to-stdout", "--file", target.as_str(), &inside("kept")]);
        assert_eq!(kept, "first");
    }
}
