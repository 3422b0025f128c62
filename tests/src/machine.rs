// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a virtual machine is made of, and its boot up to the agent's hello.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vespera_guest::boot::{FLAVOUR, Flavour, ROOT_SERIAL, VAR};
use vespera_guest::wire::{Hello, Kind, PORT};

use crate::accelerator::Accelerator;
use crate::artifacts::{Artifacts, Image, Kernel};
use crate::clock::counter_khz;
use crate::console::OnLine;
use crate::disk::Disk;
use crate::error::HarnessError;
use crate::guest::{Guest, Parts};
use crate::initramfs::Initramfs;
use crate::link::{Arrival, Link, Meeting};
use crate::logs::Logs;
use crate::modules::{DRIVER_GUEST, EVERY_GUEST, EXT4, IMAGE_ROOT, ModuleTree};
use crate::qemu::Qemu;
use crate::qmp::Monitor;

/// The common kernel command line. What is switched off costs boot time and is not ours to test.
/// `loglevel=5` rather than `quiet`: warnings must reach the console. `panic=-1` reboots at once,
/// which ends QEMU (`-no-reboot`). Without `tsc=reliable` the clock watchdog of a busy host
/// now and then gives up the TSC.
const COMMAND_LINE: &[&str] = &[
    "console=ttyS0",
    "loglevel=5",
    "printk.time=1",
    "panic=-1",
    "mitigations=off",
    "nokaslr",
    "lsm=",
    "audit=0",
    "cryptomgr.notests=1",
    "initcall_blacklist=jent_mod_init",
    "tsc=reliable",
    "no_timer_check",
];
/// For systemd: its chatter belongs into the journal, the console is slow.
const SYSTEMD: &[&str] = &["systemd.show_status=0", "systemd.log_target=journal"];
/// A boot ROM that starts the kernel at once; the usual BIOS does as well.
const QBOOT: &[&str] = &["/usr/share/qemu/qboot.rom", "/usr/share/qboot/bios.bin"];
/// For the agent's hello. A driver guest takes 3 s without KVM on an idle machine.
const BOOT: Duration = Duration::from_secs(120);
/// Boots at most, where the emulator breaks them.
const BOOTS: usize = 3;
/// For QEMU to start and connect.
const START: Duration = Duration::from_secs(60);

/// A machine that can be booted, as often as one likes.
#[derive(Clone)]
pub struct Machine {
    name: String,
    guest: PathBuf,
    kernel: Kernel,
    flavour: Flavour,
    memory_mib: u32,
    cpus: u32,
    kernel_arguments: Vec<String>,
    modules: Vec<(PathBuf, String)>,
    files: Vec<(String, PathBuf, u32)>,
    root: Option<PathBuf>,
    disks: Vec<Disk>,
    var: Option<Disk>,
    counted_time: bool,
    accelerator: Option<Accelerator>,
    boot_limit: Duration,
    on_line: Option<Arc<Mutex<OnLine>>>,
    qemu_arguments: Vec<OsString>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Machine")
            .field("name", &self.name)
            .field("kernel", &self.kernel.release)
            .field("flavour", &self.flavour)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// A driver guest: this kernel, the agent, and the driver if one was built for the kernel.
    #[must_use]
    pub fn driver(artifacts: &Artifacts, kernel: &Kernel) -> Self {
        let mut machine = Self::bare(&artifacts.guest, kernel);
        machine.modules.extend(kernel.maccel.iter().map(|path| (path.clone(), String::new())));
        machine
    }

    /// An image guest: this root, booted with this kernel.
    #[must_use]
    pub fn image(artifacts: &Artifacts, image: &Image, kernel: &Kernel) -> Self {
        let mut machine = Self::bare(&artifacts.guest, kernel);
        machine.name = format!("{}-{}", image.name, kernel.name);
        machine.flavour = Flavour::Image;
        machine.root = Some(image.root.clone());
        machine.memory_mib = 1024;
        // systemd starts things side by side: two processors save a third of the boot.
        machine.cpus = match std::thread::available_parallelism() {
            Ok(count) if count.get() > 1 => 2,
            _ => 1,
        };
        machine
    }

