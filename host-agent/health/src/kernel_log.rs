// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own words about a module, from its log.
//!
//! An error number is one of a few; the log says which symbol, which version, which key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use module_check::Root;
use rustix::fs::OFlags;

use crate::MACCEL;

/// The kernel's log.
const LOG: &str = "dev/kmsg";
/// A record is at most a page, its head included (`kernel/printk/printk.c`).
const RECORD_BYTES: usize = 8192;
/// More than a refusal takes; a flood must not fill a report.
const MOST_LINES: usize = 8;
/// Longer than the kernel's sentences.
const MOST_CHARACTERS: usize = 300;

/// How the kernel begins what it says of a refused module without naming it
/// (`kernel/module/signing.c`, `security/lockdown/lockdown.c`).
const NAMELESS: [&str; 2] = ["Loading of ", "Lockdown: "];

/// The log from one moment on.
#[derive(Debug)]
pub struct Tail(File);

impl Tail {
    /// Begins at the end of the log; what comes later will be read.
    pub fn from_now(root: &Root) -> io::Result<Self> {
        let mut file = open(root)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// Begins with the oldest line the kernel still has.
    pub fn from_start(root: &Root) -> io::Result<Self> {
        open(root).map(Self)
    }

    /// What the kernel has said of our module, or of one it did not name, up to now.
    pub fn about_module(&mut self) -> Vec<String> {
        self.texts().filter(|text| is_about_module(text)).take(MOST_LINES).collect()
    }

    /// The same without a limit: all there is up to now.
    pub fn all_about_module(&mut self) -> Vec<String> {
        self.texts().filter(|text| is_about_module(text)).collect()
    }

    fn texts(&mut self) -> impl Iterator<Item = String> {
        let mut buffer = vec![0; RECORD_BYTES];
        std::iter::from_fn(move || {
            loop {
                // Each read gives one record; at the end it would block.
                match self.0.read(&mut buffer) {
                    Ok(0) => return None,
                    Ok(length) => {
                        if let Some(text) = text(&String::from_utf8_lossy(&buffer[..length])) {
                            return Some(text);
                        }
                    }
                    // Older lines were overwritten; the next read goes on behind them.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                    Err(_) => return None,
                }
            }
        })
    }
}

fn open(root: &Root) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(root.at(LOG))
}

/// The text of a record: `level,sequence,microseconds,flags;text`, then lines of its own that
/// begin with a space (Documentation/ABI/testing/dev-kmsg).
pub fn text(record: &str) -> Option<String> {
    let (_, text) = record.lines().next()?.split_once(';')?;
    Some(text.chars().take(MOST_CHARACTERS).collect())
}

/// Whether a line of the log is about our module, or about a refusal that names none.
pub fn is_about_module(text: &str) -> bool {
    text.contains(MACCEL) || NAMELESS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn the_text_of_a_record_is_read_without_its_head_and_its_tags() {
        let record = "3,1021,5140900,-;maccel: disagrees about version of symbol x\n SUBSYSTEM=y\n";
        assert_eq!(text(record).as_deref(), Some("maccel: disagrees about version of symbol x"));
        assert_eq!(text("6,1,2,-;a;b\n").as_deref(), Some("a;b"));
        assert_eq!(text("noise\n"), None);
        assert_eq!(text(""), None);
        let long = format!("3,1,2,-;{}", "é".repeat(9_000));
        assert_eq!(text(&long).unwrap().chars().count(), MOST_CHARACTERS);
    }

    #[test]
    fn only_words_about_a_refused_module_are_taken() {
        for (text, taken) in [
            ("maccel: version magic '6.1 SMP ' should be '6.2 SMP '", true),
            ("Loading of unsigned module is rejected", true),
            ("Lockdown: vespera-module: unsigned module loading is restricted; see man x", true),
            ("usb 1-1: new full-speed USB device number 2", false),
        ] {
            assert_eq!(is_about_module(text), taken, "{text}");
        }
    }

    #[test]
    fn a_log_that_may_not_be_read_is_an_error_and_its_end_is_not() {
        let fixture = FixtureRoot::new();
        assert!(Tail::from_now(fixture.root()).is_err());
        fixture.file(LOG, b"4,1,2,-;maccel: before\n");
        assert_eq!(Tail::from_now(fixture.root()).unwrap().about_module(), [""; 0]);
        let mut tail = Tail::from_start(fixture.root()).unwrap();
        assert_eq!(tail.about_module(), ["maccel: before"]);
    }
}
