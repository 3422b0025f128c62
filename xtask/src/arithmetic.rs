// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's arithmetic and its handler in user space: frames, fuzzing.
//!
//! How they are built is in `kmod/tests/Makefile`, which also works by itself.

use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;

use crate::cache::Cache;
use crate::privilege;
use crate::process;
use crate::progress::Step;
use crate::source;

/// When a fuzzing run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this many seconds, and all inputs of the corpus.
    Seconds(u32),
    /// After at least this many reports.
    Reports(u64),
}

/// Random reports after those of each input. Few, so that a long run sees many settings.
const REPORTS_PER_INPUT: u64 = 2_048;

/// Whole frames through the handler.
pub(crate) fn check_frames(cache: &Cache, step: &Step) -> Result<()> {
    process::run(step, make(cache, "frames")?.0.arg("check"))
}

/// Fuzzes from the committed corpus; returns how many reports were scaled.
pub(crate) fn fuzz(cache: &Cache, step: &Step, until: Until) -> Result<u64> {
    let (mut make, folder) = make(cache, "fuzz")?;
    // What earlier runs found would take a short run's whole time.
    privilege::remove_tree(&folder.join("corpus"))?;
    match until {
        Until::Seconds(seconds) => make.arg(format!("SECONDS={seconds}")),
        Until::Reports(reports) => make
            .env("FUZZ_REPORTS", REPORTS_PER_INPUT.to_string())
            .arg(format!("FUZZ_LIMIT=-runs={}", reports.div_ceil(REPORTS_PER_INPUT))),
    };
    process::run(step, make.arg("fuzz"))?;
    let log = std::fs::read_to_string(step.log())?;
    let done = reports_done(&log).with_context(|| format!("no `reports=` in {}", step.log()))?;
    match until {
        Until::Reports(wanted) if done < wanted => bail!("only {done} of {wanted} reports"),
        _ => Ok(done),
    }
}

/// `make` of the driver's user-space tests, and the folder it builds in.
fn make(cache: &Cache, name: &str) -> Result<(Command, Utf8PathBuf)> {
    let folder = cache.folder("arithmetic")?.join(name);
    let mut make = Command::new("make");
    make.args(["-C", source::root()?.join("kmod/tests").as_str()]).arg(format!("OUT={folder}"));
    Ok((make, folder))
}

/// The number that the fuzz target says at its end.
fn reports_done(log: &str) -> Option<u64> {
    log.lines().rev().find_map(|line| line.strip_prefix("reports="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_of_reports_counts() {
        assert_eq!(reports_done("reports=1\nDone\nreports=100000\n\n"), Some(100_000));
        assert_eq!(reports_done("Done 3 runs\n"), None);
    }
}
