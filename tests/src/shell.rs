// SPDX-License-Identifier: MIT OR Apache-2.0
//! A person's terminal, bridged to a shell in the guest.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use rustix::time::Timespec;
use vespera_guest::wire::{Kind, Outcome, WindowSize};

use crate::error::HarnessError;
use crate::guest::{Guest, resize};
use crate::link::Arrival;

/// How often a change of the window's size is noticed.
const GLANCE: Duration = Duration::from_millis(200);

/// The terminal in raw mode for as long as this lives.
struct RawTerminal(Termios);

impl RawTerminal {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(stdin(), OptionalActions::Drain, &self.0) {
            eprintln!("restoring the terminal: {error}");
        }
    }
}

impl Guest {
    /// Gives the terminal of this process to a shell in the guest, until the shell ends; its exit
    /// code is the result.
    ///
    /// # Errors
    /// If this process has no terminal, the guest no bash, or the guest ends.
    pub fn shell(&self) -> Result<i32, HarnessError> {
        self.interact(&["/bin/bash", "--login"])
    }

    /// Gives the terminal of this process to any program in the guest.
    ///
    /// # Errors
    /// See [`Guest::shell`].
    pub fn interact(&self, argv: &[&str]) -> Result<i32, HarnessError> {
        let host = || HarnessError::host("talking to this terminal");
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(host()(io::Error::new(io::ErrorKind::Unsupported, "not a terminal")));
        }
        let mut size = window_size().map_err(host())?;
        let kind = std::env::var("TERM").ok();
        let (mut link, request) = self.on_terminal(argv, size, kind.as_deref())?;
        let raw = RawTerminal::enter().map_err(host())?;
        let (sender, typed) = channel::<Vec<u8>>();
        let over = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            scope.spawn(|| read_keys(&over, |bytes| sender.send(bytes).is_ok()));
            let result = loop {
                for bytes in typed.try_iter() {
                    link.input(request, &bytes)?;
                }
                match link.receive(Instant::now() + Duration::from_millis(10)) {
                    Arrival::Frame(frame) if frame.request == request => match frame.kind {
                        Kind::Output => {
                            let mut out = io::stdout().lock();
                            out.write_all(&frame.body).map_err(host())?;
                            out.flush().map_err(host())?;
                        }
                        Kind::Outcome => break frame.value::<Outcome>().map_err(Into::into),
                        _ => {}
                    },
                    Arrival::Frame(_) => {}
                    Arrival::Nothing => {
                        let now = window_size().map_err(host())?;
                        if now != size {
                            size = now;
                            link.send_frame(&resize(request, size)?)?;
                        }
                    }
                    Arrival::Closed => break Err(self.ended("a shell ran")),
                }
            };
            over.store(true, Ordering::Relaxed);
            result
        });
        drop(raw);
        match result? {
            Outcome::Exited { code } => Ok(code),
            Outcome::Signalled { signal } => Ok(128 + signal),
            Outcome::Refused(refusal) => Err(HarnessError::Refused(refusal)),
            Outcome::Done | Outcome::TimedOut => Ok(0),
        }
    }
}

/// Reads keys until the session is over. A plain read would outlive the session and swallow the
/// next key.
fn read_keys(over: &AtomicBool, send: impl Fn(Vec<u8>) -> bool) {
    let glance = Timespec::try_from(GLANCE).unwrap_or_default();
    let mut buffer = [0_u8; 1024];
    while !over.load(Ordering::Relaxed) {
        let input = stdin();
        let mut ready = [PollFd::new(&input, PollFlags::IN)];
        match poll(&mut ready, Some(&glance)) {
            Ok(0) => continue,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
        }
        match rustix::io::read(stdin(), &mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                if !send(buffer[..count].to_vec()) {
                    return;
                }
            }
        }
    }
}

fn window_size() -> io::Result<WindowSize> {
    let size = tcgetwinsize(stdout())?;
    Ok(WindowSize { columns: size.ws_col, rows: size.ws_row })
}
