// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the agent costs. Figures depend on the machine: they are printed, never asserted.

use std::fs;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use vespera_api::names::{BUS_NAME, MACCEL, ROOT_OBJECT};
use zbus::Connection;
use zbus::fdo::PropertiesProxy;

use crate::agent::Agent;
use crate::sysfs::Root;
use crate::world::World;

/// Calls of each kind.
const CALLS: usize = 5000;
/// Writes by another program.
const WRITES: u32 = 50;
/// From the last call to the beginning of rest.
const SETTLE: Duration = Duration::from_secs(1);
/// How long nobody calls.
const REST: Duration = Duration::from_secs(20);

pub(crate) fn costs(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let (mut pings, mut reads) = (Vec::new(), Vec::new());
    zbus::block_on(async {
        let connection = agent.connect().await;
        // In turn, so that whatever else the machine does falls on both alike.
        for _ in 0..CALLS {
            pings.push(ping(&connection).await);
            reads.push(read(&connection).await);
        }
    });
    let (ping, read) = (median(&mut pings), median(&mut reads));
    println!("figure org.freedesktop.DBus.Peer.Ping, median: {} us", ping.as_micros());
    println!("figure property read, median: {} us", read.as_micros());
    let ratio = read.as_secs_f64() / ping.as_secs_f64();
    println!("figure property read / ping: {ratio:.2} (at most 1.5)");
    let mut delays = zbus::block_on(seen_and_told(&agent));
    let typical = median(&mut delays);
    let longest = delays.last().copied().unwrap_or_default();
    println!("figure outside write to PropertiesChanged, median: {} ms", typical.as_millis());
    println!("figure the same, longest of {WRITES}: {} ms (at most 100)", longest.as_millis());
    let (resident, files) = agent.size();
    println!("figure resident after {} calls: {resident} kB (under 6144)", 2 * CALLS);
    println!("figure open files: {files}");
    // What was begun for the calls ends first.
    std::thread::sleep(SETTLE);
    let before = switches(agent.pid());
    std::thread::sleep(REST);
    let woken = switches(agent.pid()) - before;
    println!("figure wake-ups in {} s of rest: {woken} (0)", REST.as_secs());
}

async fn ping(connection: &Connection) -> Duration {
    let start = Instant::now();
    let to = (Some(BUS_NAME), ROOT_OBJECT, Some("org.freedesktop.DBus.Peer"));
    connection.call_method(to.0, to.1, to.2, "Ping", &()).await.unwrap();
    start.elapsed()
}

async fn read(connection: &Connection) -> Duration {
    let start = Instant::now();
    let to = (Some(BUS_NAME), ROOT_OBJECT, Some("org.freedesktop.DBus.Properties"));
    connection.call_method(to.0, to.1, to.2, "Get", &(MACCEL, "SensMult")).await.unwrap();
    start.elapsed()
}

/// From a write that the agent did not make to the signal that tells of it.
async fn seen_and_told(agent: &Agent<'_>) -> Vec<Duration> {
    let connection = agent.connect().await;
    let properties = PropertiesProxy::new(&connection, BUS_NAME, ROOT_OBJECT).await.unwrap();
    let mut changes = properties.receive_properties_changed().await.unwrap();
    let mut delays = Vec::new();
    for number in 0..WRITES {
        let value = 1.5 + f64::from(number);
        let start = Instant::now();
        agent.root.write_sens_mult(value);
        let told = |change: &zbus::fdo::PropertiesChanged| {
            let arguments = change.args().unwrap();
            let told = arguments.changed_properties.get("SensMult").map(f64::try_from);
            told == Some(Ok(value))
        };
        while !told(&changes.next().await.unwrap()) {}
        delays.push(start.elapsed());
    }
    delays
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// How often its threads have gone to sleep of their own accord.
fn switches(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
        .filter_map(|status| {
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.and_then(|count| count.trim().parse::<u64>().ok())
        })
        .sum()
}
