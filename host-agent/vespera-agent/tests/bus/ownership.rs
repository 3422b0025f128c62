// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who can pass for the agent.

use crate::caller::Caller;
use crate::world::{USERS, World};

pub(crate) fn only_its_user(world: &World) {
    for user in USERS {
        let said = Caller::start(world, user, &["own"]).finish();
        assert_eq!(said, ["AccessDenied"], "{user}");
    }
    let said = Caller::start(world, "vespera-agent", &["own"]).finish();
    assert_eq!(said, ["PrimaryOwner"]);
}
