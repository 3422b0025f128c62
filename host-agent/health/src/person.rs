// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who asks, and whether the group counts them in.

use module_check::Root;
use serde::Serialize;

use crate::MACCEL;
use crate::catalogue::GROUP_NOT_MEMBER;
use crate::check::Check;
use crate::group::{self, Group};

/// Where users are looked up, in the order of nss.
const FILES: [&str; 2] = ["etc/passwd", "usr/lib/passwd"];

/// A user and the groups of this very process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The login name, if a file knows it.
    pub name: Option<String>,
    /// The user's number.
    pub uid: u32,
    /// The groups of this process, which were fixed at login.
    pub gids: Vec<u32>,
}

/// How a person stands to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// Root needs no group.
    Root,
    /// In the group, and this session knows.
    Member,
    /// In the group, but logged in since before that.
    AfterNextLogin,
    /// Not in the group.
    Outside,
}

impl Person {
    /// Reads `/proc/self/status` and the user files.
    pub fn of_process(root: &Root) -> Option<Self> {
        let (uid, gids) = parse_status(&root.read("proc/self/status").ok()?)?;
        let name = FILES.iter().find_map(|file| name_of(&root.read(file).ok()?, uid));
        Some(Self { name, uid, gids })
    }

    /// How this person stands to `group`.
    pub fn membership(&self, group: &Group) -> Membership {
        let listed = self.name.as_ref().is_some_and(|name| group.members.contains(name));
        match (self.uid, self.gids.contains(&group.gid), listed) {
            (0, _, _) => Membership::Root,
            (_, true, _) => Membership::Member,
            (_, false, true) => Membership::AfterNextLogin,
            (_, false, false) => Membership::Outside,
        }
    }
}

/// Reads the effective user and all groups of `/proc/<pid>/status`.
fn parse_status(text: &str) -> Option<(u32, Vec<u32>)> {
    let numbers = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<u32>>>()
    };
    let uid = *numbers("Uid:")?.get(1)?;
    let mut gids = vec![*numbers("Gid:")?.get(1)?];
    gids.extend(numbers("Groups:")?);
    Some((uid, gids))
}

/// Finds the name of `uid` in a user file.
fn name_of(text: &str, uid: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Whether the person who runs this is in the group. A remark only: an active session may change
/// settings through the agent without it.
pub fn check(root: &Root) -> Check {
    let kind = &GROUP_NOT_MEMBER;
    let Some(person) = Person::of_process(root) else {
        return Check::unknown(kind, root, "/proc/self/status is unreadable");
    };
    let Ok(Some(group)) = group::find(root, MACCEL) else {
        return Check::unknown(kind, root, "the group does not exist");
    };
    let name = person.name.clone().unwrap_or_else(|| format!("user {}", person.uid));
    // Somebody from a directory is in no file; sudo tells the command who asks.
    let own = person.name.as_deref().map_or_else(String::new, |name| format!(" {name}"));
    match person.membership(&group) {
        Membership::Root => Check::ok(kind, root, "root needs no group"),
        Membership::Member => Check::ok(kind, root, name),
        Membership::AfterNextLogin => {
            Check::failed(kind, root, format!("{name} is, but this session began before that"))
                .remedy("log out and in again")
        }
        Membership::Outside => Check::failed(kind, root, format!("{name} is not"))
            .remedy(format!("sudo vesperactl group add{own}")),
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::check::Severity;

    fn status(uid: u32, groups: &str) -> String {
        format!("Name:\tx\nUid:\t1\t{uid}\t1\t1\nGid:\t1\t100\t1\t1\nGroups:\t{groups} \n")
    }

    #[test]
    fn the_files_and_the_session_are_told_apart() {
        for (uid, groups, members, expected) in [
            (0, "", "", Membership::Root),
            (1000, "4 962", "", Membership::Member),
            (1000, "4", "ben,ann", Membership::AfterNextLogin),
            (1000, "4", "ben", Membership::Outside),
            (1001, "", "ann", Membership::Outside),
        ] {
            let fixture = FixtureRoot::new();
            fixture.file("proc/self/status", status(uid, groups).as_bytes());
            fixture.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nann:x:1000:100::/:/bin/sh\n");
            fixture.file("etc/group", format!("maccel:x:962:{members}\n").as_bytes());
            let person = Person::of_process(fixture.root()).unwrap();
            let group = group::find(fixture.root(), "maccel").unwrap().unwrap();
            assert_eq!(person.membership(&group), expected, "{uid} {groups} {members}");
            let check = check(fixture.root());
            assert_eq!(check.severity, Severity::Info);
            let inside = matches!(expected, Membership::Root | Membership::Member);
            assert_eq!(check.is_failed(), !inside);
            if expected == Membership::Outside {
                // The directory's people are in no file, and the command knows them by sudo.
                let known = if uid == 1000 { " ann" } else { "" };
                let remedy = format!("sudo vesperactl group add{known}");
                assert_eq!(check.remedy, Some(remedy), "{uid}");
            }
        }
    }

    #[test]
    fn a_damaged_status_is_unknown() {
        for text in ["", "Uid:\t1\nGid:\t1\nGroups:\t\n", "Uid:\ta b\n"] {
            assert_eq!(parse_status(text), None, "{text:?}");
        }
    }
}
