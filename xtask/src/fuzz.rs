// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzer of `fuzz/`: readers of files that somebody else wrote.
//!
//! libFuzzer guides itself by coverage. The flags below ask a stable compiler for what it needs;
//! the library is clang's.

use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::Cache;
use crate::privilege;
use crate::process;
use crate::progress::Step;
use crate::source;

/// What `cargo fuzz --sanitizer=none` asks for, too.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Runs side by side.
const AT_ONCE: usize = 2;
/// Inputs of a moment each: one that takes this long hangs, on the busiest machine.
const HANG_SECONDS: u32 = 60;
/// The readers hold a few copies of the input; what takes more was talked into it.
const MOST_MEGABYTES: u32 = 1024;
/// Longer than any seed.
const LONGEST_INPUT: u32 = 8192;

/// Fuzzes every reader for some seconds, from the committed seeds; the inputs tried in all.
pub(crate) fn readers(cache: &Cache, step: &Step, seconds: u32) -> Result<u64> {
    let folder = cache.folder("fuzz")?;
    // What earlier runs found would take a short run's whole time.
    let corpus = folder.join("corpus");
    privilege::remove_tree(&corpus)?;
    let program = build(step, &cache.folder("target-fuzz")?)?;
    let seeds = process::read(Command::new(&program).env("VESPERA_FUZZ_SEEDS", &corpus))?;
    let names: Vec<&str> = seeds.lines().collect();
    for pair in names.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = pair
                .iter()
                .map(|name| {
                    let command = command(&program, &corpus, &folder, name, seconds);
                    scope.spawn(move || process::run(step, &mut { command }))
                })
                .collect();
            let ended = runs.into_iter().map(|run| match run.join() {
                Ok(ended) => ended,
                Err(_) => bail!("a run of the fuzzer could not be watched"),
            });
            ended.collect::<Result<()>>()
        })
        .with_context(|| format!("the inputs found are in {folder}; {pair:?} failed"))?;
    }
    let log = std::fs::read_to_string(step.log())?;
    let tried = inputs_tried(&log);
    if tried.len() < names.len() {
        bail!("{} readers, but only {} runs in {}", names.len(), tried.len(), step.log());
    }
    Ok(tried.iter().sum())
}

fn build(step: &Step, target: &Utf8Path) -> Result<Utf8PathBuf> {
    // Named, so that programs which run while building are not instrumented.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let root = source::root()?;
    // The very versions that are shipped; cargo adds what only the fuzzer needs.
    let lock = root.join("fuzz/Cargo.lock");
    std::fs::copy(root.join("Cargo.lock"), &lock)
        .with_context(|| format!("cannot write {lock}"))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(root.join("fuzz"))
        .args(["build", "--release", "--target", &triple])
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", FLAGS)
        .env("CUSTOM_LIBFUZZER_PATH", library()?);
    process::run(step, &mut cargo)?;
    Ok(target.join(triple).join("release/vespera-fuzz"))
}

/// clang's libFuzzer.
fn library() -> Result<Utf8PathBuf> {
    let name = format!("libclang_rt.fuzzer-{}.a", std::env::consts::ARCH);
    let folder = process::read(Command::new("clang").arg("-print-resource-dir"))?;
    let found = walkdir::WalkDir::new(&folder).into_iter().flatten().find(|entry| {
        // Newer ones have a folder for each machine instead of a name.
        let plain = entry.path().to_string_lossy().contains(std::env::consts::ARCH);
        entry.file_name() == name.as_str() || (plain && entry.file_name() == "libclang_rt.fuzzer.a")
    });
    let found = found.with_context(|| format!("there is no {name} below {folder}"))?;
    Utf8PathBuf::from_path_buf(found.into_path())
        .map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))
}

fn command(
    program: &Utf8Path,
    corpus: &Utf8Path,
    folder: &Utf8Path,
    name: &str,
    seconds: u32,
) -> Command {
    let mut command = Command::new(program);
    command.env("VESPERA_FUZZ_TARGET", name).arg(corpus.join(name)).args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={HANG_SECONDS}"),
        format!("-rss_limit_mb={MOST_MEGABYTES}"),
        format!("-max_len={LONGEST_INPUT}"),
        format!("-artifact_prefix={folder}/{name}-"),
        "-print_final_stats=1".to_owned(),
    ]);
    command
}

/// What each run says at its end. Runs side by side write into the middle of each other's lines,
/// though never of their words.
fn inputs_tried(log: &str) -> Vec<u64> {
    const WORDS: &str = "stat::number_of_executed_units:";
    let said = log.split(WORDS).skip(1).map(str::trim_start);
    let number = |text: &str| {
        let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    said.filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_of_every_run_are_counted() {
        let log = "x\nstat::number_of_executed_units: 12\nstat::new_units_added: 3\n\
                   stat::number_of_executed_units:     30\n";
        assert_eq!(inputs_tried(log), [12, 30]);
        let mixed = "\"\\001\\015\" # Uses: 182stat::number_of_executed_units: 28\n\n\
                     stat::number_of_executed_units: 81stat::slowest_unit_time_sec:    0\n";
        assert_eq!(inputs_tried(mixed), [28, 81]);
        assert!(inputs_tried("Done 3 runs\n").is_empty());
    }
}
