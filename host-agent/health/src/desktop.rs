// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desktop's own acceleration, which would stack on top of the driver's.
//!
//! Both desktops hand a profile to libinput; without one, libinput accelerates mice by itself
//! (its default profile is `adaptive`). Only `flat` leaves movement as the driver made it.

use std::collections::BTreeMap;

use module_check::Root;

use crate::catalogue::DESKTOP_ACCELERATES;
use crate::check::Check;
use crate::mice::Mouse;

/// KDE's file, below the user's or the system's configuration folder.
pub const KCMINPUTRC: &str = "kcminputrc";
/// The key in it, and its value for `flat` (KWin, `backends/libinput/device.cpp`).
pub const KDE_KEY: &str = "PointerAccelerationProfile";
/// `LIBINPUT_CONFIG_ACCEL_PROFILE_FLAT`.
pub const KDE_FLAT: &str = "1";
/// GNOME's schema and key.
pub const GNOME_KEY: [&str; 2] = ["org.gnome.desktop.peripherals.mouse", "accel-profile"];

/// The desktops whose settings are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desktop {
    /// KDE Plasma.
    Kde,
    /// GNOME, and what is built on it.
    Gnome,
}

impl Desktop {
    /// Reads `XDG_CURRENT_DESKTOP`, a list of names with colons.
    pub fn parse(names: &str) -> Option<Self> {
        names.split(':').find_map(|name| match name.to_ascii_lowercase().as_str() {
            "kde" | "plasma" => Some(Self::Kde),
            "gnome" | "ubuntu" | "budgie" => Some(Self::Gnome),
            _ => None,
        })
    }
}

/// What a desktop does with mice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It leaves them alone.
    Flat,
    /// It accelerates these, or all when none is named.
    Accelerates(Vec<Mouse>),
}

/// A file of KConfig: groups are paths of names.
type Groups = BTreeMap<Vec<String>, Group>;

/// A group of KConfig. What is immutable stays as it is, whatever the files read after it say.
#[derive(Debug, Default)]
struct Group {
    immutable: bool,
    values: BTreeMap<String, Value>,
}

#[derive(Debug)]
struct Value {
    /// `None` for a key that is marked as deleted, which hides what the files read before it say.
    text: Option<String>,
    immutable: bool,
}

/// What a line of nothing but `[$i]` is the group of: it makes all groups of its file immutable.
const FILE: &str = "";

/// Reads a file of KConfig. Of a repeated key the last counts, or the first that is immutable; lines
/// that are none are passed over.
fn parse_kconfig(text: &str) -> Groups {
    let mut groups = Groups::new();
    let mut group = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (marks, names): (Vec<_>, Vec<_>) =
                header.split("][").partition(|part| part.starts_with('$'));
            // KConfig writes brackets within a name by their numbers.
            let plain = |name: &str| name.replace("\\x5b", "[").replace("\\x5d", "]");
            group = names.into_iter().map(plain).collect();
            if group.is_empty() {
                group.push(FILE.to_owned());
            }
            let immutable = marks.iter().any(|mark| mark.contains('i'));
            groups.entry(group.clone()).or_default().immutable |= immutable;
        } else if let Some((key, value)) = entry(line) {
            let values = &mut groups.entry(group.clone()).or_default().values;
            if values.get(key).is_none_or(|before| !before.immutable) {
                values.insert(key.to_owned(), value);
            }
        }
    }
    groups
}

/// A key and its value. One that is deleted has none: KConfig reads no further than to that mark,
/// and so does not see the `i` in the `[$di]` that it writes itself.
fn entry(line: &str) -> Option<(&str, Value)> {
    if line.starts_with('#') {
        return None;
    }
    let (key, text) = match line.split_once('=') {
        Some((key, text)) => (key, Some(text.trim().to_owned())),
        None => (line, None),
    };
    let (key, marks) = key.split_once("[$").unwrap_or((key, ""));
    let (marks, text) = match marks.split_once('d') {
        Some((before, _)) => (before, None),
        None => (marks, Some(text?)),
    };
    Some((key.trim(), Value { text, immutable: marks.contains('i') }))
}

