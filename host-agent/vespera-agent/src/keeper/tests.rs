// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keeper over a folder that stands in for sysfs: a file there takes what is written, as a
//! whole line of `SETTINGS` by our driver is taken.

use std::fs;
use std::os::unix::fs::symlink;

use camino::{Utf8Path, Utf8PathBuf};
use maccel_core::changes::Changes;
use maccel_core::driver::devices::CLASS;
use maccel_core::driver::{MODULE, PARAMETERS, line};
use maccel_core::settings::Mode;

use super::*;
use crate::message::Request;

struct Host {
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap() };
        host.file("proc/sys/kernel/random/boot_id", "boot-1\n");
        host.file("proc/sys/kernel/osrelease", "6.1.0\n");
        for folder in ["run/vespera/request", "var/lib/vespera", "etc/vespera", "usr/lib/vespera"] {
            fs::create_dir_all(host.at(folder)).unwrap();
        }
        host
    }

    fn with_driver() -> Self {
        let host = Self::new();
        host.load();
        host
    }

    /// The module comes, with its defaults.
    fn load(&self) {
        self.file(&format!("{MODULE}/version"), "0.1.0\n");
        self.file(&format!("{MODULE}/initstate"), "live\n");
        self.write(&Settings::default());
    }

    fn unload(&self) {
        // Kept elsewhere: unlike sysfs, a folder of a disk may get the number of one that is gone.
        let gone = tempfile::tempdir_in(self.at("")).unwrap().keep();
        fs::rename(self.at(MODULE), gone.join("maccel")).unwrap();
    }

    fn public_driver() -> Self {
        let host = Self::new();
        host.file(&format!("{MODULE}/initstate"), "live\n");
        for parameter in maccel_core::parameter::all().iter().filter(|p| p.file) {
            let raw = parameter.raw_of(parameter.default).unwrap();
            host.file(&format!("{PARAMETERS}/{}", parameter.name), &format!("{raw}\n"));
        }
        host
    }

    fn mouse(&self, input: &str, id: &str) {
        for (name, text) in [
            ("name", "Mouse"),
            ("id", id),
            ("uniq", ""),
            ("phys", "usb"),
            ("enabled", "1"),
            ("settings", "inherit"),
            ("speed", "0"),
        ] {
            self.file(&format!("{CLASS}/{input}/{name}"), &format!("{text}\n"));
        }
    }

    fn at(&self, inside: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(inside)
    }

    fn file(&self, inside: &str, text: &str) {
        let path = self.at(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.at(inside)).unwrap_or_default()
    }

    /// Somebody else writes the driver.
    fn write(&self, settings: &Settings) {
        let text = line::format(&Changes::all(settings));
        self.file(&format!("{PARAMETERS}/SETTINGS"), &format!("{text}\n"));
    }

    fn in_force(&self) -> Settings {
        let driver = Driver::open(self.at("").as_path()).unwrap();
        driver.settings().unwrap()
    }

    fn root(&self) -> Root {
        Root::new(self.at(""))
    }

    fn agent(&self) -> Keeper {
        Keeper::start(self.root(), Store::new(&self.root()))
    }
}

fn sens(value: f64) -> Changes {
    let mut changes = Changes::default();
    changes.set("SENS_MULT", value).unwrap();
    changes
}

fn with_sens(value: f64) -> Settings {
    sens(value).apply(&Settings::default()).unwrap()
}

fn ask(keeper: &mut Keeper, request: Request) -> vespera_api::Result<u32> {
    keeper.request(request, Instant::now()).map(|reply| reply.trial)
}

/// Tells of a write and waits until it has been looked at.
fn written(keeper: &mut Keeper) {
    let now = Instant::now();
    keeper.event(Event::Written, now);
    keeper.tick(now + SETTLE);
}

fn check<'a>(keeper: &'a Keeper, code: &str) -> &'a vespera_api::CheckRecord {
    let checks = &keeper.snapshot().health.checks;
    checks.iter().find(|check| check.code == code).unwrap_or_else(|| panic!("{code}: {checks:?}"))
}

fn trial(value: f64, seconds: u32) -> Request {
    Request::Trial { changes: sens(value), seconds }
}

