// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is set and saved, and the module that comes and goes.

use maccel_core::settings::LUT_LEN;

use super::*;

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
fn nothing_to_do_means_no_deadline_and_no_new_snapshot() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let serial = keeper.snapshot().serial;
    written(&mut keeper);
    keeper.event(Event::Report, Instant::now());
    keeper.event(Event::Resumed, Instant::now());
    assert_eq!((keeper.deadline(), keeper.snapshot().serial), (None, serial));
}

#[test]
fn a_saved_table_that_is_not_in_use_keeps_nothing_from_the_public_driver_and_is_kept() {
    let host = Host::public_driver();
    let factors = [1.5; LUT_LEN];
    let text = format!("version = 1\n[settings]\nsens-mult = 2\nlut = {factors:?}\n");
    host.file("var/lib/vespera/maccel.toml", &text);
    let mut keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(2.0));
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    let saved = || host.text("var/lib/vespera/maccel.toml");
    ask(&mut keeper, Request::Set(sens(3.0))).unwrap();
    assert_eq!(host.in_force(), with_sens(3.0));
    assert!(saved().contains("sens-mult = 3") && saved().contains("lut = ["), "{}", saved());
    ask(&mut keeper, Request::Reset).unwrap();
    assert_eq!(saved(), "version = 1\n");
    // Asked for now, or used by the mode, it is another matter.
    let mut table = sens(2.0);
    table.set_lut(&factors).unwrap();
    let refusal = ask(&mut keeper, Request::Set(table)).unwrap_err();
    assert!(matches!(refusal, Error::InvalidValue(_)), "{refusal}");
}

#[test]
fn a_change_that_is_saved_without_its_copy_is_made_and_the_copy_is_a_finding() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let blocked = host.at("var/lib/vespera/maccel.toml.good.new");
    fs::create_dir(&blocked).unwrap();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    assert_eq!(host.in_force(), with_sens(2.0));
    assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 2"));
    assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
    fs::remove_dir(&blocked).unwrap();
    // The same again mends it.
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    assert_eq!(check(&keeper, "settings-not-saved").status, "ok");
    let (file, copy) = ("var/lib/vespera/maccel.toml", "var/lib/vespera/maccel.toml.good");
    assert_eq!(host.text(copy), host.text(file));
}

#[test]
fn what_the_administrator_says_and_the_driver_did_not_take_is_not_given_up_by_the_next_change() {
    let host = Host::public_driver();
    let path = "etc/vespera/maccel.toml";
    host.file(path, "version = 1\n[settings]\nlimit = 2\n");
    let mut keeper = host.agent();
    host.file(path, "version = 1\n[settings]\nlimit = 3\n");
    // A folder in place of a file fails for root, too.
    let file = host.at(&format!("{PARAMETERS}/LIMIT"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "8589934592\n").unwrap();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    let mut wanted = with_sens(2.0);
    wanted.set("LIMIT", 3.0).unwrap();
    assert_eq!(host.in_force(), wanted);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    let saved = host.text("var/lib/vespera/maccel.toml");
    assert!(!saved.contains("limit"), "{saved}");
}

#[test]
fn what_others_wrote_and_could_not_be_saved_is_saved_with_the_next_change() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    // A folder where the new file would be fails for root, too.
    let blocked = host.at("var/lib/vespera/maccel.toml.new");
    fs::create_dir(&blocked).unwrap();
    host.write(&with_sens(4.0));
    written(&mut keeper);
    assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
    fs::remove_dir(&blocked).unwrap();
    let mut limit = Changes::default();
    limit.set("LIMIT", 3.0).unwrap();
    ask(&mut keeper, Request::Set(limit.clone())).unwrap();
    assert_eq!(host.in_force(), limit.apply(&with_sens(4.0)).unwrap());
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}
