// SPDX-License-Identifier: MIT OR Apache-2.0
//! The acceleration of a fresh installation: a shipped profile becomes the image's settings.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use maccel_core::settings_file::{self, FILE_NAME, Layer, SettingsFile};

use super::{Error, Report, file_error, files};

/// Writes the profile `name` as the settings of the image's own `maccel.toml`, below those of the
/// administrator and of the person.
///
/// # Errors
///
/// When the payload has no such profile, or its file is not a `maccel.toml`.
pub fn write(root: &Utf8Path, name: &str, report: &mut dyn Report) -> Result<(), Error> {
    let path = path(root);
    let text = fs::read_to_string(&path).map_err(file_error("read", &path))?;
    let mut file = parse(&path, &text)?;
    let Some((_, changes)) = file.profiles.iter().find(|(profile, _)| profile.as_str() == name)
    else {
        let there: Vec<_> = file.profiles.keys().map(settings_file::ProfileName::as_str).collect();
        return Err(Error::Refused(format!(
            "maccel.curve: there is no profile `{name}` in {path}; there are: {}",
            there.join(", ")
        )));
    };
    file.settings = changes.clone();
    let text =
        settings_file::format(&file).map_err(|error| Error::Refused(format!("{path}: {error}")))?;
    let text = format!("# The settings are those of maccel.curve in vespera-config.yaml.\n{text}");
    files::write(&path, text.as_bytes(), files::PLAIN)?;
    report.line(&format!("curve: settings of a fresh installation are those of profile {name}"));
    Ok(())
}

/// The image's own `maccel.toml`.
pub fn path(root: &Utf8Path) -> Utf8PathBuf {
    root.join(Layer::Image.folder()).join(FILE_NAME)
}

fn parse(path: &Utf8Path, text: &str) -> Result<SettingsFile, Error> {
    let refused = |error: settings_file::FileError| Error::Refused(format!("{path}: {error}"));
    let file = settings_file::parse(text).map_err(refused)?;
    Layer::Image.accepts(&file).map_err(refused)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customize::fixtures::Root;

    fn shipped() -> String {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/rootfs/usr/lib/vespera/maccel.toml");
        fs::read_to_string(path).unwrap()
    }

    fn root() -> Root {
        let root = Root::new();
        root.file("usr/lib/vespera/maccel.toml", shipped());
        root
    }

    #[test]
    fn each_shipped_profile_can_be_the_curve_of_a_fresh_installation() {
        let shipped = settings_file::parse(&shipped()).unwrap();
        assert!(shipped.profiles.len() >= 4 && shipped.settings.is_empty());
        for (name, changes) in &shipped.profiles {
            let (root, mut report) = (root(), Vec::<String>::new());
            write(root.path(), name.as_str(), &mut report).unwrap();
            let written = root.read("usr/lib/vespera/maccel.toml");
            let file = settings_file::parse(&written).unwrap();
            assert_eq!(&file.settings, changes);
            assert_eq!(file.profiles, shipped.profiles);
            // Again: nothing changes.
            write(root.path(), name.as_str(), &mut report).unwrap();
            assert_eq!(root.read("usr/lib/vespera/maccel.toml"), written);
        }
    }

    #[test]
    fn profile_that_nobody_ships_is_refused_with_those_that_there_are() {
        let (root, mut report) = (root(), Vec::<String>::new());
        let error = write(root.path(), "natrual", &mut report).unwrap_err().to_string();
        assert!(error.contains("no profile `natrual`"), "{error}");
        assert!(error.ends_with("there are: flat, linear, natural, synchronous"), "{error}");
        assert_eq!(root.read("usr/lib/vespera/maccel.toml"), shipped());
    }
}