#[test]
fn what_is_set_is_in_force_and_saved_when_the_call_returns() {
    for host in [Host::with_driver(), Host::public_driver()] {
        let mut keeper = host.agent();
        ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
        assert_eq!(host.in_force(), with_sens(2.0));
        assert_eq!(
            host.text("var/lib/vespera/maccel.toml"),
            "version = 1\n\n[settings]\nsens-mult = 2.0\n"
        );
        assert_eq!(keeper.snapshot().settings, Some(with_sens(2.0)));
        ask(&mut keeper, Request::Reset).unwrap();
        assert_eq!(host.in_force(), Settings::default());
        assert_eq!(host.text("var/lib/vespera/maccel.toml"), "version = 1\n");
    }
}

#[test]
fn saved_settings_are_in_force_after_the_next_boot() {
    let host = Host::with_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    host.unload();
    host.file("proc/sys/kernel/random/boot_id", "boot-2\n");
    host.load();
    assert_eq!(host.in_force(), Settings::default());
    let keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(2.0));
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    assert_eq!(keeper.snapshot().health.history.len(), 2);
}

#[test]
fn the_module_gets_the_saved_settings_whenever_it_comes() {
    let host = Host::new();
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().settings, None);
    let refusal = ask(&mut keeper, Request::Set(sens(2.0))).unwrap_err();
    assert!(matches!(refusal, Error::ModuleNotLoaded(_)), "{refusal}");
    host.load();
    keeper.event(Event::Module, Instant::now());
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    host.unload();
    keeper.event(Event::Module, Instant::now());
    assert_eq!((&keeper.snapshot().settings, keeper.snapshot().instance), (&None, None));
    host.load();
    keeper.event(Event::Module, Instant::now());
    assert_eq!(host.in_force(), with_sens(2.0));
}

#[test]
fn options_of_the_module_are_no_change_and_reset_goes_back_to_them() {
    let host = Host::with_driver();
    host.write(&with_sens(3.0));
    let mut keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(3.0));
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    ask(&mut keeper, Request::Reset).unwrap();
    assert_eq!(host.in_force(), with_sens(3.0));
}

#[test]
fn an_outside_write_wins_and_is_saved() {
    for host in [Host::with_driver(), Host::public_driver()] {
        let mut keeper = host.agent();
        let driver = Driver::open(host.at("").as_path()).unwrap();
        driver.write(&with_sens(4.0)).unwrap();
        written(&mut keeper);
        assert_eq!(keeper.snapshot().settings, Some(with_sens(4.0)));
        assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 4"));
        assert_eq!(host.in_force(), with_sens(4.0));
    }
}

#[test]
fn an_outside_write_is_not_undone_by_what_happens_right_after_it() {
    for event in [Event::Layer, Event::Resumed, Event::Module, Event::ActiveUser(None)] {
        let host = Host::with_driver();
        let mut keeper = host.agent();
        host.write(&with_sens(4.0));
        keeper.event(event, Instant::now());
        written(&mut keeper);
        assert_eq!(host.in_force(), with_sens(4.0));
    }
}

#[test]
fn an_outside_write_while_the_agent_was_away_is_kept_too() {
    let host = Host::with_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    host.write(&with_sens(4.0));
    let keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(4.0));
    assert_eq!(keeper.snapshot().settings, Some(with_sens(4.0)));
    assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 4"));
}

#[test]
fn a_locked_value_comes_back_and_the_rest_of_an_outside_write_is_kept() {
    let host = Host::with_driver();
    host.file(
        "etc/vespera/maccel.toml",
        "version = 1\nlocked = [\"sens-mult\"]\n[settings]\nsens-mult = 2\n",
    );
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().locked, ["SensMult"]);
    assert_eq!(host.in_force(), with_sens(2.0));
    let refusal = ask(&mut keeper, Request::Set(sens(3.0))).unwrap_err();
    assert!(matches!(refusal, Error::Locked(_)), "{refusal}");
    let mut outside = with_sens(8.0);
    outside.set("LIMIT", 3.0).unwrap();
    host.write(&outside);
    written(&mut keeper);
    outside.set("SENS_MULT", 2.0).unwrap();
    assert_eq!(host.in_force(), outside);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}

