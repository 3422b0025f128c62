// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions of the programs that a build and its publishing go through.

use std::fmt;

use crate::tool::{self, Tools};

/// The first two numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A program that is too old, or does not tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is older than the oldest that does what is needed.
    #[error("{program} {found} is too old: {least} or newer is needed, since {reason}")]
    TooOld {
        /// The program.
        program: &'static str,
        /// The version here.
        found: Version,
        /// The oldest that will do.
        least: Version,
        /// What the older ones lack.
        reason: &'static str,
    },
    /// It does not tell its version.
    #[error("{program} does not tell its version; it said: {said}")]
    Untold {
        /// The program.
        program: &'static str,
        /// What it said instead.
        said: String,
    },
    /// It could not be run.
    #[error(transparent)]
    Tool(#[from] tool::Error),
}

/// A program, and the oldest that will do.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Its name.
    pub program: &'static str,
    /// The oldest that will do.
    pub least: Version,
    reason: &'static str,
}

/// Copies between registries, storage and layouts.
pub const SKOPEO: Needed = Needed {
    program: "skopeo",
    least: Version(1, 13),
    reason: "older ones cannot copy sigstore signatures and keep a digest as it is",
};

/// Builds images, and shows the files of built ones.
pub const BUILDAH: Needed = Needed {
    program: "buildah",
    least: Version(1, 39),
    reason: "older ones pull stages that are not used, and can empty an image at a tmpfs mount \
             while they report success",
};

/// The first podman with that buildah inside.
pub const PODMAN: Needed = Needed {
    program: "podman",
    least: Version(5, 4),
    reason: "older ones have an older buildah inside",
};

/// Tells versions, and fetches drivers from elsewhere.
pub const GIT: Needed = Needed {
    program: "git",
    least: Version(2, 26),
    reason: "older ones do not ask servers in the way that gives single commits",
};

/// The version of a program, if it is new enough.
///
/// # Errors
///
/// When it is missing, too old, or does not tell.
pub fn check(needed: Needed, tools: &dyn Tools) -> Result<Version, Error> {
    let Needed { program, least, reason } = needed;
    let outcome = tools.run(program, &["--version"], "see which version it is")?;
    let said = outcome.output();
    let found = said
        .lines()
        .find_map(parse)
        .ok_or_else(|| Error::Untold { program, said: said.trim().to_owned() })?;
    if found < least {
        return Err(Error::TooOld { program, found, least, reason });
    }
    Ok(found)
}

/// 1.39 of `buildah version 1.39.3 (image-spec 1.1.0, runtime-spec 1.2.0)`.
pub fn parse(line: &str) -> Option<Version> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "version")?;
    let mut numbers = words.next()?.split(['.', '-', '+']).map(str::parse);
    Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, ok};

    #[test]
    fn version_is_read_as_each_program_tells_it() {
        for (line, expected) in [
            ("buildah version 1.39.3 (image-spec 1.1.0)", Some(Version(1, 39))),
            ("podman version 5.10.0-rc1", Some(Version(5, 10))),
            ("skopeo version 1.18.0", Some(Version(1, 18))),
            ("skopeo version unknown", None),
        ] {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn old_program_is_refused_with_the_reason() {
        let old = FakeTools::default().with("skopeo", |_| ok("skopeo version 1.9.3"));
        let error = check(SKOPEO, &old).unwrap_err().to_string();
        assert!(error.starts_with("skopeo 1.9 is too old: 1.13 or newer"), "{error}");
        let silent = FakeTools::default().with("skopeo", |_| ok("hello"));
        assert!(matches!(check(SKOPEO, &silent), Err(Error::Untold { .. })));
        let missing = check(SKOPEO, &FakeTools::default()).unwrap_err().to_string();
        assert!(missing.contains("`skopeo` is not installed"), "{missing}");
    }
}
