// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which version of the driver, and of everything around it, would be built, by git.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::config::{FILE_NAME, Maccel, Source};
use crate::git::{self, Git};

/// Folder of our own driver.
const BUNDLED: &str = "kmod";
const CONTAINERFILE: &str = "Containerfile";
/// What decides which of the copied files are copied.
const IGNORED: &str = ".containerignore";
/// What has a reason of its own, by what it means and not by its bytes.
const COMPARED_ELSEWHERE: &[&str] = &[BUNDLED, FILE_NAME];

/// A version that could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository gave no answer.
    #[error("no answer from {repository}:\n{reason}")]
    NoAnswer {
        /// The repository.
        repository: String,
        /// What git said.
        reason: String,
    },
    /// This folder is not a repository with a driver.
    #[error("{folder} is not the git repository of an image, with `{BUNDLED}`:\n{reason}")]
    NotARepository {
        /// The folder.
        folder: String,
        /// What git said.
        reason: String,
    },
    /// This folder has nothing to build an image from.
    #[error("cannot read {path}, which says what goes into the image")]
    NoContainerfile {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// git is missing, or too old.
    #[error(transparent)]
    Git(git::Error),
}

/// The version of the driver that a build would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// Commit, or for the bundled driver the tree of its folder; `None` without a driver.
    pub version: Option<String>,
    /// Newest commit of a git driver, where that is another one.
    pub newer: Option<String>,
}

/// Finds the version of the driver. The bundled one has no commit of its own: the tree of its
/// folder changes exactly when the driver does.
///
/// # Errors
///
/// When git or the repository gives no answer: that is not "no change".
pub fn driver(maccel: &Maccel, here: &Utf8Path, git: &dyn Git) -> Result<Driver, Error> {
    if !maccel.enabled {
        return Ok(Driver { version: None, newer: None });
    }
    let Some(repository) = maccel.repository.as_ref().filter(|_| maccel.source == Source::Git)
    else {
        let version = git.object(here, &format!("HEAD:{BUNDLED}")).map_err(no_repository(here))?;
        return Ok(Driver { version: Some(version), newer: None });
    };
    let newest = git.newest(repository).map_err(|error| match error {
        git::Error::Refused(reason) => Error::NoAnswer { repository: repository.clone(), reason },
        error => Error::Git(error),
    })?;
    let newer = Some(newest).filter(|newest| Some(newest) != maccel.commit.as_ref());
    Ok(Driver { version: maccel.commit.clone(), newer })
}

fn no_repository(folder: &Utf8Path) -> impl FnOnce(git::Error) -> Error {
    move |error| match error {
        git::Error::Refused(reason) => Error::NotARepository { folder: folder.to_string(), reason },
        error => Error::Git(error),
    }
}

