// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service under test.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use vespera_api::names::BUS_NAME;
use zbus::Connection;
use zbus::fdo::DBusProxy;

use crate::sysfs::Root;
use crate::world::{AGENT, AGENT_LOG, PATIENCE, World};

/// A running agent on a root of its own.
pub(crate) struct Agent<'a> {
    world: &'a World,
    pub(crate) root: Root,
    child: Child,
}

impl<'a> Agent<'a> {
    /// Starts it as its user and waits until it has its name.
    pub(crate) fn start(world: &'a World, root: Root) -> Self {
        let child = spawn(world, &root);
        let mut agent = Agent { world, root, child };
        agent.wait_for_name();
        agent
    }

    /// Kills it, without a warning, and starts it again.
    pub(crate) fn kill_and_start(&mut self) {
        self.end();
        self.child = spawn(self.world, &self.root);
        self.wait_for_name();
    }

    fn wait_for_name(&mut self) {
        let start = Instant::now();
        while self.owner() != Some(self.pid()) {
            let ended = self.child.try_wait().unwrap();
            let logs = || self.world.logs();
            assert!(ended.is_none(), "the agent ended with {ended:?}\n{}", logs());
            assert!(start.elapsed() < PATIENCE, "the agent takes no name\n{}", logs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process that owns the name.
    pub(crate) fn owner(&self) -> Option<u32> {
        zbus::block_on(async {
            let connection = self.world.connect().await;
            let bus = DBusProxy::new(&connection).await.unwrap();
            bus.get_connection_unix_process_id(BUS_NAME.try_into().unwrap()).await.ok()
        })
    }

    /// Its process: setpriv has become it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory in kB, and its open files.
    pub(crate) fn size(&self) -> (u64, usize) {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count();
        (self.kb("VmRSS:"), files)
    }

    /// The most memory that was resident so far, in kB.
    pub(crate) fn most_kb(&self) -> u64 {
        self.kb("VmHWM:")
    }

    fn kb(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let found = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        found.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A connection as root.
    pub(crate) async fn connect(&self) -> Connection {
        self.world.connect().await
    }

    fn end(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.world.wait_until("the name is free", || self.owner().is_none());
    }
}

/// Its unit, as it is shipped.
const UNIT: &str =
    include_str!("../../../../packaging/rootfs/usr/lib/systemd/system/vespera-agent.service");

/// The variables that systemd starts it with.
fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix("Environment="));
    lines.flat_map(str::split_whitespace).map(|word| word.split_once('=').unwrap())
}

/// The most memory that systemd lets it have, in kB.
pub(crate) fn allowed_kb() -> u64 {
    let most = UNIT.lines().find_map(|line| line.strip_prefix("MemoryMax=")).unwrap();
    most.strip_suffix('M').unwrap().parse::<u64>().unwrap() * 1024
}

fn spawn(world: &World, root: &Root) -> Child {
    let log = File::options().create(true).append(true).open(world.path(AGENT_LOG)).unwrap();
    let mut command = world.command_of("vespera-agent", world.path(AGENT));
    command.arg("--root").arg(root.path()).envs(environment()).stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.world.logs());
        }
        self.end();
    }
}