#[test]
fn a_program_that_writes_a_locked_value_again_and_again_is_not_fought_for_ever() {
    let host = Host::with_driver();
    let text = "version = 1\nlocked = [\"sens-mult\"]\n[settings]\nsens-mult = 2\n";
    host.file("etc/vespera/maccel.toml", text);
    let mut keeper = host.agent();
    let mut writes = 0;
    while host.in_force() == with_sens(2.0) && writes < 100 {
        host.write(&with_sens(8.0));
        written(&mut keeper);
        writes += 1;
    }
    assert!((2..100).contains(&writes), "{writes}");
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
    assert_eq!(keeper.snapshot().settings, Some(with_sens(8.0)), "what is shown was read back");
}

#[test]
fn a_module_whose_event_comes_before_it_is_ready_is_looked_at_again() {
    let host = Host::with_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    host.unload();
    let mut keeper = host.agent();
    host.load();
    host.file(&format!("{MODULE}/initstate"), "coming\n");
    keeper.event(Event::Module, Instant::now());
    assert_eq!(keeper.snapshot().settings, None);
    host.file(&format!("{MODULE}/initstate"), "live\n");
    keeper.tick(keeper.deadline().unwrap());
    assert_eq!(host.in_force(), with_sens(2.0));
    assert_eq!(keeper.deadline(), None);
}

#[test]
fn settings_that_could_not_be_put_in_force_are_tried_again_at_the_next_event() {
    let host = Host::public_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    host.file("proc/sys/kernel/random/boot_id", "boot-2\n");
    // A folder in place of the file fails for root, too.
    let file = host.at(&format!("{PARAMETERS}/SENS_MULT"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let mut keeper = host.agent();
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "4294967296\n").unwrap();
    keeper.event(Event::Module, Instant::now());
    written(&mut keeper);
    assert_eq!(host.in_force(), with_sens(2.0));
}

#[test]
fn a_value_that_the_public_driver_should_not_have_taken_goes_at_once() {
    let host = Host::public_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    host.file(&format!("{PARAMETERS}/INPUT_DPI"), "0\n");
    written(&mut keeper);
    assert_eq!(host.in_force(), with_sens(2.0));
}

#[test]
fn a_file_of_the_administrator_that_breaks_changes_nothing_and_is_reported() {
    let host = Host::with_driver();
    let path = "etc/vespera/maccel.toml";
    host.file(path, "version = 1\nlocked = [\"limit\"]\n[settings]\nlimit = 2\n");
    let mut keeper = host.agent();
    host.file(path, "version = 1\n[settings]\nlimit = \"2\"\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force().get("LIMIT").unwrap(), 2.0);
    assert_eq!(keeper.snapshot().locked, ["Limit"]);
    let found = check(&keeper, "settings-file-refused");
    assert_eq!(found.status, "failed");
    assert!(found.detail.contains("/etc/vespera/maccel.toml: TOML parse error at line 3"));
    host.file(path, "version = 1\n[settings]\nlimit = 3\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force().get("LIMIT").unwrap(), 3.0);
    assert_eq!(check(&keeper, "settings-file-refused").status, "ok");
}

#[test]
fn a_trial_goes_back_when_its_time_is_over_its_caller_leaves_or_it_is_cancelled() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    let ends: [fn(&mut Keeper, u32); 4] = [
        |keeper, _| keeper.tick(keeper.deadline().unwrap()),
        |keeper, id| keeper.event(Event::CallerLeft(id), Instant::now()),
        |keeper, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0),
        |keeper, _| keeper.event(Event::Stop, Instant::now()),
    ];
    for end in ends {
        let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
        assert_eq!(host.in_force(), with_sens(4.0));
        assert_eq!(keeper.snapshot().trial.unwrap().id, id);
        assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 2"));
        let refusal = ask(&mut keeper, Request::Set(sens(3.0))).unwrap_err();
        assert!(matches!(refusal, Error::TrialRunning(_)), "{refusal}");
        end(&mut keeper, id);
        assert_eq!(host.in_force(), with_sens(2.0));
        assert_eq!(keeper.snapshot().trial, None);
        assert_eq!(host.text("var/lib/vespera/trial.json"), "");
        let refusal = ask(&mut keeper, Request::ConfirmTrial(id)).unwrap_err();
        assert!(matches!(refusal, Error::NoSuchTrial(_)), "{refusal}");
    }
}

#[test]
fn a_confirmed_trial_is_saved() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
    assert!(ask(&mut keeper, Request::ConfirmTrial(id + 1)).is_err());
    ask(&mut keeper, Request::ConfirmTrial(id)).unwrap();
    assert_eq!(keeper.deadline(), None);
    assert_eq!(host.agent().snapshot().settings, Some(with_sens(4.0)));
}

