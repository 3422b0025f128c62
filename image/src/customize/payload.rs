// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs and the files around them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, Report, file_error, files};
use crate::tool::Tools;

/// Programs that every payload has, at their places: `packaging/Makefile` puts them there.
pub const PROGRAMS: &[&str] = &[
    "usr/bin/maccel",
    "usr/bin/vesperactl",
    "usr/libexec/vespera/vespera-module",
    "usr/libexec/vespera/vespera-agent",
];
/// Trees of files at their final paths below the payload; a later one may replace files of an
/// earlier one.
const TREES: &[&str] = &["rootfs", "image-rootfs"];
const SYSTEM_UNITS: &str = "usr/lib/systemd/system";
const USER_UNITS: &str = "usr/lib/systemd/user";
const LINK_TMPFILES: &str = "usr/lib/tmpfiles.d/vespera-usrlocal.conf";

/// Installs a payload folder: `rootfs/` with what `packaging/Makefile` has placed, programs
/// among it, and `image-rootfs/`. Returns the paths of what it placed.
///
/// # Errors
///
/// When a program is missing, a file would land outside `usr`, or a unit cannot be
/// enabled as its preset says.
pub fn install(
    root: &Utf8Path,
    from: &Utf8Path,
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<Vec<Utf8PathBuf>, Error> {
    if let Some(missing) = missing_program(from) {
        return Err(Error::Refused(format!(
            "{missing} is missing in the payload {from}: was it built?"
        )));
    }
    let mut placed = Vec::new();
    for tree in TREES {
        let tree = from.join(tree);
        if tree.is_dir() {
            placed.extend(copy_tree(root, &tree, report)?);
        }
    }
    usr_local_link(root, report)?;
    enable(root, &placed, SYSTEM_UNITS, &[], tools, report)?;
    enable(root, &placed, USER_UNITS, &["--global"], tools, report)?;
    placed.sort();
    placed.dedup();
    Ok(placed)
}

fn missing_program(from: &Utf8Path) -> Option<&'static str> {
    PROGRAMS
        .iter()
        .copied()
        .find(|program| !TREES.iter().any(|tree| from.join(tree).join(program).is_file()))
}

fn copy_tree(
    root: &Utf8Path,
    tree: &Utf8Path,
    report: &mut dyn Report,
) -> Result<Vec<Utf8PathBuf>, Error> {
    let paths = files::list(tree)?;
    // Checked for all before any is placed: nothing is left half done.
    if let Some(outside) = paths.iter().find(|path| !path.starts_with("usr")) {
        return Err(Error::Refused(format!(
            "{} would land outside /usr; /etc belongs to the administrator and /var to the host, \
             which never gets it from an image",
            tree.join(outside)
        )));
    }
    for path in &paths {
        let (source, target) = (tree.join(path), root.join(path));
        let meta = source.symlink_metadata().map_err(file_error("read", &source))?;
        if meta.is_symlink() {
            let link = source.read_link_utf8().map_err(file_error("read", &source))?;
            files::link(&target, link.as_str())?;
        } else {
            let content = fs::read(&source).map_err(file_error("read", &source))?;
            files::write(&target, &content, files::mode_of(path))?;
        }
        report.line(&format!("file {target}"));
    }
    Ok(paths)
}

/// The command's old place, for scripts that call it by its full path.
///
/// On Fedora Atomic `/usr/local` is a link into `/var`, which a host unpacks at its installation
/// only: the link in the image is for containers and fresh installations, the tmpfiles line for
/// everyone who came by an update or a rebase.
fn usr_local_link(root: &Utf8Path, report: &mut dyn Report) -> Result<(), Error> {
    let local = root.join("usr/local");
    let tmpfiles = root.join(LINK_TMPFILES);
    if local.is_symlink() {
        let folder = root.join("var/usrlocal/bin");
        files::link(&folder.join("maccel"), "/usr/bin/maccel")?;
        let text = "# Written by vespera-image. /usr/local is a link to /var/usrlocal here.\n\
                    d /var/usrlocal 0755 root root -\n\
                    d /var/usrlocal/bin 0755 root root -\n\
                    L /var/usrlocal/bin/maccel - - - - /usr/bin/maccel\n";
        files::write(&tmpfiles, text.as_bytes(), files::PLAIN)?;
        report.line(&format!("link {folder}/maccel, kept by {tmpfiles}"));
    } else {
        files::remove(&tmpfiles)?;
        files::link(&local.join("bin/maccel"), "/usr/bin/maccel")?;
        report.line(&format!("link {local}/bin/maccel"));
    }
    Ok(())
}

