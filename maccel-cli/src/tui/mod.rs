// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal interface.
//!
//! - `state`: all that is known; `update`: what an event makes of it, with `points` for a drawn
//!   curve; `view`: the screen
//! - `layout`: where everything lies
//! - `sources`: what events come from; `work`: what is done outside
//! - `terminal`: the terminal, left clean however the program ends
//! - `picture`: a screen as SVG, for documents
//!
//! Nothing runs while nothing happens: all sources wait, and so does the loop.

mod layout;
#[cfg(test)]
pub(crate) mod picture;
mod points;
mod sources;
mod state;
mod terminal;
mod update;
mod view;
mod work;

use std::env;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context;
use signal_hook::consts::SIGSTOP;
use signal_hook::low_level;

use crate::args::Common;
use crate::host::Host;
use crate::output::Output;
use crate::tui::state::State;
use crate::tui::terminal::Screen;
use crate::tui::update::{Event, update};

/// Runs until the person leaves.
pub(crate) fn run(common: &Common) -> anyhow::Result<Output> {
    let host = Host::open(common)?;
    let settings = host.settings()?;
    let devices = host.driver.devices().unwrap_or_default();
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut state = State::new(settings, devices, !no_color);
    state.device = host.device.as_ref().map(|device| device.input.clone());

    let (events, inbox) = mpsc::channel();
    let mut screen = Screen::open()?;
    state.size = screen.size()?;
    sources::start(&host, &events)?;
    let work = work::start(common.clone(), events);

    let mut second = Instant::now();
    loop {
        screen.draw(&state)?;
        // Only a running trial needs a clock.
        let event = if state.trial.as_ref().is_some_and(|trial| trial.left.is_some()) {
            let left = (second + Duration::from_secs(1)).saturating_duration_since(Instant::now());
            match inbox.recv_timeout(left) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => {
                    second = Instant::now();
                    Event::Second
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        } else {
            second = Instant::now();
            inbox.recv().context("nothing is left to wait for")?
        };
        if matches!(event, Event::Stop) {
            drop(screen);
            low_level::raise(SIGSTOP).context("cannot stop")?;
            screen = Screen::open()?;
            state.size = screen.size()?;
            continue;
        }
        for effect in update(&mut state, event) {
            work.send(effect).context("the worker has ended")?;
        }
        if state.quit {
            break;
        }
    }
    // Whatever still has to be done, the terminal is the person's again, and a signal ends the
    // program now.
    drop(screen);
    drop(inbox);
    let note = if work.finish(LAST) { "" } else { UNANSWERED };
    Ok(Output { text: String::new(), note: note.to_owned() })
}

/// How long the last changes may take. A trial goes back also after that: whoever guards it sees
/// that this program has ended.
const LAST: Duration = Duration::from_secs(3);
const UNANSWERED: &str =
    "NOTE: the agent has not answered yet; what was changed last may not be in force.\n";

#[cfg(test)]
mod tests;
