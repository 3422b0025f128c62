// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel trial`: settings that go back by themselves unless somebody says keep.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::os::fd::AsFd;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::args::{Common, Trial};
use crate::host::Host;
use crate::output::{FORMAT, Output, document};
use crate::provisional::Provisional;
use crate::set;

/// Runs the command.
pub(crate) fn run(common: &Common, trial: Trial) -> anyhow::Result<Output> {
    let request = set::request(trial.set)?;
    let host = Host::open(common)?;
    let (changes, error) = set::changes(&host, &request)?;
    if let set::Request::Curve(_) = request {
        eprint!("{}", set::compiled(error));
    }
    let tried = Provisional::begin(common, &host, &changes, trial.seconds)?;
    let kept = ask(trial.seconds)?;
    let note = if kept {
        tried.keep(&host.reopened()?)?
    } else {
        tried.back()?;
        String::new()
    };
    let text = match (common.json, kept) {
        (true, kept) => document(&json!({"format": FORMAT, "kept": kept}))?,
        (false, true) => "kept\n".to_owned(),
        (false, false) => "the old settings are back\n".to_owned(),
    };
    Ok(Output { text, note })
}

/// Waits for a word; no word in time, or another one, means no.
fn ask(seconds: u32) -> anyhow::Result<bool> {
    let counting = stderr().is_terminal();
    for left in (1..=seconds).rev() {
        if counting || left == seconds {
            eprint!("\rKeep these settings? They go back in {left} s. [y/N] ");
            stderr().flush()?;
        }
        let input = stdin();
        let mut wait = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
        if poll(&mut wait, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }))? > 0 {
            let mut line = String::new();
            input.read_line(&mut line).context("cannot read the answer")?;
            if !counting {
                eprintln!();
            }
            return Ok(matches!(line.trim(), "y" | "yes" | "k" | "keep"));
        }
    }
    eprintln!();
    Ok(false)
}
