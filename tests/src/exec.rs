// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program run in a guest.

use std::time::Duration;

use vespera_guest::wire::{Command, Outcome, Request};

use crate::error::HarnessError;
use crate::guest::Guest;

/// Unless the test says otherwise. Long, since a loaded host without KVM may be twenty times
/// slower than a desktop.
const LIMIT: Duration = Duration::from_secs(120);
/// What the agent is given on top to say that the time is over.
const GRACE: Duration = Duration::from_secs(10);

/// What a program in the guest left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The command, for messages.
    pub command: String,
    /// Its exit code; 128 and the signal's number if a signal ended it, as shells have it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// Demands exit code 0.
    ///
    /// # Errors
    /// If it is another.
    pub fn success(self) -> Result<Self, HarnessError> {
        if self.code == 0 {
            return Ok(self);
        }
        let Self { command, code, stdout, stderr } = self;
        Err(HarnessError::CommandFailed { command, code, stdout, stderr })
    }
}

/// A command about to run in a guest.
#[derive(Debug)]
pub struct Exec<'a> {
    pub(crate) guest: &'a Guest,
    pub(crate) command: Command,
    pub(crate) input: Vec<u8>,
}

impl Exec<'_> {
    /// Gives it an input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Adds to its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Bounds its time.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.command.timeout_ms = milliseconds(limit);
        self
    }

    /// Runs it, whatever its exit code.
    ///
    /// # Errors
    /// If it could not be run, did not end in time, or the guest died.
    pub fn run(self) -> Result<Output, HarnessError> {
        let words = self.command.argv.join(" ");
        let limit = Duration::from_millis(self.command.timeout_ms);
        let doing = format!("running `{words}`");
        let answer =
            self.guest.ask(&Request::Run(self.command), &self.input, limit + GRACE, &doing)?;
        let stdout = String::from_utf8_lossy(&answer.output).into_owned();
        let stderr = String::from_utf8_lossy(&answer.errors).into_owned();
        let code = match answer.outcome {
            Outcome::Exited { code } => code,
            Outcome::Signalled { signal } => 128 + signal,
            Outcome::TimedOut => {
                return Err(HarnessError::CommandTimeout { command: words, limit, stdout, stderr });
            }
            Outcome::Refused(refusal) => return Err(HarnessError::Refused(refusal)),
            Outcome::Done => 0,
        };
        Ok(Output { command: words, code, stdout, stderr })
    }
}

impl Guest {
    /// Runs a program with the usual time limit, whatever its exit code.
    ///
    /// # Errors
    /// See [`Exec::run`].
    pub fn run<S: Into<String>>(
        &self,
        argv: impl IntoIterator<Item = S>,
    ) -> Result<Output, HarnessError> {
        self.command(argv).run()
    }

    /// Prepares a command.
    pub fn command<S: Into<String>>(&self, argv: impl IntoIterator<Item = S>) -> Exec<'_> {
        let command = Command {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            timeout_ms: milliseconds(LIMIT),
            terminal: None,
        };
        Exec { guest: self, command, input: Vec::new() }
    }
}

/// A duration as the wire has it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
