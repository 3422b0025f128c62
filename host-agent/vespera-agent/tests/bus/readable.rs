// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file of the administrator that the agent, who is nobody special, may read at last.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use vespera_api::DriverState;

use crate::agent::Agent;
use crate::sysfs::Root;
use crate::world::World;

pub(crate) fn at_last(world: &World) {
    let root = Root::ours();
    let folder = root.path().join("etc/vespera");
    let file = folder.join("maccel.toml");
    fs::create_dir_all(&folder).unwrap();
    write(&file, 3.0);
    allow(&folder, 0o700);
    let agent = Agent::start(world, root);
    assert_eq!(limit(&agent), 1.5, "the default");

    allow(&folder, 0o755);
    holds(world, &agent, "the folder may be looked into", 3.0);
    allow(&file, 0o600);
    write(&file, 4.0);
    allow(&file, 0o644);
    holds(world, &agent, "the file may be read again", 4.0);
    fs::remove_file(&file).unwrap();
    holds(world, &agent, "there is no file", 1.5);
    let elsewhere = agent.root.path().join("elsewhere.toml");
    write(&elsewhere, 5.0);
    symlink(&elsewhere, &file).unwrap();
    holds(world, &agent, "it lies elsewhere", 5.0);
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn write(file: &Path, limit: f64) {
    fs::write(file, format!("version = 1\n[settings]\nlimit = {limit}\n")).unwrap();
}

fn holds(world: &World, agent: &Agent<'_>, why: &str, right: f64) {
    world.wait_until(&format!("{why}, so the limit is {right}"), || limit(agent) == right);
}

fn limit(agent: &Agent<'_>) -> f64 {
    let state = zbus::block_on(async { DriverState::read(&agent.connect().await).await.unwrap() });
    state.settings.unwrap().get("LIMIT").unwrap()
}
