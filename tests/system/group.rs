// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests that share one boot: the guest starts with the first and ends with the run.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use libtest_mimic::{Failed, Trial};
use vespera_tests::{Guest, HarnessError};

use crate::chain;

/// How a group gets its guest.
pub(crate) type Boot = Box<dyn Fn() -> Result<Guest, HarnessError> + Send + Sync>;
/// The body of a test; it may panic.
pub(crate) type Body = fn(&Guest) -> Result<(), HarnessError>;

enum State {
    Cold,
    Up(Guest),
    /// The boot failed, with this message for every test.
    Failed(String),
    Over,
}

/// Tests on one guest. One at a time: they change the guest's settings.
pub(crate) struct Group {
    name: String,
    boot: Boot,
    state: Mutex<State>,
}

impl Group {
    pub(crate) fn new(name: String, boot: Boot) -> Arc<Self> {
        Arc::new(Self { name, boot, state: Mutex::new(State::Cold) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes a test of this group.
    pub(crate) fn test(self: &Arc<Self>, name: &str, body: Body) -> Trial {
        let group = Arc::clone(self);
        Trial::test(format!("{}::{name}", self.name), move || group.run(body))
    }

    fn run(&self, body: Body) -> Result<(), Failed> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Cold) {
            let started = Instant::now();
            *state = match (self.boot)() {
                Ok(guest) => {
                    let (boot, ready) = (guest.boot_time(), started.elapsed());
                    eprintln!("    {} booted in {boot:.1?}, ready after {ready:.1?}", self.name);
                    State::Up(guest)
                }
                Err(error) => State::Failed(chain(&error)),
            };
        }
        let guest = match &*state {
            State::Up(guest) => guest,
            State::Failed(message) => return Err(Failed::from(message.clone())),
            State::Cold | State::Over => return Err(Failed::from("the guest is over")),
        };
        let before = guest.faults().len();
        let result = catch_unwind(AssertUnwindSafe(|| body(guest)));
        // A complaint of the kernel belongs to the test that was running.
        let faults: Vec<_> =
            guest.faults().into_iter().skip(before).map(|fault| fault.line).collect();
        if !faults.is_empty() || !matches!(result, Ok(Ok(()))) {
            guest.collect_logs();
            eprintln!("    logs of {}: {}", self.name, guest.logs().display());
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
            State::Up(guest) => guest.finish(),
            _ => Ok(()),
        }
    }
}
