// SPDX-License-Identifier: MIT OR Apache-2.0
//! Group and mode of the files through which settings are read and written.
//!
//! The list of files and what they need is here once; `vespera-module` applies it, the checks
//! compare with it.

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use module_check::Root;

use crate::MACCEL;
use crate::catalogue::{Kind, PERMISSIONS_DEVICE, PERMISSIONS_MICE, PERMISSIONS_PARAMETERS};
use crate::check::Check;
use crate::group::{self, Group};

/// The folder of the public parameter files.
pub const PARAMETERS: &str = "sys/module/maccel/parameters";
/// The folder of the char device's and each mouse's entry.
pub const CLASS: &str = "sys/class/maccel";
/// The device file with the live speed.
pub const DEVICE: &str = "dev/maccel";
/// There while udev has events left to work on (systemd, src/udev/udev-manager.c).
const UDEV_QUEUE: &str = "run/udev/queue";

/// The writable attributes of a mouse's entry. Named one by one: `uevent` beside them is writable
/// too, and must stay root's.
const MOUSE_ATTRIBUTES: [&str; 2] = ["enabled", "settings"];

const GROUP_READ: u32 = 0o040;
const GROUP_WRITE: u32 = 0o020;
const OWNER_WRITE: u32 = 0o200;
const OTHERS: u32 = 0o007;

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A parameter file or an attribute: the group reads, and writes what the owner writes.
    Attribute,
    /// The device file: the group reads, others nothing, since it tells when a mouse moves.
    Device,
}

/// One file that belongs to the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// What the group needs.
    pub access: Access,
}

/// What a file has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// Its group.
    pub gid: u32,
    /// Its permission bits.
    pub mode: u32,
}

impl Target {
    /// Reads what the file has now, without following a link.
    pub fn current(&self) -> io::Result<Current> {
        let metadata = std::fs::symlink_metadata(&self.path)?;
        if metadata.is_symlink() {
            return Err(io::Error::other("it is a link"));
        }
        Ok(Current { gid: metadata.gid(), mode: metadata.mode() & 0o7777 })
    }

    /// The permission bits the file should have, given those it has.
    pub fn wanted_mode(&self, mode: u32) -> u32 {
        match self.access {
            Access::Device => 0o640,
            Access::Attribute if mode & OWNER_WRITE == 0 => mode | GROUP_READ,
            Access::Attribute => mode | GROUP_READ | GROUP_WRITE,
        }
    }

    /// What is missing for `gid`, in words; `None` when nothing is.
    fn missing(&self, gid: u32, current: Current) -> Option<String> {
        let (needed, forbidden) = match self.access {
            Access::Device => (GROUP_READ, OTHERS),
            Access::Attribute => (self.wanted_mode(current.mode), 0),
        };
        if current.gid != gid {
            Some(format!("group is {} instead of {gid}", current.gid))
        } else if current.mode & needed != needed || current.mode & forbidden != 0 {
            Some(format!("mode is {:04o}", current.mode))
        } else {
            None
        }
    }
}

/// The parameter files; none when the module is not loaded.
pub fn parameters(root: &Root) -> io::Result<Vec<Target>> {
    let mut targets: Vec<_> = listing(&root.at(PARAMETERS))?.into_iter().map(attribute).collect();
    targets.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(targets)
}

/// The writable attributes of every mouse.
pub fn mice(root: &Root) -> io::Result<Vec<Target>> {
    let mut entries = listing(&root.at(CLASS))?;
    entries.sort();
    Ok(entries.iter().flat_map(|entry| mouse(entry)).collect())
}

/// The writable attributes of one class entry; none for the char device's own.
pub fn mouse(entry: &Utf8Path) -> Vec<Target> {
    MOUSE_ATTRIBUTES
        .iter()
        .map(|name| attribute(entry.join(name)))
        .filter(|target| target.path.exists())
        .collect()
}

/// The device file; none when the module is not loaded.
pub fn device(root: &Root) -> Option<Target> {
    let path = root.at(DEVICE);
    path.exists().then_some(Target { path, access: Access::Device })
}

fn attribute(path: Utf8PathBuf) -> Target {
    Target { path, access: Access::Attribute }
}

