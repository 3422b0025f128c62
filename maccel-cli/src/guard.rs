// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guard: a process of its own that puts the old state back unless it is told to keep the new
//! one, also when the program that asked for it was killed or its terminal closed.
//!
//! It reads what to put back from its input, says `ready`, and waits. `keep` ends it with `kept`;
//! the end of the input or of the time makes it act.

use std::env;
use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use maccel_core::changes::Changes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::setsid;
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::args::Common;
use crate::host::Host;
use crate::output::Output;
use crate::write;

const READY: &str = "ready\n";
const KEEP: &str = "keep\n";
const KEPT: &str = "kept\n";

/// What to put back.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promise {
    /// The mouse that it is about; all without one.
    pub(crate) device: Option<String>,
    /// Settings.
    pub(crate) settings: Option<Changes>,
    /// Whether the mouse follows the shared settings.
    pub(crate) inherit: bool,
    /// Seconds until it is put back anyway.
    pub(crate) seconds: Option<u32>,
}

/// A guard that waits.
#[derive(Debug)]
pub(crate) struct Guard {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Guard {
    /// Starts a guard; when this returns it will act.
    pub(crate) fn set(common: &Common, promise: &Promise) -> anyhow::Result<Self> {
        let program = env::current_exe().context("cannot find this program")?;
        let mut process = Command::new(program)
            .args(["--root", common.root.as_str(), "guard"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the guard that would put the old settings back")?;
        let mut input = process.stdin.take().context("the guard has no input")?;
        let output = process.stdout.take().context("the guard has no output")?;
        writeln!(input, "{}", serde_json::to_string(promise)?).context("the guard has ended")?;
        let (mut ready, mut output) = (String::new(), BufReader::new(output));
        output.read_line(&mut ready).context("the guard says nothing")?;
        ensure!(ready == READY, "the guard is not ready");
        Ok(Guard { process, input, output })
    }

    /// Lets the new state stay.
    pub(crate) fn keep(mut self) -> anyhow::Result<()> {
        const LATE: &str = "the time is over: the guard has put the old settings back";
        self.input.write_all(KEEP.as_bytes()).context(LATE)?;
        // The pipe takes the word also while the guard is already at work.
        let mut answer = String::new();
        self.output.read_line(&mut answer).context("the guard says nothing")?;
        ensure!(answer == KEPT, LATE);
        self.end()
    }

    /// Has the old state put back.
    pub(crate) fn restore(self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(self) -> anyhow::Result<()> {
        let Guard { mut process, input, output: _ } = self;
        drop(input);
        let status = process.wait().context("the guard is gone")?;
        ensure!(status.success(), "the old settings could not be put back");
        Ok(())
    }
}

/// Is the guard.
pub(crate) fn run(common: &Common) -> anyhow::Result<Output> {
    // A closed terminal and its keys are none of the guard's business. It fails for the first
    // process of a session only, which has no terminal to lose.
    let _ = setsid();
    // Whoever ends all programs of this name, or a whole session, ends the one that is guarded
    // too: the end of the input tells, and there is still something to put back.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let input = stdin();
    let mut line = String::new();
    // Nothing beyond the line may be read ahead.
    let mut byte = [0; 1];
    while input.lock().read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(char::from(byte[0]));
    }
    let promise: Promise = serde_json::from_str(&line).context("a guard is for maccel itself")?;
    print!("{READY}");
    std::io::stdout().flush()?;

    let mut word = String::new();
    if wait(&input, promise.seconds.map(|seconds| Duration::from_secs(seconds.into())))? {
        input.lock().read_line(&mut word)?;
    }
    if word == KEEP {
        print!("{KEPT}");
    } else {
        put_back(common, &promise)?;
    }
    Ok(Output::default())
}

/// Waits for input or its end; gives whether there is any before the time is over.
fn wait(input: &impl AsFd, limit: Option<Duration>) -> anyhow::Result<bool> {
    let begun = Instant::now();
    loop {
        let left = match limit.map(|limit| limit.saturating_sub(begun.elapsed())) {
            Some(left) => Some(Timespec::try_from(left).context("too long a time")?),
            None => None,
        };
        match poll(&mut [PollFd::new(input, PollFlags::IN)], left.as_ref()) {
            // A signal that is none of the guard's business.
            Err(Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

fn put_back(common: &Common, promise: &Promise) -> anyhow::Result<()> {
    let host = Host::open(&Common { device: promise.device.clone(), ..common.clone() })?;
    match (&promise.device, &promise.settings) {
        // Nobody has kept what they were changed to.
        (Some(device), _) if promise.inherit => host.driver.set_device_settings(device, None)?,
        (_, Some(settings)) => drop(write::put(&host, settings)?),
        (_, None) => {}
    }
    Ok(())
}
