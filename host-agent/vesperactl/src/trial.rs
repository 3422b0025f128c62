// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl trial`: settings that go back by themselves unless they are kept.

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use health::Root;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use vespera_api::{Dict, DriverState, Error, MaccelProxy, dict};

use crate::agent::{self, Wait};
use crate::assignment;
use crate::exit::{self, Outcome};

/// What to try, or how to end a trial.
#[derive(Debug, clap::Args)]
pub(crate) struct TrialArgs {
    /// A parameter and its value in natural units, for example sens-mult=1.5 or mode=natural
    #[arg(value_name = "NAME=VALUE", required_unless_present_any = ["keep", "cancel"])]
    assignments: Vec<String>,
    /// How long to wait for an answer before the old settings come back
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Keep the settings of the trial that runs
    #[arg(long, conflicts_with_all = ["assignments", "cancel"])]
    keep: bool,
    /// End the trial that runs; the old settings come back
    #[arg(long, conflicts_with = "assignments")]
    cancel: bool,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kept,
    Cancelled,
    TimeIsOver,
}

/// Tries, asks, counts down.
pub(crate) fn run(root: &Root, args: &TrialArgs) -> anyhow::Result<Outcome> {
    let end = if args.keep || args.cancel {
        agent::ask(root, Wait::Person, async |bus| {
            let trial = DriverState::read(bus)
                .await?
                .trial
                .ok_or_else(|| Error::NoSuchTrial("no trial is running".to_owned()))?;
            end_trial(&MaccelProxy::new(bus).await?, trial.id, args.keep).await
        })?
    } else {
        let change = dict::write(&assignment::parse(&args.assignments)?);
        agent::ask(root, Wait::Person, async |bus| {
            attend(&MaccelProxy::new(bus).await?, &change, args.seconds).await
        })?
    };
    let text = match end {
        End::Kept => "the new settings are kept\n",
        End::Cancelled => "the old settings are back\n",
        End::TimeIsOver => "no answer; the old settings are back\n",
    };
    Ok(Outcome { text: text.to_owned(), code: exit::HEALTHY })
}

/// The trial lives as long as this connection, so whatever ends this program ends it.
async fn attend(maccel: &MaccelProxy<'_>, change: &Dict, seconds: u32) -> vespera_api::Result<End> {
    let id = maccel.trial(change, seconds).await?;
    let until = Instant::now() + Duration::from_secs(seconds.into());
    match answer(until) {
        Some(keep) => end_trial(maccel, id, keep).await,
        None => {
            // The agent's own clock may be a moment behind; it is not to be asked twice.
            match maccel.cancel_trial(id).await {
                Ok(()) | Err(Error::NoSuchTrial(_)) => Ok(End::TimeIsOver),
                Err(error) => Err(error),
            }
        }
    }
}

async fn end_trial(maccel: &MaccelProxy<'_>, id: u32, keep: bool) -> vespera_api::Result<End> {
    if keep {
        maccel.confirm_trial(id).await?;
        return Ok(End::Kept);
    }
    maccel.cancel_trial(id).await?;
    Ok(End::Cancelled)
}

/// Asks until the time is over. Whatever is not a yes is a no, as is the end of the input.
fn answer(until: Instant) -> Option<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            eprintln!();
            return None;
        }
        eprint!("\rKeep these settings? [y/N] {:>3} s ", left.as_secs() + 1);
        // The question is a courtesy; without a terminal to show it the answer still counts.
        let _ = io::stderr().flush();
        let stdin = io::stdin();
        let mut wait = [PollFd::new(&stdin, PollFlags::IN)];
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        match poll(&mut wait, Some(&second)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                let mut line = String::new();
                // Input that cannot be read is no yes.
                let _ = stdin.lock().read_line(&mut line);
                return Some(is_yes(&line));
            }
            Err(_) => return Some(false),
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_keeps_the_settings() {
        for (line, keep) in
            [("y\n", true), ("YES\n", true), ("\n", false), ("", false), ("yep\n", false)]
        {
            assert_eq!(is_yes(line), keep, "{line:?}");
        }
    }
}