/// Hash of the committed state of everything that the Containerfile copies, and of itself. What was
/// pushed while the build failed, or while a newer push overtook it, is in no image: the next run
/// sees it by this.
///
/// # Errors
///
/// When the Containerfile cannot be read or git gives no answer.
pub fn copied(here: &Utf8Path, git: &dyn Git) -> Result<String, Error> {
    let path = here.join(CONTAINERFILE);
    let text = fs::read_to_string(&path)
        .map_err(|source| Error::NoContainerfile { path: path.clone(), source })?;
    let mut paths = copies(&text);
    paths.extend([CONTAINERFILE.to_owned(), IGNORED.to_owned()]);
    paths.retain(|path| !COMPARED_ELSEWHERE.contains(&path.as_str()));
    paths.sort();
    let listed = git.committed(here, &paths).map_err(no_repository(here))?;
    let sum = Sha256::digest(listed.as_bytes());
    Ok(sum.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a Containerfile copies from the folder that it is built in.
fn copies(containerfile: &str) -> Vec<String> {
    let whole = containerfile.replace("\\\n", " ");
    let lines = whole.lines().filter_map(|line| line.trim().strip_prefix("COPY "));
    let own = lines.filter(|line| !line.contains("--from="));
    own.flat_map(|line| {
        let mut words: Vec<&str> =
            line.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        // The last one is where it goes.
        words.pop();
        // A letter in brackets lets a file be absent; git knows it by its name.
        words.into_iter().map(|word| word.replace(['[', ']'], "")).collect::<Vec<_>>()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::customize::fixtures::{FakeTools, Root, ok};
    use crate::git::Program;
    use crate::tool::{Path, Tools as _};

    fn installed() -> Program<'static> {
        Program::new(&Path).unwrap()
    }

    fn maccel(text: &str) -> Maccel {
        Config::parse("c.yaml", text).unwrap().0.maccel
    }

    fn git(root: &Root, args: &[&str]) -> String {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
        let mut all = vec!["-C", root.path().as_str()];
        all.extend(identity);
        all.extend_from_slice(args);
        Path.run("git", &all, "test").unwrap().stdout.trim().to_owned()
    }

    /// A real repository with a driver in it.
    fn repository() -> Root {
        let root = Root::new();
        git(&root, &["init", "--quiet"]);
        root.file("kmod/maccel.c", "1");
        commit(&root);
        root
    }

    fn commit(root: &Root) {
        git(root, &["add", "--all"]);
        git(root, &["commit", "--quiet", "--no-gpg-sign", "--message", "x"]);
    }

    #[test]
    fn bundled_driver_changes_version_exactly_when_its_folder_does() {
        let root = repository();
        let version = || driver(&maccel(""), root.path(), &installed()).unwrap().version.unwrap();
        let first = version();
        assert_eq!(first, git(&root, &["rev-parse", "HEAD:kmod"]));
        root.file("README.md", "text");
        commit(&root);
        assert_eq!(version(), first);
        root.file("kmod/maccel.c", "2");
        commit(&root);
        assert_ne!(version(), first);
    }

    #[test]
    fn sources_change_with_every_copied_path_and_with_nothing_else() {
        let root = repository();
        let text = "FROM x AS programs\nCOPY Cargo.toml agent ./\nCOPY kmod kmod\n\
                    COPY --from=programs /out /out\nCOPY vespera-config.yaml key.pu[b] \\\n /out/\n";
        root.file(CONTAINERFILE, text);
        root.file("Cargo.toml", "1");
        commit(&root);
        let version = || copied(root.path(), &installed()).unwrap();
        let mut last = version();
        for (path, copies) in [
            ("agent/src/main.rs", true),
            ("Cargo.toml", true),
            (CONTAINERFILE, true),
            (IGNORED, true),
            ("key.pub", true),
            // By their meaning: the label of the driver, the hash of the configuration.
            ("kmod/maccel.c", false),
            ("vespera-config.yaml", false),
            ("README.md", false),
        ] {
            root.file(path, format!("{text}# {path}\n"));
            commit(&root);
            let now = version();
            assert_eq!(now != last, copies, "{path}");
            last = now;
        }
        let nothing = copied(Root::new().path(), &installed()).unwrap_err();
        assert!(matches!(nothing, Error::NoContainerfile { .. }), "{nothing}");
    }

    /// The repository's own Containerfile copies what this looks at.
    #[test]
    fn sources_of_this_repository_are_its_programs_and_files() {
        let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let found = copies(&fs::read_to_string(format!("{top}/{CONTAINERFILE}")).unwrap());
        for path in ["Cargo.lock", "host-agent", "maccel-cli", "packaging/rootfs", "cosign.pub"] {
            assert!(found.iter().any(|copied| copied == path), "{path}: {found:?}");
        }
        assert!(!found.iter().any(|path| path.starts_with('/')), "{found:?}");
    }

    #[test]
    fn git_driver_is_the_configured_commit_and_newer_ones_are_told() {
        let root = repository();
        let old = git(&root, &["rev-parse", "HEAD"]);
        let text =
            format!("maccel: {{source: git, repository: '{}', commit: '{old}'}}", root.path());
        let current = driver(&maccel(&text), root.path(), &installed()).unwrap();
        assert_eq!(current, Driver { version: Some(old.clone()), newer: None });
        root.file("kmod/maccel.c", "2");
        commit(&root);
        let behind = driver(&maccel(&text), root.path(), &installed()).unwrap();
        let newest = git(&root, &["rev-parse", "HEAD"]);
        assert_eq!(behind, Driver { version: Some(old), newer: Some(newest) });
    }

    #[test]
    fn repository_without_an_answer_is_an_error_and_no_driver_needs_none() {
        let commit = "0".repeat(40);
        let text = format!("maccel: {{source: git, repository: /nowhere, commit: '{commit}'}}");
        let here = Root::new();
        let error = driver(&maccel(&text), here.path(), &installed()).unwrap_err();
        assert!(matches!(error, Error::NoAnswer { .. }), "{error}");
        let error = driver(&maccel(""), here.path(), &installed()).unwrap_err().to_string();
        assert!(error.contains("is not the git repository"), "{error}");
        assert!(error.contains("fatal: "), "what git says is kept: {error}");
        let off = maccel("maccel: {enabled: false}");
        assert_eq!(driver(&off, here.path(), &installed()).unwrap().version, None);
    }

    #[test]
    fn git_that_cannot_fetch_a_commit_is_refused_before_it_is_asked() {
        let old = FakeTools::default().with("git", |_| ok("git version 2.20.1"));
        let error = Program::new(&old).unwrap_err().to_string();
        assert!(error.starts_with("git 2.20 is too old: 2.26 or newer"), "{error}");
    }
}
