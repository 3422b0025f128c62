// SPDX-License-Identifier: MIT OR Apache-2.0
//! A booted guest put into a file, and any number of guests woken from it.
//!
//! Everything a guest writes must be in its memory (driver guests; images without a writable
//! disk): a disk would not go back in time with it. The machine must be the same in each
//! particular, down to the version of QEMU, so snapshots are for the run that made them.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use vespera_guest::wire::Hello;

use crate::error::HarnessError;
use crate::guest::Guest;
use crate::machine::{Machine, run_folder};

/// Writing or reading a few hundred MB.
const LIMIT: Duration = Duration::from_secs(60);

/// A guest in a file.
#[derive(Debug)]
pub struct Snapshot {
    machine: Machine,
    hello: Hello,
    folder: TempDir,
}

impl Snapshot {
    /// Boots the machine, lets `prepare` do with it what all are to find done, and puts it into a
    /// file.
    ///
    /// # Errors
    /// If the boot or the preparation fails, its kernel complained, or QEMU refuses.
    pub fn take(
        machine: &Machine,
        prepare: impl FnOnce(&Guest) -> Result<(), HarnessError>,
    ) -> Result<Self, HarnessError> {
        let guest = machine.boot()?;
        prepare(&guest)?;
        let folder = run_folder()?;
        let state = folder.path().join("state");
        guest.monitor("stop", &json!({}))?;
        // The default is meant for a network.
        guest.monitor("migrate-set-parameters", &json!({ "max-bandwidth": 1_u64 << 40 }))?;
        let target = format!("exec:cat > {}", state.display());
        guest.monitor("migrate", &json!({ "uri": target }))?;
        let status = wait_for("query-migrate", &guest, |status| {
            status != "setup" && status != "active" && status != "device"
        })?;
        if status != "completed" {
            return Err(HarnessError::Monitor { command: "migrate".into(), reason: status });
        }
        let hello = guest.hello().clone();
        // A stopped guest answers nothing; the console has its complaints.
        guest.power_cut()?;
        Ok(Self { machine: machine.clone(), hello, folder })
    }

    /// Wakes a guest.
    ///
    /// # Errors
    /// If QEMU refuses.
    pub fn wake(&self) -> Result<Guest, HarnessError> {
        let guest = self.machine.wake(&self.state(), &self.hello)?;
        wait_for("query-status", &guest, |status| status != "inmigrate")?;
        // The source was stopped, so its copies come up stopped.
        guest.monitor("cont", &json!({}))?;
        Ok(guest)
    }

    /// The file.
    fn state(&self) -> Box<Path> {
        self.folder.path().join("state").into()
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        std::fs::metadata(self.state()).map_or(0, |file| file.len())
    }
}

/// Asks until the status is as wanted.
fn wait_for(
    question: &str,
    guest: &Guest,
    wanted: impl Fn(&str) -> bool,
) -> Result<String, HarnessError> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let answer: Value = guest.monitor(question, &json!({}))?;
        let status = answer["status"].as_str().unwrap_or_default();
        if wanted(status) {
            return Ok(status.to_owned());
        }
        if Instant::now() > deadline {
            let reason = format!("still {status:?} after {LIMIT:?}");
            return Err(HarnessError::Monitor { command: question.to_owned(), reason });
        }
        sleep(Duration::from_millis(5));
    }
}