/// The value of a key, given the files of which the first counts most. They are read from the last
/// on, and an immutable value, group or file ends it (KConfig, `kconfigini.cpp`).
fn value_in<'a>(layers: &'a [Groups], group: &[String], key: &str) -> Option<&'a str> {
    let mut found = None;
    for layer in layers.iter().rev() {
        let own = layer.get(group);
        let value = own.and_then(|own| own.values.get(key));
        if let Some(value) = value {
            found = value.text.as_deref();
        }
        let file = layer.get(&[FILE.to_owned()][..]).is_some_and(|file| file.immutable);
        if file
            || own.is_some_and(|own| own.immutable)
            || value.is_some_and(|value| value.immutable)
        {
            break;
        }
    }
    found
}

/// The group in which KDE keeps the settings of one mouse; vendor and product are decimal there.
pub fn kde_group(mouse: &Mouse) -> Option<[String; 4]> {
    let (vendor, product) = mouse.id.as_deref()?.split_once(':')?;
    let decimal = |hex: &str| Some(u16::from_str_radix(hex, 16).ok()?.to_string());
    let name = mouse.name.clone()?;
    Some(["Libinput".to_owned(), decimal(vendor)?, decimal(product)?, name])
}

/// What KDE does, given its files, the user's first.
pub fn kde(files: &[&str], mice: &[Mouse]) -> Finding {
    let layers: Vec<Groups> = files.iter().map(|text| parse_kconfig(text)).collect();
    let value = |group: &[String]| value_in(&layers, group, KDE_KEY);
    let name = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    // Newer versions tell kinds of devices apart.
    let default = value(&name(&["Libinput", "Defaults", "Pointer"]))
        .or_else(|| value(&name(&["Libinput", "Defaults"])));
    let is_flat = |mouse: &Mouse| {
        let own = kde_group(mouse).and_then(|group| value(&group));
        own.or(default) == Some(KDE_FLAT)
    };
    if mice.is_empty() {
        let flat = default == Some(KDE_FLAT);
        return if flat { Finding::Flat } else { Finding::Accelerates(Vec::new()) };
    }
    let accelerated: Vec<_> = mice.iter().filter(|mouse| !is_flat(mouse)).cloned().collect();
    if accelerated.is_empty() { Finding::Flat } else { Finding::Accelerates(accelerated) }
}

/// What GNOME does, given what `gsettings get` prints of its key; it treats all mice alike.
pub fn gnome(value: &str) -> Finding {
    match value.trim().trim_matches('\'') {
        "flat" => Finding::Flat,
        _ => Finding::Accelerates(Vec::new()),
    }
}