    /// A driver guest without the driver.
    #[must_use]
    pub fn bare(guest: &Path, kernel: &Kernel) -> Self {
        Self {
            name: format!("driver-{}", kernel.name),
            guest: guest.to_owned(),
            kernel: kernel.clone(),
            flavour: Flavour::Driver,
            memory_mib: 256,
            cpus: 1,
            kernel_arguments: Vec::new(),
            modules: Vec::new(),
            files: Vec::new(),
            root: None,
            disks: Vec::new(),
            var: None,
            counted_time: false,
            accelerator: None,
            boot_limit: BOOT,
            on_line: None,
            qemu_arguments: Vec::new(),
        }
    }

    /// The machine that only shows whether an accelerator works.
    pub(crate) fn probe(guest: &Path, kernel: &Kernel) -> Self {
        let mut machine = Self::bare(guest, kernel);
        machine.name = "probe".into();
        machine.flavour = Flavour::Probe;
        machine
    }

    /// Its name in messages and logs.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Its memory; 256 MiB for a driver guest, 1024 for an image.
    #[must_use]
    pub fn memory_mib(mut self, size: u32) -> Self {
        self.memory_mib = size;
        self
    }

    /// Its processors; one for a driver guest, two for an image if the host has them.
    #[must_use]
    pub fn cpus(mut self, count: u32) -> Self {
        self.cpus = count;
        self
    }

    /// Adds to the kernel command line.
    #[must_use]
    pub fn kernel_argument(mut self, argument: &str) -> Self {
        self.kernel_arguments.push(argument.to_owned());
        self
    }

    /// Loads one more module file, after all others, with these parameters.
    #[must_use]
    pub fn module(mut self, path: impl Into<PathBuf>, parameters: &str) -> Self {
        self.modules.push((path.into(), parameters.to_owned()));
        self
    }

    /// Loads the driver with these parameters instead of none.
    #[must_use]
    pub fn driver_parameters(mut self, parameters: &str) -> Self {
        for (path, words) in &mut self.modules {
            if Some(&*path) == self.kernel.maccel.as_ref() {
                parameters.clone_into(words);
            }
        }
        self
    }

    /// Places a file of the host in the initramfs (a driver guest's root).
    #[must_use]
    pub fn file(mut self, place: &str, path: impl Into<PathBuf>, mode: u32) -> Self {
        self.files.push((place.to_owned(), path.into(), mode));
        self
    }

    /// Adds a disk.
    #[must_use]
    pub fn disk(mut self, disk: Disk) -> Self {
        self.disks.push(disk);
        self
    }

    /// Mounts a disk with an ext4 file system at `/var` of an image: state that outlives boots.
    #[must_use]
    pub fn persistent_var(mut self, disk: Disk) -> Self {
        self.var = Some(disk);
        self
    }

    /// Makes the guest's time a function of the instructions executed: immune to a busy host,
    /// 1.7 times as slow, one processor, no KVM. Idle time passes at once, so time limits inside
    /// the guest must be generous.
    #[must_use]
    pub fn counted_time(mut self) -> Self {
        self.counted_time = true;
        self
    }

    /// Prescribes the accelerator instead of finding out.
    #[must_use]
    pub fn accelerator(mut self, accelerator: Accelerator) -> Self {
        self.accelerator = Some(accelerator);
        self
    }

    /// Bounds the time until the agent says hello.
    #[must_use]
    pub fn boot_limit(mut self, limit: Duration) -> Self {
        self.boot_limit = limit;
        self
    }

    /// Tells each line of the console as it comes.
    #[must_use]
    pub fn on_console_line(mut self, tell: impl FnMut(&str) + Send + 'static) -> Self {
        self.on_line = Some(Arc::new(Mutex::new(Box::new(tell))));
        self
    }

    /// Adds an argument for QEMU.
    #[must_use]
    pub fn qemu_argument(mut self, argument: impl Into<OsString>) -> Self {
        self.qemu_arguments.push(argument.into());
        self
    }

    /// Starts the machine and waits for its agent. A boot that the emulator itself broke, before any
    /// module was loaded, is begun again, [`BOOTS`] in all, and told.
    ///
    /// # Errors
    /// If something is missing, or the guest ends or says nothing in time.
    pub fn boot(&self) -> Result<Guest, HarnessError> {
        for _ in 1..BOOTS {
            match self.boot_once() {
                Err(error @ HarnessError::Misread { .. }) => eprintln!("booting again: {error}"),
                outcome => return outcome,
            }
        }
        self.boot_once()
    }

    fn boot_once(&self) -> Result<Guest, HarnessError> {
        self.bring_up(&[], |link, deadline| {
            loop {
                match link.receive(deadline) {
                    Arrival::Frame(frame) if frame.kind == Kind::Hello => {
                        return Ok(Some(frame.value()?));
                    }
                    Arrival::Frame(_) => {}
                    Arrival::Nothing | Arrival::Closed => return Ok(None),
                }
            }
        })
    }

