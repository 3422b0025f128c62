// SPDX-License-Identifier: MIT OR Apache-2.0
//! One program run for the harness: its input, its output, its end.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use vespera_guest::wire::{Command, Kind, MAX_BODY, Outcome, WindowSize, WireError};

use crate::agent::Answers;
use crate::modules::io_refusal;
use crate::terminal::{self, Terminal};

/// How long output is awaited after the program's end. A daemon it left behind may hold the pipes
/// open for good.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the harness sends to a running request.
#[derive(Debug)]
pub(crate) enum Input {
    /// Bytes for the standard input.
    Data(Vec<u8>),
    /// No more of them.
    End,
    /// The terminal outside has a new size.
    Resize(WindowSize),
    /// Give up.
    Kill,
}

/// What a session waits for.
#[derive(Debug)]
enum Event {
    Input(Input),
    OutputEnded,
    Exited(io::Result<ExitStatus>),
}

/// Starts the program; the sender takes its input.
pub(crate) fn run(command: Command, answers: Answers) -> Result<Sender<Input>> {
    let (sender, inputs) = channel();
    let (events, received) = channel();
    let forward = events.clone();
    thread::Builder::new()
        .name("input".into())
        .spawn(move || {
            for input in inputs {
                if forward.send(Event::Input(input)).is_err() {
                    break;
                }
            }
        })
        .context("starting a thread")?;
    thread::Builder::new()
        .name("session".into())
        .spawn(move || {
            let outcome = match Session::start(&command, &answers, &events) {
                Ok(session) => session.attend(&received, &command),
                Err(error) => {
                    let what = format!("running {}", command.argv.join(" "));
                    Outcome::Refused(io_refusal(&what, &error))
                }
            };
            report(answers.outcome(&outcome));
        })
        .context("starting a thread")?;
    Ok(sender)
}

/// The channel is the only way to tell the harness; when it is broken, the console remains.
fn report(result: Result<(), WireError>) {
    if let Err(error) = result {
        eprintln!("vespera-guest: {error}");
    }
}

/// A running program.
struct Session {
    group: Pid,
    input: Option<Sender<Vec<u8>>>,
    terminal: Option<Terminal>,
    outputs: usize,
}

impl Session {
    fn start(command: &Command, answers: &Answers, events: &Sender<Event>) -> io::Result<Self> {
        let [program, arguments @ ..] = command.argv.as_slice() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
        };
        let terminal = command.terminal.map(Terminal::open).transpose()?;
        let mut process = if let Some(terminal) = &terminal {
            let mut process = terminal::command(program, arguments)?;
            process
                .stdin(terminal.child_end()?)
                .stdout(terminal.child_end()?)
                .stderr(terminal.child_end()?);
            process
        } else {
            let mut process = process::Command::new(program);
            process
                .args(arguments)
                .process_group(0)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            process
        };
        process.env("PATH", PATH).env("HOME", "/root").env("LANG", "C.UTF-8").current_dir("/");
        process.envs(command.env.iter().map(|(name, value)| (name, value)));
        let mut child = process.spawn()?;
        // A command on a terminal makes itself the leader of a session, hence of a group.
        let group = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("a process without a number"))?;
        let mut session = Self { group, input: None, terminal, outputs: 0 };
        if let Some(terminal) = &mut session.terminal {
            terminal.close_child_end();
            let (reader, writer) = (terminal.master()?, terminal.master()?);
            session.copy_output(File::from(reader), Kind::Output, answers, events)?;
            session.input = Some(feed(File::from(writer))?);
        } else {
            if let Some(pipe) = child.stdout.take() {
                session.copy_output(pipe, Kind::Output, answers, events)?;
            }
            if let Some(pipe) = child.stderr.take() {
                session.copy_output(pipe, Kind::ErrorOutput, answers, events)?;
            }
            if let Some(pipe) = child.stdin.take() {
                session.input = Some(feed(File::from(OwnedFd::from(pipe)))?);
            }
        }
        let events = events.clone();
        thread::Builder::new().name("wait".into()).spawn(move || {
            // The session may be over (a kill); then nobody waits for this.
            drop(events.send(Event::Exited(child.wait())));
        })?;
        Ok(session)
    }

    fn copy_output(
        &mut self,
        mut source: impl Read + Send + 'static,
        kind: Kind,
        answers: &Answers,
        events: &Sender<Event>,
    ) -> io::Result<()> {
        let (answers, events) = (answers.clone(), events.clone());
        self.outputs += 1;
        thread::Builder::new().name("output".into()).spawn(move || {
            let mut buffer = vec![0; MAX_BODY];
            loop {
                match source.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // A terminal ends with EIO when its last user closes it.
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        let sent = answers.data(kind, &buffer[..count]);
                        if sent.is_err() {
                            return report(sent);
                        }
                    }
                }
            }
            drop(events.send(Event::OutputEnded));
        })?;
        Ok(())
    }

    /// Waits for the program's end and for its output.
    fn attend(mut self, events: &Receiver<Event>, command: &Command) -> Outcome {
        let mut deadline = Instant::now() + Duration::from_millis(command.timeout_ms);
        let mut status: Option<io::Result<ExitStatus>> = None;
        let mut killed = false;
        while status.is_none() || self.outputs > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            match events.recv_timeout(left) {
                Ok(Event::Input(Input::Data(bytes))) => {
                    if let Some(input) = &self.input {
                        // A program that reads no input is no fault.
                        drop(input.send(bytes));
                    }
                }
                Ok(Event::Input(Input::End)) => self.input = None,
                Ok(Event::Input(Input::Resize(size))) => {
                    if let Some(terminal) = &self.terminal {
                        terminal.resize(size);
                    }
                }
                Ok(Event::OutputEnded) => self.outputs -= 1,
                Ok(Event::Exited(result)) => {
                    status = Some(result);
                    deadline = Instant::now() + OUTPUT_GRACE;
                }
                Err(RecvTimeoutError::Timeout) if status.is_some() || killed => break,
                Ok(Event::Input(Input::Kill)) | Err(RecvTimeoutError::Timeout) => {
                    killed = true;
                    self.kill();
                    deadline = Instant::now() + OUTPUT_GRACE;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if killed {
            return Outcome::TimedOut;
        }
        match status {
            Some(Ok(status)) => match (status.code(), status.signal()) {
                (Some(code), _) => Outcome::Exited { code },
                (None, signal) => Outcome::Signalled { signal: signal.unwrap_or(0) },
            },
            Some(Err(error)) => Outcome::Refused(io_refusal("waiting for the program", &error)),
            None => Outcome::TimedOut,
        }
    }

    fn kill(&self) {
        // ESRCH: it has just ended by itself.
        if let Err(error) = kill_process_group(self.group, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            eprintln!("vespera-guest: killing {:?}: {error}", self.group);
        }
    }
}

/// Writes what arrives to the program. A thread of its own: a program that does not read must not
/// keep the agent from hearing the harness.
fn feed(mut target: File) -> io::Result<Sender<Vec<u8>>> {
    let (sender, receiver) = channel::<Vec<u8>>();
    thread::Builder::new().name("feed".into()).spawn(move || {
        for bytes in receiver {
            // EPIPE: the program has closed its input, as it may.
            if target.write_all(&bytes).is_err() {
                break;
            }
        }
    })?;
    Ok(sender)
}
