// SPDX-License-Identifier: MIT OR Apache-2.0
//! The power goes between any two file operations, and what was not synced is lost in each way that
//! file systems lose it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use maccel_core::settings_file::{self, SettingsFile};

use super::disk::Disk;
use super::{FILE_NAME, Store};

/// One operation, as recorded.
#[derive(Clone, Debug)]
enum Operation {
    Write(Utf8PathBuf, Vec<u8>),
    Sync(Utf8PathBuf),
    Rename(Utf8PathBuf, Utf8PathBuf),
    Remove(Utf8PathBuf),
    SyncFolder,
}

/// What is lost of what was not synced.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Nothing: it happened to reach the medium.
    Nothing,
    /// The contents of files; their names are there.
    Contents,
    /// Names made, changed or removed; contents too.
    NamesAndContents,
    /// Names, where the contents happened to reach the medium.
    Names,
}

const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::Contents, Loss::Names, Loss::NamesAndContents];

/// A file on the medium: each write makes a new one.
#[derive(Clone, Debug, Default)]
struct Inode {
    content: Vec<u8>,
    synced: bool,
}

/// A disk that remembers what is on the medium and what is not.
#[derive(Clone, Debug, Default)]
struct Medium {
    inodes: Vec<Inode>,
    names: BTreeMap<Utf8PathBuf, usize>,
    synced_names: BTreeMap<Utf8PathBuf, usize>,
}

impl Medium {
    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Write(path, bytes) => {
                self.inodes.push(Inode { content: bytes.clone(), synced: false });
                self.names.insert(path.clone(), self.inodes.len() - 1);
            }
            Operation::Sync(path) => self.inodes[self.names[path]].synced = true,
            Operation::Rename(from, to) => {
                let inode = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), inode);
            }
            Operation::Remove(path) => drop(self.names.remove(path)),
            Operation::SyncFolder => self.synced_names.clone_from(&self.names),
        }
    }

    fn after_the_cut(&self, loss: Loss) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
        let names = match loss {
            Loss::Nothing | Loss::Contents => &self.names,
            Loss::Names | Loss::NamesAndContents => &self.synced_names,
        };
        let content = |inode: &Inode| match loss {
            Loss::Contents | Loss::NamesAndContents if !inode.synced => Vec::new(),
            _ => inode.content.clone(),
        };
        names.iter().map(|(path, inode)| (path.clone(), content(&self.inodes[*inode]))).collect()
    }
}

/// A disk in memory that records what is done to it.
#[derive(Clone, Default)]
struct Recorder {
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    log: Arc<Mutex<Vec<Operation>>>,
}

impl Recorder {
    fn record(&self, operation: Operation) {
        self.log.lock().unwrap().push(operation);
    }
}

