// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel trial`: settings that go back by themselves unless somebody says keep.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::os::fd::AsFd;

use anyhow::Context;
use maccel_core::changes::Changes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;
use vespera_api::{Error, MaccelProxy, dict};

use crate::agent;
use crate::args::{Common, Trial};
use crate::guard::{Guard, Promise};
use crate::host::Host;
use crate::output::{FORMAT, Output, document};
use crate::set;
use crate::write;

/// Who puts the old settings back.
enum Keeper {
    /// The agent, which knows the trial by this number.
    Agent(u32),
    /// A guard of our own.
    Guard(Guard),
}

/// Runs the command.
pub(crate) fn run(common: &Common, trial: Trial) -> anyhow::Result<Output> {
    let request = set::request(trial.set)?;
    let host = Host::open(common)?;
    let (changes, error) = set::changes(&host, &request)?;
    if let set::Request::Curve(_) = request {
        eprint!("{}", set::compiled(error));
    }
    let keeper = begin(common, &host, &changes, trial.seconds)?;
    let kept = ask(trial.seconds)?;
    end(common, keeper, kept)?;
    let text = match (common.json, kept) {
        (true, kept) => document(&json!({"format": FORMAT, "kept": kept}))?,
        (false, true) => "kept\n".to_owned(),
        (false, false) => "the old settings are back\n".to_owned(),
    };
    Ok(Output::text(text))
}

/// Puts the settings in force, with somebody to take them back.
fn begin(common: &Common, host: &Host, changes: &Changes, seconds: u32) -> anyhow::Result<Keeper> {
    if host.device.is_none() {
        let wanted = dict::write(changes);
        let answer = agent::ask(&host.root, async |bus| {
            MaccelProxy::new(&bus).await?.trial(&wanted, seconds).await
        });
        match answer {
            Some(Ok(number)) => return Ok(Keeper::Agent(number)),
            Some(Err(error)) => return Err(agent::refusal(error)),
            None => {}
        }
    }
    let promise = Promise {
        device: host.device.as_ref().map(|device| device.input.clone()),
        settings: Some(Changes::all(&host.settings()?)),
        inherit: host.device.as_ref().is_some_and(|device| device.settings.is_none()),
        enabled: None,
        seconds: Some(seconds),
    };
    let guard = Guard::set(common, &promise)?;
    match write::change(host, changes) {
        Ok(_) => Ok(Keeper::Guard(guard)),
        Err(error) => {
            // Nothing was changed.
            guard.keep()?;
            Err(error)
        }
    }
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

fn end(common: &Common, keeper: Keeper, kept: bool) -> anyhow::Result<()> {
    match keeper {
        Keeper::Guard(guard) if kept => guard.keep(),
        Keeper::Guard(guard) => guard.restore(),
        Keeper::Agent(number) => {
            let answer = agent::ask(&common.root, async |bus| {
                let maccel = MaccelProxy::new(&bus).await?;
                if kept {
                    maccel.confirm_trial(number).await
                } else {
                    maccel.cancel_trial(number).await
                }
            });
            match answer {
                // It ran out by itself at the same moment.
                Some(Err(Error::NoSuchTrial(_))) if !kept => Ok(()),
                Some(Err(error)) => Err(agent::refusal(error)),
                Some(Ok(())) => Ok(()),
                None => anyhow::bail!("the agent has gone; what is in force: maccel get mode"),
            }
        }
    }
}