#[test]
fn a_trial_does_not_outlive_an_agent_that_was_killed_nor_the_boot() {
    for boot in ["boot-1\n", "boot-2\n"] {
        let host = Host::with_driver();
        let mut keeper = host.agent();
        ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
        ask(&mut keeper, trial(4.0, 10)).unwrap();
        // Killed: nothing of it runs any more.
        std::mem::forget(keeper);
        host.file("proc/sys/kernel/random/boot_id", boot);
        let keeper = host.agent();
        assert_eq!(host.in_force(), with_sens(2.0));
        assert_eq!(keeper.snapshot().trial, None);
        assert_eq!(host.text("var/lib/vespera/trial.json"), "");
    }
}

#[test]
fn what_others_write_during_a_trial_is_kept_after_it() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
    let mut outside = with_sens(4.0);
    outside.set("LIMIT", 3.0).unwrap();
    host.write(&outside);
    written(&mut keeper);
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    outside.set("SENS_MULT", 1.0).unwrap();
    assert_eq!(host.in_force(), outside);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}

#[test]
fn a_trial_of_no_sensible_length_does_not_begin() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    for seconds in [0, 601, u32::MAX] {
        let refusal = ask(&mut keeper, trial(4.0, seconds)).unwrap_err();
        assert!(matches!(refusal, Error::InvalidValue(_)), "{refusal}");
    }
    assert_eq!(host.in_force(), Settings::default());
}

#[test]
fn a_change_that_cannot_be_saved_is_not_made() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    // A folder where the new file would be fails for root, too.
    fs::create_dir(host.at("var/lib/vespera/maccel.toml.new")).unwrap();
    let refusal = ask(&mut keeper, Request::Set(sens(2.0))).unwrap_err();
    assert!(matches!(refusal, Error::WriteFailed(_)), "{refusal}");
    assert_eq!(host.in_force(), Settings::default());
    assert_eq!(keeper.snapshot().settings, Some(Settings::default()));
    assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
    fs::remove_dir(host.at("var/lib/vespera/maccel.toml.new")).unwrap();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    assert_eq!(check(&keeper, "settings-not-saved").status, "ok");
}

#[test]
fn what_the_public_driver_cannot_do_is_refused_whole() {
    let host = Host::public_driver();
    let mut keeper = host.agent();
    let mut changes = sens(2.0);
    changes.set("ANGLE_SNAP", 5.0).unwrap();
    let refusal = ask(&mut keeper, Request::Set(changes)).unwrap_err();
    assert!(matches!(refusal, Error::InvalidValue(_)), "{refusal}");
    assert_eq!(host.in_force(), Settings::default());
}

