// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask up`: from a clone to a booted system that says how it is.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Result, bail};
use vespera_tests::artifacts::Artifacts;
use vespera_tests::machine::Machine;

use crate::artifacts::{self, Extent};
use crate::cache::Cache;
use crate::progress::Steps;
use crate::setup;

/// Long enough for an emulated machine under load.
const BOOT: Duration = Duration::from_secs(300);

/// How `up` behaves.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Power off after the status, also on a terminal
    #[arg(long)]
    no_shell: bool,
    /// A command to run in the guest after the status, instead of a shell
    #[arg(last = true)]
    command: Vec<String>,
}

/// Entry point of `cargo xtask build`.
pub(crate) fn build(args: setup::Args) -> Result<()> {
    setup::ensure(args)?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    let list = artifacts::make(&cache, &steps, Extent::All)?.list;
    steps.summary();
    println!("what was made is listed in {list}");
    Ok(())
}

/// Entry point of `cargo xtask up`.
pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(args.setup)?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    let list = artifacts::make(&cache, &steps, Extent::Image)?.list;
    let artifacts = Artifacts::read(list.as_std_path())?;
    let image = artifacts.image(artifacts::IMAGE)?;
    let kernel = artifacts.kernel(&image.kernel)?;

    let guest = steps.run("boot the image in QEMU", |step| {
        let guest = Machine::image(&artifacts, image, kernel).name("up").boot()?;
        step.show("booted, waiting for the services");
        guest.wait_for_boot(BOOT)?;
        // The last devices may have come this moment.
        guest.run(["udevadm", "settle"])?;
        Ok(guest)
    })?;
    let status = guest.run(["vesperactl", "status"])?;
    let mut code = 0;
    println!("\n$ vesperactl status\n{}{}", status.stdout, status.stderr);
    if !args.command.is_empty() {
        let output = guest.run(args.command.iter().cloned())?;
        print!("$ {}\n{}{}", args.command.join(" "), output.stdout, output.stderr);
        code = output.code;
    } else if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !args.no_shell {
        println!("This is a shell inside the guest; leaving it powers the guest off.");
        guest.shell()?;
    }
    steps.run("power off", |_| Ok(guest.power_off()?))?;
    steps.summary();
    if status.code != 0 {
        bail!("the guest is not healthy: `vesperactl status` ended with {}", status.code);
    }
    if code != 0 {
        bail!("`{}` ended with {code} in the guest", args.command.join(" "));
    }
    Ok(())
}
