// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/run/vespera/module.json`: what the privileged check found at this boot.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8PathBuf;
use module_check::Root;
use serde::{Deserialize, Serialize};

use crate::check::{Check, State};
use crate::load_error::LoadError;
use crate::loaded::LoadedModule;
use crate::module::ModuleFacts;

/// Where the report lies.
pub const PATH: &str = "run/vespera/module.json";
/// The version of its format.
pub const FORMAT: u32 = 1;

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The boot it speaks of.
    pub boot_id: String,
    /// When it was made.
    pub time: String,
    /// The running kernel.
    pub kernel: String,
    /// What follows from the checks.
    pub state: State,
    /// The installed module.
    pub module: Option<ModuleFacts>,
    /// The loaded module.
    pub loaded: Option<LoadedModule>,
    /// Why loading failed.
    pub load_error: Option<LoadError>,
    /// The findings.
    pub checks: Vec<Check>,
}

/// Why there is no report to go by.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The text is not a report.
    #[error("not a module report: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A report of a format this program does not know.
    #[error("its format is {0}, known is {FORMAT}")]
    Format(u32),
    /// A report of an earlier boot.
    #[error("it speaks of an earlier boot")]
    OtherBoot,
}

impl ModuleReport {
    /// Reads the text of a report that must speak of the boot `boot_id`.
    pub fn parse(text: &str, boot_id: Option<&str>) -> Result<Self, ReportError> {
        let report: Self = serde_json::from_str(text)?;
        if report.format != FORMAT {
            return Err(ReportError::Format(report.format));
        }
        if boot_id.is_some_and(|boot| boot != report.boot_id) {
            return Err(ReportError::OtherBoot);
        }
        Ok(report)
    }

    /// Reads the report of this boot.
    pub fn read(root: &Root) -> Result<Self, ReportError> {
        let text = root.read(PATH).map_err(|source| ReportError::Io {
            path: Utf8PathBuf::from("/").join(PATH),
            source,
        })?;
        Self::parse(&text, crate::host::boot_id(root).as_deref())
    }

    /// Writes the report whole or not at all, readable by everyone.
    pub fn write(&self, root: &Root) -> Result<(), ReportError> {
        write(root, PATH, self)
    }
}

/// Writes a report of `/run/vespera` whole or not at all, readable by everyone.
pub(crate) fn write<T: Serialize>(
    root: &Root,
    inside: &str,
    report: &T,
) -> Result<(), ReportError> {
    let path = root.at(inside);
    let mut text = serde_json::to_vec_pretty(report)?;
    text.push(b'\n');
    replace(&path, &text).map_err(|source| ReportError::Io { path, source })
}

/// /run does not outlive a power cut, so the rename alone is enough; no fsync.
fn replace(path: &Utf8PathBuf, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a path without a folder"))?;
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".module").tempfile_in(folder)?;
    file.write_all(text)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    fn report() -> ModuleReport {
        ModuleReport {
            format: FORMAT,
            boot_id: "boot-1".to_owned(),
            time: "2026-01-01T00:00:00Z".to_owned(),
            kernel: "6.1.0".to_owned(),
            state: State::Broken,
            module: None,
            loaded: None,
            load_error: None,
            checks: Vec::new(),
        }
    }

    #[test]
    fn a_written_report_is_read_back_and_open_to_everyone() {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/random/boot_id", b"boot-1\n");
        report().write(fixture.root()).unwrap();
        report().write(fixture.root()).unwrap();
        assert_eq!(ModuleReport::read(fixture.root()).unwrap(), report());
        let folder = fixture.root().at("run/vespera");
        assert_eq!(folder.read_dir_utf8().unwrap().count(), 1, "no temporary file stays");
        let mode = std::fs::metadata(fixture.root().at(PATH)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }

    #[test]
    fn a_report_of_another_boot_or_format_or_a_damaged_one_is_refused() {
        let text = serde_json::to_string(&report()).unwrap();
        let newer = text.replace("\"format\":1", "\"format\":2");
        for (text, boot, error) in [
            (text.as_str(), "boot-2", "it speaks of an earlier boot"),
            (newer.as_str(), "boot-1", "its format is 2, known is 1"),
            ("{", "boot-1", "not a module report"),
        ] {
            let found = ModuleReport::parse(text, Some(boot)).unwrap_err().to_string();
            assert!(found.starts_with(error), "{found}");
        }
    }
}
