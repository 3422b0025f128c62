// SPDX-License-Identifier: MIT OR Apache-2.0
//! The channel to the guest's agent.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use vespera_guest::wire::{Frame, Kind, MAX_BODY};

use crate::console::Console;
use crate::error::HarnessError;

/// The guest reads its channel at once, unless it hangs.
const WRITE: Duration = Duration::from_secs(30);

/// Frames to and from the agent.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    frames: Receiver<Frame>,
    next_request: u32,
}

/// What came, or why nothing did.
#[derive(Debug)]
pub enum Arrival {
    /// A frame.
    Frame(Frame),
    /// Nothing in time.
    Nothing,
    /// The machine has gone.
    Closed,
}

impl Link {
    /// Takes over a connection that QEMU has made.
    ///
    /// # Errors
    /// If the connection cannot be prepared.
    pub fn new(stream: UnixStream) -> Result<Self, HarnessError> {
        let host = || HarnessError::host("preparing the channel to the guest");
        stream.set_write_timeout(Some(WRITE)).map_err(host())?;
        let mut reader = stream.try_clone().map_err(host())?;
        let (sender, frames) = channel();
        // A thread that always reads: the guest must not block on its answers while we are still
        // writing the input.
        thread::Builder::new()
            .name("link".into())
            .spawn(move || {
                loop {
                    match Frame::read_from(&mut reader) {
                        Ok(Some(frame)) => {
                            if sender.send(frame).is_err() {
                                break;
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            eprintln!("channel to the guest: {error}");
                            break;
                        }
                    }
                }
            })
            .map_err(host())?;
        Ok(Self { stream, frames, next_request: 1 })
    }

    /// The next frame.
    #[must_use]
    pub fn receive(&self, deadline: Instant) -> Arrival {
        match self.frames.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(frame) => Arrival::Frame(frame),
            Err(RecvTimeoutError::Timeout) => Arrival::Nothing,
            Err(RecvTimeoutError::Disconnected) => Arrival::Closed,
        }
    }

    /// Begins a request and gives its number.
    ///
    /// # Errors
    /// If the channel is broken.
    pub fn begin<T: Serialize>(&mut self, request: &T) -> Result<u32, HarnessError> {
        let number = self.next_request;
        self.next_request += 1;
        self.send_frame(&Frame::json(Kind::Request, number, request)?)?;
        Ok(number)
    }

    /// Sends input of a request, cut into pieces.
    ///
    /// # Errors
    /// If the channel is broken.
    pub fn input(&mut self, request: u32, bytes: &[u8]) -> Result<(), HarnessError> {
        for piece in bytes.chunks(MAX_BODY) {
            self.send_frame(&Frame { kind: Kind::Input, request, body: piece.to_vec() })?;
        }
        Ok(())
    }

    /// Sends a frame without a body.
    ///
    /// # Errors
    /// If the channel is broken.
    pub fn signal(&mut self, request: u32, kind: Kind) -> Result<(), HarnessError> {
        self.send_frame(&Frame { kind, request, body: Vec::new() })
    }

    /// Sends any frame.
    ///
    /// # Errors
    /// If the channel is broken.
    pub fn send_frame(&mut self, frame: &Frame) -> Result<(), HarnessError> {
        Ok(frame.write_to(&mut self.stream)?)
    }
}

/// A place QEMU connects to.
#[derive(Debug)]
pub struct Meeting(UnixListener);

impl Meeting {
    /// Listens at a path.
    ///
    /// # Errors
    /// If that fails; the path of a socket has at most 107 bytes.
    pub fn at(path: &Path) -> Result<Self, HarnessError> {
        let listener =
            UnixListener::bind(path).map_err(HarnessError::file("listening at", path))?;
        listener.set_nonblocking(true).map_err(HarnessError::file("listening at", path))?;
        Ok(Self(listener))
    }

    /// Waits for QEMU; `None` if the machine ended before, or the time did.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn accept(
        &self,
        console: &Console,
        deadline: Instant,
    ) -> Result<Option<UnixStream>, HarnessError> {
        let host = || HarnessError::host("waiting for QEMU to connect");
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).map_err(host())?;
                    return Ok(Some(stream));
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if console.ended().is_some() || Instant::now() > deadline {
                        return Ok(None);
                    }
                    thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(host()(error)),
            }
        }
    }
}
