// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is saved, and a driver that cannot hold all of it.

use maccel_core::parameter;
use maccel_core::settings::{LUT_LEN, Mode};
use maccel_core::settings_file;
use vespera_api::DriverState;
use zbus::Variant;

use crate::agent::Agent;
use crate::sysfs::Root;
use crate::world::World;

const STATE: &str = "var/lib/vespera/maccel.toml";

/// Settings for our driver, on a system that now has the public one.
pub(crate) fn unused_table(world: &World) {
    let table: Vec<String> = (0..LUT_LEN).map(|index| format!("1.{index:03}")).collect();
    let text = format!(
        "version = 1\n[settings]\nmode = \"natural\"\nsens-mult = 2\nlut = [{}]\n",
        table.join(", ")
    );
    let root = Root::public();
    root.agents_file(STATE, &text);
    let saved = settings_file::parse(&text).unwrap().settings;
    let mut agent = Agent::start(world, root);
    is_in_force(&agent, 2.0);
    assert_eq!(settings_file::parse(&agent.root.text(STATE)).unwrap().settings, saved);

    zbus::block_on(async {
        let connection = agent.connect().await;
        let maccel = vespera_api::MaccelProxy::new(&connection).await.unwrap();
        let change = [("SensMult".to_owned(), Variant::from(3.0).try_into().unwrap())];
        maccel.set(&change.into()).await.unwrap();
    });
    agent.kill_and_start();
    is_in_force(&agent, 3.0);
    let after = settings_file::parse(&agent.root.text(STATE)).unwrap().settings;
    assert_eq!((after.number("SENS_MULT"), after.mode()), (Some(3.0), Some(Mode::Natural)));
    assert_eq!(after.lut(), saved.lut(), "the table waits for a driver that can hold it");
}

fn is_in_force(agent: &Agent<'_>, sens_mult: f64) {
    let raw = parameter::by_file_name("SENS_MULT").unwrap().raw_of(sens_mult).unwrap().to_string();
    assert_eq!(agent.root.parameter("SENS_MULT"), raw);
    assert_eq!(agent.root.parameter("MODE"), Mode::Natural.number().to_string());
    let state = zbus::block_on(async { DriverState::read(&agent.connect().await).await.unwrap() });
    assert!(!state.features.contains(&"lut".to_owned()), "{:?}", state.features);
    let told = state.settings.unwrap();
    assert_eq!((told.get("SENS_MULT"), told.mode()), (Ok(sens_mult), Mode::Natural));
    assert_eq!(told.lut(), None, "only what the driver holds is told");
}
