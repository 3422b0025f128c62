// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder in place of the files that the agent works on. The driver's files there take any
//! text, as those of the public driver do; what the kernel refuses is tested in a guest.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use maccel_core::parameter;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

use crate::world::{AGENT_UID, MACCEL_GID};

const PARAMETERS: &str = "sys/module/maccel/parameters";
/// The mouse that is plugged in.
pub(crate) const MOUSE: &str = "input5";

/// The root folder of an agent.
pub(crate) struct Root {
    folder: TempDir,
}

impl Root {
    /// A system with the public driver.
    pub(crate) fn public() -> Self {
        let root = Self::without_driver();
        for parameter in parameter::all().iter().filter(|parameter| parameter.file) {
            let raw = parameter.raw_of(parameter.default).unwrap();
            root.driver_file(&format!("{PARAMETERS}/{}", parameter.name), &format!("{raw}\n"));
        }
        root
    }

    /// A system with our driver and one mouse.
    pub(crate) fn ours() -> Self {
        let root = Self::public();
        root.file("sys/module/maccel/initstate", "live\n");
        root.file("sys/module/maccel/version", "0.1.0\n");
        root.file("sys/module/maccel/srcversion", "0123456789ABCDEF0123456\n");
        let value = |parameter: &parameter::Parameter| match parameter.kind {
            parameter::Kind::Table => String::new(),
            _ => parameter.raw_of(parameter.default).unwrap().to_string(),
        };
        let line: Vec<_> = parameter::all()
            .iter()
            .map(|parameter| format!("{}={}", parameter.name, value(parameter)))
            .collect();
        root.driver_file(&format!("{PARAMETERS}/SETTINGS"), &format!("{}\n", line.join(" ")));
        for (attribute, text) in [
            ("name", "Mouse\n"),
            ("id", "046d:c088\n"),
            ("uniq", "\n"),
            ("phys", "usb-0000:00:14.0-2/input0\n"),
            ("enabled", "1\n"),
            ("settings", "inherit\n"),
            ("speed", "0\n"),
        ] {
            root.driver_file(&format!("sys/class/maccel/{MOUSE}/{attribute}"), text);
        }
        root.driver_file("dev/maccel", "\0\0\0\0\0\0\0\0");
        root
    }

    fn without_driver() -> Self {
        let root = Root { folder: tempfile::tempdir().unwrap() };
        // In memory: how long a disk takes to save is no matter here, and the power is cut in
        // other tests.
        mount("none", root.path(), "tmpfs", MountFlags::empty(), None).unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        root.file("proc/sys/kernel/osrelease", "6.1.0\n");
        root.file("proc/sys/kernel/random/boot_id", "5a1b5e46-7c3e-4f0e-9a43-0d8b7a0f9d11\n");
        for folder in ["run/vespera/request", "run/vespera-agent", "var/lib/vespera"] {
            fs::create_dir_all(root.at(folder)).unwrap();
            chown(root.at(folder), Some(AGENT_UID), Some(AGENT_UID)).unwrap();
        }
        root
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn at(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn file(&self, inside: &str, text: &str) {
        let path = self.at(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As udev leaves it: the group may write.
    fn driver_file(&self, inside: &str, text: &str) {
        self.file(inside, text);
        chown(self.at(inside), Some(0), Some(MACCEL_GID)).unwrap();
        fs::set_permissions(self.at(inside), Permissions::from_mode(0o664)).unwrap();
    }

    /// A file that an agent has left behind.
    pub(crate) fn agents_file(&self, inside: &str, text: &str) {
        self.file(inside, text);
        chown(self.at(inside), Some(AGENT_UID), Some(AGENT_UID)).unwrap();
    }

    /// The text of any file.
    pub(crate) fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.at(inside)).unwrap()
    }

    /// What a program outside writes, for example the public command.
    pub(crate) fn write_parameter(&self, name: &str, text: &str) {
        fs::write(self.at(PARAMETERS).join(name), text).unwrap();
    }

    /// The same through our driver's line of all settings.
    pub(crate) fn write_sens_mult(&self, value: f64) {
        let raw = parameter::by_file_name("SENS_MULT").unwrap().raw_of(value).unwrap();
        let words = self.parameter("SETTINGS");
        let word = |word: &str| match word.starts_with("SENS_MULT=") {
            true => format!("SENS_MULT={raw}"),
            false => word.to_owned(),
        };
        let line: Vec<_> = words.split(' ').map(word).collect();
        self.write_parameter("SETTINGS", &format!("{}\n", line.join(" ")));
    }

    /// The text in a parameter's file, trimmed.
    pub(crate) fn parameter(&self, name: &str) -> String {
        self.text(&format!("{PARAMETERS}/{name}")).trim().to_owned()
    }

    /// Everything that a refused call must not touch: the files of the driver and of the mouse,
    /// and what the agent has saved.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in ["sys", "var/lib/vespera"] {
            collect(&self.at(folder), &mut found);
        }
        found
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // A folder that something is mounted on cannot be removed; the namespace ends anyway.
        let _ = unmount(self.path(), UnmountFlags::DETACH);
    }
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.insert(path, bytes);
        }
    }
}
