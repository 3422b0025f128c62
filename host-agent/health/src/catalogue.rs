// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every check there is: code, severity, words, remedy, and which other fault would explain it.
//!
//! Codes are an interface: they are never renamed and never used again for something else.

use crate::check::Severity;

/// What is fixed about one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Stable name, area and fault in kebab case.
    pub code: &'static str,
    /// How much its fault matters.
    pub severity: Severity,
    /// One line for when all is well or nothing is known.
    pub title: &'static str,
    /// One line for when the fault is there.
    pub fault: &'static str,
    /// The command that mends it; empty when the finding itself names one or there is none.
    pub remedy: &'static str,
    /// The check whose fault would explain this one.
    pub after: Option<&'static str>,
}

/// Declares the checks and lists them all.
macro_rules! catalogue {
    ($($name:ident $code:literal $severity:ident after $after:expr;
        $title:literal; $fault:literal; $remedy:literal)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $fault, ".")]
            pub const $name: Kind = Kind {
                code: $code,
                severity: Severity::$severity,
                title: $title,
                fault: $fault,
                remedy: $remedy,
                after: $after,
            };
        )*

        /// All of them, in the order in which they are made and shown.
        pub const ALL: &[Kind] = &[$($name),*];
    };
}

catalogue! {
    MODULE_MISSING "module-missing" Error after None;
        "Module for this kernel";
        "No module for this kernel";
        ""
    MODULE_NOT_INDEXED "module-not-indexed" Error after Some("module-missing");
        "Module known to modprobe";
        "The module is there, but modprobe does not find it";
        "sudo depmod -a"
    MODULE_UNREADABLE "module-unreadable" Error after Some("module-not-indexed");
        "Module file readable";
        "The module file is damaged";
        ""
    MODULE_WRONG_KERNEL "module-wrong-kernel" Error after Some("module-unreadable");
        "Module made for this kernel";
        "The module was made for another kernel";
        ""
    MODULE_SYMBOLS_DIFFER "module-symbols-differ" Error after Some("module-wrong-kernel");
        "Symbols of the module known to this kernel";
        "The module was made for other symbols than this kernel has";
        ""
    SECURE_BOOT_UNSIGNED "secure-boot-module-unsigned" Error after Some("module-symbols-differ");
        "Module signature";
        "This kernel takes only signed modules, and ours has no signature";
        ""
    SECURE_BOOT_SIGNATURE_WRONG "secure-boot-signature-wrong" Error
        after Some("secure-boot-module-unsigned");
        "Module signature proved";
        "The module is not what its signer signed";
        ""
    SECURE_BOOT_NOT_ENROLLED "secure-boot-key-not-enrolled" Error
        after Some("secure-boot-signature-wrong");
        "Signing key enrolled";
        "The key of the module is not enrolled for Secure Boot";
        "sudo vesperactl secure-boot enroll"
    MODULE_BLACKLISTED "module-blacklisted" Error after Some("secure-boot-key-not-enrolled");
        "Module not blacklisted";
        "The module is blacklisted";
        ""
    MODULE_LOADING_DISABLED "module-loading-disabled" Error after Some("module-blacklisted");
        "Loading of modules allowed";
        "Loading of modules was disabled after the boot";
        "systemctl reboot"
    MODULE_NOT_LOADED "module-not-loaded" Error after Some("module-loading-disabled");
        "Module loaded";
        "The module is not loaded";
        "sudo vesperactl module load"
    MODULE_STALE "module-stale" Warning after Some("module-not-loaded");
        "Loaded module is the installed one";
        "An older build of the module is still loaded";
        "systemctl reboot"
    GROUP_MISSING "group-missing" Warning after None;
        "Group maccel";
        "The group maccel does not exist";
        "sudo systemd-sysusers"
    GROUP_NOT_MEMBER "group-not-member" Info after Some("group-missing");
        "You are in group maccel";
        "You are not in group maccel";
        ""
    PERMISSIONS_PARAMETERS "permissions-parameters-wrong" Warning after Some("group-missing");
        "Settings writable by group maccel";
        "The group maccel cannot write the settings";
        "sudo /usr/libexec/vespera/vespera-module permissions"
    PERMISSIONS_DEVICE "permissions-device-wrong" Warning after Some("group-missing");
        "/dev/maccel readable by group maccel";
        "/dev/maccel is not readable by group maccel alone";
        "sudo /usr/libexec/vespera/vespera-module permissions"
    PERMISSIONS_MICE "permissions-mice-wrong" Warning after Some("group-missing");
        "Settings of each mouse writable by group maccel";
        "The group maccel cannot write the settings of a mouse";
        "sudo /usr/libexec/vespera/vespera-module permissions"
    DEPLOYMENT_NEXT_UNFIT "deployment-next-unfit" Warning after None;
        "Module for the kernel of the next boot";
        "The kernel of the next boot has no fitting module";
        ""
    DEPLOYMENT_ROLLBACK_UNFIT "deployment-rollback-unfit" Info after None;
        "Module for the kernel of the rollback";
        "The kernel of the rollback has no fitting module";
        ""
    BOOT_UNCHECKED "boot-unchecked" Warning after None;
        "Module checked at this boot";
        "The module was not checked at this boot";
        "sudo systemctl start vespera-module.service"
    DESKTOP_ACCELERATES "desktop-acceleration-stacks" Warning after None;
        "Desktop leaves mouse acceleration to the driver";
        "The desktop accelerates the mouse as well";
        "vesperactl doctor --fix"
    FLATPAK_NOT_INSTALLED "flatpak-not-installed" Info after None;
        "Listed applications installed";
        "Applications on the image's list are not installed";
        "sudo flatpak preinstall"
    SETTINGS_FILE_DAMAGED "settings-file-damaged" Warning after None;
        "Saved settings readable";
        "The saved settings were damaged and have been set aside";
        ""
    SETTINGS_FILE_REFUSED "settings-file-refused" Warning after None;
        "Settings of image and administrator understood";
        "A settings file of the image or the administrator has a fault";
        ""
    SETTINGS_NOT_SAVED "settings-not-saved" Warning after None;
        "Settings saved";
        "The settings could not be saved";
        ""
    SETTINGS_NOT_IMPORTED "settings-not-imported" Info after None;
        "Settings of the public tools taken over";
        "Some settings of the public tools were not taken over";
        ""
    SETTINGS_NOT_IN_FORCE "settings-not-in-force" Warning after Some("module-not-loaded");
        "Saved settings in force";
        "The saved settings are not in force";
        "sudo systemctl restart vespera-agent.service"
}

