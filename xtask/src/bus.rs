// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bus tests of the agent in their long forms: its figures, and many random calls.

use std::process::Command;

use anyhow::{Result, bail};
use camino::Utf8Path;

use crate::cache::Cache;
use crate::process;
use crate::progress::Steps;
use crate::source;

/// The test that measures, and says what it found.
const FIGURES: &str = "figures::what_the_agent_costs";
/// The test that measures a change made by `maccel`, and the variable with that program.
const CHANGE: &str = "change::what_a_change_by_maccel_costs";
const PROGRAM: &str = "VESPERA_BUS_MACCEL";
/// The variable with another build of the agent.
const AGENT: &str = "VESPERA_BUS_AGENT";
/// They are listed only if this is set.
const WANT_FIGURES: &str = "VESPERA_BUS_FIGURES";
/// The test with random calls, and the variables with their number and with how many are made at
/// once.
const FUZZ: &str = "fuzz::no_call_kills_the_agent_or_changes_what_it_refused";
const CALLS: &str = "VESPERA_BUS_CALLS";
const TOGETHER: &str = "VESPERA_BUS_TOGETHER";
/// Calls before a release.
const MANY: u64 = 1_000_000;
/// The agent refuses more of one user.
const AT_ONCE: u64 = 64;

/// Measures the agent and prints a table.
pub(crate) fn bench(cache: &Cache, steps: &Steps) -> Result<()> {
    let said = steps.run("agent: figures on a bus of its own", |_| {
        process::read(test(cache, FIGURES)?.env(WANT_FIGURES, "1"))
    })?;
    steps.summary();
    let table = table(&said)?;
    println!("\nthe agent, release build, on dbus-daemon\n{table}");
    Ok(())
}

/// Measures runs of `program` that change settings through the agent; the lines of a table.
///
/// The agent is the one that is shipped; the tests around it are those that `cargo xtask test` has
/// built already. With the optimisation of the release they would take minutes to build.
pub(crate) fn changes(cache: &Cache, steps: &Steps, program: &Utf8Path) -> Result<String> {
    let cargo = || -> Result<Command> {
        let mut cargo = Command::new(env!("CARGO"));
        let target = cache.folder("target")?;
        cargo.current_dir(source::root()?).env("CARGO_TARGET_DIR", target);
        Ok(cargo)
    };
    steps.run("agent: build, as it is shipped", |step| {
        let words = ["build", "--locked", "--release", "--package=vespera-agent"];
        process::run(step, cargo()?.args(words))
    })?;
    let tests = ["test", "--locked", "--package=vespera-agent", "--test=bus"];
    steps.run("agent: build its bus tests", |step| {
        process::run(step, cargo()?.args(tests).arg("--no-run"))
    })?;
    let agent = cache.folder("target")?.join("release/vespera-agent");
    let said = steps.run("maccel: changes through the agent", |_| {
        let mut cargo = cargo()?;
        cargo.args(tests).args(["--quiet", "--", "--exact", CHANGE]);
        process::read(cargo.env(WANT_FIGURES, "1").env(PROGRAM, program).env(AGENT, agent))
    })?;
    table(&said)
}

/// Calls every method with random values, many times, and prints what was counted.
pub(crate) fn soak(cache: &Cache, steps: &Steps) -> Result<()> {
    let said = steps.run(&format!("agent: {MANY} random calls"), |_| {
        let mut cargo = test(cache, FUZZ)?;
        process::read(cargo.env(CALLS, MANY.to_string()).env(TOGETHER, AT_ONCE.to_string()))
    })?;
    // Without several users to test with, the tests are listed as ignored.
    if !said.contains("1 passed") {
        bail!("the calls were not made:\n{said}");
    }
    for line in said.lines().filter(|line| line.contains("VESPERA_BUS_SEED")) {
        println!("\n{}", line.split_once("... ").map_or(line, |(_, words)| words));
    }
    println!("{}", table(&said)?);
    Ok(())
}

/// One of the bus tests, in the build that is shipped.
fn test(cache: &Cache, name: &str) -> Result<Command> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(source::root()?).env("CARGO_TARGET_DIR", cache.folder("target")?);
    cargo.args(["test", "--release", "--locked", "--quiet", "--package=vespera-agent"]);
    cargo.args(["--test=bus", "--", "--exact", name]);
    Ok(cargo)
}

/// The lines `figure NAME: VALUE` among others.
fn table(said: &str) -> Result<String> {
    let lines: Vec<String> = said
        .lines()
        .filter_map(|line| line.split_once("figure "))
        .filter_map(|(_, figure)| figure.split_once(": "))
        .map(|(name, value)| format!("{name:52}{value:>24}"))
        .collect();
    if lines.is_empty() {
        bail!("nothing was measured:\n{said}");
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_among_the_words_of_the_test_runner() {
        let said = "running 1 test\nfigure ping: 140 us\n.figure ratio: 1.10\ntest result: ok\n";
        let table = table(said).unwrap();
        assert_eq!(table.lines().count(), 2);
        assert!(table.lines().all(|line| line.len() == 76), "{table}");
        assert!(super::table("test result: ok. 0 passed\n").is_err());
    }
}
