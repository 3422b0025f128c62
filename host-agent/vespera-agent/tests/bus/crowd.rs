// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callers who want more than their share: others do not notice.

use vespera_api::Dict;
use vespera_api::names::{BUS_NAME, MACCEL, ROOT_OBJECT};
use zbus::{OwnedVariant, Variant};

use crate::agent::{Agent, allowed_kb};
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

/// 4 MiB of numbers, each of which becomes a value of any type.
pub(crate) fn large_call(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let numbers = Variant::from(vec![1.0; 1 << 19]);
    let change = Dict::from([("Lut".to_owned(), OwnedVariant::try_from(numbers).unwrap())]);
    zbus::block_on(async {
        let connection = agent.connect().await;
        let to = (Some(BUS_NAME), ROOT_OBJECT, Some(MACCEL));
        let refusal = connection.call_method(to.0, to.1, to.2, "Set", &(change,)).await;
        let words = refusal.unwrap_err().to_string();
        assert!(words.contains("at most 4096 are right"), "{words}");
    });
    let (most, allowed) = (agent.most_kb(), allowed_kb());
    assert!(most < allowed, "{most} kB of {allowed} kB");
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
