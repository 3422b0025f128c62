// SPDX-License-Identifier: MIT OR Apache-2.0
//! Results of slow steps, kept in the user's cache folder under the hash of what
//! they were made from.
//!
//! An entry appears by a rename, so an interrupted run leaves either no entry or a
//! whole one. When a name gets a new key, its older entries are removed.

use std::fs;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};

use crate::privilege;
use crate::progress::{Origin, Step, Steps};

/// What is kept between runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Remove everything that is kept
    #[arg(long)]
    clear: bool,
}

/// All that is ever made in the cache folder.
const FOLDERS: &[&str] = &[
    "arithmetic",
    "bench",
    "build-cache",
    "containers",
    "fuzz",
    "guest-logs",
    "keys",
    "logs",
    "made",
    "scratch",
    "target",
    "target-fuzz",
    "target-guest",
    "tools",
];

/// Entry point of `cargo xtask cache`.
pub(crate) fn main(args: &Args) -> Result<()> {
    let cache = Cache::open()?;
    if args.clear {
        // By name: the folder may have been set to one that holds other things too, and
        // the lock must outlive whoever waits for it.
        for name in FOLDERS {
            privilege::remove_tree(&cache.root.join(name))?;
        }
        println!("removed what was kept in {}", cache.root);
        return Ok(());
    }
    println!("{}", cache.root);
    for entry in cache.root.read_dir_utf8()? {
        let path = entry?.into_path();
        let bytes: u64 = walkdir::WalkDir::new(&path)
            .into_iter()
            .filter_map(|item| item.ok()?.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|meta| meta.len())
            .sum();
        println!("{:>8} MB  {}", bytes / 1_000_000, path.file_name().unwrap_or_default());
    }
    Ok(())
}

/// The cache folder, locked against a second run.
#[derive(Debug)]
pub(crate) struct Cache {
    root: Utf8PathBuf,
    _lock: Flock<fs::File>,
}

/// A hash over everything a result depends on.
#[derive(Debug, Default)]
pub(crate) struct Key(Sha256);

impl Key {
    /// Starts a key; `kind` and its number change when the way of making changes.
    pub(crate) fn new(kind: &str) -> Self {
        Self::default().part(kind.as_bytes())
    }

    /// Adds one input. Lengths are hashed too, so that neighbours cannot run together.
    pub(crate) fn part(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds several inputs in order.
    pub(crate) fn parts<T: AsRef<[u8]>>(self, all: impl IntoIterator<Item = T>) -> Self {
        all.into_iter().fold(self, Self::part)
    }

    /// The key as text: long enough never to clash, short enough to read.
    pub(crate) fn text(self) -> String {
        self.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Cache {
    /// Opens `$VESPERA_CACHE`, else `$XDG_CACHE_HOME/vespera`, else `~/.cache/vespera`.
    pub(crate) fn open() -> Result<Self> {
        let root = match std::env::var("VESPERA_CACHE") {
            Ok(path) => Utf8PathBuf::from(path),
            Err(_) => user_cache()?.join("vespera"),
        };
        if !root.is_absolute() {
            bail!("the cache folder must be an absolute path, not `{root}`");
        }
        fs::create_dir_all(&root).with_context(|| format!("cannot create {root}"))?;
        let file = fs::File::create(root.join("lock"))
            .with_context(|| format!("cannot write to the cache folder {root}"))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((file, _)) => {
                println!("another `cargo xtask` uses {root}: waiting until it is done");
                Flock::lock(file, FlockArg::LockExclusive)
                    .map_err(|(_, errno)| errno)
                    .with_context(|| format!("cannot lock {root}"))?
            }
        };
        Ok(Self { root, _lock: lock })
    }

    /// A folder of this name for tools that manage their own contents.
    pub(crate) fn folder(&self, name: &str) -> Result<Utf8PathBuf> {
        debug_assert!(FOLDERS.contains(&name), "{name} is not cleared");
        let path = self.root.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {path}"))?;
        Ok(path)
    }

    /// Where the logs of this run go; those of the last run are removed.
    pub(crate) fn logs(&self) -> Result<Utf8PathBuf> {
        let path = self.root.join("logs");
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("cannot empty {path}"))?;
        }
        self.folder("logs")
    }

    /// Returns the entry `name` made from `key`, calling `make` with a new folder if
    /// there is none yet.
    pub(crate) fn entry(
        &self,
        steps: &Steps,
        name: &str,
        title: &str,
        key: Key,
        make: impl FnOnce(&Step, &Utf8Path) -> Result<()>,
    ) -> Result<Utf8PathBuf> {
        let key = key.text();
        let parent = self.folder("made")?;
        let path = parent.join(format!("{name}-{key}"));
        steps.step(title, |step| {
            if path.exists() {
                return Ok((path.clone(), Origin::Reused));
            }
            let fresh = parent.join(format!(".{name}-{key}.unfinished"));
            privilege::remove_tree(&fresh)?;
            fs::create_dir_all(&fresh)?;
            make(step, &fresh)?;
            self.remove_older(&parent, name)?;
            fs::rename(&fresh, &path).with_context(|| format!("cannot keep {path}"))?;
            Ok((path.clone(), Origin::Made))
        })
    }

    fn remove_older(&self, parent: &Utf8Path, name: &str) -> Result<()> {
        for entry in parent.read_dir_utf8()? {
            let path = entry?.into_path();
            let old = path
                .file_name()
                .and_then(|file| file.strip_prefix(name))
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|key| key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit()));
            if old {
                privilege::remove_tree(&path)?;
            }
        }
        Ok(())
    }
}

fn user_cache() -> Result<Utf8PathBuf> {
    if let Ok(path) = std::env::var("XDG_CACHE_HOME")
        && path.starts_with('/')
    {
        return Ok(path.into());
    }
    let home = std::env::var("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(Utf8PathBuf::from(home).join(".cache"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_every_part_and_on_where_parts_end() {
        let key = |parts: &[&str]| Key::new("test").parts(parts).text();
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab"]).len(), 16);
    }
}
