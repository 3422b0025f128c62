// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl group`: who may change mouse settings without asking.
//!
//! On ostree hosts a group may live in the image's /usr/lib/group alone. `usermod -aG` then
//! reports success and changes nothing, since it writes only to /etc/group; nor does it know
//! people who are not in /etc/passwd (systemd-homed, a directory). So the line is put there first,
//! `gpasswd` adds anybody the system knows, and the outcome is read back.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use health::group::{self, Group};
use health::person::{Membership, Person};
use health::{MACCEL, Root};
use rustix::fs::{FlockOperation, fcntl_lock};
use serde::Serialize;

use crate::args::Show;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;
const ETC_GROUP: &str = "etc/group";
/// What all programs that change users lock meanwhile (`lckpwdf(3)`).
const LOCK: &str = "etc/.pwd.lock";

#[derive(Debug, Serialize)]
struct GroupReport {
    format: u32,
    exists: bool,
    gid: Option<u32>,
    file: Option<&'static str>,
    members: Vec<String>,
    you: Option<Membership>,
}

/// Shows the group and how the caller stands to it.
pub(crate) fn status(root: &Root, show: &Show) -> anyhow::Result<Outcome> {
    let group = group::find(root, MACCEL).context("cannot read the group files")?;
    let you = match (&group, Person::of_process(root)) {
        (Some(group), Some(person)) => Some(person.membership(group)),
        _ => None,
    };
    let code = if group.is_some() { exit::HEALTHY } else { exit::DEGRADED };
    let text = if show.json {
        let report = GroupReport {
            format: FORMAT,
            exists: group.is_some(),
            gid: group.as_ref().map(|group| group.gid),
            file: group.as_ref().map(|group| group.file),
            members: group.map(|group| group.members).unwrap_or_default(),
            you,
        };
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        describe(group.as_ref(), you)
    };
    Ok(Outcome { text, code })
}

fn describe(group: Option<&Group>, you: Option<Membership>) -> String {
    let Some(group) = group else {
        return "there is no group maccel; to create it: sudo systemd-sysusers\n".to_owned();
    };
    let members = if group.members.is_empty() { "nobody" } else { &group.members.join(", ") };
    let you = match you {
        Some(Membership::Root) => "root needs no group",
        Some(Membership::Member) => "you are in it",
        Some(Membership::AfterNextLogin) => "you are in it after the next login",
        Some(Membership::Outside) => "you are not in it; to join: sudo vesperactl group add",
        None => "who you are cannot be told",
    };
    format!("group maccel, gid {}, in /{}: {members}\n{you}\n", group.gid, group.file)
}

/// Puts `user` into the group and proves it.
pub(crate) fn add(root: &Root, user: Option<String>) -> anyhow::Result<Outcome> {
    ensure!(root.is_host(), "users are added on the running system only");
    let person = Person::of_process(root).context("/proc/self/status is unreadable")?;
    ensure!(person.uid == 0, "needs root: sudo vesperactl group add");
    let user = user
        .or_else(|| std::env::var("SUDO_USER").ok())
        .context("name the user: vesperactl group add USER")?;
    ensure!(is_name(&user), "{user:?} is not the name of a user");
    let group = group::find(root, MACCEL)
        .context("cannot read the group files")?
        .context("there is no group maccel; to create it: systemd-sysusers")?;
    if group.file != ETC_GROUP {
        copy_to_etc(root, &group)?;
    }
    if !group.members.contains(&user) || group.file != ETC_GROUP {
        let status = Command::new("gpasswd")
            .args(["--add", &user, MACCEL])
            .status()
            .context("cannot run gpasswd")?;
        ensure!(status.success(), "gpasswd refused ({status})");
    }
    let listed = group::find(root, MACCEL)?.is_some_and(|group| group.members.contains(&user));
    ensure!(listed, "gpasswd reported success, but {user} is not in /etc/group's maccel");
    let text = format!("{user} is in group maccel from the next login on\n");
    Ok(Outcome { text, code: exit::HEALTHY })
}

/// Whether this can be a user: nothing that is an option or would break the file.
fn is_name(user: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ':' | ',' | '/');
    !user.is_empty() && !user.starts_with('-') && user.chars().all(plain)
}

/// Holds the lock of the user files as long as the file is open.
fn lock(root: &Root) -> anyhow::Result<File> {
    let path = root.at(LOCK);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot open {path}"))?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
        .context("another program is changing users or groups; try again")?;
    Ok(file)
}

/// Repeats the image's line in /etc/group. Appended in place, so that the file keeps its owner,
/// its mode and its security label.
fn copy_to_etc(root: &Root, group: &Group) -> anyhow::Result<()> {
    let _lock = lock(root)?;
    let path = root.at(ETC_GROUP);
    let text = root.read(ETC_GROUP).context("cannot read /etc/group")?;
    let mut line = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        line.push('\n');
    }
    line.push_str(&format!("{MACCEL}:x:{}:{}\n", group.gid, group.members.join(",")));
    let mut file =
        OpenOptions::new().append(true).open(&path).context("cannot write /etc/group")?;
    file.write_all(line.as_bytes()).context("cannot write /etc/group")?;
    file.sync_all().context("cannot write /etc/group")?;
    match group::find(root, MACCEL)? {
        Some(copy) if copy.file == ETC_GROUP && copy.gid == group.gid => Ok(()),
        _ => bail!("the group does not show up in /etc/group"),
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn the_group_and_the_callers_place_in_it_are_shown() {
        let fixture = FixtureRoot::new();
        let show = |json| status(fixture.root(), &Show { json }).unwrap();
        assert_eq!(show(false).code, 1);
        fixture.file("etc/group", b"maccel:x:962:ann\n");
        fixture.file("etc/passwd", b"ann:x:1000:100::/:/bin/sh\n");
        fixture.file(
            "proc/self/status",
            b"Uid:\t1000\t1000\t1\t1\nGid:\t100\t100\t1\t1\nGroups:\t4\n",
        );
        insta::assert_snapshot!(show(false).text, @r"
        group maccel, gid 962, in /etc/group: ann
        you are in it after the next login
        ");
        insta::assert_snapshot!(show(true).text, @r#"
        {
          "format": 1,
          "exists": true,
          "gid": 962,
          "file": "etc/group",
          "members": [
            "ann"
          ],
          "you": "after-next-login"
        }
        "#);
    }

    #[test]
    fn options_and_what_breaks_the_file_are_no_names() {
        for (user, name) in [
            ("ann", true),
            ("ann.b@example.org", true),
            ("", false),
            ("--root=/x", false),
            ("ann,ben", false),
            ("ann:x", false),
            ("ann\nroot", false),
        ] {
            assert_eq!(is_name(user), name, "{user:?}");
        }
    }

    #[test]
    fn the_images_line_is_repeated_in_etc_without_touching_the_rest() {
        let fixture = FixtureRoot::new();
        fixture.file("usr/lib/group", b"maccel:x:962:\n");
        fixture.file("etc/group", b"root:x:0:\nann:x:1000:");
        let group = group::find(fixture.root(), MACCEL).unwrap().unwrap();
        copy_to_etc(fixture.root(), &group).unwrap();
        assert_eq!(
            fixture.root().read("etc/group").unwrap(),
            "root:x:0:\nann:x:1000:\nmaccel:x:962:\n"
        );
    }
}
