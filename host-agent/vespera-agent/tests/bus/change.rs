// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a change by `maccel` costs that goes through the agent: whole runs of the program.
//! Figures depend on the machine: they are printed, never asserted.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use vespera_api::DriverState;

use crate::agent::Agent;
use crate::sysfs::Root;
use crate::world::{MEMBER_UID, World};

/// Where the program is that is measured, and its name in the folder of the world.
const PROGRAM: &str = "VESPERA_BUS_MACCEL";
const COPY: &str = "maccel";
/// Runs of which the median is told.
const RUNS: u32 = 31;

pub(crate) fn costs(world: &World) {
    let program = std::env::var_os(PROGRAM).expect("cargo xtask bench cli names the program");
    // A copy, since the target folder may lie where only its owner can look.
    fs::copy(program, world.path(COPY)).unwrap();
    let agent = Agent::start(world, Root::ours());
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|run| {
            let limit = 2.0 + f64::from(run) / 100.0;
            let mut command = Command::new(world.path(COPY));
            command.arg("--root").arg(agent.root.path()).args(["set", "param", "limit"]);
            command.arg(limit.to_string()).env("DBUS_SYSTEM_BUS_ADDRESS", world.address());
            command.uid(MEMBER_UID).gid(MEMBER_UID);
            let begun = Instant::now();
            let output = command.output().unwrap();
            let time = begun.elapsed();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            let told = zbus::block_on(async { DriverState::read(&agent.connect().await).await });
            let told = told.unwrap().settings.unwrap().get("LIMIT").unwrap();
            assert!((told - limit).abs() < 1e-9, "the agent tells {told}, not {limit}");
            time
        })
        .collect();
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!("figure maccel set param, median: {:.2} ms (at most 10)", milliseconds(median));
    // What the same machine takes when nothing else wants it at that moment.
    println!("figure maccel set param, quickest: {:.2} ms", milliseconds(times[0]));
    println!("figure maccel set param, worst of {RUNS}: {:.2} ms", milliseconds(worst));
}
