// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command agent: reads requests from the virtio-serial port, answers them one at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use vespera_guest::boot::Flavour;
use vespera_guest::wire::{Frame, Hello, Kind, Outcome, PORT, Request, WireError};

use crate::session::{self, Input};
use crate::{files, init, modules};

/// The agent's end of the channel, shared by all threads that have something to send.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    port: Arc<Mutex<File>>,
    request: u32,
}

impl Answers {
    /// Sends data of the request.
    pub(crate) fn data(&self, kind: Kind, bytes: &[u8]) -> Result<(), WireError> {
        self.send(&Frame { kind, request: self.request, body: bytes.to_vec() })
    }

    /// Ends the request.
    pub(crate) fn outcome(&self, outcome: &Outcome) -> Result<(), WireError> {
        self.send(&Frame::json(Kind::Outcome, self.request, outcome)?)
    }

    fn send(&self, frame: &Frame) -> Result<(), WireError> {
        frame.write_to(&mut *self.port.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves until the harness closes the channel.
pub(crate) fn serve() -> Result<()> {
    let node = find_port()?;
    let mut port = File::options()
        .read(true)
        .write(true)
        .open(&node)
        .with_context(|| format!("opening {}", node.display()))?;
    let writer = port.try_clone().context("sharing the port")?;
    let answers = Answers { port: Arc::new(Mutex::new(writer)), request: 0 };
    answers.send(&Frame::json(Kind::Hello, 0, &hello()?)?)?;
    let mut running: Option<(u32, Sender<Input>)> = None;
    while let Some(frame) = Frame::read_from(&mut port)? {
        let input = match frame.kind {
            Kind::Request => {
                let answers = Answers { request: frame.request, ..answers.clone() };
                running = begin(&frame, answers)?.map(|input| (frame.request, input));
                continue;
            }
            Kind::Input => Input::Data(frame.body),
            Kind::InputEnd => Input::End,
            Kind::Resize => Input::Resize(frame.value()?),
            Kind::Kill => Input::Kill,
            Kind::Hello | Kind::Output | Kind::ErrorOutput | Kind::Outcome => continue,
        };
        if let Some((request, sender)) = &running
            && *request == frame.request
        {
            // A session that has ended takes no more input; its outcome is on the way.
            drop(sender.send(input));
        }
    }
    Ok(())
}

/// Starts a request; the sender takes its input, if it wants any.
fn begin(frame: &Frame, answers: Answers) -> Result<Option<Sender<Input>>> {
    match frame.value()? {
        Request::Run(command) => Ok(Some(session::run(command, answers)?)),
        Request::Write { path, mode } => Ok(Some(files::write(path, mode, answers)?)),
        Request::Read { path } => {
            files::read(path, answers)?;
            Ok(None)
        }
        Request::InsertModule { path, parameters } => {
            let result = modules::insert(Path::new(&path), &parameters);
            answers.outcome(&result.map_or_else(Outcome::Refused, |()| Outcome::Done))?;
            Ok(None)
        }
        Request::RemoveModule { name } => {
            let result = modules::remove(&name);
            answers.outcome(&result.map_or_else(Outcome::Refused, |()| Outcome::Done))?;
            Ok(None)
        }
        Request::PowerOff => {
            answers.outcome(&Outcome::Done)?;
            init::power_off()
        }
    }
}

fn hello() -> Result<Hello> {
    let line = fs::read_to_string("/proc/cmdline").context("reading the kernel command line")?;
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let program = std::env::current_exe().context("finding this program")?;
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Ok(Hello {
        flavour: Flavour::of_command_line(&line),
        release,
        program: program.to_string_lossy().into_owned(),
        uptime_ms: u64::try_from(uptime.tv_sec * 1000 + uptime.tv_nsec / 1_000_000)?,
        modules: modules::account()?,
    })
}

/// The port's node, by the name the harness gave it; without udev there is no link to it.
fn find_port() -> Result<PathBuf> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Ok(ports) = fs::read_dir("/sys/class/virtio-ports") {
            for entry in ports {
                let entry = entry.context("listing the virtio ports")?;
                let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
                let node = Path::new("/dev").join(entry.file_name());
                if name.trim() == PORT && node.exists() {
                    return Ok(node);
                }
            }
        }
        if Instant::now() > deadline {
            bail!("no virtio-serial port is named {PORT}");
        }
        sleep(Duration::from_millis(5));
    }
}
