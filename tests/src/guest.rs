// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running guest: commands, files, logs, and its end.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use vespera_guest::wire::{Command, Frame, Hello, Kind, Outcome, Request, WindowSize};

use crate::console::{Fault, scan};
use crate::disk::Disk;
use crate::error::HarnessError;
use crate::exec::milliseconds;
use crate::link::{Arrival, Link};
use crate::logs::Logs;
use crate::qemu::Qemu;
use crate::qmp::Monitor;

/// For an orderly shutdown.
const SHUTDOWN: Duration = Duration::from_secs(120);

/// A request's answer in full.
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: Vec<u8>,
}

/// A running guest. It ends with this handle; end it with [`Guest::finish`] to have its kernel's
/// complaints reported as an error.
#[derive(Debug)]
pub struct Guest {
    name: String,
    hello: Hello,
    boot_time: Duration,
    link: Mutex<Link>,
    monitor: Mutex<Monitor>,
    attached: Mutex<u32>,
    finished: bool,
    // Dropped in this order: the machine before the files it uses.
    qemu: Qemu,
    logs: Logs,
    _folder: TempDir,
}

/// The parts of a guest that has said hello.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) hello: Hello,
    pub(crate) boot_time: Duration,
    pub(crate) link: Link,
    pub(crate) monitor: Monitor,
    pub(crate) qemu: Qemu,
    pub(crate) logs: Logs,
    pub(crate) folder: TempDir,
}