#[test]
fn profiles_are_saved_applied_and_deleted() {
    let host = Host::with_driver();
    host.file("usr/lib/vespera/maccel.toml", "version = 1\n[profiles.slow]\nsens-mult = 0.5\n");
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    ask(&mut keeper, Request::SaveProfile("fast".to_owned())).unwrap();
    assert_eq!(keeper.snapshot().active_profile, "fast");
    ask(&mut keeper, Request::ApplyProfile("slow".to_owned())).unwrap();
    assert_eq!(host.in_force(), with_sens(0.5));
    assert_eq!(keeper.snapshot().active_profile, "slow");
    let again = host.agent();
    let names: Vec<_> = again.snapshot().profiles.keys().cloned().collect();
    assert_eq!(names, ["fast", "slow"]);
    ask(&mut keeper, Request::DeleteProfile("fast".to_owned())).unwrap();
    for (request, right) in [
        (Request::ApplyProfile("fast".to_owned()), "NoSuchProfile"),
        (Request::DeleteProfile("fast".to_owned()), "NoSuchProfile"),
        (Request::DeleteProfile("slow".to_owned()), "Locked"),
        (Request::SaveProfile("../fast".to_owned()), "InvalidValue"),
    ] {
        let refusal = ask(&mut keeper, request).unwrap_err();
        assert!(refusal.bus_name().ends_with(right), "{refusal}");
    }
}

#[test]
fn profiles_cannot_fill_the_disk() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    for number in 0..100 {
        ask(&mut keeper, Request::SaveProfile(format!("p{number}"))).unwrap();
    }
    let refusal = ask(&mut keeper, Request::SaveProfile("one-more".to_owned())).unwrap_err();
    assert!(matches!(refusal, Error::InvalidValue(_)), "{refusal}");
    ask(&mut keeper, Request::SaveProfile("p7".to_owned())).unwrap();
    assert_eq!(keeper.snapshot().profiles.len(), 100);
}

#[test]
fn a_mouse_keeps_its_own_settings_when_it_comes_back() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(0.5) };
    ask(&mut keeper, set).unwrap();
    let off = Request::SetEnabled { input: "input5".to_owned(), enabled: false };
    ask(&mut keeper, off).unwrap();
    let own = |keeper: &Keeper, input: &str| keeper.snapshot().devices.get(input).cloned();
    assert_eq!(own(&keeper, "input5").unwrap().settings, Some(with_sens(0.5)));

    fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
    keeper.event(Event::DeviceRemoved("input5".to_owned()), Instant::now());
    assert_eq!(own(&keeper, "input5"), None);
    host.mouse("input9", "046d:c088");
    keeper.event(Event::DeviceAdded("input9".to_owned()), Instant::now());
    let mouse = own(&keeper, "input9").unwrap();
    assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.5)), false));

    // What is shared shows through where the mouse has nothing of its own.
    let mut limit = Changes::default();
    limit.set("LIMIT", 3.0).unwrap();
    ask(&mut keeper, Request::Set(limit)).unwrap();
    let settings = own(&keeper, "input9").unwrap().settings.unwrap();
    assert_eq!(settings.get("LIMIT").unwrap(), 3.0);
    ask(&mut keeper, Request::Inherit { input: "input9".to_owned() }).unwrap();
    assert_eq!(own(&keeper, "input9").unwrap().settings, None);
    assert_eq!(host.text(&format!("{CLASS}/input9/settings")), "inherit");
}

#[test]
fn what_others_write_to_a_mouse_is_kept_for_it() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    host.file(&format!("{CLASS}/input5/enabled"), "0\n");
    written(&mut keeper);
    assert!(!keeper.snapshot().devices["input5"].enabled);
    host.mouse("input6", "046d:c088");
    keeper.event(Event::DeviceAdded("input6".to_owned()), Instant::now());
    assert!(!keeper.snapshot().devices["input6"].enabled);
}

#[test]
fn a_mouse_that_cannot_be_read_for_a_moment_is_not_gone() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    host.file(&format!("{CLASS}/input5/enabled"), "");
    written(&mut keeper);
    assert!(keeper.snapshot().devices.contains_key("input5"));
}