    /// Starts the machine from a file with its state, in which its agent said `hello`.
    pub(crate) fn wake(&self, state: &Path, hello: &Hello) -> Result<Guest, HarnessError> {
        let source = format!("exec:cat {}", state.display());
        self.bring_up(&["-incoming", &source], |_, _| Ok(Some(hello.clone())))
    }

    fn bring_up(
        &self,
        more: &[&str],
        greet: impl FnOnce(&Link, Instant) -> Result<Option<Hello>, HarnessError>,
    ) -> Result<Guest, HarnessError> {
        let accelerator = match self.accelerator {
            _ if self.counted_time => Accelerator::Tcg,
            Some(accelerator) => accelerator,
            None => Accelerator::find_out(&self.guest, &self.kernel)?,
        };
        let started = Instant::now();
        let folder = run_folder()?;
        let channel = Meeting::at(&folder.path().join("channel"))?;
        let control = Meeting::at(&folder.path().join("monitor"))?;
        let (qemu, logs) = self.start(accelerator, &folder, more)?;
        let deadline = started + self.boot_limit;
        let connect = started + START;
        let (Some(link), Some(monitor)) =
            (channel.accept(qemu.console(), connect)?, control.accept(qemu.console(), connect)?)
        else {
            return Err(self.no_boot("starting QEMU", started, &qemu, &logs));
        };
        let link = Link::new(link)?;
        let monitor = Monitor::new(monitor)?;
        let hello = greet(&link, deadline)?;
        if hello.is_none() {
            // A kernel that has ended has said why, and that may still be on its way.
            let _ = qemu.console().wait_for_end(Duration::from_secs(1));
        }
        if accelerator == Accelerator::Tcg && qemu.console().misread() {
            logs.keep();
            let (name, words) = (self.name.clone(), qemu.console().last_words());
            return Err(HarnessError::Misread { name, words, logs: logs.kept() });
        }
        let Some(hello) = hello else {
            return Err(self.no_boot("booting", started, &qemu, &logs));
        };
        let boot_time = started.elapsed();
        let name = self.name.clone();
        Ok(Guest::new(Parts { name, hello, boot_time, link, monitor, qemu, logs, folder }))
    }

    /// Starts QEMU on this machine.
    pub(crate) fn start(
        &self,
        accelerator: Accelerator,
        folder: &TempDir,
        more: &[&str],
    ) -> Result<(Qemu, Logs), HarnessError> {
        let initramfs = folder.path().join("initramfs");
        self.initramfs()?.write(&initramfs)?;
        let logs = Logs::create(&self.name)?;
        let on_line: Option<OnLine> = self.on_line.clone().map(|shared| {
            let tell: OnLine = Box::new(move |line: &str| {
                if let Ok(mut tell) = shared.lock() {
                    tell(line);
                }
            });
            tell
        });
        let mut arguments = self.arguments(accelerator, folder.path(), &initramfs);
        arguments.extend(more.iter().map(OsString::from));
        let qemu = Qemu::start(&arguments, &logs, on_line)?;
        Ok((qemu, logs))
    }

    fn no_boot(&self, doing: &str, started: Instant, qemu: &Qemu, logs: &Logs) -> HarnessError {
        logs.keep();
        let (name, doing) = (self.name.clone(), doing.to_owned());
        let end = qemu.console().wait_for_end(Duration::from_secs(1));
        let words = qemu.console().last_words();
        match end {
            Some(end) => {
                let qemu_says =
                    std::fs::read_to_string(logs.folder().join("qemu.log")).unwrap_or_default();
                // The first line is the command.
                let complaint = qemu_says.lines().skip(1).collect::<Vec<_>>().join("\n  ");
                let words =
                    if complaint.is_empty() { words } else { format!("{words}\n  {complaint}") };
                HarnessError::GuestEnded { name, doing, end, words, logs: logs.kept() }
            }
            None => HarnessError::Timeout {
                name,
                doing,
                limit: started.elapsed(),
                words,
                logs: logs.kept(),
            },
        }
    }

