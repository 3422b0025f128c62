// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of single mice.

use super::*;

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
fn a_twin_that_is_unplugged_meanwhile_does_not_fail_the_call() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c08b");
    host.mouse("input6", "046d:c08b");
    let mut keeper = host.agent();
    let driver = Driver::open(host.at("").as_path()).unwrap();
    let present = driver.devices().unwrap();
    let (twin, model) = (&present[0], &present[1]);
    fs::remove_dir_all(host.at(&format!("{CLASS}/{}", twin.input))).unwrap();
    keeper.apply_to_each(&present, model).unwrap();
    let gone = keeper.apply_to_each(&present, twin).unwrap_err();
    assert!(matches!(gone, DriverError::NoSuchDevice(_)), "{gone}");
}
