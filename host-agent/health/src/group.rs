// SPDX-License-Identifier: MIT OR Apache-2.0
//! The group that may write the settings.

use std::io;

use module_check::Root;

use crate::MACCEL;
use crate::catalogue::GROUP_MISSING;
use crate::check::Check;

/// Where groups are looked up, in the order of nss: the admin's file, then the image's
/// (nss-altfiles on ostree hosts).
const FILES: [&str; 2] = ["etc/group", "usr/lib/group"];

/// One line of a group file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub gid: u32,
    /// The members named in the file.
    pub members: Vec<String>,
    /// The file that defines it.
    pub file: &'static str,
}

/// Finds `name` in the text of a group file.
pub fn parse(text: &str, name: &str) -> Option<(u32, Vec<String>)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let gid = fields.nth(1)?.parse().ok()?;
        let members = fields.next().unwrap_or_default();
        let members = members.split(',').filter(|member| !member.is_empty());
        Some((gid, members.map(str::to_owned).collect()))
    })
}

/// Looks `name` up; `None` when no file has it.
pub fn find(root: &Root, name: &str) -> io::Result<Option<Group>> {
    for file in FILES {
        let text = match root.read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if let Some((gid, members)) = parse(&text, name) {
            return Ok(Some(Group { gid, members, file }));
        }
    }
    Ok(None)
}

/// Whether the group exists.
pub fn check(root: &Root) -> Check {
    match find(root, MACCEL) {
        Ok(Some(group)) => {
            Check::ok(&GROUP_MISSING, root, format!("gid {} in /{}", group.gid, group.file))
        }
        Ok(None) => Check::failed(
            &GROUP_MISSING,
            root,
            "neither /etc/group nor /usr/lib/group has it; \
             /usr/lib/sysusers.d/vespera.conf declares it",
        ),
        Err(error) => Check::unknown(&GROUP_MISSING, root, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn group_lines_are_read_and_damaged_ones_passed_over() {
        let table = [
            ("root:x:0:\nmaccel:x:962:ann,ben\n", Some((962, vec!["ann", "ben"]))),
            ("maccel:x:962:\n", Some((962, vec![]))),
            ("maccel:x:962\n", Some((962, vec![]))),
            ("maccel:x:many:\n", None),
            ("maccel2:x:1:\n", None),
            ("", None),
        ];
        for (text, expected) in table {
            let expected = expected
                .map(|(gid, members)| (gid, members.into_iter().map(str::to_owned).collect()));
            assert_eq!(parse(text, "maccel"), expected, "{text:?}");
        }
    }

    #[test]
    fn the_images_file_counts_when_the_admins_has_no_such_group() {
        let fixture = FixtureRoot::new();
        fixture.file("etc/group", b"root:x:0:\n");
        assert!(check(fixture.root()).is_failed());
        fixture.file("usr/lib/group", b"maccel:x:962:\n");
        let group = find(fixture.root(), "maccel").unwrap().unwrap();
        assert_eq!((group.gid, group.file), (962, "usr/lib/group"));
        assert!(!check(fixture.root()).is_failed());
    }
}
