// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trials: settings that go back by themselves, whatever happens.
//!
//! Settings on trial are never saved, and a note on disk says that the driver's are not to be kept
//! if the agent starts again; the note is safe before the driver is written.

use std::time::{Duration, Instant};

use maccel_core::changes::Changes;
use maccel_core::driver::DriverError;
use maccel_core::settings::Settings;
use nix::time::{ClockId, clock_gettime};
use vespera_api::{Error, Result};

use super::{Keeper, error_of};
use crate::journal;

/// How long a trial may be, in seconds.
const SECONDS: std::ops::RangeInclusive<u32> = 1..=600;

/// The trial that runs.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// Its number, never 0.
    pub(super) id: u32,
    /// What to go back to.
    pub(super) before: Before,
    /// What is kept if it is confirmed: what was asked for, and what others wrote meanwhile.
    pub(super) changes: Changes,
    /// When.
    pub(super) deadline: Instant,
    /// The same in microseconds of CLOCK_MONOTONIC.
    pub(super) end: u64,
}

/// What was in force before a trial. What is saved comes back, which the administrator may have
/// changed meanwhile; this does where nothing is saved, or what is saved contradicts itself, or the
/// driver refuses it.
#[derive(Clone, Debug)]
pub(super) enum Before {
    /// The shared settings.
    Shared(Settings),
    /// Those of one mouse.
    One {
        /// Its entry.
        input: String,
        /// What it had of its own.
        own: Option<Settings>,
        /// Whether something was saved for it: if nothing is any more, it goes.
        saved: bool,
    },
}

impl Keeper {
    /// Whether settings of this mouse alone are on trial: then nothing else puts any in force there.
    pub(super) fn is_on_trial(&self, input: &str) -> bool {
        let before = self.trial.as_ref().map(|trial| &trial.before);
        matches!(before, Some(Before::One { input: other, .. }) if other == input)
    }

    /// Refuses while settings of this mouse alone are on trial.
    pub(super) fn refuse_on_trial(&self, input: &str) -> Result<()> {
        if self.is_on_trial(input) { self.refuse_in_trial() } else { Ok(()) }
    }

    /// Refuses while a trial runs.
    pub(super) fn refuse_in_trial(&self) -> Result<()> {
        match &self.trial {
            Some(trial) => Err(Error::TrialRunning(format!(
                "trial {} is running; confirm or cancel it first",
                trial.id
            ))),
            None => Ok(()),
        }
    }

    /// Begins one.
    pub(super) fn begin_trial(
        &mut self,
        before: Before,
        changes: Changes,
        wanted: &Settings,
        seconds: u32,
    ) -> Result<u32> {
        if !SECONDS.contains(&seconds) {
            let (least, most) = (SECONDS.start(), SECONDS.end());
            return Err(Error::InvalidValue(format!(
                "a trial takes {least} to {most} seconds, not {seconds}"
            )));
        }
        let id = self.next_trial();
        self.store.begin_trial(id).map_err(|error| {
            Error::WriteFailed(format!("cannot note the trial, so it does not begin: {error}"))
        })?;
        let one = match &before {
            Before::Shared(_) => None,
            Before::One { input, .. } => Some(input.clone()),
        };
        let time = Duration::from_secs(seconds.into());
        let end = monotonic() + u64::from(seconds) * 1_000_000;
        // First, so that what is remembered from here on is what to go back to.
        self.trial = Some(Trial { id, before, changes, deadline: Instant::now() + time, end });
        let put = match one {
            None => self.put(wanted),
            Some(input) => self.put_on(&input, Some(wanted)),
        };
        if let Err(error) = put {
            self.trial = None;
            self.forget_trial_note();
            return Err(error_of(error));
        }
        journal::trial_began(id, seconds);
        Ok(id)
    }

    /// Keeps the settings on trial.
    pub(super) fn confirm_trial(&mut self, id: u32) -> Result<()> {
        // What others have just written is kept, too; and the module may have gone.
        self.look();
        self.refuse_other_than(id)?;
        let Some(trial) = self.trial.clone() else { return Ok(()) };
        match &trial.before {
            Before::One { input, .. } => self.keep_own(input, &trial.changes)?,
            Before::Shared(_) => self.keep_tried(&trial.changes)?,
        }
        self.trial = None;
        self.forget_trial();
        journal::trial_confirmed(id);
        if let Before::One { input, .. } = &trial.before {
            self.meet_again(input);
        }
        self.judge();
        Ok(())
    }

    /// Saves what was tried on top of what is saved, with that in force: the administrator may have
    /// changed something meanwhile. After an error what was tried still is.
    fn keep_tried(&mut self, changes: &Changes) -> Result<()> {
        let tried = self.in_force()?;
        let layers = self.layers_with(&changes.apply(&self.saved()?)?)?;
        let wanted = self.as_the_driver_can(self.saved_in(&layers)?);
        self.put_and_save(&tried, &wanted, layers)
    }

    /// Goes back before its time.
    pub(super) fn cancel_trial(&mut self, id: u32) -> Result<()> {
        self.refuse_other_than(id)?;
        self.go_back("it was cancelled").map_err(error_of)
    }

    /// Goes back, if a trial runs.
    pub(super) fn end_trial(&mut self, why: &str) {
        // What went wrong is in the journal, and the check says it.
        let _ = self.go_back(why);
    }

    fn go_back(&mut self, why: &str) -> std::result::Result<(), DriverError> {
        if self.trial.is_none() {
            return Ok(());
        }
        // What others wrote meanwhile is kept.
        self.look();
        let Some(trial) = self.trial.take() else { return Ok(()) };
        let put = match &trial.before {
            Before::Shared(before) => self.put_back(before),
            Before::One { input, own, saved } => self.put_back_on(input, own.as_ref(), *saved),
        };
        match &put {
            Ok(()) => journal::trial_ended(why),
            Err(error) => journal::not_restored(&error.to_string()),
        }
        self.forget_trial();
        self.judge();
        put
    }

    /// Puts in force what is saved by now, or else what was before.
    fn put_back(&mut self, before: &Settings) -> std::result::Result<(), DriverError> {
        let saved = self.wanted().map_err(DriverError::from).and_then(|wanted| self.put(&wanted));
        saved.or_else(|error| {
            journal::not_restored(&error.to_string());
            self.put(before)
        })
    }

    /// What is remembered from here on is what is in force again, and the note has served.
    fn forget_trial(&mut self) {
        self.remember();
        self.forget_trial_note();
    }

    /// The note has served.
    pub(super) fn forget_trial_note(&mut self) {
        if self.trial.is_none()
            && self.store.trial_was_running()
            && let Err(error) = self.store.end_trial()
        {
            // The worst that follows: an outside write before the next start is not kept.
            journal::warning(&format!("cannot remove the note of the trial: {error}"));
        }
    }

    fn refuse_other_than(&self, id: u32) -> Result<()> {
        if self.trial.as_ref().is_some_and(|trial| trial.id == id) {
            return Ok(());
        }
        Err(Error::NoSuchTrial(format!("there is no trial {id}, or it has ended")))
    }

    /// A number that no trial of this boot had, also not before the agent was started again.
    fn next_trial(&mut self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "wraps after 49 days, which is enough")]
        let now = (monotonic() / 1000) as u32;
        self.last_trial = now.max(self.last_trial.wrapping_add(1)).max(1);
        self.last_trial
    }
}

/// Microseconds of CLOCK_MONOTONIC.
fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
