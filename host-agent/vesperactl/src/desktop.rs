// SPDX-License-Identifier: MIT OR Apache-2.0
//! The desktop's own acceleration: seen by `doctor`, set flat by `doctor --fix`.
//!
//! It is a matter of the person at the desktop, so it is read and written as that person.

use std::env;
use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use camino::Utf8PathBuf;
use health::desktop::{self, Desktop, Finding, GNOME_KEY, KCMINPUTRC, KDE_FLAT, KDE_KEY};
use health::mice::{self, Mouse};
use health::{Check, Root};

/// KDE's own writer of settings, the newer name first.
const KDE_WRITERS: [&str; 2] = ["/usr/bin/kwriteconfig6", "/usr/bin/kwriteconfig5"];
const GSETTINGS: &str = "gsettings";

/// What is known about the person's desktop, from the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    desktop: Option<Desktop>,
    names: Option<String>,
    configuration: Option<Utf8PathBuf>,
    root: bool,
}

impl Session {
    /// The session this command runs in.
    pub(crate) fn of_environment(root: &Root) -> Self {
        let person = health::person::Person::of_process(root);
        Self::from(
            env::var("XDG_CURRENT_DESKTOP").ok(),
            env::var("XDG_CONFIG_HOME").ok(),
            env::var("HOME").ok(),
            person.is_some_and(|person| person.uid == 0),
        )
    }

    fn from(
        names: Option<String>,
        configuration: Option<String>,
        home: Option<String>,
        root: bool,
    ) -> Self {
        let set = |value: Option<String>| value.filter(|value| !value.is_empty());
        let names = set(names);
        let home = set(home).map(|home| Utf8PathBuf::from(home).join(".config"));
        Self {
            desktop: names.as_deref().and_then(Desktop::parse),
            configuration: set(configuration).map(Utf8PathBuf::from).or(home),
            names,
            root,
        }
    }
}

/// What the desktop does, or why that cannot be seen.
pub(crate) fn look(root: &Root, session: &Session) -> Result<Finding, String> {
    if !root.is_host() {
        return Err("another root has no desktop session".to_owned());
    }
    if session.root {
        return Err("root has no desktop; ask again as the person at it".to_owned());
    }
    match (session.desktop, &session.names) {
        (Some(Desktop::Kde), _) => kde(root, session),
        (Some(Desktop::Gnome), _) => gnome(),
        (None, Some(names)) => Err(format!("the settings of {names} are not known here")),
        (None, None) => Err("this is no desktop session (no XDG_CURRENT_DESKTOP)".to_owned()),
    }
}

/// The check, for `doctor`.
pub(crate) fn check(root: &Root, session: &Session) -> Check {
    let finding = look(root, session);
    desktop::check(root, finding.as_ref().map_err(String::as_str))
}

fn kde(root: &Root, session: &Session) -> Result<Finding, String> {
    let mine = session.configuration.as_ref().map(|folder| folder.join(KCMINPUTRC));
    let mut texts = Vec::new();
    for path in mine.into_iter().chain([root.at("etc/xdg").join(KCMINPUTRC)]) {
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{path}: {error}")),
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Ok(desktop::kde(&texts, &accelerated(root)))
}

/// The mice the driver accelerates; the desktop may do with the others as it likes.
fn accelerated(root: &Root) -> Vec<Mouse> {
    let mice = mice::list(root).unwrap_or_default();
    mice.into_iter().filter(|mouse| mouse.enabled != Some(false)).collect()
}

/// It reads the database itself: no bus is needed for this.
fn gnome() -> Result<Finding, String> {
    let output = Command::new(GSETTINGS)
        .arg("get")
        .args(GNOME_KEY)
        .output()
        .map_err(|error| format!("{GSETTINGS}: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{GSETTINGS}: {}", words.lines().next().unwrap_or_default()));
    }
    Ok(desktop::gnome(&String::from_utf8_lossy(&output.stdout)))
}

