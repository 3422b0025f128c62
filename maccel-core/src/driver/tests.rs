// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver's files as folders. A folder stands in for sysfs: a file there takes any text, as the
//! public driver does; what the kernel refuses is tested in a guest with the real module.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::settings::{LUT_LEN, Mode};

struct Sysfs {
    folder: tempfile::TempDir,
}

impl Sysfs {
    fn new() -> Self {
        Sysfs { folder: tempfile::tempdir().unwrap() }
    }

    fn public() -> Self {
        let sysfs = Self::new();
        for parameter in parameter::all().iter().filter(|p| p.file) {
            let raw = parameter.raw_of(parameter.default).unwrap();
            sysfs.file(&format!("{PARAMETERS}/{}", parameter.name), &format!("{raw}\n"));
        }
        sysfs
    }

    fn ours() -> Self {
        let sysfs = Self::new();
        sysfs.file(&format!("{MODULE}/version"), "0.1.0\n");
        sysfs.file(&format!("{MODULE}/initstate"), "live\n");
        let line = line::format(&Changes::all(&Settings::default()));
        sysfs.file(&format!("{PARAMETERS}/SETTINGS"), &format!("{line}\n"));
        sysfs
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    fn driver(&self) -> Driver {
        Driver::open(self.root()).unwrap()
    }

    fn file(&self, inside: &str, text: &str) -> Utf8PathBuf {
        let path = self.root().join(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn parameter(&self, name: &str) -> Utf8PathBuf {
        self.root().join(PARAMETERS).join(name)
    }

    fn texts(&self) -> Vec<(String, String)> {
        let files = self.root().join(PARAMETERS).read_dir_utf8().unwrap();
        let mut texts: Vec<_> = files
            .map(|file| file.unwrap().into_path())
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap_or_default();
                (path.file_name().unwrap().to_owned(), text.trim_end().to_owned())
            })
            .collect();
        texts.sort();
        texts
    }

    fn mouse(&self, input: &str) {
        for (name, text) in [
            ("name", "Logitech G Pro\n"),
            ("id", "046d:c088\n"),
            ("uniq", "A1B2\n"),
            ("phys", "usb-0000:00:14.0-2/input0\n"),
            ("enabled", "1\n"),
            ("settings", "inherit\n"),
            ("speed", "6442450944\n"),
        ] {
            self.file(&format!("{}/{input}/{name}", devices::CLASS), text);
        }
    }
}

fn changes(pairs: &[(&str, f64)]) -> Changes {
    let mut changes = Changes::default();
    for (name, value) in pairs {
        changes.set(name, *value).unwrap();
    }
    changes
}

#[test]
fn the_drivers_are_told_apart_by_the_version() {
    assert!(matches!(Driver::open(Sysfs::new().root()), Err(DriverError::NotLoaded)));
    let public = Sysfs::public();
    assert_eq!(public.driver().kind(), &Kind::Public);
    assert_eq!(public.driver().features(), []);
    let ours = Sysfs::ours();
    assert_eq!(ours.driver().kind(), &Kind::Vespera { version: "0.1.0".to_owned() });
    assert_eq!(ours.driver().features(), Feature::ALL);
    ours.file(&format!("{MODULE}/initstate"), "coming\n");
    assert!(matches!(Driver::open(ours.root()), Err(DriverError::NotLoaded)));
}

#[test]
fn ours_takes_all_settings_in_one_line() {
    let sysfs = Sysfs::ours();
    let mut settings = Settings::default();
    settings.set("SENS_MULT", 1.5).unwrap();
    settings.set("ANGLE_SNAP", 10.0).unwrap();
    settings.set_lut(&[2.0; LUT_LEN]).unwrap();
    settings.set_mode(Mode::Lut).unwrap();
    assert_eq!(sysfs.driver().write(&settings).unwrap(), settings);
    let line = fs::read_to_string(sysfs.parameter("SETTINGS")).unwrap();
    assert!(line.starts_with("MODE=64 SENS_MULT=6442450944 YX_RATIO=4294967296 "), "{line}");
    assert!(line.len() <= 4095, "{} bytes", line.len());
}

#[test]
fn a_change_of_ours_names_only_what_changes() {
    let sysfs = Sysfs::ours();
    sysfs.driver().change(&changes(&[("SENS_MULT", 2.0), ("LIMIT", 3.0)])).unwrap();
    let line = fs::read_to_string(sysfs.parameter("SETTINGS")).unwrap();
    assert_eq!(line, "SENS_MULT=8589934592 LIMIT=12884901888");
}

#[test]
fn the_public_files_are_written_without_a_newline_and_only_where_they_differ() {
    let sysfs = Sysfs::public();
    let mut wanted = changes(&[("SENS_MULT", 2.0), ("LIMIT", 1.5)]);
    wanted.set_mode(Mode::Natural);
    let settings = sysfs.driver().change(&wanted).unwrap();
    assert_eq!(settings.mode(), Mode::Natural);
    assert_eq!(fs::read_to_string(sysfs.parameter("SENS_MULT")).unwrap(), "8589934592");
    assert_eq!(fs::read_to_string(sysfs.parameter("MODE")).unwrap(), "1");
    assert_eq!(fs::read_to_string(sysfs.parameter("LIMIT")).unwrap(), "6442450944\n");
}

#[test]
fn a_failure_half_way_through_the_public_files_puts_the_others_back() {
    let sysfs = Sysfs::public();
    let before = sysfs.texts();
    // A folder in place of the file fails for root, too.
    fs::remove_file(sysfs.parameter("MOTIVITY")).unwrap();
    fs::create_dir(sysfs.parameter("MOTIVITY")).unwrap();
    let wanted = changes(&[("SENS_MULT", 2.0), ("GAMMA", 2.0), ("MOTIVITY", 2.0)]);
    let error = sysfs.driver().change(&wanted).unwrap_err();
    assert!(error.to_string().contains("MOTIVITY"), "{error}");
    let unchanged = |texts: Vec<(String, String)>| {
        texts.into_iter().filter(|(name, _)| name != "MOTIVITY").collect::<Vec<_>>()
    };
    assert_eq!(unchanged(sysfs.texts()), unchanged(before));
}

#[test]
fn what_the_public_driver_cannot_do_is_refused_before_anything_is_written() {
    let sysfs = Sysfs::public();
    let before = sysfs.texts();
    let mut lut = changes(&[("SENS_MULT", 2.0)]);
    lut.set_lut(&[1.0; LUT_LEN]).unwrap();
    let error = sysfs.driver().change(&lut).unwrap_err();
    assert_eq!(error.to_string(), "the loaded driver lacks the feature 'lut'");
    let error = sysfs.driver().change(&changes(&[("ANGLE_SNAP", 5.0)])).unwrap_err();
    assert_eq!(error.to_string(), "the loaded driver lacks the feature 'angle-snap'");
    assert_eq!(sysfs.texts(), before);
    // Full settings that only say so are no reason to refuse.
    sysfs.driver().write(&Settings::default()).unwrap();
}

#[test]
fn values_the_public_driver_should_never_have_taken_are_named() {
    for (name, text, words) in [
        ("INPUT_DPI", "0\n", "INPUT_DPI: 0 is out of range, 50 to 50000 is valid"),
        ("SENS_MULT", "0.5\n", "SENS_MULT: 0.00000000"),
        ("MODE", "7\n", "MODE: 7 is out of range"),
    ] {
        let sysfs = Sysfs::public();
        sysfs.file(&format!("{PARAMETERS}/{name}"), text);
        let error = sysfs.driver().settings().unwrap_err().to_string();
        assert!(error.starts_with("the driver holds an invalid value: "), "{error}");
        assert!(error.contains(words), "{error}");
        let parameter = parameter::by_file_name(name).unwrap();
        assert!(sysfs.driver().raw(parameter).is_ok(), "its raw value can still be shown");
    }
}

#[test]
fn what_the_public_driver_holds_beyond_64_bits_or_without_text_is_invalid_and_can_be_overwritten() {
    for bytes in [&b"18446744073709551616\n"[..], b"-99999999999999999999\n", b"\xff\n"] {
        let sysfs = Sysfs::public();
        let dpi = sysfs.parameter("INPUT_DPI");
        fs::write(&dpi, bytes).unwrap();
        let error = sysfs.driver().settings().unwrap_err();
        assert!(matches!(error, DriverError::Invalid(_)), "{error}");
        assert!(error.to_string().contains("INPUT_DPI"), "{error}");
        let sens = changes(&[("SENS_MULT", 2.0)]);
        let settings = sysfs.driver().change(&sens).unwrap();
        assert_eq!(settings, sens.apply(&Settings::default()).unwrap());
        sysfs.driver().write(&settings).unwrap();
        assert_eq!(fs::read_to_string(&dpi).unwrap(), "4294967296000");
        assert_eq!(sysfs.driver().settings().unwrap(), settings);
    }
}

#[test]
fn after_a_failure_half_way_a_value_that_no_one_wants_back_is_the_default() {
    let sysfs = Sysfs::public();
    fs::write(sysfs.parameter("INPUT_DPI"), "18446744073709551616\n").unwrap();
    fs::remove_file(sysfs.parameter("MOTIVITY")).unwrap();
    fs::create_dir(sysfs.parameter("MOTIVITY")).unwrap();
    let wanted = changes(&[("SENS_MULT", 2.0), ("INPUT_DPI", 800.0), ("MOTIVITY", 2.0)]);
    let error = sysfs.driver().change(&wanted).unwrap_err();
    assert!(!matches!(error, DriverError::HalfWritten { .. }), "{error}");
    let text = |name: &str| fs::read_to_string(sysfs.parameter(name)).unwrap();
    assert_eq!(
        (text("SENS_MULT").as_str(), text("INPUT_DPI").as_str()),
        ("4294967296", "4294967296000")
    );
}

#[test]
fn a_module_that_goes_while_it_is_used_is_not_loaded() {
    for sysfs in [Sysfs::public(), Sysfs::ours()] {
        let driver = sysfs.driver();
        fs::remove_dir_all(sysfs.root().join(MODULE)).unwrap();
        assert!(matches!(driver.settings(), Err(DriverError::NotLoaded)));
        let wanted = changes(&[("SENS_MULT", 2.0)]);
        assert!(matches!(driver.change(&wanted), Err(DriverError::NotLoaded)));
    }
}

#[test]
fn mice_are_listed_by_number_and_changed_one_by_one() {
    let sysfs = Sysfs::ours();
    let driver = sysfs.driver();
    assert_eq!(driver.devices().unwrap(), []);
    sysfs.file(&format!("{}/maccel/dev", devices::CLASS), "240:0\n");
    sysfs.mouse("input12");
    sysfs.mouse("input5");
    let inputs: Vec<_> = driver.devices().unwrap().into_iter().map(|d| d.input).collect();
    assert_eq!(inputs, ["input5", "input12"]);
    assert_eq!(driver.device_speed("input5").unwrap(), 1.5);

    let mut own = Settings::default();
    own.set("SENS_MULT", 0.5).unwrap();
    driver.set_device_settings("input5", Some(&own)).unwrap();
    driver.set_device_enabled("input5", false).unwrap();
    let path = sysfs.root().join(devices::CLASS).join("input5/enabled");
    assert_eq!(fs::read_to_string(path).unwrap(), "0");
    let mouse = driver.device("input5").unwrap();
    assert_eq!((mouse.enabled, mouse.settings, mouse.id.as_str()), (false, Some(own), "046d:c088"));
    driver.set_device_settings("input5", None).unwrap();
    assert_eq!(driver.device("input5").unwrap().settings, None);
    assert_eq!(driver.device("input12").unwrap().settings, None);
}

#[test]
fn a_name_that_is_no_entry_reaches_no_file() {
    let sysfs = Sysfs::ours();
    sysfs.mouse("input5");
    for input in ["input6", "input05", "maccel", "input5/../input5", "../maccel", "input", ""] {
        let error = sysfs.driver().set_device_enabled(input, false).unwrap_err();
        assert!(matches!(error, DriverError::NoSuchDevice(_)), "{input}: {error}");
    }
    assert!(sysfs.driver().device("input5").unwrap().enabled);
    let error = Sysfs::public().driver().device("input5").unwrap_err();
    assert!(matches!(error, DriverError::Lacks(Feature::Devices)));
}

#[test]
fn the_speed_is_read_from_the_device() {
    let sysfs = Sysfs::ours();
    assert!(matches!(sysfs.driver().open_speed(), Err(DriverError::Io { .. })));
    let path = sysfs.root().join(speed::DEVICE);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, 6_442_450_944_i64.to_be_bytes()).unwrap();
    assert_eq!(sysfs.driver().open_speed().unwrap().read().unwrap(), 1.5);
}

#[test]
fn a_file_that_may_not_be_written_is_a_matter_of_permission() {
    let sysfs = Sysfs::public();
    let path = sysfs.parameter("SENS_MULT");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write all the same; then the change is made.
    match sysfs.driver().change(&changes(&[("SENS_MULT", 2.0)])) {
        Err(DriverError::Permission { path: named }) => assert_eq!(named, path),
        Err(error) => panic!("{error}"),
        Ok(settings) => assert_eq!(settings.get("SENS_MULT").unwrap(), 2.0),
    }
}
