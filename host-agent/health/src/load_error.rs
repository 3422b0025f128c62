// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's refusals mean.

use std::fmt;

use module_check::Root;
use serde::{Deserialize, Serialize};

use crate::origin;

/// Why the kernel did not take the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadError {
    /// The error number; 0 when the loader could not tell.
    pub errno: i32,
    /// Its name.
    pub name: String,
    /// What it means here.
    pub cause: String,
    /// The command that mends it, or shows what would.
    pub remedy: Option<String>,
    /// What the kernel's log said about it, where that may be read.
    #[serde(default)]
    pub log: Vec<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cause, self.name)?;
        match self.log.last() {
            // Its last word is the one it refused with.
            Some(word) => write!(f, "; its log: {word}"),
            None => Ok(()),
        }
    }
}

/// What mends a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// A module that fits, by whatever means this host gets one.
    Reinstall,
    /// Trust in who signed it, if that can be had on this host.
    Trust,
    /// A command of its own.
    Command(&'static str),
}

use Mend::{Command, Reinstall, Trust};

/// What was in the way has passed.
const AGAIN: Mend = Command("sudo vesperactl module load");
/// Says which of several things it is.
const SHOW: Mend = Command("vesperactl secure-boot status");

/// One row per error number. The numbers are those of asm-generic/errno{-base,}.h, which x86_64
/// and aarch64 share; what each means is in kernel/module/main.c, signing.c and version.c.
const CAUSES: &[(i32, &str, &str, Mend)] = &[
    (
        1,
        "EPERM",
        "loading modules is forbidden here (no right to, kernel lockdown, or modules_disabled)",
        SHOW,
    ),
    (2, "ENOENT", "it needs a symbol that this kernel does not have", Reinstall),
    (5, "EIO", "its file cannot be read: the disk or the file system is damaged", Reinstall),
    (8, "ENOEXEC", "it was made for another kernel", Reinstall),
    (12, "ENOMEM", "there is not enough memory", AGAIN),
    (
        13,
        "EACCES",
        "a security policy of this system forbids it",
        Command("sudo ausearch -m avc -c vespera-module"),
    ),
    (16, "EBUSY", "another copy is being loaded or removed", AGAIN),
    (17, "EEXIST", "it is already loaded", Command("vesperactl status")),
    (
        22,
        "EINVAL",
        "its symbol versions disagree with this kernel, or an option of it is invalid",
        Reinstall,
    ),
    (26, "ETXTBSY", "its file is being written", AGAIN),
    (34, "ERANGE", "an option of it is out of range", Command("modprobe --showconfig")),
    (38, "ENOSYS", "this kernel cannot load modules", Reinstall),
    (65, "ENOPKG", "this kernel cannot check the kind of signature it has", Reinstall),
    (74, "EBADMSG", "its signature is damaged", Reinstall),
    (80, "ELIBBAD", "its file is damaged", Reinstall),
    (95, "EOPNOTSUPP", "this kernel cannot unpack the file it is in", Reinstall),
    (110, "ETIMEDOUT", "it did not finish in time", Command("systemctl reboot")),
    (126, "ENOKEY", "it is not signed with a key this system trusts", Trust),
    (127, "EKEYEXPIRED", "the key it is signed with has expired", Reinstall),
    (128, "EKEYREVOKED", "the key it is signed with is revoked", Reinstall),
    (129, "EKEYREJECTED", "it is not signed with a key this system trusts", Trust),
];

/// What the kernel has said of the module.
const LOG: &str = "journalctl -k -b --grep maccel";

/// What the C library calls an error number that no rule of module loading gives a meaning.
fn words_of_the_system(errno: i32) -> String {
    let words = std::io::Error::from_raw_os_error(errno).to_string();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}

impl LoadError {
    /// Explains an error number of the running kernel; what mends it depends on the host.
    pub fn from_errno(errno: i32, root: &Root, kernel: &str) -> Self {
        let row = CAUSES.iter().find(|(number, ..)| *number == errno);
        let (name, cause, mend) = match row {
            Some((_, name, cause, mend)) => ((*name).to_owned(), (*cause).to_owned(), *mend),
            None if errno == 0 => {
                ("no errno".to_owned(), "libkmod gave no reason".to_owned(), Command(LOG))
            }
            None => (format!("errno {errno}"), words_of_the_system(errno), Command(LOG)),
        };
        let remedy = match mend {
            Reinstall => origin::reinstall(root, kernel),
            Trust => origin::trust(root).to_owned(),
            Command(command) => command.to_owned(),
        };
        Self { errno, name, cause, remedy: Some(remedy), log: Vec::new() }
    }

    /// Adds what the kernel's log said.
    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.log = log;
        self
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::secure_boot::CERTIFICATE;

    #[test]
    fn each_error_number_has_one_name_and_one_cause() {
        for (place, (errno, name, cause, _)) in CAUSES.iter().enumerate() {
            let later = &CAUSES[place + 1..];
            assert!(later.iter().all(|row| row.0 > *errno && row.1 != *name), "{name}");
            assert!(!cause.is_empty());
            // The system's own table agrees about what the number is.
            let system = std::io::Error::from_raw_os_error(*errno).to_string();
            assert!(!system.starts_with("Unknown error"), "{system}");
        }
    }

    #[test]
    fn a_refusal_comes_with_the_remedy_of_its_cause() {
        let image = FixtureRoot::new();
        image.file("usr/share/vespera/image.json", b"{}");
        image.file(CERTIFICATE, b"");
        let fedora = FixtureRoot::new();
        fedora.file("usr/bin/dnf5", b"");
        for (host, errno, name, remedy) in [
            (&image, 8, "ENOEXEC", "sudo bootc upgrade --apply"),
            (&image, 129, "EKEYREJECTED", "sudo vesperactl secure-boot enroll"),
            (&fedora, 126, "ENOKEY", origin::SIGNED_HERE),
            (&fedora, 129, "EKEYREJECTED", origin::SIGNED_HERE),
            (&image, 1, "EPERM", "vesperactl secure-boot status"),
            (&image, 99, "errno 99", "journalctl -k -b --grep maccel"),
        ] {
            let error = LoadError::from_errno(errno, host.root(), "6.1.0");
            assert_eq!((error.name.as_str(), error.remedy.as_deref()), (name, Some(remedy)));
        }
    }

    #[test]
    fn a_number_without_a_rule_has_at_least_the_systems_words() {
        let fixture = FixtureRoot::new();
        let said = |errno| LoadError::from_errno(errno, fixture.root(), "6.1.0").to_string();
        assert_eq!(said(19), "No such device (errno 19)");
        assert_eq!(said(0), "libkmod gave no reason (no errno)");
    }

    #[test]
    fn the_kernels_last_word_is_part_of_what_is_said() {
        let fixture = FixtureRoot::new();
        let error = LoadError::from_errno(8, fixture.root(), "6.1.0");
        assert_eq!(error.to_string(), "it was made for another kernel (ENOEXEC)");
        let error = error.with_log(vec!["first".to_owned(), "maccel: version magic".to_owned()]);
        assert_eq!(
            error.to_string(),
            "it was made for another kernel (ENOEXEC); its log: maccel: version magic"
        );
    }

    #[test]
    fn reports_without_the_kernels_words_are_still_read() {
        let old = r#"{"errno":8,"name":"ENOEXEC","cause":"c","remedy":null}"#;
        assert_eq!(serde_json::from_str::<LoadError>(old).unwrap().log, [""; 0]);
    }
}
