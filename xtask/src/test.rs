// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask test`: every test of the repository, quickest first.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::arithmetic::{self, Until};
use crate::artifacts::{self, Extent};
use crate::cache::Cache;
use crate::deny;
use crate::dock::{self, Dock};
use crate::fuzz;
use crate::generate;
use crate::links;
use crate::lint::Linters;
use crate::process;
use crate::progress::{Steps, seconds};
use crate::setup;
use crate::shells;
use crate::source;

/// What CONTRIBUTING.md says it takes at most, on two cores without KVM.
const WARM_BUDGET: Duration = Duration::from_secs(30 * 60);
/// The same when nothing is in the cache folder yet.
const COLD_BUDGET: Duration = Duration::from_secs(45 * 60);

/// How `test` behaves.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Leave out what needs the image or a virtual machine
    #[arg(long)]
    quick: bool,
}

/// Entry point of `cargo xtask test`.
pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure(args.setup)?;
    let cache = Cache::open()?;
    let cold = !cache.folder("made")?.join("artifacts.json").exists();
    let steps = Steps::new(&cache)?;
    let cargo = |words: &[&str]| -> Result<Command> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(source::root()?).args(words);
        cargo.env("CARGO_TARGET_DIR", cache.folder("target")?);
        Ok(cargo)
    };

    steps.show("formatting", || show(&mut cargo(&["fmt", "--all", "--check"])?))?;
    steps.show("house rules for files", source::check)?;
    steps.show("links of the documents", links::check)?;
    steps.show("generated files", || generate::files(true))?;
    steps.show("lints", || {
        let words = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--features=vespera-tests/vm,image/real-tools",
        ];
        show(cargo(&words)?.args(["--locked", "--quiet", "--", "--deny=warnings"]))
    })?;
    steps.show("unit and integration tests", || {
        let mut cargo = cargo(&["test", "--workspace", "--locked", "--quiet"])?;
        // The bus tests leave themselves out where they cannot be several users.
        show(cargo.env("VESPERA_BUS_TESTS_MUST_RUN", "1"))
    })?;
    let linters = Linters::make(&cache, &steps)?;
    steps.run("Containerfile, workflows, Renovate", |step| linters.run(step))?;
    steps.run("driver frames in user space", |step| arithmetic::check_frames(&cache, step))?;
    steps.run("driver arithmetic: fuzz 10 s", |step| {
        arithmetic::fuzz(&cache, step, Until::Seconds(10)).map(drop)
    })?;
    steps.run("readers of foreign files: fuzz 10 s each", |step| {
        let tried = fuzz::readers(&cache, step, 10)?;
        step.show(&format!("{tried} inputs"));
        Ok(())
    })?;
    steps.run("licences and sources of the crates", |step| {
        let deny = deny::install(&cache, step)?;
        // A build downloads only what this machine compiles; the check reads them all.
        process::run(step, &mut cargo(&["fetch", "--locked", "--quiet"])?)?;
        let words = ["--offline", "--all-features", "check", "--hide-inclusion-graph"];
        show(Command::new(deny).current_dir(source::root()?).args(words).args(deny::CHECKS))
    })?;
    if args.quick {
        println!("left out by --quick: the image build and the system tests in QEMU");
    } else {
        let made = artifacts::make(&cache, &steps, Extent::All)?;
        let dock = Dock::make(&cache, &steps)?;
        steps.run("completions as zsh and fish read them", |step| {
            let read = shells::check(&cache, step, &dock)?;
            step.show(&format!("{read} scripts"));
            Ok(())
        })?;
        let program =
            steps.run("program: vespera-image and its tests", |_| dock::build_tests(&cache))?;
        steps.show("vespera-image with registry and tools", || {
            show(&mut dock::tests(&dock, &cache, &program, &made.images)?)
        })?;
        steps.show("system tests in QEMU", || {
            let words = ["test", "--locked", "--package=vespera-tests", "--features=vm"];
            show(cargo(&words)?.args(["--test=system"]).env("VESPERA_ARTIFACTS", &made.list))
        })?;
    }
    steps.summary();
    let (kind, budget) = if cold { ("cold", COLD_BUDGET) } else { ("warm", WARM_BUDGET) };
    println!(
        "took {} of at most {} with a {kind} cache folder",
        seconds(steps.elapsed()),
        seconds(budget)
    );
    Ok(())
}

/// Runs a command whose output is for the reader.
fn show(command: &mut Command) -> Result<()> {
    let shown = crate::process::describe(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budgets_are_those_that_contributors_are_told() {
        let text = std::fs::read_to_string(source::root().unwrap().join("CONTRIBUTING.md"));
        let text = text.unwrap().replace('\n', " ");
        let (warm, cold) = (WARM_BUDGET.as_secs() / 60, COLD_BUDGET.as_secs() / 60);
        let told = format!("{warm} minutes with a warm cache folder, {cold} with an empty one");
        assert!(text.contains(&told), "{told}");
    }
}
