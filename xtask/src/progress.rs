// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shows each step while it runs and what it cost when all are done.
//!
//! On a terminal a spinner shows the running step and the last line its program
//! wrote; elsewhere each step is one plain line at its start and one at its end,
//! and a heartbeat so that no log is silent for long.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cache::Cache;

/// How often a step that runs without a terminal says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How a step came by its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made in this run.
    Made,
    /// Taken from the cache, since nothing it depends on has changed.
    Reused,
}

/// The steps of one run, in order, with their times.
#[derive(Debug)]
pub(crate) struct Steps {
    started: Instant,
    done: Mutex<Vec<(String, Duration, Origin)>>,
    logs: Utf8PathBuf,
}

/// What a running step is given: a place for its log and a line to show.
#[derive(Debug)]
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    log: Utf8PathBuf,
}

impl Step {
    /// The file that takes the output of the programs this step runs.
    pub(crate) fn log(&self) -> &Utf8PathBuf {
        &self.log
    }

    /// Shows the last line that a program of this step wrote.
    pub(crate) fn show(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.chars().take(90).collect::<String>());
        }
    }
}

impl Steps {
    /// Starts the clock; logs of the steps go below the cache folder.
    pub(crate) fn new(cache: &Cache) -> Result<Self> {
        let logs = cache.logs()?;
        Ok(Self { started: Instant::now(), done: Mutex::new(Vec::new()), logs })
    }

    /// Runs one step that always has to be done.
    pub(crate) fn run<T>(&self, name: &str, work: impl FnOnce(&Step) -> Result<T>) -> Result<T> {
        self.step(name, |step| Ok((work(step)?, Origin::Made)))
    }

    /// Runs one step whose programs talk to the reader themselves.
    pub(crate) fn show(&self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("-> {name}");
        self.timed(name, None, |_| Ok((work()?, Origin::Made)))
    }

    /// Runs one step that may find its result in the cache.
    pub(crate) fn step<T>(
        &self,
        name: &str,
        work: impl FnOnce(&Step) -> Result<(T, Origin)>,
    ) -> Result<T> {
        let bar = spinner(name);
        if bar.is_none() {
            println!("-> {name}");
        }
        self.timed(name, bar, work)
    }

    fn timed<T>(
        &self,
        name: &str,
        bar: Option<ProgressBar>,
        work: impl FnOnce(&Step) -> Result<(T, Origin)>,
    ) -> Result<T> {
        let slug: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let step = Step { bar, log: self.logs.join(format!("{slug}.log")) };
        let start = Instant::now();
        let result = std::thread::scope(|scope| {
            // Dropping the sender, also by a panic, ends the heartbeat.
            let (_alive, ended) = mpsc::channel::<()>();
            if step.bar.is_none() {
                scope.spawn(move || heartbeat(&ended, start));
            }
            work(&step)
        });
        let took = start.elapsed();
        if let Some(bar) = &step.bar {
            bar.finish_and_clear();
        }
        let (value, origin) = match result {
            Ok(pair) => pair,
            Err(error) => {
                println!("✗ {name} failed after {}", seconds(took));
                return Err(error).with_context(|| format!("step “{name}” failed"));
            }
        };
        match origin {
            Origin::Made => println!("✓ {name} ({})", seconds(took)),
            Origin::Reused => println!("✓ {name} (unchanged, reused)"),
        }
        if let Ok(mut done) = self.done.lock() {
            done.push((name.to_owned(), took, origin));
        }
        Ok(value)
    }

    /// Prints the time of each step and of the whole run.
    pub(crate) fn summary(&self) {
        let Ok(done) = self.done.lock() else { return };
        println!("\n{:<46} {:>10}", "step", "time");
        for (name, took, origin) in done.iter() {
            let note = if *origin == Origin::Reused { "  reused" } else { "" };
            println!("{name:<46} {:>10}{note}", seconds(*took));
        }
        println!("{:<46} {:>10}", "total", seconds(self.started.elapsed()));
    }

    /// The time since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A duration as people read it: `12.3 s` or `4 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole >= 60 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// Says now and then that a step is still at work, until the other end is dropped.
fn heartbeat(ended: &mpsc::Receiver<()>, start: Instant) {
    while ended.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
        println!("   … still at work ({})", seconds(start.elapsed()));
    }
}

fn spinner(name: &str) -> Option<ProgressBar> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {msg:.dim}") {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    Some(bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(245)), "4 min 05 s");
    }
}