/// The commands that set the profile flat; nothing where it is.
pub(crate) fn plan(root: &Root, session: &Session) -> anyhow::Result<Vec<Vec<String>>> {
    let found = look(root, session).map_err(anyhow::Error::msg)?;
    let Finding::Accelerates(mice) = found else { return Ok(Vec::new()) };
    match session.desktop {
        Some(Desktop::Kde) => {
            let writer = KDE_WRITERS.iter().find(|writer| root.exists(writer));
            let writer = writer.context("neither kwriteconfig6 nor kwriteconfig5 is installed")?;
            Ok(kde_commands(writer, &mice))
        }
        Some(Desktop::Gnome) => Ok(vec![gnome_command()]),
        None => bail!("the settings of this desktop are not known here"),
    }
}

fn kde_commands(writer: &str, mice: &[Mouse]) -> Vec<Vec<String>> {
    let defaults = || vec!["Libinput".to_owned(), "Defaults".to_owned()];
    let groups: Vec<Vec<String>> = if mice.is_empty() {
        vec![defaults()]
    } else {
        mice.iter()
            .map(|mouse| desktop::kde_group(mouse).map_or_else(defaults, Vec::from))
            .collect()
    };
    groups
        .into_iter()
        .map(|group| {
            let mut command = words(&[writer, "--notify", "--file", KCMINPUTRC]);
            for name in group {
                command.extend(["--group".to_owned(), name]);
            }
            command.extend(words(&["--key", KDE_KEY, KDE_FLAT]));
            command
        })
        .collect()
}

fn gnome_command() -> Vec<String> {
    words(&[GSETTINGS, "set", GNOME_KEY[0], GNOME_KEY[1], "flat"])
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs the commands of a plan.
pub(crate) fn carry_out(plan: &[Vec<String>]) -> anyhow::Result<()> {
    for command in plan {
        let [program, arguments @ ..] = command.as_slice() else { continue };
        let status = Command::new(program)
            .args(arguments)
            .status()
            .with_context(|| format!("cannot run {program}"))?;
        ensure!(status.success(), "{program} refused ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(names: &str, root: bool) -> Session {
        Session::from(Some(names.to_owned()), None, Some("/home/ann".to_owned()), root)
    }

    #[test]
    fn the_persons_own_folder_is_found() {
        let of = |configuration: Option<&str>, home: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Session::from(None, owned(configuration), owned(home), false).configuration
        };
        assert_eq!(of(None, Some("/home/ann")).unwrap(), "/home/ann/.config");
        assert_eq!(of(Some("/c"), Some("/home/ann")).unwrap(), "/c");
        assert_eq!(of(Some(""), None), None);
    }

    #[test]
    fn what_cannot_be_seen_is_said_and_not_guessed() {
        let host = Root::default();
        for (session, reason) in [
            (session("KDE", true), "root has no desktop"),
            (session("sway", false), "the settings of sway"),
            (session("", false), "no desktop session"),
        ] {
            let found = look(&host, &session).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
        let elsewhere = look(&Root::new("/srv"), &session("KDE", false)).unwrap_err();
        assert!(elsewhere.contains("another root"), "{elsewhere}");
    }

    #[test]
    fn each_mouse_gets_its_own_command_with_decimal_numbers() {
        let mouse = Mouse {
            input: "input5".to_owned(),
            name: Some("G; Pro $(x)".to_owned()),
            id: Some("046d:c08b".to_owned()),
            enabled: None,
            settings: None,
        };
        let expected = words(&[
            "kwriteconfig6",
            "--notify",
            "--file",
            "kcminputrc",
            "--group",
            "Libinput",
            "--group",
            "1133",
            "--group",
            "49291",
            "--group",
            "G; Pro $(x)",
            "--key",
            "PointerAccelerationProfile",
            "1",
        ]);
        assert_eq!(kde_commands("kwriteconfig6", &[mouse]), [expected]);
        assert!(kde_commands("kwriteconfig6", &[])[0].contains(&"Defaults".to_owned()));
        assert_eq!(gnome_command().last().map(String::as_str), Some("flat"));
    }

    #[test]
    fn a_command_that_is_refused_is_an_error() {
        carry_out(&[words(&["true"])]).unwrap();
        assert!(carry_out(&[words(&["false"])]).is_err());
        assert!(carry_out(&[words(&["/no/such/program"])]).is_err());
    }
}