fn listing(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    match folder.read_dir_utf8() {
        Ok(entries) => entries.map(|entry| entry.map(camino::Utf8DirEntry::into_path)).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether the group can read and write what it should.
pub fn checks(root: &Root) -> Vec<Check> {
    let group = match group::find(root, MACCEL) {
        Ok(group) => group,
        Err(error) => {
            let unknown = |kind| Check::unknown(kind, root, error.to_string());
            return [&PERMISSIONS_PARAMETERS, &PERMISSIONS_DEVICE, &PERMISSIONS_MICE]
                .map(unknown)
                .into();
        }
    };
    let group = group.as_ref();
    vec![
        judge(root, &PERMISSIONS_PARAMETERS, group, parameters(root), "the module is not loaded"),
        judge(
            root,
            &PERMISSIONS_DEVICE,
            group,
            Ok(device(root).into_iter().collect()),
            "/dev/maccel is not there",
        ),
        match mice(root) {
            // The public driver has no entries, and ours none while no mouse is plugged in.
            Ok(mice) if mice.is_empty() => {
                Check::ok(&PERMISSIONS_MICE, root, "no mouse has an entry")
            }
            mice => judge(root, &PERMISSIONS_MICE, group, mice, ""),
        },
    ]
}

fn judge(
    root: &Root,
    kind: &Kind,
    group: Option<&Group>,
    targets: io::Result<Vec<Target>>,
    none: &str,
) -> Check {
    let targets = match targets {
        Ok(targets) if targets.is_empty() => return Check::unknown(kind, root, none),
        Ok(targets) => targets,
        Err(error) => return Check::unknown(kind, root, error.to_string()),
    };
    let Some(group) = group else {
        return Check::failed(kind, root, "the group does not exist");
    };
    let mut faults = Vec::new();
    for target in &targets {
        let shown = root.inside(&target.path);
        match target.current() {
            Ok(current) => {
                if let Some(fault) = target.missing(group.gid, current) {
                    faults.push(format!("{shown}: {fault}"));
                }
            }
            Err(error) => return Check::unknown(kind, root, format!("{shown}: {error}")),
        }
    }
    match faults.as_slice() {
        [] => Check::ok(kind, root, files(targets.len())),
        // A mouse that was plugged in this moment: udev hands its files over next.
        _ if root.at(UDEV_QUEUE).exists() => {
            Check::unknown(kind, root, "udev is still at work on new devices")
        }
        [one] => Check::failed(kind, root, one),
        [first, rest @ ..] => {
            Check::failed(kind, root, format!("{first}, and {} more", files(rest.len())))
        }
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::check::Status;

    fn set_mode(path: &Utf8Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A loaded module whose files belong to the group of this very process.
    fn loaded() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        let parameter = fixture.file("sys/module/maccel/parameters/MODE", b"0\n");
        let gid = std::fs::metadata(&parameter).unwrap().gid();
        fixture.file("etc/group", format!("maccel:x:{gid}:\n").as_bytes());
        set_mode(&parameter, 0o664);
        set_mode(&fixture.file("dev/maccel", b""), 0o640);
        set_mode(&fixture.file("sys/class/maccel/input5/enabled", b"1\n"), 0o664);
        set_mode(&fixture.file("sys/class/maccel/input5/uevent", b""), 0o644);
        fixture
    }

    fn statuses(root: &Root) -> Vec<Status> {
        checks(root).iter().map(|check| check.status).collect()
    }

    #[test]
    fn files_of_the_group_pass_and_uevent_is_left_alone() {
        let fixture = loaded();
        assert_eq!(statuses(fixture.root()), [Status::Ok; 3]);
        assert_eq!(mice(fixture.root()).unwrap().len(), 1);
    }

    #[test]
    fn the_file_and_what_is_wrong_with_it_are_named() {
        let fixture = loaded();
        set_mode(&fixture.root().at("sys/module/maccel/parameters/MODE"), 0o644);
        assert_eq!(
            checks(fixture.root())[0].detail,
            "/sys/module/maccel/parameters/MODE: mode is 0644"
        );
        let device = fixture.root().at(DEVICE);
        for (mode, detail) in [
            (0o640, "1 file"),
            (0o660, "1 file"),
            (0o600, "/dev/maccel: mode is 0600"),
            // Anyone could tell when the mouse moves.
            (0o666, "/dev/maccel: mode is 0666"),
            (0o644, "/dev/maccel: mode is 0644"),
        ] {
            set_mode(&device, mode);
            assert_eq!(checks(fixture.root())[1].detail, detail);
        }
        fixture.file("etc/group", b"maccel:x:4294967294:\n");
        let found = checks(fixture.root());
        assert!(found.iter().all(Check::is_failed));
        assert!(found[1].detail.ends_with("instead of 4294967294"), "{}", found[1].detail);
    }

    #[test]
    fn nothing_is_known_while_the_module_is_not_loaded() {
        let fixture = FixtureRoot::new();
        fixture.file("etc/group", b"maccel:x:962:\n");
        assert_eq!(statuses(fixture.root()), [Status::Unknown, Status::Unknown, Status::Ok]);
    }

    #[test]
    fn wanted_modes_never_take_away_and_never_open_a_read_only_file() {
        let attribute = attribute("x".into());
        let device = Target { path: "x".into(), access: Access::Device };
        for (target, mode, wanted) in [
            (&attribute, 0o644, 0o664),
            (&attribute, 0o664, 0o664),
            (&attribute, 0o400, 0o440),
            (&device, 0o600, 0o640),
            (&device, 0o666, 0o640),
        ] {
            assert_eq!(target.wanted_mode(mode), wanted, "{mode:o}");
        }
    }
}
