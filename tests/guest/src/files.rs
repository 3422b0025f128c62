// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files in and out of the guest.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use vespera_guest::wire::{Kind, MAX_BODY, Outcome, WireError};

use crate::agent::Answers;
use crate::modules::io_refusal;
use crate::session::Input;

/// Sends a file. In a thread of its own: a file may block, and the agent must hear on.
pub(crate) fn read(path: String, answers: Answers) -> Result<()> {
    thread::Builder::new()
        .name("read".into())
        .spawn(move || {
            if let Err(error) = send(&path, &answers) {
                eprintln!("vespera-guest: {error}");
            }
        })
        .context("starting a thread")?;
    Ok(())
}

fn send(path: &str, answers: &Answers) -> Result<(), WireError> {
    let what = format!("reading {path}");
    // The kernel's log has no end: a reader that does not want to wait is told so.
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => return answers.outcome(&Outcome::Refused(io_refusal(&what, &error))),
    };
    let mut buffer = vec![0; MAX_BODY];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return answers.outcome(&Outcome::Done),
            Ok(count) => answers.data(Kind::Output, &buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return answers.outcome(&Outcome::Done);
            }
            // EPIPE: the kernel's log has overwritten records not yet read; the next read gives
            // the oldest there is.
            Err(error)
                if [io::ErrorKind::Interrupted, io::ErrorKind::BrokenPipe]
                    .contains(&error.kind()) => {}
            Err(error) => return answers.outcome(&Outcome::Refused(io_refusal(&what, &error))),
        }
    }
}

/// Takes the content, then writes the file.
pub(crate) fn write(path: String, mode: u32, answers: Answers) -> Result<Sender<Input>> {
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("write".into())
        .spawn(move || {
            let mut content = Vec::new();
            for input in receiver {
                match input {
                    Input::Data(bytes) => content.extend_from_slice(&bytes),
                    Input::End => break,
                    Input::Kill => return,
                    Input::Resize(_) => {}
                }
            }
            let outcome = match store(&path, mode, &content) {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Refused(io_refusal(&format!("writing {path}"), &error)),
            };
            if let Err(error) = answers.outcome(&outcome) {
                eprintln!("vespera-guest: {error}");
            }
        })
        .context("starting a thread")?;
    Ok(sender)
}

fn store(path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(mode).open(path)?;
    // An empty write still reaches the store function of a parameter file.
    if content.is_empty() {
        return file.write(content).map(|_| ());
    }
    file.write_all(content)
}
