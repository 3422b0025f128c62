// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where log entries go: to the journal with all their fields when systemd runs the program, else
//! as plain lines to stderr, which is what udev captures and what a person sees.
//!
//! What the entries are is each program's own; docs/journal.md lists them.

use log::{LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// stderr, for the words of one crate: what others say about pointers and lists helps nobody there.
#[derive(Debug)]
struct Stderr {
    /// The crate.
    own: &'static str,
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target.strip_prefix(self.own).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Chooses the place for the entries of the crate `own`; called once, when a program starts.
pub fn start(own: &'static str) {
    let journal = connected_to_journal()
        .then(JournalLog::new)
        .and_then(Result::ok)
        .is_some_and(|journal| journal.install().is_ok());
    if !journal && log::set_boxed_logger(Box::new(Stderr { own })).is_err() {
        eprintln!("a logger is already set");
    }
    log::set_max_level(LevelFilter::Info);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_only_the_program_itself_speaks() {
        let stderr = Stderr { own: "vespera_agent" };
        let speaks = |target| stderr.enabled(&Metadata::builder().target(target).build());
        assert!(speaks("vespera_agent") && speaks("vespera_agent::keeper"));
        assert!(!speaks("vespera_agent2") && !speaks("zbus::connection"));
    }
}
