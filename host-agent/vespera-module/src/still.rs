// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking again at what changed while it was looked at: systemd drops what a path unit sees while
//! its service runs, so nobody else would.

use std::os::unix::fs::MetadataExt;

use health::Root;

/// Enough for an update that is staged meanwhile; what never rests is looked at next time.
const MOST_RUNS: usize = 3;

/// Which file it is, and when it was last changed; `None` where there is none.
type Stamp = Option<(u64, i64, i64)>;

/// Works, and again as long as one of `paths` changes meanwhile, at most [`MOST_RUNS`] times; what
/// the last run gave.
///
/// # Errors
/// That of the last run.
pub(crate) fn until_still<T>(
    root: &Root,
    paths: &[&str],
    mut work: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut before = stamps(root, paths);
    let mut outcome = work();
    for _ in 1..MOST_RUNS {
        let now = stamps(root, paths);
        if now == before {
            break;
        }
        log::info!("something changed meanwhile; looking again");
        before = now;
        outcome = work();
    }
    outcome
}

fn stamps(root: &Root, paths: &[&str]) -> Vec<Stamp> {
    let stamp = |path: &&str| {
        let file = std::fs::metadata(root.at(path)).ok()?;
        Some((file.ino(), file.mtime(), file.mtime_nsec()))
    };
    paths.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use module_check::fixtures::FixtureRoot;

    use super::*;

    const MARKER: &str = "run/marker";

    /// How often it is worked when the marker is written in the runs with these numbers.
    fn runs(fixture: &FixtureRoot, written_in: &[u64]) -> u64 {
        let mut run = 0;
        let last = until_still(fixture.root(), &["run/other", MARKER], || {
            run += 1;
            if written_in.contains(&run) {
                let marker = File::create(fixture.root().at(MARKER))?;
                // Told apart also where the clock of the files is coarse.
                marker.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(run))?;
            }
            Ok(run)
        });
        assert_eq!(last.unwrap(), run);
        run
    }

    #[test]
    fn what_changes_during_a_run_is_looked_at_again_but_not_for_ever() {
        let fixture = FixtureRoot::new();
        std::fs::create_dir(fixture.root().at("run")).unwrap();
        assert_eq!(runs(&fixture, &[]), 1);
        assert_eq!(runs(&fixture, &[1]), 2, "the marker appears");
        assert_eq!(runs(&fixture, &[2]), 1, "nothing changes in the first run");
        fixture.file(MARKER, b"");
        assert_eq!(runs(&fixture, &[1]), 2, "the marker changes");
        fixture.file(MARKER, b"");
        assert_eq!(runs(&fixture, &[1, 2, 3, 4]), 3, "the marker never rests");
    }
}