impl Guest {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            name: parts.name,
            hello: parts.hello,
            boot_time: parts.boot_time,
            link: Mutex::new(parts.link),
            monitor: Mutex::new(parts.monitor),
            attached: Mutex::new(0),
            finished: false,
            qemu: parts.qemu,
            logs: parts.logs,
            _folder: parts.folder,
        }
    }

    /// Its name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the agent said at its start: the kernel's release, and how loading the modules went.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// From the start of QEMU to the agent's readiness.
    #[must_use]
    pub fn boot_time(&self) -> Duration {
        self.boot_time
    }

    /// Waits until systemd has done all it set out to do, and gives its verdict: `running`,
    /// `degraded`, ...
    ///
    /// # Errors
    /// If that does not happen in time; the error lists the jobs still waiting.
    pub fn wait_for_boot(&self, limit: Duration) -> Result<String, HarnessError> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let result =
                self.command(["systemctl", "is-system-running", "--wait"]).timeout(left).run();
            match result {
                Ok(output) => {
                    let verdict = output.stdout.trim().to_owned();
                    // Before systemd listens there is no verdict, or a preliminary one.
                    if !["", "offline", "unknown", "initializing", "starting"]
                        .contains(&verdict.as_str())
                    {
                        return Ok(verdict);
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
                Err(HarnessError::CommandTimeout { command, stdout, .. }) => {
                    let jobs = self.run(["systemctl", "list-jobs", "--no-pager"])?.stdout;
                    self.logs.keep();
                    return Err(HarnessError::CommandTimeout {
                        command,
                        limit,
                        stdout,
                        stderr: format!("jobs: {jobs}"),
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The kernel's log since its start.
    ///
    /// # Errors
    /// If the guest cannot read it.
    pub fn kernel_log(&self) -> Result<String, HarnessError> {
        // Documentation/ABI/testing/dev-kmsg: "level,sequence,microseconds,flags;text".
        let records = self.read_file("/dev/kmsg")?;
        let mut log = String::new();
        for record in records.lines().filter(|line| !line.starts_with(' ')) {
            let Some((head, text)) = record.split_once(';') else { continue };
            let time = head.split(',').nth(2).and_then(|time| time.parse::<u64>().ok());
            let time = time.unwrap_or_default();
            log.push_str(&format!("[{:5}.{:06}] {text}\n", time / 1_000_000, time % 1_000_000));
        }
        Ok(log)
    }

    /// The journal of this boot.
    ///
    /// # Errors
    /// If the guest has none.
    pub fn journal(&self) -> Result<String, HarnessError> {
        let argv = ["journalctl", "--boot", "--no-pager", "--output=short-monotonic"];
        Ok(self.run(argv)?.success()?.stdout)
    }

    /// Complaints of the kernel on the console so far; asks nothing of the guest.
    #[must_use]
    pub fn console_faults(&self) -> Vec<Fault> {
        self.qemu.console().faults()
    }

    /// Complaints of the kernel so far: those on the console, and those only in its log.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.qemu.console().faults();
        if self.qemu.console().ended().is_none() {
            let log = match self.kernel_log() {
                Ok(log) => log,
                // A guest that no longer answers has not passed.
                Err(error) => {
                    let line = format!("the kernel log cannot be read: {error}");
                    faults.push(Fault { line, words: "no answer" });
                    return faults;
                }
            };
            // The same complaint has the same text on both, after its time.
            let text = |line: &str| line.split_once("] ").map_or(line, |(_, text)| text).to_owned();
            let known: BTreeMap<String, ()> =
                faults.iter().map(|fault| (text(&fault.line), ())).collect();
            let more = log.lines().filter_map(scan);
            faults.extend(more.filter(|fault| !known.contains_key(&text(&fault.line))));
        }
        faults
    }

    /// Attaches a disk to the running machine; it appears as another virtio disk.
    ///
    /// # Errors
    /// If QEMU refuses.
    pub fn attach_disk(&self, disk: &Disk) -> Result<(), HarnessError> {
        let number = {
            let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
            *attached += 1;
            *attached
        };
        let node = format!("attached{number}");
        self.monitor(
            "blockdev-add",
            &json!({
                "driver": "raw", "node-name": node, "read-only": disk.is_read_only(),
                "file": { "driver": "file", "filename": disk.path() },
            }),
        )?;
        self.monitor(
            "device_add",
            &json!({
                "driver": "virtio-blk-pci", "drive": node, "id": format!("{node}-device"),
                "serial": disk.serial(),
            }),
        )
        .map(|_| ())
    }

    /// A command for QEMU's monitor.
    ///
    /// # Errors
    /// If QEMU refuses.
    pub fn monitor(&self, command: &str, arguments: &Value) -> Result<Value, HarnessError> {
        let mut monitor = self.monitor.lock().unwrap_or_else(PoisonError::into_inner);
        monitor.execute(command, arguments)
    }

    /// Keeps the logs, whatever comes: the test has failed for a reason of its own.
    pub fn keep_logs(&self) {
        self.logs.keep();
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> &Path {
        self.logs.folder()
    }

    /// Ends the guest at once and reports its kernel's complaints.
    ///
    /// # Errors
    /// If there are any; the logs are kept then.
    pub fn finish(mut self) -> Result<(), HarnessError> {
        let faults = self.faults();
        if !faults.is_empty() {
            self.collect_logs();
        }
        self.qemu.kill();
        self.verdict(faults)
    }

    /// Shuts the guest down in good order and reports its kernel's complaints.
    ///
    /// # Errors
    /// If it does not end, or its kernel complained.
    pub fn power_off(mut self) -> Result<(), HarnessError> {
        let faults = self.faults();
        match self.hello.flavour {
            vespera_guest::boot::Flavour::Image => {
                self.run(["systemctl", "--no-block", "poweroff"])?.success()?;
            }
            _ => drop(self.ask(&Request::PowerOff, &[], crate::transfer::LIMIT, "powering off")?),
        }
        if self.qemu.console().wait_for_end(SHUTDOWN).is_none() {
            self.logs.keep();
            self.finished = true;
            return Err(self.timeout("powering off", SHUTDOWN));
        }
        let mut all = self.qemu.console().faults();
        all.extend(faults.into_iter().filter(|fault| !all.contains(fault)).collect::<Vec<_>>());
        self.verdict(all)
    }

    /// Pulls the plug and reports the complaints so far.
    ///
    /// # Errors
    /// If there were any.
    pub fn power_cut(mut self) -> Result<(), HarnessError> {
        self.qemu.kill();
        let faults = self.qemu.console().faults();
        self.verdict(faults)
    }

    fn verdict(&mut self, faults: Vec<Fault>) -> Result<(), HarnessError> {
        self.finished = true;
        if faults.is_empty() {
            return Ok(());
        }
        self.logs.keep();
        Err(HarnessError::Faults { name: self.name.clone(), faults, logs: self.logs.kept() })
    }

    /// Puts what the guest can still tell beside the console's log.
    pub fn collect_logs(&self) {
        self.logs.keep();
        if self.qemu.console().ended().is_some() {
            return;
        }
        let journal = match self.hello.flavour {
            vespera_guest::boot::Flavour::Image => Some(("journal.txt", self.journal())),
            _ => None,
        };
        for (name, text) in [Some(("kernel.txt", self.kernel_log())), journal].into_iter().flatten()
        {
            let text = text.unwrap_or_else(|error| error.to_string());
            let written = self.logs.file(name).and_then(|mut file| {
                file.write_all(text.as_bytes()).map_err(HarnessError::host("writing a log"))
            });
            if let Err(error) = written {
                eprintln!("{error}");
            }
        }
    }

    /// The size-bound session behind [`Guest::shell`](crate::shell).
    pub(crate) fn on_terminal(
        &self,
        argv: &[&str],
        size: WindowSize,
        terminal: Option<&str>,
    ) -> Result<(MutexGuard<'_, Link>, u32), HarnessError> {
        let mut link = self.link();
        let command = Command {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: terminal.map(|kind| ("TERM".to_owned(), kind.to_owned())).into_iter().collect(),
            // A person at a shell is in no hurry.
            timeout_ms: milliseconds(Duration::from_secs(7 * 24 * 3600)),
            terminal: Some(size),
        };
        let request = link.begin(&Request::Run(command))?;
        Ok((link, request))
    }

    /// Sends a request with its input and waits for the answer.
    pub(crate) fn ask(
        &self,
        request: &Request,
        input: &[u8],
        limit: Duration,
        doing: &str,
    ) -> Result<Answer, HarnessError> {
        let deadline = Instant::now() + limit;
        let mut link = self.link();
        let sent = link.begin(request).and_then(|number| {
            link.input(number, input)?;
            link.signal(number, Kind::InputEnd)?;
            Ok(number)
        });
        let number = match sent {
            Ok(number) => number,
            // A broken channel is the machine's end, unless the machine lives.
            Err(error) => {
                let ended = self.qemu.console().wait_for_end(Duration::from_secs(2));
                return Err(if ended.is_some() { self.ended(doing) } else { error });
            }
        };
        let mut answer = Answer { outcome: Outcome::Done, output: Vec::new(), errors: Vec::new() };
        loop {
            match link.receive(deadline) {
                Arrival::Frame(frame) if frame.request == number => match frame.kind {
                    Kind::Output => answer.output.extend_from_slice(&frame.body),
                    Kind::ErrorOutput => answer.errors.extend_from_slice(&frame.body),
                    Kind::Outcome => {
                        answer.outcome = frame.value()?;
                        return Ok(answer);
                    }
                    _ => {}
                },
                // The rest of a request given up.
                Arrival::Frame(_) => {}
                Arrival::Nothing => {
                    link.signal(number, Kind::Kill)?;
                    self.logs.keep();
                    return Err(self.timeout(doing, limit));
                }
                Arrival::Closed => return Err(self.ended(doing)),
            }
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timeout(&self, doing: &str, limit: Duration) -> HarnessError {
        HarnessError::Timeout {
            name: self.name.clone(),
            doing: doing.to_owned(),
            limit,
            words: self.qemu.console().last_words(),
            logs: self.logs.kept(),
        }
    }

    pub(crate) fn ended(&self, doing: &str) -> HarnessError {
        let end = self.qemu.console().wait_for_end(Duration::from_secs(2));
        self.logs.keep();
        HarnessError::GuestEnded {
            name: self.name.clone(),
            doing: doing.to_owned(),
            end: end.unwrap_or_else(|| "QEMU still runs, the channel is closed".into()),
            words: self.qemu.console().last_words(),
            logs: self.logs.kept(),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // Nobody finished it: the test left early, with an error or a panic of its own.
        self.collect_logs();
        eprintln!("logs of the guest {}: {}", self.name, self.logs.folder().display());
        let faults = self.qemu.console().faults();
        // A panic within a panic would abort; otherwise a test that forgets to finish must not
        // hide a kernel's complaint.
        if !std::thread::panicking()
            && let Err(error) = self.verdict(faults)
        {
            #[allow(clippy::panic)]
            {
                panic!("{error}");
            }
        }
    }
}

/// The frame that tells the agent of a new size.
pub(crate) fn resize(request: u32, size: WindowSize) -> Result<Frame, HarnessError> {
    Ok(Frame::json(Kind::Resize, request, &size)?)
}
