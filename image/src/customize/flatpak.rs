// SPDX-License-Identifier: MIT OR Apache-2.0
//! Flatpaks: told to the host, never installed in the build, whose `/var` no host ever gets.

use std::fs;

use camino::Utf8Path;

use super::{Error, Report, file_error, files};
use crate::config::Packages;

/// The list that the image adds.
pub const PATH: &str = "usr/share/flatpak/preinstall.d/vespera.preinstall";
const FOLDER: &str = "usr/share/flatpak/preinstall.d";
const FILE: &str = "vespera.preinstall";

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
        assert!(!root.has("usr/share/flatpak/preinstall.d/vespera.preinstall"));
    }
}
