// SPDX-License-Identifier: MIT OR Apache-2.0
//! Applications that the image wants installed: flatpak fetches them after the first boot, which
//! needs a network and may fail without anybody noticing.

use std::collections::BTreeMap;

use module_check::Root;

use crate::catalogue::FLATPAK_NOT_INSTALLED;
use crate::check::Check;
use crate::unbooted;

/// Where the lists are; what stands in a later one wins (`flatpak-preinstall(1)`).
const LISTS: [&str; 2] = ["usr/share/flatpak/preinstall.d", "etc/flatpak/preinstall.d"];
/// The system's installation.
const INSTALLED: &str = "var/lib/flatpak";

/// What a list says of one application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it is to be there.
    pub install: bool,
    /// Whether it is a runtime, which is kept elsewhere.
    pub runtime: bool,
}

/// Reads one list; a key file as `glib` has it.
pub fn parse(text: &str) -> Vec<(String, Wanted)> {
    let mut found: Vec<(String, Wanted)> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = group.strip_prefix("Flatpak Preinstall ").map(str::trim);
            // The name becomes part of a path.
            let name = name.filter(|name| !name.is_empty() && !name.contains('/'));
            inside = name.is_some();
            found.extend(
                name.map(|name| (name.to_owned(), Wanted { install: true, runtime: false })),
            );
        } else if let (true, Some((_, wanted)), Some((key, value))) =
            (inside, found.last_mut(), line.split_once('='))
        {
            match key.trim() {
                "Install" => wanted.install = value.trim() != "false",
                "IsRuntime" => wanted.runtime = value.trim() == "true",
                _ => {}
            }
        }
    }
    found
}

/// Whether all that is listed is installed; `None` on systems without a list.
pub fn check(root: &Root) -> Option<Check> {
    let kind = &FLATPAK_NOT_INSTALLED;
    let mut wanted = BTreeMap::new();
    for folder in LISTS {
        let files = root.at(folder).read_dir_utf8().into_iter().flatten().flatten();
        let mut files: Vec<_> = files.map(camino::Utf8DirEntry::into_path).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension() == Some("preinstall")) {
            match std::fs::read_to_string(file) {
                Ok(text) => wanted.extend(parse(&text)),
                Err(error) => {
                    let reason = format!("{}: {error}", root.inside(file));
                    return Some(Check::unknown(kind, root, reason));
                }
            }
        }
    }
    wanted.retain(|_, wanted| wanted.install);
    if wanted.is_empty() {
        return None;
    }
    if unbooted::is(root) {
        return Some(Check::unknown(kind, root, unbooted::NOT_RUNNING));
    }
    let is_missing = |(name, wanted): &(&String, &Wanted)| {
        let place = if wanted.runtime { "runtime" } else { "app" };
        !root.exists(format!("{INSTALLED}/{place}/{name}"))
    };
    let missing: Vec<_> = wanted.iter().filter(is_missing).map(|(name, _)| name.as_str()).collect();
    Some(match missing.as_slice() {
        [] => Check::ok(kind, root, format!("{} listed", wanted.len())),
        missing => Check::failed(kind, root, missing.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::check::Status;

    const LIST: &str = "[Flatpak Preinstall org.mozilla.firefox]\nBranch=stable\n\n\
                        [Flatpak Preinstall org.x.Theme]\nIsRuntime=true\n";

    #[test]
    fn what_is_listed_and_not_installed_is_named() {
        let fixture = FixtureRoot::new();
        assert_eq!(check(fixture.root()), None);
        fixture.file("usr/share/flatpak/preinstall.d/vespera.preinstall", LIST.as_bytes());
        let unpacked = check(fixture.root()).unwrap();
        assert_eq!((unpacked.status, unpacked.remedy), (Status::Unknown, None), "nothing runs");
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        let found = check(fixture.root()).unwrap();
        assert_eq!(found.status, Status::Failed);
        assert_eq!(found.detail, "org.mozilla.firefox, org.x.Theme");
        assert_eq!(found.remedy.as_deref(), Some("sudo flatpak preinstall"));
        fixture.file("var/lib/flatpak/app/org.mozilla.firefox/current/active/metadata", b"");
        assert_eq!(check(fixture.root()).unwrap().detail, "org.x.Theme");
        fixture.file("var/lib/flatpak/runtime/org.x.Theme/x86_64/stable/active/metadata", b"");
        assert_eq!(check(fixture.root()).unwrap().status, Status::Ok);
    }

    #[test]
    fn the_administrator_can_take_an_application_off_the_list() {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        fixture.file("usr/share/flatpak/preinstall.d/vespera.preinstall", LIST.as_bytes());
        let off = b"[Flatpak Preinstall org.mozilla.firefox]\nInstall=false\n";
        fixture.file("etc/flatpak/preinstall.d/mine.preinstall", off);
        assert_eq!(check(fixture.root()).unwrap().detail, "org.x.Theme");
    }

    #[test]
    fn other_groups_and_names_that_are_paths_count_for_nothing() {
        for text in ["", "Install=true", "[Other x]\nInstall=true", "[Flatpak Preinstall ../x]"] {
            assert_eq!(parse(text), [], "{text:?}");
        }
    }
}
