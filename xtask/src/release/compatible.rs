// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compares what others build upon, the configuration's schema and the D-Bus interfaces, with the
//! last release.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{bus, schema};
use crate::process;
use crate::source;

const SCHEMAS: &str = "image/schema";
const INTERFACES: &str = "packaging/rootfs/usr/share/dbus-1/interfaces";

/// The tag of the last release that this tree comes from, if there is one.
pub(crate) fn last_release() -> Result<Option<String>> {
    let mut command = git()?;
    command.args(["tag", "--list", "v[0-9]*", "--sort=-version:refname", "--merged", "HEAD"]);
    Ok(process::read(&mut command)?.lines().next().map(str::to_owned))
}

/// All tags, one a line.
pub(crate) fn tags() -> Result<String> {
    process::read(git()?.args(["tag", "--list"]))
}

/// What the files of this tree break for those who rely on the release `tag`.
pub(crate) fn breaks(tag: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (path, old) in files_of(tag, SCHEMAS)? {
        let here = source::root()?.join(&path);
        let Ok(new) = std::fs::read_to_string(&here) else {
            found.push(format!("{path} is gone"));
            continue;
        };
        let json = |text: &str, whose: &str| -> Result<Value> {
            serde_json::from_str(text).with_context(|| format!("{path} of {whose}"))
        };
        let broken = schema::breaks(&json(&old, tag)?, &json(&new, "this tree")?);
        found.extend(broken.into_iter().map(|what| format!("{path}: {what}")));
    }
    let old: Vec<String> = files_of(tag, INTERFACES)?.into_iter().map(|(_, text)| text).collect();
    let mut new = Vec::new();
    for path in source::files(&[INTERFACES])? {
        let text = std::fs::read_to_string(source::root()?.join(&path));
        new.push(text.with_context(|| format!("cannot read {path}"))?);
    }
    found.extend(bus::breaks(&old, &new)?);
    Ok(found)
}

/// Paths and texts of the files below a folder in a release.
fn files_of(tag: &str, folder: &str) -> Result<Vec<(String, String)>> {
    let names = ["ls-tree", "-r", "--name-only", tag, "--", folder];
    let listed = process::read(git()?.args(names))?;
    let read = |path: &str| {
        let text = process::read(git()?.args(["show", &format!("{tag}:{path}")]))?;
        Ok((path.to_owned(), text))
    };
    listed.lines().map(read).collect()
}

fn git() -> Result<Command> {
    let mut command = Command::new("git");
    command.args(["-C", source::root()?.as_str()]);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_commit_are_read_and_compared() {
        let interfaces = files_of("HEAD", INTERFACES).unwrap();
        assert!(interfaces.iter().any(|(_, text)| text.contains("org.vespera.Agent1.Health")));
        assert!(!files_of("HEAD", SCHEMAS).unwrap().is_empty());
        assert_eq!(files_of("HEAD", "no/such/folder").unwrap(), []);
        breaks("HEAD").unwrap();
        assert!(breaks("no-such-tag").is_err());
    }
}
