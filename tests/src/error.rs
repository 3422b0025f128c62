// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can go wrong between a test and its guest.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vespera_guest::wire::{Refusal, WireError};

use crate::console::Fault;

/// Why the harness could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The tests were started without the things they run on.
    #[error(
        "{variable} is not set: these tests need a kernel, a driver and an image to boot; \
         `cargo xtask test` makes them and sets it"
    )]
    NoArtifacts {
        /// The environment variable.
        variable: &'static str,
    },
    /// The list of artifacts lacks something.
    #[error("the artifacts have no {what} (there are: {there})")]
    Missing {
        /// What was asked for.
        what: String,
        /// What there is.
        there: String,
    },
    /// A file of the host.
    #[error("{doing} {}", path.display())]
    File {
        /// The attempt, as in "reading".
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file of the host has the wrong content.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A program of the host could not be started.
    #[error("starting {program}: is it installed?")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// Something within the harness's own process.
    #[error("{doing}")]
    Host {
        /// The attempt.
        doing: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The guest is gone while something was expected of it.
    #[error("the guest {name} ended while {doing} ({end}); its last words:\n{words}{}", kept(logs.as_deref()))]
    GuestEnded {
        /// The guest.
        name: String,
        /// What was expected.
        doing: String,
        /// QEMU's end.
        end: String,
        /// The end of the console.
        words: String,
        /// The folder of its logs.
        logs: Option<PathBuf>,
    },
    /// The emulator broke the guest's kernel before any module was loaded.
    #[error("the emulator broke the kernel of the guest {name}:\n{words}{}", kept(logs.as_deref()))]
    Misread {
        /// The guest.
        name: String,
        /// The end of the console.
        words: String,
        /// The folder of its logs.
        logs: Option<PathBuf>,
    },
    /// The guest did not answer in time.
    #[error("the guest {name} did not answer within {limit:?} while {doing}; its last words:\n{words}{}", kept(logs.as_deref()))]
    Timeout {
        /// The guest.
        name: String,
        /// What was expected.
        doing: String,
        /// How long was waited.
        limit: Duration,
        /// The end of the console.
        words: String,
        /// The folder of its logs.
        logs: Option<PathBuf>,
    },
    /// The program in the guest did not end in time and was killed.
    #[error(
        "`{command}` in the guest did not end within {limit:?}\nstdout: {stdout}\nstderr: {stderr}"
    )]
    CommandTimeout {
        /// The command.
        command: String,
        /// Its time.
        limit: Duration,
        /// What it had said by then.
        stdout: String,
        /// What it had complained about by then.
        stderr: String,
    },
    /// The program in the guest failed.
    #[error("`{command}` in the guest ended with {code}\nstdout: {stdout}\nstderr: {stderr}")]
    CommandFailed {
        /// The command.
        command: String,
        /// Its code.
        code: i32,
        /// What it said.
        stdout: String,
        /// What it complained about.
        stderr: String,
    },
    /// The guest could not do it.
    #[error("the guest refused: {}", .0.message)]
    Refused(Refusal),
    /// The two ends of the channel do not understand each other.
    #[error("talking to the guest")]
    Wire(#[from] WireError),
    /// QEMU's monitor refused a command.
    #[error("QEMU refused `{command}`: {reason}")]
    Monitor {
        /// The command.
        command: String,
        /// Its reason.
        reason: String,
    },
    /// The kernel complained.
    #[error("the kernel of the guest {name} complained:\n{}{}", lines(faults), kept(logs.as_deref()))]
    Faults {
        /// The guest.
        name: String,
        /// The complaints.
        faults: Vec<Fault>,
        /// The folder of its logs.
        logs: Option<PathBuf>,
    },
}

impl HarnessError {
    /// For `map_err` on operations with a file of the host.
    pub fn file(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// For `map_err` on operations within the harness.
    pub fn host(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Host { doing, source }
    }

    /// The error number with which the guest refused, if it is that.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Refused(refusal) => refusal.errno,
            _ => None,
        }
    }
}

fn kept(logs: Option<&Path>) -> String {
    logs.map(|logs| format!("\nlogs kept in {}", logs.display())).unwrap_or_default()
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("  {}", fault.line)).collect::<Vec<_>>().join("\n")
}