impl Disk for Recorder {
    fn read(&self, path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.get(path).cloned())
    }

    fn write(&mut self, path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), bytes.to_vec());
        self.record(Operation::Write(path.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn sync(&mut self, path: &Utf8Path) -> io::Result<()> {
        assert!(self.files.contains_key(path));
        self.record(Operation::Sync(path.to_owned()));
        Ok(())
    }

    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
        let content = self.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.files.insert(to.to_owned(), content);
        self.record(Operation::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, path: &Utf8Path) -> io::Result<()> {
        if self.files.remove(path).is_some() {
            self.record(Operation::Remove(path.to_owned()));
        }
        Ok(())
    }

    fn sync_folder(&mut self, _: &Utf8Path) -> io::Result<()> {
        self.record(Operation::SyncFolder);
        Ok(())
    }
}

const FOLDER: &str = "/var/lib/vespera";

fn file(sens: f64) -> SettingsFile {
    let mut file = SettingsFile::default();
    file.settings.set("SENS_MULT", sens).unwrap();
    file
}

/// Does `work` after `file(1.0)` is safely saved, and gives what is found after every possible cut.
fn cuts(work: impl Fn(&mut Store)) -> Vec<(String, SettingsFile, Option<String>, bool)> {
    let recorder = Recorder::default();
    let log = Arc::clone(&recorder.log);
    let mut store = Store::with_disk(FOLDER.into(), Box::new(recorder));
    store.save(&file(1.0)).unwrap();
    let safe = log.lock().unwrap().len();
    work(&mut store);
    let log = log.lock().unwrap().clone();
    assert!(log.len() > safe + 1, "the work must reach the disk");
    let mut found = Vec::new();
    for length in safe..=log.len() {
        let mut medium = Medium::default();
        log[..length].iter().for_each(|operation| medium.apply(operation));
        for loss in LOSSES {
            let files = medium.after_the_cut(loss);
            let disk = Recorder { files, ..Recorder::default() };
            let mut store = Store::with_disk(FOLDER.into(), Box::new(disk));
            let loaded = store.load();
            let when = format!("after {length} of {} operations, {loss:?} lost", log.len());
            found.push((when, loaded.file, loaded.damage, store.trial_was_running()));
        }
    }
    found
}

#[test]
fn a_cut_while_saving_leaves_the_old_or_the_new_settings() {
    let found = cuts(|store| drop(store.save(&file(2.0)).unwrap()));
    for (when, settings, damage, _) in &found {
        assert!([file(1.0), file(2.0)].contains(settings), "{when}: {settings:?}");
        assert_eq!(*damage, None, "{when}");
    }
    assert_eq!(found.first().unwrap().1, file(1.0));
    assert_eq!(found.last().unwrap().1, file(2.0), "what was saved is safe");
}

#[test]
fn a_cut_in_a_trial_leaves_the_settings_from_before() {
    let found = cuts(|store| store.begin_trial(7).unwrap());
    assert!(found.iter().all(|(_, settings, ..)| *settings == file(1.0)));
    let (when, .., running) = found.last().unwrap();
    assert!(running, "{when}: the driver is only written when the note is safe");
}

#[test]
fn a_cut_while_a_trial_is_confirmed_leaves_the_old_or_the_new_settings() {
    let found = cuts(|store| {
        store.begin_trial(7).unwrap();
        store.save(&file(2.0)).unwrap();
        store.end_trial().unwrap();
    });
    for (when, settings, damage, _) in &found {
        assert!([file(1.0), file(2.0)].contains(settings), "{when}: {settings:?}");
        assert_eq!(*damage, None, "{when}");
    }
    let (_, settings, _, running) = found.last().unwrap();
    assert_eq!((settings, *running), (&file(2.0), false));
}

#[test]
fn a_cut_while_a_damaged_file_is_set_aside_loses_neither_it_nor_the_settings() {
    let good = settings_file::format(&file(1.0)).unwrap().into_bytes();
    let damaged = b"version = 1\nnonsense\n".to_vec();
    let path = |name: &str| Utf8PathBuf::from(FOLDER).join(name);
    let start =
        BTreeMap::from([(path("maccel.toml"), damaged.clone()), (path("maccel.toml.good"), good)]);
    let recorder = Recorder { files: start.clone(), ..Recorder::default() };
    let log = Arc::clone(&recorder.log);
    assert_eq!(Store::with_disk(FOLDER.into(), Box::new(recorder)).load().file, file(1.0));
    let log = log.lock().unwrap().clone();
    for length in 0..=log.len() {
        let mut medium = Medium::default();
        for (path, bytes) in &start {
            medium.apply(&Operation::Write(path.clone(), bytes.clone()));
            medium.apply(&Operation::Sync(path.clone()));
        }
        medium.apply(&Operation::SyncFolder);
        log[..length].iter().for_each(|operation| medium.apply(operation));
        for loss in LOSSES {
            let files = medium.after_the_cut(loss);
            let disk = Recorder { files: files.clone(), ..Recorder::default() };
            let found = Store::with_disk(FOLDER.into(), Box::new(disk)).load();
            assert_eq!(found.file, file(1.0), "{length} {loss:?}");
            assert!(files.values().any(|content| *content == damaged), "{length} {loss:?}");
        }
    }
}

#[test]
fn without_the_sync_of_the_file_the_replay_would_find_a_loss() {
    let path = Utf8PathBuf::from(FOLDER).join(FILE_NAME);
    let mut medium = Medium::default();
    for operation in [
        Operation::Write("/new".into(), b"text".to_vec()),
        Operation::Rename("/new".into(), path.clone()),
        Operation::SyncFolder,
    ] {
        medium.apply(&operation);
    }
    assert_eq!(medium.after_the_cut(Loss::Contents)[&path], b"");
}
