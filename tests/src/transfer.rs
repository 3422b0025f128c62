// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files and modules of a guest.

use std::path::Path;
use std::time::Duration;

use vespera_guest::wire::{Outcome, Request};

use crate::error::HarnessError;
use crate::guest::Guest;

/// For a file or a module.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

impl Guest {
    /// The content of a file of the guest.
    ///
    /// # Errors
    /// If the guest cannot read it.
    pub fn read_bytes(&self, path: &str) -> Result<Vec<u8>, HarnessError> {
        let request = Request::Read { path: path.to_owned() };
        let answer = self.ask(&request, &[], LIMIT, &format!("reading {path}"))?;
        done(answer.outcome).map(|()| answer.output)
    }

    /// The content of a text file of the guest.
    ///
    /// # Errors
    /// If the guest cannot read it.
    pub fn read_file(&self, path: &str) -> Result<String, HarnessError> {
        self.read_bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file of the guest; also a parameter of the kernel: a refusal carries the error
    /// number ([`HarnessError::errno`]).
    ///
    /// # Errors
    /// If the guest cannot write it.
    pub fn write_file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), HarnessError> {
        self.write_with_mode(path, content.as_ref(), 0o644)
    }

    /// Copies a file of the host into the guest, with its right to be executed.
    ///
    /// # Errors
    /// If it cannot be read here or written there.
    pub fn copy_in(&self, from: &Path, to: &str) -> Result<(), HarnessError> {
        use std::os::unix::fs::PermissionsExt;
        let content = std::fs::read(from).map_err(HarnessError::file("reading", from))?;
        let mode = std::fs::metadata(from)
            .map_err(HarnessError::file("reading", from))?
            .permissions()
            .mode();
        self.write_with_mode(to, &content, mode & 0o777)
    }

    /// Copies a file of the guest to the host.
    ///
    /// # Errors
    /// If it cannot be read there or written here.
    pub fn copy_out(&self, from: &str, to: &Path) -> Result<(), HarnessError> {
        let content = self.read_bytes(from)?;
        std::fs::write(to, content).map_err(HarnessError::file("writing", to))
    }

    fn write_with_mode(&self, path: &str, content: &[u8], mode: u32) -> Result<(), HarnessError> {
        let request = Request::Write { path: path.to_owned(), mode };
        done(self.ask(&request, content, LIMIT, &format!("writing {path}"))?.outcome)
    }

    /// Inserts a module file that lies in the guest.
    ///
    /// # Errors
    /// If the kernel refuses it; the error carries the number.
    pub fn insert_module(&self, path: &str, parameters: &str) -> Result<(), HarnessError> {
        let request =
            Request::InsertModule { path: path.to_owned(), parameters: parameters.to_owned() };
        done(self.ask(&request, &[], LIMIT, &format!("inserting {path}"))?.outcome)
    }

    /// Removes a module.
    ///
    /// # Errors
    /// If the kernel refuses it; the error carries the number.
    pub fn remove_module(&self, name: &str) -> Result<(), HarnessError> {
        let request = Request::RemoveModule { name: name.to_owned() };
        done(self.ask(&request, &[], LIMIT, &format!("removing {name}"))?.outcome)
    }
}

fn done(outcome: Outcome) -> Result<(), HarnessError> {
    match outcome {
        Outcome::Refused(refusal) => Err(HarnessError::Refused(refusal)),
        _ => Ok(()),
    }
}
