// SPDX-License-Identifier: MIT OR Apache-2.0
//! Group and mode of the files of the loaded module.
//!
//! Called by udev before anyone hears of the device, and by `run`.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, lchown};

use anyhow::{Context, bail};
use camino::Utf8Path;
use health::permissions::{self, Target};
use health::{MACCEL, Root, group};

/// Gives the files of the named devices, or all files, to the group.
pub(crate) fn apply(root: &Root, devpaths: &[String]) -> anyhow::Result<()> {
    let group = group::find(root, MACCEL)
        .context("cannot look up the group maccel")?
        .context("the group maccel does not exist; `systemd-sysusers` creates it")?;
    let targets = if devpaths.is_empty() {
        everything(root)?
    } else {
        let mut targets = Vec::new();
        for devpath in devpaths {
            targets.extend(of_device(root, devpath)?);
        }
        targets
    };
    let mut failed = 0;
    for target in targets {
        // One file that went away with its mouse must not keep the others from their group.
        if let Err(error) = hand_over(&target, group.gid)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("{}: {error}", target.path);
            failed += 1;
        }
    }
    if failed > 0 {
        bail!("{failed} files could not be given to the group maccel");
    }
    Ok(())
}

fn everything(root: &Root) -> anyhow::Result<Vec<Target>> {
    let mut targets = permissions::parameters(root).context("cannot list the parameters")?;
    targets.extend(permissions::device(root));
    targets.extend(permissions::mice(root).context("cannot list the mice")?);
    Ok(targets)
}

/// The files of one device as udev names it, below /sys.
fn of_device(root: &Root, devpath: &str) -> anyhow::Result<Vec<Target>> {
    let inside = Utf8Path::new(devpath);
    let plain = devpath.starts_with('/') && !inside.components().any(|part| part.as_str() == "..");
    if !plain {
        bail!("{devpath}: not a device path");
    }
    if devpath == "/module/maccel" {
        let mut targets = permissions::parameters(root).context("cannot list the parameters")?;
        // The node exists by the time the module's own event is sent.
        targets.extend(permissions::device(root));
        return Ok(targets);
    }
    let entry = root.at("sys").join(devpath.trim_start_matches('/'));
    let subsystem = entry.join("subsystem").read_link_utf8();
    if subsystem.ok().as_deref().and_then(Utf8Path::file_name) != Some(MACCEL) {
        bail!("{devpath}: not a device of maccel");
    }
    let mut targets = permissions::mouse(&entry);
    if entry.join("dev").exists() {
        targets.extend(permissions::device(root));
    }
    Ok(targets)
}

fn hand_over(target: &Target, gid: u32) -> io::Result<()> {
    let current = target.current()?;
    if current.gid != gid {
        lchown(&target.path, None, Some(gid))?;
    }
    let mode = target.wanted_mode(current.mode);
    if current.mode != mode {
        std::fs::set_permissions(&target.path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use health::{Check, Status};
    use module_check::fixtures::FixtureRoot;

    use super::*;

    /// A loaded module with one mouse; all files have the group of this process and mode 0644.
    fn loaded() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        let one = fixture.file("sys/module/maccel/parameters/MODE", b"0\n");
        fixture.file("sys/module/maccel/parameters/ACCEL", b"0\n");
        fixture.file("dev/maccel", b"");
        let entries = "sys/devices/virtual/maccel";
        fixture.file(&format!("{entries}/input5/settings"), b"inherit\n");
        fixture.file(&format!("{entries}/input5/uevent"), b"");
        fixture.file(&format!("{entries}/maccel/dev"), b"240:0\n");
        fixture.file("sys/devices/virtual/input/mouse0/settings", b"");
        std::fs::create_dir_all(fixture.root().at("sys/class/maccel")).unwrap();
        let root = fixture.root();
        for name in ["input5", "maccel"] {
            let entry = root.at(entries).join(name);
            symlink("/sys/class/maccel", entry.join("subsystem")).unwrap();
            symlink(&entry, root.at("sys/class/maccel").join(name)).unwrap();
        }
        let gid = std::fs::metadata(&one).unwrap().gid();
        fixture.file("etc/group", format!("maccel:x:{gid}:\n").as_bytes());
        fixture
    }

    fn mode(root: &Root, inside: &str) -> u32 {
        std::fs::metadata(root.at(inside)).unwrap().mode() & 0o777
    }

    #[test]
    fn without_names_every_file_is_handed_over_and_the_checks_agree() {
        let fixture = loaded();
        apply(fixture.root(), &[]).unwrap();
        let checks = permissions::checks(fixture.root());
        assert!(checks.iter().all(|check: &Check| check.status == Status::Ok), "{checks:?}");
        assert_eq!(mode(fixture.root(), "dev/maccel"), 0o640);
        assert_eq!(mode(fixture.root(), "sys/devices/virtual/maccel/input5/uevent"), 0o644);
    }

    #[test]
    fn each_device_path_reaches_its_own_files_only() {
        let table = [
            ("/module/maccel", "sys/module/maccel/parameters/MODE", 0o664),
            ("/module/maccel", "dev/maccel", 0o640),
            ("/module/maccel", "sys/devices/virtual/maccel/input5/settings", 0o644),
            ("/devices/virtual/maccel/input5", "sys/devices/virtual/maccel/input5/settings", 0o664),
            ("/devices/virtual/maccel/input5", "dev/maccel", 0o644),
            ("/devices/virtual/maccel/maccel", "dev/maccel", 0o640),
        ];
        for (devpath, file, expected) in table {
            let fixture = loaded();
            apply(fixture.root(), &[devpath.to_owned()]).unwrap();
            assert_eq!(mode(fixture.root(), file), expected, "{devpath} {file}");
        }
    }

    #[test]
    fn paths_that_are_not_of_maccel_are_refused() {
        let fixture = loaded();
        for devpath in [
            "/devices/virtual/input/mouse0",
            "/module/../../etc",
            "module/maccel",
            "/module/snd",
            "/devices/virtual/maccel/gone",
        ] {
            assert!(apply(fixture.root(), &[devpath.to_owned()]).is_err(), "{devpath}");
        }
    }

    #[test]
    fn without_the_group_the_error_says_how_to_get_it() {
        let fixture = loaded();
        fixture.file("etc/group", b"root:x:0:\n");
        let error = apply(fixture.root(), &[]).unwrap_err().to_string();
        assert!(error.contains("systemd-sysusers"), "{error}");
    }
}
