// SPDX-License-Identifier: MIT OR Apache-2.0
//! The QEMU process: started, watched, ended.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::console::{Console, OnLine};
use crate::error::HarnessError;
use crate::logs::Logs;

/// The emulator.
pub const PROGRAM: &str = "qemu-system-x86_64";
/// Runs it such that the kernel ends it with the process that started it (prctl(2),
/// `PR_SET_PDEATHSIG`). Part of util-linux.
const WITH_US: [&str; 4] = ["setpriv", "--pdeathsig", "KILL", "--"];

/// A running QEMU. It ends with this handle and with this process.
#[derive(Debug)]
pub struct Qemu {
    child: Arc<Mutex<Child>>,
    console: Arc<Console>,
}

impl Qemu {
    /// Starts it. Its standard output is the guest's console.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn start(
        arguments: &[OsString],
        logs: &Logs,
        on_line: Option<OnLine>,
    ) -> Result<Self, HarnessError> {
        let mut own_log = logs.file("qemu.log")?;
        writeln!(own_log, "{PROGRAM} {arguments:?}")
            .map_err(HarnessError::host("writing qemu.log"))?;
        let console_log = logs.file("console.log")?;
        let [launcher, options @ ..] = WITH_US;
        let mut command = Command::new(launcher);
        command
            .args(options)
            .arg(PROGRAM)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(own_log);
        let console = Arc::new(Console::default());
        let watched = Arc::clone(&console);
        let (sender, receiver) = channel();
        // The death signal comes when the *thread* that started the process ends. So one thread
        // starts it and stays with it to its end.
        thread::Builder::new()
            .name("qemu".into())
            .spawn(move || {
                let child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => return drop(sender.send(Err(error))),
                };
                supervise(child, &watched, console_log, on_line, |child| {
                    drop(sender.send(Ok(child)));
                });
            })
            .map_err(HarnessError::host("starting a thread"))?;
        let child = receiver.recv().map_err(io::Error::other).flatten().map_err(|source| {
            HarnessError::Start { program: format!("{launcher} {PROGRAM}"), source }
        })?;
        Ok(Self { child, console })
    }

    /// The console.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Ends it at once, as a power cut does: what the guest had not yet written to its disks is
    /// lost, what it had written is in the files.
    pub fn kill(&self) {
        let result = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        if let Err(error) = result {
            eprintln!("ending {PROGRAM}: {error}");
        }
        // SIGKILL does not fail to end it; the wait is for the console's last lines.
        drop(self.console.wait_for_end(Duration::from_secs(5)));
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        if self.console.ended().is_none() {
            self.kill();
        }
    }
}

fn supervise(
    mut child: Child,
    console: &Console,
    log: impl Write,
    on_line: Option<OnLine>,
    started: impl FnOnce(Arc<Mutex<Child>>),
) {
    let output = child.stdout.take();
    let child = Arc::new(Mutex::new(child));
    started(Arc::clone(&child));
    if let Some(output) = output
        && let Err(error) = console.follow(output, log, on_line)
    {
        eprintln!("the guest's console: {error}");
    }
    // The console ends with the process; std offers no wait that leaves others able to kill.
    loop {
        let status = child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
        match status {
            Ok(Some(status)) => return console.end(format!("QEMU: {status}")),
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(error) => return console.end(format!("QEMU: {error}")),
        }
    }
}