#[test]
fn values_of_the_public_tools_are_taken_over_once_and_nothing_is_run() {
    let host = Host::with_driver();
    let folder = "var/opt/maccel/resets";
    let script = |name: &str, text: &str| host.file(&format!("{folder}/{name}"), text);
    let set = |parameter: &str, raw: &str| {
        format!("echo {raw} > /sys/module/maccel/parameters/{parameter};")
    };
    script("set_last_SENS_MULT_value.sh", &set("SENS_MULT", "8589934592"));
    script("set_last_MODE_value.sh", &set("MODE", "1"));
    script("set_last_LIMIT_value.sh", "touch /tmp/owned");
    script("set_last_GAMMA_value.sh", &format!("{}{}", set("GAMMA", "1"), " ".repeat(500)));
    script("README", "not a script");
    let victim = host.at("victim");
    fs::write(&victim, set("SMOOTH", "0")).unwrap();
    symlink(&victim, host.at(&format!("{folder}/set_last_SMOOTH_value.sh"))).unwrap();
    let keeper = host.agent();
    let settings = host.in_force();
    assert_eq!((settings.mode(), settings.get("SENS_MULT").unwrap()), (Mode::Natural, 2.0));
    let found = check(&keeper, "settings-not-imported");
    let lines: Vec<_> = found.detail.lines().map(|line| line.split(':').next().unwrap()).collect();
    let refused = ["GAMMA", "LIMIT", "SMOOTH"].map(|name| format!("set_last_{name}_value.sh"));
    assert_eq!(lines, refused);

    script("set_last_SENS_MULT_value.sh", &set("SENS_MULT", "4294967296"));
    host.agent();
    assert_eq!(host.in_force().get("SENS_MULT").unwrap(), 2.0, "only once");
}

#[test]
fn a_check_is_asked_for_at_most_once_a_second_and_never_forgotten() {
    let host = Host::new();
    let mut keeper = host.agent();
    let now = Instant::now();
    let request = || host.text("run/vespera/request/check");
    keeper.request(Request::Recheck, now).unwrap();
    assert!(!request().is_empty());
    host.file("run/vespera/request/check", "");
    keeper.request(Request::Recheck, now).unwrap();
    keeper.tick(now + Duration::from_millis(999));
    assert_eq!(request(), "");
    keeper.tick(now + Duration::from_secs(1));
    assert!(!request().is_empty());
    assert_eq!(keeper.deadline(), None);
}

#[test]
fn the_state_of_the_payload_is_that_of_the_reports_and_of_the_agents_own_findings() {
    let host = Host::with_driver();
    let report = r#"{"format": 1, "boot_id": "boot-1", "time": "2026-01-01T00:00:00Z",
        "kernel": "6.1.0", "state": "healthy", "module": null, "loaded": null,
        "load_error": null, "checks": []}"#;
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().health.state, "unknown");
    assert_eq!(check(&keeper, "boot-unchecked").status, "failed");
    host.file("run/vespera/module.json", report);
    keeper.event(Event::Report, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "healthy");
    assert_eq!(keeper.snapshot().health.history[0].state, "healthy");
    host.file("etc/vespera/maccel.toml", "nonsense");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "degraded");
    host.file("run/vespera/module.json", &report.replace("healthy", "broken"));
    keeper.event(Event::Report, Instant::now());
    assert_eq!(keeper.snapshot().health.history[0].state, "broken");
}

#[test]
fn a_users_profile_stands_in_while_the_users_session_is_active() {
    let host = Host::with_driver();
    host.file(
        "etc/vespera/maccel.toml",
        "version = 1\n[profiles.mary]\nsens-mult = 0.5\n[users]\n1000 = \"mary\"\n",
    );
    let mut keeper = host.agent();
    let active = |keeper: &mut Keeper, uid| keeper.event(Event::ActiveUser(uid), Instant::now());
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    active(&mut keeper, Some(1000));
    assert_eq!(host.in_force(), with_sens(0.5));
    // What the user changes is the user's.
    ask(&mut keeper, Request::Set(sens(0.25))).unwrap();
    for uid in [Some(1001), None] {
        active(&mut keeper, uid);
        assert_eq!(host.in_force(), with_sens(2.0));
    }
    active(&mut keeper, Some(1000));
    assert_eq!(host.in_force(), with_sens(0.25));
    assert_eq!(keeper.snapshot().active_profile, "mary");
}

#[test]
fn nothing_to_do_means_no_deadline_and_no_new_snapshot() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let serial = keeper.snapshot().serial;
    written(&mut keeper);
    keeper.event(Event::Report, Instant::now());
    keeper.event(Event::Resumed, Instant::now());
    assert_eq!((keeper.deadline(), keeper.snapshot().serial), (None, serial));
}
