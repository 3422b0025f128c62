// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of single mice.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

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
fn a_request_about_a_mouse_destroys_nothing_that_others_wrote_to_it_a_moment_before() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    host.write_own("input5", &with_sens(0.25));
    let off = Request::SetEnabled { input: "input5".to_owned(), enabled: false };
    ask(&mut keeper, off).unwrap();
    written(&mut keeper);
    let mouse = keeper.snapshot().devices["input5"].clone();
    assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.25)), false));
    let saved = &keeper.layers.state.devices[0];
    assert_eq!((saved.settings.clone(), saved.enabled), (Some(sens(0.25)), Some(false)));

    host.file(&format!("{CLASS}/input5/enabled"), "1\n");
    ask(&mut keeper, Request::Inherit { input: "input5".to_owned() }).unwrap();
    written(&mut keeper);
    let mouse = keeper.snapshot().devices["input5"].clone();
    assert_eq!((mouse.settings, mouse.enabled), (None, true));
    let saved = &keeper.layers.state.devices[0];
    assert_eq!((saved.settings.clone(), saved.enabled), (Some(Changes::default()), Some(true)));
}

#[test]
fn a_request_about_a_mouse_destroys_nothing_that_others_wrote_to_its_twin() {
    let requests: [fn() -> Request; 2] = [
        || Request::SetEnabled { input: "input5".to_owned(), enabled: false },
        || Request::Inherit { input: "input5".to_owned() },
    ];
    for request in requests {
        let host = Host::with_driver();
        for (input, uniq) in [("input5", "A\n"), ("input6", "B\n")] {
            host.mouse(input, "046d:c088");
            host.file(&format!("{CLASS}/{input}/uniq"), uniq);
        }
        let mut keeper = host.agent();
        host.write_own("input6", &with_sens(0.25));
        host.file(&format!("{CLASS}/input6/enabled"), "0\n");
        ask(&mut keeper, request()).unwrap();
        written(&mut keeper);
        let mouse = keeper.snapshot().devices["input6"].clone();
        assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.25)), false));
        let (enabled, own) = keeper.layers.device_changes("046d:c088", "B");
        assert_eq!((enabled, own), (Some(false), Some(&sens(0.25))));
    }
}

#[test]
fn what_others_do_not_write_to_a_mouse_stays_shared() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(0.5) };
    ask(&mut keeper, set).unwrap();
    let mut own = with_sens(0.5);
    own.set("GAMMA", 2.0).unwrap();
    host.write_own("input5", &own);
    written(&mut keeper);
    let mut limit = Changes::default();
    limit.set("LIMIT", 3.0).unwrap();
    ask(&mut keeper, Request::Set(limit.clone())).unwrap();
    let wanted = limit.apply(&own).unwrap();
    assert_eq!(keeper.snapshot().devices["input5"].settings, Some(wanted));
    host.file(&format!("{CLASS}/input5/settings"), "inherit\n");
    written(&mut keeper);
    assert_eq!(keeper.snapshot().devices["input5"].settings, None);
    assert_eq!(keeper.layers.state.devices[0].settings, Some(Changes::default()));
}

#[test]
fn what_others_write_to_a_mouse_while_the_agent_is_away_is_kept_too() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(0.5) };
    ask(&mut keeper, set).unwrap();
    drop(keeper);
    host.write_own("input5", &with_sens(0.25));
    host.file(&format!("{CLASS}/input5/enabled"), "0\n");
    let keeper = host.agent();
    let mouse = keeper.snapshot().devices["input5"].clone();
    assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.25)), false));
    assert_eq!(keeper.layers.state.devices[0].settings, Some(sens(0.25)));
    // Without the agent, another loading of the module knows nothing of it.
    drop(keeper);
    host.unload();
    host.load();
    host.mouse("input5", "046d:c088");
    let keeper = host.agent();
    let mouse = keeper.snapshot().devices["input5"].clone();
    assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.25)), false));
}

#[test]
fn what_others_write_to_a_mouse_and_for_all_mice_at_once_is_kept_both() {
    let mut shared = Settings::default();
    shared.set("LIMIT", 3.0).unwrap();
    for (saved, away) in [(true, true), (true, false), (false, true), (false, false)] {
        for limit in [1.5, 3.0] {
            let host = Host::with_driver();
            host.mouse("input5", "046d:c088");
            let mut keeper = host.agent();
            if saved {
                let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(0.5) };
                ask(&mut keeper, set).unwrap();
            }
            let mut own = with_sens(0.25);
            own.set("LIMIT", limit).unwrap();
            let write = || {
                host.write(&shared);
                host.write_own("input5", &own);
            };
            if away {
                drop(keeper);
                write();
                keeper = host.agent();
            } else {
                write();
                written(&mut keeper);
            }
            let case = format!("saved: {saved}, away: {away}, limit: {limit}");
            assert_eq!(keeper.snapshot().settings, Some(shared.clone()), "{case}");
            // One with settings of its own follows the others in what was not written to it.
            let held = if saved { sens(0.25).apply(&shared).unwrap() } else { own.clone() };
            assert_eq!(keeper.snapshot().devices["input5"].settings, Some(held.clone()), "{case}");
            assert_eq!(check(&keeper, "settings-not-in-force").status, "ok", "{case}");
            // It is saved for the mouse, not only left there.
            drop(keeper);
            host.unload();
            host.load();
            host.mouse("input5", "046d:c088");
            let keeper = host.agent();
            assert_eq!(keeper.snapshot().settings, Some(shared.clone()), "{case}");
            assert_eq!(keeper.snapshot().devices["input5"].settings, Some(held), "{case}");
        }
    }
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

