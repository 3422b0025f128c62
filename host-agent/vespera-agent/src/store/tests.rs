// SPDX-License-Identifier: MIT OR Apache-2.0
//! The store on a real folder.

use std::fs;

use maccel_core::settings_file::SettingsFile;

use super::*;

fn store(folder: &tempfile::TempDir) -> Store {
    let path = Utf8Path::from_path(folder.path()).unwrap();
    Store::with_disk(path.to_owned(), Box::new(HostDisk))
}

fn file(sens: f64) -> SettingsFile {
    let mut file = SettingsFile::default();
    file.settings.set("SENS_MULT", sens).unwrap();
    file
}

#[test]
fn what_is_saved_is_found_and_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(store(&folder).load().file, SettingsFile::default());
    store(&folder).save(&file(2.0)).unwrap();
    let found = store(&folder).load();
    assert_eq!((found.file, found.damage), (file(2.0), None));
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["maccel.toml", "maccel.toml.good"]);
}

#[test]
fn a_damaged_file_is_set_aside_whole_and_the_last_good_copy_applies() {
    for damage in [
        &b"version = 1\n[settings]\nsens-mult = 500\n"[..],
        b"version = 9\n",
        b"\xff\xfe\0",
        b"",
        b"version = 1\nlocked = [\"mode\"]\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        store(&folder).save(&file(2.0)).unwrap();
        fs::write(folder.path().join("maccel.toml"), damage).unwrap();
        let found = store(&folder).load();
        assert_eq!(found.file, file(2.0));
        let words = found.damage.unwrap();
        assert!(words.contains("maccel.toml.damaged; the last good copy applies"), "{words}");
        let kept = fs::read(folder.path().join("maccel.toml.damaged")).unwrap();
        assert_eq!(kept, damage);
        let again = store(&folder).load();
        assert_eq!((again.file, again.damage), (file(2.0), None), "also at the next start");
    }
}

#[test]
fn a_damaged_file_without_a_good_copy_is_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("maccel.toml"), "nonsense").unwrap();
    let found = store(&folder).load();
    assert_eq!(found.file, SettingsFile::default());
    assert!(found.damage.unwrap().contains("no good copy"));
}

#[test]
fn a_trial_and_an_import_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = store(&folder);
    assert!(!first.trial_was_running() && !first.has_imported());
    first.begin_trial(5).unwrap();
    first.note_import("nothing\n").unwrap();
    let mut second = store(&folder);
    assert!(second.trial_was_running() && second.has_imported());
    second.end_trial().unwrap();
    second.end_trial().unwrap();
    assert!(!store(&folder).trial_was_running());
}
