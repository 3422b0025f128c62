// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who can pass for the agent, or for the bus.

use std::process::{Command, Stdio};

use vespera_api::names::BUS_NAME;
use zbus::fdo::DBusProxy;

use crate::agent::Agent;
use crate::caller::Caller;
use crate::sysfs::Root;
use crate::world::{AGENT, USERS, World};

pub(crate) fn only_its_user(world: &World) {
    for user in USERS {
        let said = Caller::start(world, user, &["own"]).finish();
        assert_eq!(said, ["AccessDenied"], "{user}");
    }
    let said = Caller::start(world, "vespera-agent", &["own"]).finish();
    assert_eq!(said, ["PrimaryOwner"]);
}

/// The agent ended for anybody's signal that it had lost its name, and whoever sent it again kept
/// it from coming back.
pub(crate) fn forged_signals(world: &World) {
    let agent = Agent::start(world, Root::public());
    for user in USERS {
        assert_eq!(Caller::start(world, user, &["forge"]).finish(), ["sent"], "{user}");
    }
    // What comes later on the same connection is answered after the signals were.
    assert_eq!(agent.owner(), Some(agent.pid()));
    Caller::start(world, "root", &["properties"]).finish();
    assert_eq!(agent.owner(), Some(agent.pid()));
}

/// systemd starts it again when there is one.
pub(crate) fn bus_is_gone(world: &World) {
    let root = Root::public();
    let (socket, configuration) = (world.path("other-bus"), world.path("other-bus.conf"));
    let of_world = std::fs::read_to_string(world.path("bus.conf")).unwrap();
    let other = format!("unix:path={}", socket.display());
    std::fs::write(&configuration, of_world.replace(world.address(), &other)).unwrap();
    let mut command = Command::new("dbus-daemon");
    command.args(["--nofork", "--nopidfile", "--config-file"]).arg(&configuration);
    let mut bus = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    world.wait_until("the other bus listens", || socket.exists());
    let mut agent = world.command_of("vespera-agent", world.path(AGENT));
    agent.arg("--root").arg(root.path()).env("DBUS_SYSTEM_BUS_ADDRESS", &other);
    let mut agent = agent.stderr(Stdio::null()).spawn().unwrap();
    world.wait_until("the agent has its name there", || {
        zbus::block_on(async {
            let bus = zbus::connection::Builder::address(other.as_str()).build().await.unwrap();
            let bus = DBusProxy::new(&bus).await.unwrap();
            bus.name_has_owner(BUS_NAME.try_into().unwrap()).await.unwrap()
        })
    });
    bus.kill().unwrap();
    bus.wait().unwrap();
    let start = std::time::Instant::now();
    while agent.try_wait().unwrap().is_none() && start.elapsed() < crate::world::PATIENCE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // No more than what it is too late for.
    let _ = agent.kill();
    assert_eq!(agent.wait().unwrap().code(), Some(1), "it ended by itself");
}
