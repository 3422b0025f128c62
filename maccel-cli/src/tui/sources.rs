// SPDX-License-Identifier: MIT OR Apache-2.0
//! What events come from. Each source waits on a thread of its own, without any processor time.

use std::io;
use std::os::fd::AsFd;
use std::process;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use maccel_core::driver::{Feature, SpeedReader};
use ratatui::crossterm::event::{self, Event as Terminal, KeyCode, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

use crate::agent;
use crate::host::Host;
use crate::tui::terminal;
use crate::tui::update::Event;

/// The screen is not drawn more often for the speed.
const FRAME: Duration = Duration::from_millis(33);
/// The driver's speed is 0 after 100 ms of rest, without a new sample.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 120_000_000 };

/// Starts all sources.
pub(crate) fn start(host: &Host, events: &Sender<Event>) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP])
        .context("cannot wait for signals")?;
    let to = events.clone();
    thread::spawn(move || {
        let mut leaving = false;
        for signal in signals.forever() {
            if signal == SIGTSTP {
                let _ = to.send(Event::Stop);
                continue;
            }
            // The first one asks. Another, or one when nobody listens any more, is obeyed.
            if !leaving && to.send(Event::Terminate).is_ok() {
                leaving = true;
                continue;
            }
            terminal::give_back_soon();
            process::exit(128 + signal);
        }
    });
    let to = events.clone();
    thread::spawn(move || {
        // A terminal that is gone ends the program.
        while let Ok(event) = event::read() {
            if let Some(event) = of_terminal(&event)
                && to.send(event).is_err()
            {
                return;
            }
        }
        let _ = to.send(Event::Terminate);
    });
    let (to, root) = (events.clone(), host.root.clone());
    thread::spawn(move || {
        // Without an agent nobody announces a change.
        agent::follow(&root, || {
            let listening = to.send(Event::Outside).is_ok();
            thread::sleep(FRAME);
            listening
        });
    });
    // The public driver's device cannot be waited for; without it there is no live speed.
    if host.driver.has(Feature::Speed)
        && let Ok(reader) = host.driver.open_speed()
    {
        let to = events.clone();
        thread::spawn(move || follow(reader, &to));
    }
    Ok(())
}

fn of_terminal(event: &Terminal) -> Option<Event> {
    match *event {
        // In raw mode the terminal sends no signal for it.
        Terminal::Key(key)
            if key.code == KeyCode::Char('z') && key.modifiers == KeyModifiers::CONTROL =>
        {
            Some(Event::Stop)
        }
        Terminal::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(key)),
        Terminal::Mouse(mouse) => Some(Event::Mouse(mouse)),
        Terminal::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        // Whoever comes back may have changed something in another window.
        Terminal::FocusGained => Some(Event::Outside),
        _ => None,
    }
}

/// Follows the speed until the driver or the receiver is gone.
fn follow(mut reader: SpeedReader, to: &Sender<Event>) {
    let mut last = 0.0;
    loop {
        // At rest it waits without end, while moving until the speed must be 0.
        let limit = (last != 0.0).then_some(&REST);
        match sample(&mut reader, limit) {
            Ok(speed) => {
                if speed != last && to.send(Event::Speed(speed)).is_err() {
                    return;
                }
                last = speed;
            }
            Err(_) => {
                let _ = to.send(Event::Speed(0.0));
                return;
            }
        }
        thread::sleep(FRAME);
    }
}

fn sample(reader: &mut SpeedReader, limit: Option<&Timespec>) -> io::Result<f64> {
    let mut wait = [PollFd::from_borrowed_fd(reader.file().as_fd(), PollFlags::IN)];
    poll(&mut wait, limit)?;
    if wait[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
        return Err(io::ErrorKind::NotConnected.into());
    }
    reader.read().map_err(io::Error::other)
}
