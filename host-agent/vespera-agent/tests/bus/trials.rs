// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trials, and writes by programs that know nothing of the agent.

use futures_util::StreamExt;
use vespera_api::names::{BUS_NAME, ROOT_OBJECT};
use vespera_api::{DriverState, MaccelProxy};
use zbus::fdo::PropertiesProxy;

use crate::agent::Agent;
use crate::caller::Caller;
use crate::sysfs::Root;
use crate::world::World;

const TWO: &str = "8589934592";
const ONE: &str = "4294967296";

/// Has a member try SensMult 2, and leaves the trial running.
fn start_trial(world: &World, agent: &Agent<'_>) -> (Caller, u32) {
    assert_eq!(agent.root.parameter("SENS_MULT"), ONE);
    let mut caller = Caller::start(world, "member", &["trial", "SensMult", "2"]);
    let id: u32 = caller.line().parse().unwrap();
    let state = read(agent);
    assert_eq!(state.trial.map(|trial| trial.id), Some(id));
    assert_eq!(state.settings.unwrap().get("SENS_MULT"), Ok(2.0));
    assert_eq!(agent.root.parameter("SENS_MULT"), TWO);
    (caller, id)
}

fn read(agent: &Agent<'_>) -> DriverState {
    zbus::block_on(async { DriverState::read(&agent.connect().await).await.unwrap() })
}

pub(crate) fn caller_leaves(world: &World) {
    let agent = Agent::start(world, Root::public());
    let (caller, _) = start_trial(world, &agent);
    caller.kill();
    world.wait_until("the trial is over", || read(&agent).trial.is_none());
    assert_eq!(read(&agent).settings.unwrap().get("SENS_MULT"), Ok(1.0));
    assert_eq!(agent.root.parameter("SENS_MULT"), ONE);
}

pub(crate) fn agent_is_killed(world: &World) {
    let mut agent = Agent::start(world, Root::public());
    let (caller, _) = start_trial(world, &agent);
    agent.kill_and_start();
    world.wait_until("the old settings are back", || {
        read(&agent).settings.unwrap().get("SENS_MULT") == Ok(1.0)
    });
    assert_eq!(read(&agent).trial, None);
    assert_eq!(agent.root.parameter("SENS_MULT"), ONE);
    caller.kill();
}

pub(crate) fn confirmed(world: &World) {
    let mut agent = Agent::start(world, Root::public());
    let (caller, id) = start_trial(world, &agent);
    zbus::block_on(async {
        let connection = agent.connect().await;
        MaccelProxy::new(&connection).await.unwrap().confirm_trial(id).await.unwrap();
    });
    caller.kill();
    agent.kill_and_start();
    assert_eq!(read(&agent).settings.unwrap().get("SENS_MULT"), Ok(2.0));
}

pub(crate) fn outside_write(world: &World) {
    let agent = Agent::start(world, Root::public());
    zbus::block_on(async {
        let connection = agent.connect().await;
        let properties = PropertiesProxy::new(&connection, BUS_NAME, ROOT_OBJECT).await.unwrap();
        let mut changes = properties.receive_properties_changed().await.unwrap();
        agent.root.write_parameter("SENS_MULT", TWO);
        loop {
            let change = changes.next().await.unwrap();
            let arguments = change.args().unwrap();
            if let Some(value) = arguments.changed_properties.get("SensMult") {
                assert_eq!(f64::try_from(value), Ok(2.0));
                break;
            }
        }
    });
    assert_eq!(read(&agent).settings.unwrap().get("SENS_MULT"), Ok(2.0));
}