    fn initramfs(&self) -> Result<Initramfs, HarnessError> {
        let mut modules = Vec::new();
        if self.flavour != Flavour::Probe {
            let mut wanted = EVERY_GUEST.to_vec();
            if self.root.is_some() {
                wanted.extend_from_slice(IMAGE_ROOT);
            }
            if self.var.is_some() {
                wanted.extend_from_slice(EXT4);
            }
            if self.root.is_none() {
                wanted.extend_from_slice(DRIVER_GUEST);
            }
            let files = ModuleTree::read(&self.kernel.modules)?.resolve(&wanted)?;
            modules.extend(files.into_iter().map(|file| (file, String::new())));
        }
        modules.extend(self.modules.iter().cloned());
        Ok(Initramfs { init: self.guest.clone(), modules, files: self.files.clone() })
    }

    fn command_line(&self, accelerator: Accelerator) -> String {
        let mut words: Vec<String> = COMMAND_LINE.iter().map(|&word| word.to_owned()).collect();
        // Counted time has a counter of its own.
        if accelerator == Accelerator::Tcg
            && !self.counted_time
            && let Some(khz) = counter_khz()
        {
            words.push(format!("tsc_early_khz={khz}"));
        }
        words.push(format!("{FLAVOUR}={}", self.flavour.word()));
        if self.flavour == Flavour::Image {
            words.extend(SYSTEMD.iter().map(|&word| word.to_owned()));
        }
        if let Some(var) = &self.var {
            words.push(format!("{VAR}={}:ext4", var.serial));
        }
        words.extend(self.kernel.arguments.iter().chain(&self.kernel_arguments).cloned());
        words.join(" ")
    }

    fn arguments(
        &self,
        accelerator: Accelerator,
        folder: &Path,
        initramfs: &Path,
    ) -> Vec<OsString> {
        let mut line = Arguments::default();
        line.add("-nodefaults").add("-no-reboot").pair("-display", "none");
        line.pair("-machine", "pc").pair("-accel", accelerator.word());
        line.pair("-cpu", accelerator.cpu());
        line.pair("-m", self.memory_mib.to_string()).pair("-smp", self.cpus.to_string());
        if let Some(qboot) = QBOOT.iter().find(|path| Path::new(path).exists()) {
            line.pair("-bios", *qboot);
        }
        if self.counted_time {
            line.pair("-icount", "shift=3,sleep=off");
            line.pair("-rtc", "base=2026-01-01,clock=vm");
        }
        line.pair("-kernel", &self.kernel.vmlinux).pair("-initrd", initramfs);
        line.pair("-append", self.command_line(accelerator));
        line.pair("-chardev", "stdio,id=console,signal=off").pair("-serial", "chardev:console");
        if self.flavour != Flavour::Probe {
            let monitor = option("socket,id=monitor,path=", &folder.join("monitor"), "");
            line.pair("-chardev", monitor).pair("-mon", "chardev=monitor,mode=control");
            line.pair("-chardev", option("socket,id=channel,path=", &folder.join("channel"), ""));
            line.pair("-device", "virtio-serial-pci");
            line.pair("-device", format!("virtserialport,chardev=channel,name={PORT}"));
        }
        let root = self.root.iter().map(|path| Disk::new(path, ROOT_SERIAL).read_only());
        for (number, disk) in
            root.chain(self.var.iter().cloned()).chain(self.disks.iter().cloned()).enumerate()
        {
            let access = if disk.read_only { ",readonly=on" } else { "" };
            let head = format!("if=none,id=disk{number},format=raw,file=");
            line.pair("-drive", option(&head, &disk.path, access));
            let serial = &disk.serial;
            line.pair("-device", format!("virtio-blk-pci,drive=disk{number},serial={serial}"));
        }
        line.0.extend(self.qemu_arguments.iter().cloned());
        line.0
    }
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add(&mut self, word: impl Into<OsString>) -> &mut Self {
        self.0.push(word.into());
        self
    }

    fn pair(&mut self, name: &str, value: impl Into<OsString>) -> &mut Self {
        self.add(name).add(value)
    }
}

/// An option with a path in it; QEMU wants commas doubled.
fn option(head: &str, path: &Path, tail: &str) -> OsString {
    OsString::from(format!("{head}{}{tail}", path.to_string_lossy().replace(',', ",,")))
}

/// A folder for the sockets and the initramfs of one run. Its path is short: a socket's has at
/// most 107 bytes.
pub(crate) fn run_folder() -> Result<TempDir, HarnessError> {
    tempfile::Builder::new()
        .prefix("vespera-")
        .tempdir_in("/tmp")
        .map_err(HarnessError::host("creating a folder in /tmp"))
}
