// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests that share one boot: the guest starts with the first and ends with the run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use vespera_tests::{Guest, HarnessError};

use crate::chain;

/// How a group gets its guest.
pub(crate) type Boot = Box<dyn Fn() -> Result<Guest, HarnessError> + Send + Sync>;
/// The body of a test; it may panic.
pub(crate) type Body = fn(&Guest) -> Result<(), HarnessError>;

/// Names a file that is told how long each test took, without its share of the boot.
const TIMES: &str = "VESPERA_TIMES";

enum State {
    Cold,
    Up(Box<Guest>),
    /// The boot failed, with this message for every test.
    Failed(String),
    Over,
}

/// Tests on one guest. One at a time: they change the guest's settings.
pub(crate) struct Group {
    name: String,
    boot: Boot,
    state: Mutex<State>,
    failed: AtomicBool,
}

impl Group {
    pub(crate) fn new(name: String, boot: Boot) -> Arc<Self> {
        Arc::new(Self {
            name,
            boot,
            state: Mutex::new(State::Cold),
            failed: AtomicBool::new(false),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes a test of this group.
    pub(crate) fn test(self: &Arc<Self>, name: &str, body: Body) -> Trial {
        let group = Arc::clone(self);
        let name = format!("{}::{name}", self.name);
        Trial::test(name.clone(), move || group.run(&name, body))
    }

    fn run(&self, test: &str, body: Body) -> Result<(), Failed> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Cold) {
            let started = Instant::now();
            *state = match (self.boot)() {
                Ok(guest) => {
                    let (boot, ready) = (guest.boot_time(), started.elapsed());
                    eprintln!("    {} booted in {boot:.1?}, ready after {ready:.1?}", self.name);
                    State::Up(Box::new(guest))
                }
                Err(error) => State::Failed(chain(&error)),
            };
        }
        let guest = match &*state {
            State::Up(guest) => guest,
            State::Failed(message) => return Err(Failed::from(message.clone())),
            State::Cold | State::Over => return Err(Failed::from("the guest is over")),
        };
        let before = guest.console_faults().len();
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| body(guest)));
        note_time(test, started.elapsed());
        // A complaint of the kernel belongs to the test that was running.
        let faults: Vec<_> =
            guest.console_faults().into_iter().skip(before).map(|fault| fault.line).collect();
        if !faults.is_empty() || !matches!(result, Ok(Ok(()))) {
            self.failed.store(true, Ordering::Relaxed);
        }
        match result {
            Err(panic) => resume_unwind(panic),
            Ok(Err(error)) => Err(Failed::from(chain(&error))),
            Ok(Ok(())) if faults.is_empty() => Ok(()),
            Ok(Ok(())) => Err(Failed::from(format!("the kernel complained: {faults:#?}"))),
        }
    }

    /// Ends the guest.
    pub(crate) fn finish(&self) -> Result<(), HarnessError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Over) {
            State::Up(guest) => {
                if self.failed.load(Ordering::Relaxed) {
                    guest.collect_logs();
                    eprintln!("logs of the guest `{}`: {}", self.name, guest.logs().display());
                }
                (*guest).finish()
            }
            _ => Ok(()),
        }
    }
}

fn note_time(test: &str, took: Duration) {
    let Some(path) = std::env::var_os(TIMES).map(PathBuf::from) else { return };
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{test} {:.2}", took.as_secs_f64()));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}
