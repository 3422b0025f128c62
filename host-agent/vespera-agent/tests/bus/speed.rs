// SPDX-License-Identifier: MIT OR Apache-2.0
//! The descriptor of the mouse's speed.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use vespera_api::MaccelProxy;

use crate::agent::Agent;
use crate::sysfs::Root;
use crate::world::World;

/// It reads what the driver tells, and nobody writes through it.
pub(crate) fn descriptor(world: &World) {
    let agent = Agent::start(world, Root::ours());
    // 1.5 counts/ms.
    let speed = (3_i64 << 31).to_be_bytes();
    fs::write(agent.root.path().join("dev/maccel"), speed).unwrap();
    let opened: OwnedFd = zbus::block_on(async {
        let connection = agent.connect().await;
        MaccelProxy::new(&connection).await.unwrap().open_speed().await.unwrap().into()
    });
    let mut file = fs::File::from(opened);
    let mut read = [0; 8];
    file.read_exact(&mut read).unwrap();
    assert_eq!(read, speed);
    assert!(file.write_all(&[0]).is_err());
}
