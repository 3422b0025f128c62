// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callers who want more than their share: others do not notice.

use crate::agent::Agent;
use crate::caller::{Caller, FLOOD};
use crate::sysfs::Root;
use crate::world::{AGENT_LOG, World};

/// Changes by somebody who may, meanwhile.
const CHANGES: usize = 50;

pub(crate) fn flood(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let refusals = || {
        let log = std::fs::read_to_string(world.path(AGENT_LOG)).unwrap();
        log.lines().filter(|line| line.contains("Set refused to")).count()
    };
    let before = refusals();
    let mut stranger = Caller::start(world, "stranger", &["flood"]);
    assert_eq!(stranger.line(), "sent");
    let said = Caller::start(world, "member", &["sets", &CHANGES.to_string()]).finish();
    assert_eq!(said, vec!["ok"; CHANGES]);
    let rounds = 1 + stranger.finish().len();
    let (calls, written) = (rounds * FLOOD, refusals() - before);
    assert!(written > 0, "nothing is silent");
    assert!(written * 50 <= calls, "{written} of {calls} refusals are in the journal");
    drop(agent);
}

pub(crate) fn descriptors(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let files = agent.size().1;
    for user in ["stranger", "member"] {
        let said = Caller::start(world, user, &["descriptor"]).finish();
        assert_eq!(said, ["AccessDenied by the bus"; 3], "{user}");
    }
    assert!(agent.size().1 <= files, "what nobody takes is not kept");
    drop(agent);
}