/// The check, from a finding or the reason why there is none.
pub fn check(root: &Root, finding: Result<&Finding, &str>) -> Check {
    let kind = &DESKTOP_ACCELERATES;
    match finding {
        Ok(Finding::Flat) => Check::ok(kind, root, "its profile is flat"),
        Ok(Finding::Accelerates(mice)) if mice.is_empty() => {
            Check::failed(kind, root, "its profile for mice is not flat")
        }
        Ok(Finding::Accelerates(mice)) => {
            let names: Vec<_> = mice
                .iter()
                .map(|mouse| mouse.name.as_deref().unwrap_or(mouse.input.as_str()))
                .collect();
            Check::failed(kind, root, format!("its profile is not flat for {}", names.join(", ")))
        }
        Err(reason) => Check::unknown(kind, root, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Severity, Status};

    fn mouse(name: &str, id: &str) -> Mouse {
        Mouse {
            input: "input5".to_owned(),
            name: Some(name.to_owned()),
            id: Some(id.to_owned()),
            enabled: Some(true),
            settings: None,
        }
    }

    #[test]
    fn kde_is_flat_only_where_the_mouse_or_the_defaults_say_so() {
        let mice = [mouse("Logitech [G] Pro", "046d:c08b"), mouse("Other", "1532:0084")];
        let both = Finding::Accelerates(mice.to_vec());
        let other = Finding::Accelerates(vec![mice[1].clone()]);
        let own =
            "[Libinput][1133][49291][Logitech \\x5bG\\x5d Pro]\nPointerAccelerationProfile=1\n";
        let adaptive = "[Libinput][1133][49291][Logitech [G] Pro]\nPointerAccelerationProfile=2\n";
        let all = "[Libinput][Defaults]\nPointerAccelerationProfile=1\n";
        let pointers = "[Libinput][Defaults][Pointer]\nPointerAccelerationProfile=1\n";
        let fixed = "[Libinput][Defaults]\nPointerAccelerationProfile[$i]=1\n";
        let fixed_group = "[Libinput][Defaults][$i]\nPointerAccelerationProfile=1\n";
        let fixed_file = "[$i]\n[Libinput][Defaults]\nPointerAccelerationProfile=1\n";
        let other_fixed = "[Libinput][Defaults]\nOther[$i]=1\nPointerAccelerationProfile=1\n";
        let deleted = "[Libinput][Defaults]\nPointerAccelerationProfile[$d]\n";
        let deleted_with_rest = "[Libinput][Defaults]\nPointerAccelerationProfile[$d]=1\n";
        let set_again =
            "[Libinput][Defaults]\nPointerAccelerationProfile[$d]\nPointerAccelerationProfile=1\n";
        let written_fixed = "[Libinput][Defaults]\nPointerAccelerationProfile[$di]\n";
        let deleted_fixed = "[Libinput][Defaults]\nPointerAccelerationProfile[$id]\n";
        let own_deleted =
            "[Libinput][1133][49291][Logitech [G] Pro]\nPointerAccelerationProfile[$d]\n";
        let fixed_first = format!("{fixed}PointerAccelerationProfile=2\n");
        let fixed_others = "[$i]\n[Keyboard]\nNumLock=0\n";
        let users = "[Libinput][Defaults]\nPointerAccelerationProfile[$e]=2\n";
        let table: [(&[&str], Finding); 23] = [
            (&[], both.clone()),
            (&["[Keyboard]\nPointerAccelerationProfile=1\n"], both.clone()),
            (&[own], other.clone()),
            (&[all], Finding::Flat),
            (&[pointers], Finding::Flat),
            (&[adaptive, all], Finding::Accelerates(vec![mice[0].clone()])),
            (&[own, adaptive], other),
            (&["[Libinput][Defaults]\n#PointerAccelerationProfile=1\n"], both.clone()),
            (&["PointerAccelerationProfile=1\n\0[[]]=\n"], both.clone()),
            (&[fixed], Finding::Flat),
            (&[users, fixed], Finding::Flat),
            (&[users, fixed_group], Finding::Flat),
            (&[users, fixed_file], Finding::Flat),
            (&[users, other_fixed], both.clone()),
            (&[deleted, all], both.clone()),
            (&[deleted_with_rest, all], both.clone()),
            (&[set_again], Finding::Flat),
            (&[all, written_fixed], Finding::Flat),
            (&[all, deleted_fixed], both.clone()),
            (&[deleted, fixed], Finding::Flat),
            (&[&fixed_first], Finding::Flat),
            (&[all, fixed_others], both),
            (&[own_deleted, adaptive, all], Finding::Flat),
        ];
        for (files, expected) in table {
            assert_eq!(kde(files, &mice), expected, "{files:?}");
        }
        assert_eq!(kde(&[all], &[]), Finding::Flat);
        assert_eq!(kde(&[own], &[]), Finding::Accelerates(Vec::new()));
    }

    #[test]
    fn gnomes_default_accelerates() {
        assert_eq!(gnome("'flat'\n"), Finding::Flat);
        for value in ["'default'\n", "'adaptive'\n", ""] {
            assert_eq!(gnome(value), Finding::Accelerates(Vec::new()), "{value:?}");
        }
    }

    #[test]
    fn desktops_are_known_by_any_of_their_names() {
        for (names, desktop) in [
            ("KDE", Some(Desktop::Kde)),
            ("ubuntu:GNOME", Some(Desktop::Gnome)),
            ("Budgie:GNOME", Some(Desktop::Gnome)),
            ("sway", None),
            ("", None),
        ] {
            assert_eq!(Desktop::parse(names), desktop, "{names}");
        }
    }

    #[test]
    fn the_check_names_the_mice_and_does_not_guess() {
        let root = Root::default();
        let found = Finding::Accelerates(vec![mouse("A", "1:2"), mouse("B", "1:2")]);
        let found = check(&root, Ok(&found));
        assert_eq!(found.detail, "its profile is not flat for A, B");
        assert_eq!((found.status, found.severity), (Status::Failed, Severity::Warning));
        assert_eq!(check(&root, Ok(&Finding::Flat)).status, Status::Ok);
        assert_eq!(check(&root, Err("why")).status, Status::Unknown);
    }
}
