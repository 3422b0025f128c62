// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures boots and snapshots on this machine.
//!
//! `VESPERA_ARTIFACTS=artifacts.json cargo run --release -p vespera-tests --example measure`

use std::error::Error;
use std::time::{Duration, Instant};

use vespera_tests::{Artifacts, Guest, HarnessError, Machine, Snapshot};

fn main() -> Result<(), Box<dyn Error>> {
    let artifacts = Artifacts::from_environment()?;
    for kernel in &artifacts.kernels {
        let machine = Machine::driver(&artifacts, kernel);
        measure(&format!("driver {}", kernel.name), &machine, |_| Ok(()))?;
    }
    for image in &artifacts.images {
        let machine = Machine::image(&artifacts, image, artifacts.kernel(&image.kernel)?);
        let system = |guest: &Guest| guest.wait_for_boot(Duration::from_secs(300)).map(|_| ());
        measure(&format!("image {}", image.name), &machine, system)?;
    }
    Ok(())
}

fn measure(
    name: &str,
    machine: &Machine,
    ready: impl Fn(&Guest) -> Result<(), HarnessError>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..2 {
        let started = Instant::now();
        let guest = machine.boot()?;
        let agent = started.elapsed();
        ready(&guest)?;
        let system = started.elapsed();
        guest.finish()?;
        println!(
            "{name}: agent after {agent:.1?}, ready after {system:.1?}, finished after {:.1?}",
            started.elapsed()
        );
    }
    let started = Instant::now();
    let snapshot = Snapshot::take(machine, &ready)?;
    println!("{name}: snapshot of {} MB after {:.1?}", snapshot.size() >> 20, started.elapsed());
    for _ in 0..3 {
        let started = Instant::now();
        let guest = snapshot.wake()?;
        let awake = started.elapsed();
        guest.read_file("/proc/uptime")?;
        let answer = started.elapsed();
        guest.finish()?;
        println!(
            "{name}: awake after {awake:.2?}, first answer after {answer:.2?}, finished after {:.2?}",
            started.elapsed()
        );
    }
    Ok(())
}