/// The check named `code`.
pub fn find(code: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_name_area_and_fault_in_kebab_case() {
        const AREAS: &[&str] = &[
            "module",
            "group",
            "permissions",
            "boot",
            "secure",
            "deployment",
            "desktop",
            "flatpak",
            "settings",
        ];
        let mut seen = BTreeSet::new();
        for kind in ALL {
            assert!(seen.insert(kind.code), "{} twice", kind.code);
            let words: Vec<_> = kind.code.split('-').collect();
            assert!(words.len() >= 2, "{}", kind.code);
            assert!(AREAS.contains(&words[0]), "{}", kind.code);
            let lower =
                |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
            assert!(words.iter().all(lower), "{}", kind.code);
        }
    }

    #[test]
    fn each_check_comes_after_the_one_that_would_explain_it() {
        for (place, kind) in ALL.iter().enumerate() {
            if let Some(after) = kind.after {
                let cause = ALL.iter().position(|other| other.code == after);
                assert!(cause.is_some_and(|cause| cause < place), "{} after {after}", kind.code);
            }
        }
    }

    #[test]
    fn words_for_people_are_one_line_without_a_full_stop() {
        for kind in ALL {
            for text in [kind.title, kind.fault] {
                assert!(!text.is_empty() && !text.ends_with('.') && text.len() < 70, "{text}");
            }
        }
    }
}
