// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running other programs.

use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::process::Command;

/// What a program left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Whether the program says that it succeeded.
    pub const fn success(&self) -> bool {
        self.code == 0
    }

    /// Both streams, as a person would have seen them.
    pub fn output(&self) -> String {
        let mut text = self.stdout.trim_end().to_owned();
        if !text.is_empty() && !self.stderr.is_empty() {
            text.push('\n');
        }
        text.push_str(self.stderr.trim_end());
        text
    }
}

/// A program that could not be run, or that refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there.
    #[error("`{program}` is not installed; it is needed to {purpose}")]
    Missing {
        /// The program.
        program: String,
        /// What for.
        purpose: String,
    },
    /// It could not be started.
    #[error("cannot run `{program}` to {purpose}")]
    Start {
        /// The program.
        program: String,
        /// What for.
        purpose: String,
        /// Why not.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("`{program}` could not {purpose} (exit code {code}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// What for.
        purpose: String,
        /// Its exit code.
        code: i32,
        /// What it said.
        output: String,
    },
}

/// A way to run programs.
pub trait Tools: fmt::Debug {
    /// Runs a program to its end; an exit code other than 0 is an outcome, not an error.
    ///
    /// # Errors
    ///
    /// When the program is missing or cannot be started. `purpose` completes "needed to".
    fn outcome(&self, program: &str, args: &[&str], purpose: &str) -> Result<Outcome, Error>;

    /// Runs a program to its end and hands on both its streams line by line as they come. Returns
    /// its exit code.
    ///
    /// # Errors
    ///
    /// As for [`Tools::outcome`].
    fn follow(
        &self,
        program: &str,
        args: &[&str],
        purpose: &str,
        line: &mut dyn FnMut(&str),
    ) -> Result<i32, Error>;

    /// Runs a program that has to succeed.
    ///
    /// # Errors
    ///
    /// As for [`Tools::outcome`], and when it ends with another exit code than 0.
    fn run(&self, program: &str, args: &[&str], purpose: &str) -> Result<Outcome, Error> {
        let outcome = self.outcome(program, args, purpose)?;
        if outcome.success() {
            return Ok(outcome);
        }
        Err(Error::Failed {
            program: program.to_owned(),
            purpose: purpose.to_owned(),
            code: outcome.code,
            output: outcome.output(),
        })
    }
}

/// The programs on `PATH`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path;

impl Path {
    fn command(program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        // Messages are searched for package names and shown to people who report them.
        command.args(args).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// Tells a missing program from one that cannot be started.
fn start_error(program: &str, purpose: &str) -> impl Fn(io::Error) -> Error {
    move |source| {
        let (program, purpose) = (program.to_owned(), purpose.to_owned());
        if source.kind() == io::ErrorKind::NotFound {
            Error::Missing { program, purpose }
        } else {
            Error::Start { program, purpose, source }
        }
    }
}

impl Tools for Path {
    fn outcome(&self, program: &str, args: &[&str], purpose: &str) -> Result<Outcome, Error> {
        let output =
            Self::command(program, args).output().map_err(start_error(program, purpose))?;
        Ok(Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn follow(
        &self,
        program: &str,
        args: &[&str],
        purpose: &str,
        line: &mut dyn FnMut(&str),
    ) -> Result<i32, Error> {
        let error = start_error(program, purpose);
        // One pipe for both streams keeps the lines in the order in which they were written.
        let (reader, writer) = io::pipe().map_err(&error)?;
        let second = writer.try_clone().map_err(&error)?;
        let mut command = Self::command(program, args);
        let mut child = command.stdout(writer).stderr(second).spawn().map_err(&error)?;
        // The command holds the writing end open; the reading one would never see its end.
        drop(command);
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).map_err(&error)? > 0 {
            line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'));
            bytes.clear();
        }
        Ok(child.wait().map_err(&error)?.code().unwrap_or(-1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_program_is_named_with_its_purpose() {
        let error = Path.run("no-such-program-here", &[], "test").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`no-such-program-here` is not installed; it is needed to test"
        );
    }

    #[test]
    fn failure_carries_code_and_output() {
        let error = Path.run("sh", &["-c", "echo out; echo err >&2; exit 7"], "test").unwrap_err();
        assert_eq!(error.to_string(), "`sh` could not test (exit code 7):\nout\nerr");
    }

    #[test]
    fn followed_program_hands_on_both_streams_in_order() {
        let mut lines = Vec::new();
        let args = ["-c", "echo one; echo two >&2; printf three; exit 3"];
        let code = Path.follow("sh", &args, "test", &mut |line| lines.push(line.to_owned()));
        assert_eq!(code.unwrap(), 3);
        assert_eq!(lines, ["one", "two", "three"]);
    }
}
