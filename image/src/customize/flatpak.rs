// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flatpaks: told to the host, never installed in the build, whose `/var` no host ever gets.

use std::fs;

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

use super::{Error, Report, file_error, files};
use crate::config::Packages;

/// The list that the image adds.
pub const PATH: &str = "usr/share/flatpak/preinstall.d/vespera.preinstall";
const FOLDER: &str = "usr/share/flatpak/preinstall.d";
const FILE: &str = "vespera.preinstall";
/// The unit that removes unwanted ones.
pub(crate) const REMOVAL: &str = "usr/lib/systemd/system/vespera-flatpak-removal.service";
/// Enabled below `/usr`: an administrator can still mask it, and nothing is left in `/etc`.
pub(crate) const REMOVAL_LINK: &str =
    "usr/lib/systemd/system/multi-user.target.wants/vespera-flatpak-removal.service";

/// An application that is not there is an error to flatpak, not to us; any other is tried again at
/// the next boot, since the unit fails before it leaves its mark. No single call tells the two
/// apart, hence a shell; the application is its argument and never part of the text. systemd takes
/// `$$` for `$`. `flatpak info` would be the shorter question; of an application without a
/// description it ends with a failed assertion (1.18).
const REMOVE: &str = "if /usr/bin/flatpak list --system --app --columns=application \
                      | grep --quiet --line-regexp --fixed-strings \"$$0\"; then \
                      exec /usr/bin/flatpak uninstall --system --noninteractive --assumeyes \"$$0\"; \
                      fi";

/// Writes the list of Flatpaks that hosts install at first boot, and takes unwanted ones out of
/// the lists of the base.
///
/// # Errors
///
/// When a list cannot be read or written.
pub fn write(root: &Utf8Path, wanted: &Packages, report: &mut dyn Report) -> Result<(), Error> {
    let folder = root.join(FOLDER);
    if folder.is_dir() {
        for name in files::list(&folder)? {
            if name == FILE || name.extension() != Some("preinstall") {
                continue;
            }
            let path = folder.join(name);
            let text = fs::read_to_string(&path).map_err(file_error("read", &path))?;
            let kept = without(&text, &wanted.remove_flatpak);
            if kept != text {
                files::write(&path, kept.as_bytes(), files::PLAIN)?;
                report.line(&format!("flatpak: unwanted entries taken out of {path}"));
            }
        }
    }
    removal_unit(root, &wanted.remove_flatpak, report)?;
    let path = folder.join(FILE);
    if wanted.add_flatpak.is_empty() && wanted.remove_flatpak.is_empty() {
        files::remove(&path)?;
        return Ok(());
    }
    files::write(&path, preinstall(wanted).as_bytes(), files::PLAIN)?;
    for id in &wanted.add_flatpak {
        report.line(&format!("flatpak {id}: installed at first boot"));
    }
    for id in &wanted.remove_flatpak {
        report.line(&format!("flatpak {id}: not installed at first boot"));
    }
    Ok(())
}

/// Writes the unit that removes unwanted Flatpaks from hosts that have them already.
///
/// `Install=false` only reaches what a preinstall list has brought; what came with the
/// installation medium has to be removed by name. That happens once: who installs it again
/// afterwards wants it.
fn removal_unit(
    root: &Utf8Path,
    unwanted: &[String],
    report: &mut dyn Report,
) -> Result<(), Error> {
    let (unit, link) = (root.join(REMOVAL), root.join(REMOVAL_LINK));
    if unwanted.is_empty() {
        files::remove(&link)?;
        files::remove(&unit)?;
        return Ok(());
    }
    files::write(&unit, removal_of(unwanted).as_bytes(), files::PLAIN)?;
    files::link(&link, "../vespera-flatpak-removal.service")?;
    report.line(&format!("flatpak: {unit} removes {} once", unwanted.join(", ")));
    Ok(())
}

/// The text of the unit that removes unwanted Flatpaks.
pub(crate) fn removal(wanted: &Packages) -> String {
    removal_of(&wanted.remove_flatpak)
}

