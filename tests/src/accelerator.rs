// SPDX-License-Identifier: MIT OR Apache-2.0
//! KVM where it works, emulation elsewhere.
//!
//! `/dev/kvm` proves little: in nested virtual machines it may be there, open, and still fail as
//! soon as a guest's kernel runs. So a guest is started and has to reach user space.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use vespera_guest::boot::PROBE_LINE;

use crate::artifacts::Kernel;
use crate::error::HarnessError;
use crate::machine::{Machine, run_folder};

/// Prescribes an accelerator: `kvm` or `tcg`.
pub const VARIABLE: &str = "VESPERA_ACCELERATOR";
/// With KVM the probe takes about a second; a guest that crawls is no gain either.
const PROBE: Duration = Duration::from_secs(8);

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor.
    Kvm,
    /// QEMU's translator.
    Tcg,
}

static ANSWER: Mutex<Option<Accelerator>> = Mutex::new(None);

impl Accelerator {
    /// The word QEMU knows it by.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }

    /// The processor that goes with it.
    #[must_use]
    pub fn cpu(self) -> &'static str {
        match self {
            Self::Kvm => "host",
            Self::Tcg => "max",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::Kvm, Self::Tcg].into_iter().find(|accelerator| accelerator.word() == word)
    }

    /// The best that works here. The answer is remembered until the host's next boot.
    ///
    /// # Errors
    /// If the probe's guest cannot be put together or [`VARIABLE`] has an unknown word.
    pub fn find_out(guest: &Path, kernel: &Kernel) -> Result<Self, HarnessError> {
        if let Ok(word) = std::env::var(VARIABLE) {
            return Self::of_word(&word).ok_or_else(|| HarnessError::Missing {
                what: format!("accelerator {word} ({VARIABLE})"),
                there: "kvm, tcg".into(),
            });
        }
        // Held to the end: two machines at once need one probe.
        let mut answer = ANSWER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(accelerator) = *answer {
            return Ok(accelerator);
        }
        // Whoever may not open it today may be allowed to tomorrow: nothing to remember.
        if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
            return Ok(*answer.insert(Self::Tcg));
        }
        let memory = memory();
        let remembered = memory
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok())
            .and_then(|word| Self::of_word(word.trim()));
        let accelerator = match remembered {
            Some(accelerator) => accelerator,
            None => Self::probe(guest, kernel)?,
        };
        if let (None, Some(path)) = (remembered, memory)
            && let Err(error) = remember(&path, accelerator)
        {
            eprintln!("remembering the accelerator in {}: {error}", path.display());
        }
        Ok(*answer.insert(accelerator))
    }

    fn probe(guest: &Path, kernel: &Kernel) -> Result<Self, HarnessError> {
        let (sender, lines) = channel();
        let machine = Machine::probe(guest, kernel).on_console_line(move |line| {
            // Nobody listens once the answer is known.
            sender.send(line.contains(PROBE_LINE)).unwrap_or_default();
        });
        let folder = run_folder()?;
        let (qemu, _logs) = machine.start(Self::Kvm, &folder, &[])?;
        // The machine holds the sender too; without it a QEMU that ends at once is noticed.
        drop(machine);
        let deadline = Instant::now() + PROBE;
        let found = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(true) => break Self::Kvm,
                Ok(false) => {}
                Err(_) => break Self::Tcg,
            }
        };
        drop(qemu);
        Ok(found)
    }
}

/// Where the answer is kept; its name holds the host's boot.
fn memory() -> Option<PathBuf> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let cache = crate::logs::cache_folder()?;
    Some(cache.join(format!("accelerator-{}", boot.trim())))
}

fn remember(path: &Path, accelerator: Accelerator) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // Answers of earlier boots.
            if entry.file_name().to_string_lossy().starts_with("accelerator-") {
                fs::remove_file(entry.path())?;
            }
        }
    }
    fs::write(path, accelerator.word())
}
