// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel's refusals mean.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the kernel did not take the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadError {
    /// The error number; 0 when the loader could not tell.
    pub errno: i32,
    /// Its name.
    pub name: String,
    /// What it means here.
    pub cause: String,
    /// The command that mends it.
    pub remedy: Option<String>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cause, self.name)
    }
}

/// What mends a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// A module that fits, by whatever means this host gets one.
    Reinstall,
    /// The key the module was signed with must be enrolled.
    EnrolKey,
    /// A command of its own.
    Command(&'static str),
    /// Nothing a person could type.
    Nothing,
}

/// One row per error number; the numbers are those of asm-generic/errno{-base,}.h, which x86_64
/// and aarch64 share.
const CAUSES: &[(i32, &str, &str, Mend)] = &[
    (
        1,
        "EPERM",
        "loading modules is forbidden here (no right to, kernel lockdown, or modules_disabled)",
        Mend::Nothing,
    ),
    (2, "ENOENT", "it needs a symbol that this kernel does not have", Mend::Reinstall),
    (8, "ENOEXEC", "it was made for another kernel", Mend::Reinstall),
    (12, "ENOMEM", "there is not enough memory", Mend::Nothing),
    (16, "EBUSY", "another copy is being loaded or removed", Mend::Nothing),
    (17, "EEXIST", "it is already loaded", Mend::Nothing),
    (
        22,
        "EINVAL",
        "its symbol versions disagree with this kernel, or an option of it is invalid",
        Mend::Reinstall,
    ),
    (38, "ENOSYS", "this kernel cannot load modules", Mend::Nothing),
    (65, "ENOPKG", "this kernel cannot check the kind of signature it has", Mend::Reinstall),
    (74, "EBADMSG", "its signature is damaged", Mend::Reinstall),
    (110, "ETIMEDOUT", "it did not finish in time", Mend::Command("systemctl reboot")),
    (126, "ENOKEY", "it is not signed with a key this system trusts", Mend::EnrolKey),
    (127, "EKEYEXPIRED", "the key it is signed with has expired", Mend::Reinstall),
    (128, "EKEYREVOKED", "the key it is signed with is revoked", Mend::Reinstall),
    (129, "EKEYREJECTED", "it is not signed with a key this system trusts", Mend::EnrolKey),
];

/// Asks the firmware, at the next boot, to trust the certificate of the image.
const ENROL_KEY: &str = "sudo mokutil --import /usr/share/vespera/module-signing.der";

impl LoadError {
    /// Explains an error number; `reinstall` is how this host gets a fitting module.
    pub fn from_errno(errno: i32, reinstall: &str) -> Self {
        match CAUSES.iter().find(|(number, ..)| *number == errno) {
            Some((_, name, cause, mend)) => Self {
                errno,
                name: (*name).to_owned(),
                cause: (*cause).to_owned(),
                remedy: match mend {
                    Mend::Reinstall => Some(reinstall.to_owned()),
                    Mend::EnrolKey => Some(ENROL_KEY.to_owned()),
                    Mend::Command(command) => Some((*command).to_owned()),
                    Mend::Nothing => None,
                },
            },
            None => Self {
                errno,
                name: format!("errno {errno}"),
                cause: "the kernel log may say more".to_owned(),
                remedy: Some("journalctl -k -b --grep maccel".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (errno, name, remedy) in [
            (8, "ENOEXEC", Some("REINSTALL")),
            (129, "EKEYREJECTED", Some(ENROL_KEY)),
            (1, "EPERM", None),
            (99, "errno 99", Some("journalctl -k -b --grep maccel")),
        ] {
            let error = LoadError::from_errno(errno, "REINSTALL");
            assert_eq!((error.name.as_str(), error.remedy.as_deref()), (name, remedy));
        }
    }
}
