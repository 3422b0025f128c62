// SPDX-License-Identifier: MIT OR Apache-2.0
//! Boots an image of the artifacts and gives this terminal to a shell in it.
//!
//! `VESPERA_ARTIFACTS=artifacts.json cargo run -p vespera-tests --example enter [KERNEL]`

use std::error::Error;
use std::time::Duration;

use vespera_tests::{Artifacts, Machine};

fn main() -> Result<(), Box<dyn Error>> {
    let artifacts = Artifacts::from_environment()?;
    let image = artifacts.image("vespera")?;
    let release = std::env::args().nth(1).unwrap_or_else(|| image.kernel.clone());
    let kernel = artifacts.kernel(&release)?;
    let guest = Machine::image(&artifacts, image, kernel).boot()?;
    println!("the agent answers after {:.1?}", guest.boot_time());
    let verdict = guest.wait_for_boot(Duration::from_secs(300))?;
    println!("the system is {verdict}; `exit` powers it off");
    let code = guest.shell()?;
    println!("the shell ended with {code}");
    guest.power_off()?;
    Ok(())
}
