// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which method needs which polkit action: the one table, for the service and the tests.

use crate::names::{DEVICE, HEALTH, MACCEL};

/// A polkit action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Change settings, of the driver or of one mouse; also to see how fast the mouse moves.
    ChangeSettings,
    /// Save and delete profiles.
    ManageProfiles,
    /// Have the module checked again.
    Recheck,
}

impl Action {
    /// All actions.
    pub const ALL: [Action; 3] = [Action::ChangeSettings, Action::ManageProfiles, Action::Recheck];

    /// The identifier in the shipped file of actions.
    pub const fn id(self) -> &'static str {
        match self {
            Action::ChangeSettings => "org.vespera.agent1.change-settings",
            Action::ManageProfiles => "org.vespera.agent1.manage-profiles",
            Action::Recheck => "org.vespera.agent1.recheck",
        }
    }
}

/// What a caller must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Nothing: it reads what everyone may see.
    Open,
    /// This action.
    Needs(Action),
}

const CHANGE: Access = Access::Needs(Action::ChangeSettings);
const PROFILES: Access = Access::Needs(Action::ManageProfiles);

/// Every method: interface, name, what it needs. Properties are read-only and open.
pub const METHODS: &[(&str, &str, Access)] = &[
    (HEALTH, "Recheck", Access::Needs(Action::Recheck)),
    (MACCEL, "Set", CHANGE),
    (MACCEL, "Reset", CHANGE),
    (MACCEL, "Trial", CHANGE),
    (MACCEL, "ConfirmTrial", CHANGE),
    (MACCEL, "CancelTrial", CHANGE),
    (MACCEL, "Preview", Access::Open),
    // The speed tells when someone moves the mouse; /dev/maccel is closed to others, too.
    (MACCEL, "OpenSpeed", CHANGE),
    (MACCEL, "ListProfiles", Access::Open),
    (MACCEL, "GetProfile", Access::Open),
    (MACCEL, "SaveProfile", PROFILES),
    (MACCEL, "ApplyProfile", CHANGE),
    (MACCEL, "DeleteProfile", PROFILES),
    (DEVICE, "SetEnabled", CHANGE),
    (DEVICE, "SetSettings", CHANGE),
    (DEVICE, "Trial", CHANGE),
    (DEVICE, "Inherit", CHANGE),
];

/// What a call needs; `None` for a member that is not listed, which must be refused.
pub fn needed(interface: &str, method: &str) -> Option<Access> {
    METHODS.iter().find(|row| (row.0, row.1) == (interface, method)).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_listed_needs_what_nobody_has() {
        assert_eq!(needed(MACCEL, "Set"), Some(CHANGE));
        assert_eq!(needed(MACCEL, "Preview"), Some(Access::Open));
        assert_eq!(needed(HEALTH, "Set"), None);
        assert_eq!(needed(MACCEL, "set"), None);
    }
}
