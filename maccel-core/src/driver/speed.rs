// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/dev/maccel`: the last speed of any mouse.

use std::fs::File;
use std::io::Read;

use camino::Utf8PathBuf;

use super::{Driver, DriverError};
use crate::fixed::Fixed;

/// The device, from the root.
pub const DEVICE: &str = "dev/maccel";

/// A reader of the live speed. On our driver its descriptor is readable by `poll` when there is a
/// new sample since the last read.
#[derive(Debug)]
pub struct SpeedReader {
    file: File,
    path: Utf8PathBuf,
}

impl Driver {
    /// Opens the live speed.
    ///
    /// # Errors
    /// [`DriverError::Permission`] outside the group `maccel`, or [`DriverError::Io`].
    pub fn open_speed(&self) -> Result<SpeedReader, DriverError> {
        let path = self.at(DEVICE);
        match File::open(&path) {
            Ok(file) => Ok(SpeedReader { file, path }),
            Err(error) => Err(DriverError::reading(&path, error)),
        }
    }
}

impl SpeedReader {
    /// The normalised speed in counts/ms. Ours is 0 after 100 ms of rest, the public driver keeps
    /// the last one.
    ///
    /// # Errors
    /// [`DriverError::Io`].
    pub fn read(&mut self) -> Result<f64, DriverError> {
        let mut sample = [0; 8];
        self.file
            .read_exact(&mut sample)
            .map_err(|error| DriverError::reading(&self.path, error))?;
        Ok(decode(sample))
    }

    /// The open file, to wait on or to hand on.
    pub fn into_file(self) -> File {
        self.file
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// A sample as the device gives it: Q32.32, big-endian, in counts/ms.
pub fn decode(sample: [u8; 8]) -> f64 {
    Fixed::from_raw(i64::from_be_bytes(sample)).to_f64()
}