/// A file that root, too, can read but not write, for as long as what is given lives.
fn only_readable(host: &Host, inside: &str) -> File {
    let text = host.text(inside);
    let mut file = File::from(memfd_create(c"sealed", MFdFlags::MFD_ALLOW_SEALING).unwrap());
    file.write_all(text.as_bytes()).unwrap();
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).unwrap();
    fs::remove_file(host.at(inside)).unwrap();
    symlink(format!("/proc/self/fd/{}", file.as_raw_fd()), host.at(inside)).unwrap();
    file
}

/// The same file as any other again.
fn writable(host: &Host, inside: &str) {
    let text = host.text(inside);
    fs::remove_file(host.at(inside)).unwrap();
    host.file(inside, &text);
}

#[test]
fn what_a_mouse_could_not_be_given_is_a_finding_that_names_it_and_is_tried_again() {
    let host = Host::with_driver();
    let entry =
        "[[device]]\nmatch = \"046d:c088\"\nenabled = false\nsettings = { sens-mult = 0.5 }\n";
    host.file("etc/vespera/maccel.toml", &format!("version = 1\n{entry}"));
    let retries: [fn(&mut Keeper, &Host); 4] = [
        |keeper, _| keeper.event(Event::Module, Instant::now()),
        |keeper, _| keeper.event(Event::Resumed, Instant::now()),
        |keeper, _| keeper.event(Event::DeviceAdded("input5".to_owned()), Instant::now()),
        |keeper, host| {
            host.mouse("input6", "046d:c089");
            keeper.event(Event::DeviceAdded("input6".to_owned()), Instant::now());
        },
    ];
    let mut keeper = host.agent();
    for retry in retries {
        for (attribute, words) in [("settings", "sens-mult"), ("enabled", "enabled")] {
            host.mouse("input5", "046d:c088");
            let inside = format!("{CLASS}/input5/{attribute}");
            let file = only_readable(&host, &inside);
            keeper.event(Event::DeviceAdded("input5".to_owned()), Instant::now());
            let found = check(&keeper, "settings-not-in-force");
            assert_eq!(found.status, "failed", "{attribute}");
            assert_eq!(found.detail, format!("Mouse (input5): has other values: {words}"));
            writable(&host, &inside);
            drop(file);
            retry(&mut keeper, &host);
            assert_eq!(check(&keeper, "settings-not-in-force").status, "ok", "{attribute}");
            let mouse = keeper.snapshot().devices["input5"].clone();
            assert_eq!((mouse.settings, mouse.enabled), (Some(with_sens(0.5)), false));
            fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
            keeper.event(Event::DeviceRemoved("input5".to_owned()), Instant::now());
        }
    }
}

#[test]
fn a_mouse_that_is_unplugged_or_set_anew_leaves_no_finding() {
    let ends: [fn(&mut Keeper, &Host); 2] = [
        |keeper, host| {
            fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
            keeper.event(Event::DeviceRemoved("input5".to_owned()), Instant::now());
        },
        |keeper, host| {
            writable(host, &format!("{CLASS}/input5/settings"));
            ask(keeper, Request::Inherit { input: "input5".to_owned() }).unwrap();
        },
    ];
    for end in ends {
        let host = Host::with_driver();
        let entry = "[[device]]\nmatch = \"046d:c088\"\nsettings = { sens-mult = 0.5 }\n";
        host.file("etc/vespera/maccel.toml", &format!("version = 1\n{entry}"));
        let mut keeper = host.agent();
        host.mouse("input5", "046d:c088");
        let _sealed = only_readable(&host, &format!("{CLASS}/input5/settings"));
        keeper.event(Event::DeviceAdded("input5".to_owned()), Instant::now());
        assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
        // A trial of the shared settings is no worse for it.
        let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
        ask(&mut keeper, Request::CancelTrial(id)).unwrap();
        assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
        end(&mut keeper, &host);
        assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    }
}

#[test]
fn settings_of_a_mouse_that_contradict_themselves_are_a_finding() {
    let host = Host::with_driver();
    let entry = "[[device]]\nmatch = \"046d:c088\"\nsettings = { mode = \"lut\" }\n";
    host.file("etc/vespera/maccel.toml", &format!("version = 1\n{entry}"));
    host.mouse("input5", "046d:c088");
    let keeper = host.agent();
    let found = check(&keeper, "settings-not-in-force");
    assert_eq!(found.status, "failed");
    assert_eq!(found.detail, "Mouse (input5): mode lut needs a look-up table");
}
