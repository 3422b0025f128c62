// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask bench`: what the driver costs and how exact it is; what the agent and `maccel`
//! cost.
//!
//! Instructions are counted by callgrind and repeat to the last one, so figures of
//! different machines compare. The compiler is that of the workshop, since another
//! one counts differently.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bus;
use crate::cache::Cache;
use crate::command_costs;
use crate::process;
use crate::progress::{Step, Steps};
use crate::setup;
use crate::source;
use crate::workshop::Workshop;

/// The compiler by name: a workshop with a newer one should fail here, not differ.
const COMPILER: &str = "gcc-14";
/// The test that compares with the reference, and says by how much it is off.
const ACCURACY: &str = "accuracy::no_mode_exceeds_its_error_bound";

/// What each figure of the driver may be at most; it repeats to the last digit, so that more is
/// a fault and no noise.
const BARS: [(&str, f64); 5] = [
    ("max_ir_per_event", 150.0),
    ("max_ir_rotated", 180.0),
    ("curve_spread_percent", 15.0),
    ("handler_ir_per_frame", 300.0),
    ("max_rel_error", 1e-5),
];

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// What to measure
    #[arg(value_enum)]
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    /// Instructions for each report and frame, by mode; relative error of the factor
    Driver,
    /// A property read against a ping, memory, wake-ups when idle
    Agent,
    /// Whole runs of `maccel` beside those of `true`, a change through the agent, the terminal
    /// interface at rest
    Cli,
}

/// Entry point of `cargo xtask bench`.
pub(crate) fn main(args: &Args) -> Result<()> {
    setup::ensure_with(args.setup, setup::BENCH)?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    match args.subject {
        Subject::Driver => driver(&cache, &steps),
        Subject::Agent => bus::bench(&cache, &steps),
        Subject::Cli => command_costs::bench(&cache, &steps),
    }
}

fn driver(cache: &Cache, steps: &Steps) -> Result<()> {
    let workshop = Workshop::make(cache, steps)?;
    let costs = steps.run("driver: instructions for each event", |step| {
        let table = costs(cache, &workshop, step)?;
        Ok(table)
    })?;
    let errors = steps.run("driver: error against the float64 reference", |_| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(source::root()?).env("CARGO_TARGET_DIR", cache.folder("target")?);
        cargo.args(["test", "--locked", "--quiet", "--package=maccel-core", "--test=driver"]);
        process::read(cargo.args(["--", "--exact", "--nocapture", ACCURACY]))
    })?;
    steps.summary();
    let errors = Errors::read(&errors)?;
    let (table, last) = costs.trim_end().rsplit_once('\n').context("no table of costs")?;
    let (table, rotated) = table.rsplit_once('\n').context("no costs of a rotation")?;
    println!("\ninstructions for each report (gcc 14 -O2, callgrind)\n{table}");
    println!("\nlargest relative error of the factor\n{}", errors.table);
    let last = format!("{last} max_rel_error={:.2e}", errors.largest);
    println!("\n{rotated}\n{last}");
    within_bars(&format!("{rotated} {last}"))
}

/// Whether each of [`BARS`] is among `figures`, words `NAME=NUMBER`, and not above its bar.
fn within_bars(figures: &str) -> Result<()> {
    for (name, most) in BARS {
        let figure = figures
            .split_whitespace()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .with_context(|| format!("no {name} in `{figures}`"))?;
        let figure: f64 = figure.parse().with_context(|| format!("{name}: `{figure}`"))?;
        if figure.is_nan() || figure > most {
            bail!("{name} is {figure}, the bar is {most}");
        }
    }
    Ok(())
}

/// Compiles in the workshop, counts on the host: hence a static program.
fn costs(cache: &Cache, workshop: &Workshop, step: &Step) -> Result<String> {
    let tests = source::root()?.join("kmod/tests");
    let folder = cache.folder("arithmetic")?.join("cost");
    std::fs::create_dir_all(&folder)?;
    let room = workshop
        .room(cache)?
        .bind_read_only(&source::root()?.join("kmod"), "/kmod")
        .bind(&folder, "/cost");
    let compiler = format!("CC={COMPILER} -static");
    // Always anew: make does not see a change of compiler.
    let words = ["-C", "/kmod/tests", "--always-make", "OUT=/cost", &compiler];
    process::run(step, room.command("make")?.args(words).args(["/cost/cost", "/cost/frame"]))?;
    process::read(
        Command::new(tests.join("cost.py")).args([folder.join("cost"), folder.join("frame")]),
    )
}

/// What the comparison with the reference says.
#[derive(Debug, PartialEq)]
struct Errors {
    table: String,
    largest: f64,
}

impl Errors {
    /// Reads lines `max_rel_error MODE ERROR` among others.
    fn read(said: &str) -> Result<Self> {
        let mut table = Vec::new();
        let mut largest: Option<f64> = None;
        // The test runner writes before the first line, without an end.
        for (_, words) in said.lines().filter_map(|line| line.split_once("max_rel_error ")) {
            let (mode, error) = words.rsplit_once(' ').context("no error of a mode")?;
            let value: f64 = error.trim().parse().with_context(|| format!("`{error}`"))?;
            largest = Some(largest.map_or(value, |before| before.max(value)));
            table.push(format!("{mode:26}{error:>8}"));
        }
        let largest = largest.context("the comparison named no error")?;
        Ok(Self { table: table.join("\n"), largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_error_is_found_among_the_words_of_the_test_runner() {
        let said = "running 1 test\nmax_rel_error linear 4.00e-10\n\
                    .max_rel_error natural 6.10e-6\ntest result: ok\n";
        let errors = Errors::read(said).unwrap();
        assert_eq!(errors.largest, 6.1e-6);
        assert_eq!(errors.table.lines().count(), 2);
        assert!(Errors::read("test result: ok\n").is_err());
    }

    #[test]
    fn a_figure_above_its_bar_or_left_out_is_named() {
        let good = "max_ir_rotated=170.9 max_ir_per_event=146.9 curve_spread_percent=8.4 \
                    handler_ir_per_frame=262.1 max_rel_error=5.15e-6";
        within_bars(good).unwrap();
        let above = good.replace("170.9", "180.1");
        assert_eq!(
            within_bars(&above).unwrap_err().to_string(),
            "max_ir_rotated is 180.1, the bar is 180"
        );
        let without = good.replace("handler_ir_per_frame=262.1", "");
        let error = within_bars(&without).unwrap_err().to_string();
        assert!(error.starts_with("no handler_ir_per_frame in "), "{error}");
    }
}