fn removal_of(unwanted: &[String]) -> String {
    // Another list is another mark, and runs once more.
    let digest = Sha256::digest(unwanted.join("\n").as_bytes());
    let mark: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let mark = format!("/var/lib/vespera-image/flatpaks-removed-{mark}");
    let mut text = format!(
        "# Written by vespera-image from vespera-config.yaml.\n\
         [Unit]\n\
         Description=Remove Flatpaks that this image does not want\n\
         ConditionPathExists=!{mark}\n\
         ConditionPathExists=/usr/bin/flatpak\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         StateDirectory=vespera-image\n"
    );
    for id in unwanted {
        text.push_str(&format!("ExecStart=/usr/bin/sh -c '{REMOVE}' {id}\n"));
    }
    text.push_str(&format!(
        "ExecStart=/usr/bin/touch {mark}\n\n[Install]\nWantedBy=multi-user.target\n"
    ));
    text
}

/// The file in flatpak's own form. Without a branch flatpak asks for `master`, which Flathub does
/// not have.
pub fn preinstall(wanted: &Packages) -> String {
    let mut text = String::from("# Written by vespera-image from vespera-config.yaml.\n");
    for id in &wanted.add_flatpak {
        text.push_str(&format!("\n[Flatpak Preinstall {id}]\nBranch=stable\n"));
    }
    for id in &wanted.remove_flatpak {
        text.push_str(&format!("\n[Flatpak Preinstall {id}]\nInstall=false\n"));
    }
    text
}

/// A list without the groups of some applications.
fn without(text: &str, unwanted: &[String]) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if let Some(group) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = group
                .strip_prefix("Flatpak Preinstall ")
                .is_some_and(|id| unwanted.iter().any(|unwanted| unwanted == id.trim()));
        }
        if !inside {
            kept.push_str(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    fn wanted() -> Packages {
        Packages {
            add_flatpak: vec!["org.mozilla.firefox".into()],
            remove_flatpak: vec!["io.github.kolunmi.Bazaar".into()],
            ..Packages::default()
        }
    }

    #[test]
    fn list_is_in_flatpaks_own_form_with_the_branch_that_flathub_has() {
        let root = Root::new();
        let base = "[Flatpak Preinstall io.github.kolunmi.Bazaar]\nBranch=stable\n\n\
                    [Flatpak Preinstall org.kde.okular]\nBranch=stable\n";
        root.file("usr/share/flatpak/preinstall.d/bazaar.preinstall", base);
        let mut report: Vec<String> = Vec::new();
        write(root.path(), &wanted(), &mut report).unwrap();
        assert_eq!(
            root.read("usr/share/flatpak/preinstall.d/vespera.preinstall"),
            "# Written by vespera-image from vespera-config.yaml.\n\n\
             [Flatpak Preinstall org.mozilla.firefox]\nBranch=stable\n\n\
             [Flatpak Preinstall io.github.kolunmi.Bazaar]\nInstall=false\n"
        );
        assert_eq!(
            root.read("usr/share/flatpak/preinstall.d/bazaar.preinstall"),
            "[Flatpak Preinstall org.kde.okular]\nBranch=stable\n"
        );
        write(root.path(), &Packages::default(), &mut report).unwrap();
        assert!(!root.has(REMOVAL) && !root.has(REMOVAL_LINK));
        assert!(!root.has("usr/share/flatpak/preinstall.d/vespera.preinstall"));
    }

    #[test]
    fn unwanted_applications_are_removed_once_per_list() {
        let root = Root::new();
        let mut report: Vec<String> = Vec::new();
        write(root.path(), &wanted(), &mut report).unwrap();
        let unit = root.read(REMOVAL);
        assert_eq!(root.read(REMOVAL_LINK), unit);
        let mark = |unit: &str| {
            let line = unit.lines().find(|line| line.starts_with("ConditionPathExists=!")).unwrap();
            line["ConditionPathExists=!".len()..].to_owned()
        };
        assert!(unit.contains(&format!("ExecStart=/usr/bin/touch {}\n", mark(&unit))), "{unit}");
        assert!(unit.contains("; fi' io.github.kolunmi.Bazaar\n"), "{unit}");
        let longer = Packages { remove_flatpak: vec!["a.b.c".into()], ..Packages::default() };
        write(root.path(), &longer, &mut report).unwrap();
        assert_ne!(mark(&root.read(REMOVAL)), mark(&unit));
    }
}