/// Enables the units of the payload that can be enabled, as their preset says.
fn enable(
    root: &Utf8Path,
    placed: &[Utf8PathBuf],
    folder: &str,
    scope: &[&str],
    tools: &dyn Tools,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let mut units = Vec::new();
    for path in placed {
        if path.parent() != Some(Utf8Path::new(folder)) {
            continue;
        }
        let full = root.join(path);
        // A link among units is a mask or an alias, never a unit to enable.
        let Some(name) = path.file_name().filter(|_| !full.is_symlink()) else { continue };
        let text = fs::read_to_string(&full).map_err(file_error("read", &full))?;
        if text.lines().any(|line| line.trim() == "[Install]") {
            units.push(name);
        }
    }
    if units.is_empty() {
        return Ok(());
    }
    let root_option = format!("--root={root}");
    let mut args = vec![root_option.as_str()];
    args.extend_from_slice(scope);
    let mut preset = args.clone();
    preset.push("preset");
    preset.extend_from_slice(&units);
    tools.run("systemctl", &preset, "enable units by their preset")?;
    for unit in units {
        let mut query = args.clone();
        query.extend(["is-enabled", unit]);
        let state = tools.outcome("systemctl", &query, "read back whether a unit is enabled")?;
        report.line(&format!("unit {unit}: {}", state.stdout.trim()));
    }
    Ok(())
}

/// Whether a file may be executed by everyone.
pub fn is_executable(path: &Utf8Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 == 0o111)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::{FakeTools, Root, ok};

    fn payload() -> Root {
        let payload = Root::new();
        for program in PROGRAMS {
            payload.file(&format!("rootfs/{program}"), program);
        }
        payload.file("rootfs/usr/lib/udev/rules.d/99-maccel.rules", "rule");
        payload.file(
            "rootfs/usr/lib/systemd/system/vespera-module.service",
            "[Service]\n[Install]\nWantedBy=multi-user.target\n",
        );
        payload.file("rootfs/usr/lib/systemd/system/vespera-x.service", "[Service]\n");
        payload.link("/dev/null", "rootfs/usr/lib/systemd/system/masked.service");
        payload
    }

    fn systemctl() -> FakeTools {
        FakeTools::default().with("systemctl", |args| {
            if args.contains(&"is-enabled") { ok("enabled\n") } else { ok("") }
        })
    }

    fn run(root: &Root, payload: &Root, tools: &FakeTools) -> Result<Vec<String>, Error> {
        let mut report = Vec::new();
        install(root.path(), payload.path(), tools, &mut report)?;
        Ok(report)
    }

    #[test]
    fn programs_and_files_are_at_their_places_with_their_modes() {
        let (root, tools) = (Root::new(), systemctl());
        let report = run(&root, &payload(), &tools).unwrap();
        for program in PROGRAMS {
            assert_eq!(root.mode(program), 0o755, "{program}");
            assert!(is_executable(&root.path().join(program)), "{program}");
        }
        assert_eq!(root.mode("usr/lib/udev/rules.d/99-maccel.rules"), 0o644);
        assert!(root.path().join("usr/lib/systemd/system/masked.service").is_symlink());
        assert_eq!(
            tools.calls(),
            [
                format!("systemctl --root={} preset vespera-module.service", root.path()),
                format!("systemctl --root={} is-enabled vespera-module.service", root.path()),
            ]
        );
        assert!(report.contains(&"unit vespera-module.service: enabled".to_owned()));
        assert_eq!(run(&root, &payload(), &tools).unwrap(), report);
    }

    #[test]
    fn old_place_of_the_command_lies_in_var_where_usr_local_does() {
        let root = Root::new();
        root.link("../var/usrlocal", "usr/local");
        run(&root, &payload(), &systemctl()).unwrap();
        let link = root.path().join("var/usrlocal/bin/maccel");
        assert_eq!(link.read_link_utf8().unwrap(), "/usr/bin/maccel");
        let tmpfiles = root.read(LINK_TMPFILES);
        assert!(tmpfiles.contains("L /var/usrlocal/bin/maccel - - - - /usr/bin/maccel\n"));
    }

    #[test]
    fn old_place_of_the_command_is_a_plain_link_where_usr_local_is_a_folder() {
        let root = Root::new();
        root.dir("usr/local/bin");
        run(&root, &payload(), &systemctl()).unwrap();
        let link = root.path().join("usr/local/bin/maccel");
        assert_eq!(link.read_link_utf8().unwrap(), "/usr/bin/maccel");
        assert!(!root.has(LINK_TMPFILES));
    }

    #[test]
    fn missing_program_is_named_before_anything_is_placed() {
        for program in PROGRAMS {
            let (root, payload) = (Root::new(), payload());
            fs::remove_file(payload.path().join("rootfs").join(program)).unwrap();
            let error = run(&root, &payload, &systemctl()).unwrap_err().to_string();
            assert!(error.contains(&format!("{program} is missing")), "{error}");
            assert!(!root.has("usr"), "{program}");
        }
    }

    #[test]
    fn file_outside_usr_is_refused_before_anything_is_placed() {
        let (root, payload) = (Root::new(), payload());
        payload.file("rootfs/etc/udev/rules.d/99-maccel.rules", "rule");
        let error = run(&root, &payload, &systemctl()).unwrap_err().to_string();
        assert!(error.contains("would land outside /usr"), "{error}");
        assert!(!root.has("usr/lib/udev"));
    }
}
