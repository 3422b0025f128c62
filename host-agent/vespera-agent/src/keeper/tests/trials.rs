// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings that go back by themselves.

use super::*;

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

/// What the mouse has in the driver.
fn own(host: &Host) -> String {
    host.text(&format!("{CLASS}/input5/settings")).trim().to_owned()
}

fn trial_on(value: f64, seconds: u32) -> Request {
    Request::TrialOn { input: "input5".to_owned(), changes: sens(value), seconds }
}

#[test]
fn a_trial_of_one_mouse_goes_back_and_nothing_of_it_is_saved() {
    for saved in [None, Some(2.0)] {
        let host = Host::with_driver();
        host.mouse("input5", "046d:c088");
        let mut keeper = host.agent();
        if let Some(value) = saved {
            let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(value) };
            ask(&mut keeper, set).unwrap();
        }
        let before = own(&host);
        let ends: [fn(&mut Keeper, u32); 4] = [
            |keeper, _| keeper.tick(keeper.deadline().unwrap()),
            |keeper, id| keeper.event(Event::CallerLeft(id), Instant::now()),
            |keeper, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0),
            |keeper, _| keeper.event(Event::Stop, Instant::now()),
        ];
        for end in ends {
            let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
            assert!(own(&host).contains("SENS_MULT=17179869184"));
            assert_eq!(host.in_force(), Settings::default(), "it is of one mouse");
            // Neither a look, nor waking up, nor a change of all ends it or saves it.
            written(&mut keeper);
            keeper.event(Event::Resumed, Instant::now());
            assert!(own(&host).contains("SENS_MULT=17179869184"));
            assert!(!host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 4"));
            let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(3.0) };
            let inherit = Request::Inherit { input: "input5".to_owned() };
            for other in [set, inherit, trial(3.0, 10), trial_on(3.0, 10)] {
                let refusal = ask(&mut keeper, other).unwrap_err();
                assert!(matches!(refusal, Error::TrialRunning(_)), "{refusal}");
            }
            end(&mut keeper, id);
            assert_eq!(own(&host), before);
            assert_eq!(keeper.snapshot().trial, None);
            assert_eq!(host.text("var/lib/vespera/trial.json"), "");
        }
    }
}

#[test]
fn a_confirmed_trial_of_one_mouse_is_saved_for_it() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    ask(&mut keeper, Request::ConfirmTrial(id)).unwrap();
    assert_eq!(keeper.deadline(), None);
    // Plugged in again it has another entry.
    fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
    host.mouse("input9", "046d:c088");
    let keeper = host.agent();
    assert_eq!(keeper.snapshot().devices["input9"].settings, Some(with_sens(4.0)));
    assert_eq!(host.in_force(), Settings::default());
}

#[test]
fn a_confirmed_trial_of_one_mouse_saves_what_was_tried_and_the_rest_stays_shared() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial_on(2.0, 10)).unwrap();
    let mut outside = with_sens(2.0);
    outside.set("GAMMA", 2.0).unwrap();
    host.write_own("input5", &outside);
    ask(&mut keeper, Request::ConfirmTrial(id)).unwrap();
    let mut limit = Changes::default();
    limit.set("LIMIT", 3.0).unwrap();
    ask(&mut keeper, Request::Set(limit.clone())).unwrap();
    let wanted = limit.apply(&outside).unwrap();
    assert_eq!(keeper.snapshot().devices["input5"].settings, Some(wanted.clone()));
    assert_eq!(line::parse_settings(&own(&host)).unwrap(), wanted);
    let mut kept = sens(2.0);
    kept.set("GAMMA", 2.0).unwrap();
    assert_eq!(keeper.layers.state.devices[0].settings, Some(kept));
}

#[test]
fn what_the_administrator_changes_during_a_trial_holds_after_it() {
    let ends: [fn(&mut Keeper, u32); 2] = [
        |keeper, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0),
        |keeper, id| assert_eq!(ask(keeper, Request::ConfirmTrial(id)).unwrap(), 0),
    ];
    for (end, value) in ends.into_iter().zip([1.0, 4.0]) {
        let host = Host::with_driver();
        let path = "etc/vespera/maccel.toml";
        host.file(path, "version = 1\n[settings]\nlimit = 2\n");
        let mut keeper = host.agent();
        let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
        host.file(path, "version = 1\n[settings]\nlimit = 3\n");
        keeper.event(Event::Layer, Instant::now());
        // What others write in between takes nothing of it back.
        let mut outside = host.in_force();
        outside.set("GAMMA", 2.0).unwrap();
        host.write(&outside);
        written(&mut keeper);
        end(&mut keeper, id);
        let mut wanted = with_sens(value);
        wanted.set("LIMIT", 3.0).unwrap();
        wanted.set("GAMMA", 2.0).unwrap();
        assert_eq!(host.in_force(), wanted);
        assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
        ask(&mut keeper, Request::Set(sens(5.0))).unwrap();
        let saved = host.text("var/lib/vespera/maccel.toml");
        assert!(!saved.contains("limit"), "the administrator's stays the administrator's: {saved}");
    }
}

#[test]
fn a_trial_ends_also_when_the_administrators_file_contradicts_itself() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
    host.file("etc/vespera/maccel.toml", "version = 1\n[settings]\nmode = \"lut\"\n");
    keeper.event(Event::Layer, Instant::now());
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    assert_eq!(host.in_force(), Settings::default());
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
}

#[test]
fn what_the_administrator_changes_for_a_mouse_on_trial_holds_after_it() {
    let path = "etc/vespera/maccel.toml";
    let entry = |limit: &str| {
        format!(
            "version = 1\n[[device]]\nmatch = \"046d:c088\"\nsettings = {{ limit = {limit} }}\n"
        )
    };
    for (text, limit) in [(entry("3"), Some(3.0)), ("version = 1\n".to_owned(), None)] {
        for tried in [true, false] {
            let host = Host::with_driver();
            host.mouse("input5", "046d:c088");
            host.file(path, &entry("2"));
            let mut keeper = host.agent();
            let id = tried.then(|| ask(&mut keeper, trial_on(4.0, 10)).unwrap());
            host.file(path, &text);
            keeper.event(Event::Layer, Instant::now());
            if let Some(id) = id {
                assert!(own(&host).contains("SENS_MULT=17179869184"), "it goes on");
                ask(&mut keeper, Request::CancelTrial(id)).unwrap();
            }
            let own = keeper.snapshot().devices["input5"].settings.clone();
            let held = own.map(|own| own.get("LIMIT").unwrap());
            assert_eq!(held, limit, "on trial: {tried}");
        }
    }
}

#[test]
fn what_a_mouse_had_unsaved_comes_back_after_a_trial() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    host.write_own("input5", &with_sens(0.5));
    let mut keeper = host.agent();
    let before = own(&host);
    let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    assert_eq!(own(&host), before);
}

#[test]
fn a_trial_of_one_mouse_does_not_outlive_an_agent_that_was_killed_nor_the_mouse() {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    // Killed: nothing of it runs any more.
    std::mem::forget(keeper);
    let mut keeper = host.agent();
    assert_eq!(own(&host), "inherit");
    assert_eq!(host.text("var/lib/vespera/trial.json"), "");

    let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
    keeper.event(Event::DeviceRemoved("input5".to_owned()), Instant::now());
    assert_eq!(keeper.snapshot().trial, None);
    assert!(ask(&mut keeper, Request::ConfirmTrial(id)).is_err());
    host.mouse("input5", "046d:c088");
    keeper.event(Event::DeviceAdded("input5".to_owned()), Instant::now());
    assert_eq!(own(&host), "inherit");
    assert!(ask(&mut keeper, trial_on(4.0, 601)).is_err());
    assert!(ask(&mut keeper, Request::Set(sens(2.0))).is_ok());
}

#[test]
fn a_trial_of_one_mouse_keeps_nothing_from_the_others_that_the_administrator_changes() {
    let path = "etc/vespera/maccel.toml";
    let unplug = |keeper: &mut Keeper, host: &Host| {
        fs::remove_dir_all(host.at(&format!("{CLASS}/input5"))).unwrap();
        keeper.event(Event::DeviceRemoved("input5".to_owned()), Instant::now());
    };
    type End<'a> = &'a dyn Fn(&mut Keeper, &Host, u32);
    let ends: [(End<'_>, Option<f64>); 3] = [
        (&|keeper, _, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0), None),
        (
            &|keeper, _, id| assert_eq!(ask(keeper, Request::ConfirmTrial(id)).unwrap(), 0),
            Some(4.0),
        ),
        (&|keeper, host, _| unplug(keeper, host), None),
    ];
    for (end, kept) in ends {
        let host = Host::with_driver();
        host.mouse("input5", "046d:c088");
        host.mouse("input6", "046d:c089");
        let mut keeper = host.agent();
        let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
        let other = "[[device]]\nmatch = \"046d:c089\"\nsettings = { sens-mult = 0.5 }\n";
        host.file(path, &format!("version = 1\n[settings]\nlimit = 3\n{other}"));
        keeper.event(Event::Layer, Instant::now());
        let with_limit = |value: f64| {
            let mut settings = with_sens(value);
            settings.set("LIMIT", 3.0).unwrap();
            settings
        };
        for ended in [false, true] {
            if ended {
                end(&mut keeper, &host, id);
                assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
            } else {
                assert!(own(&host).contains("SENS_MULT=17179869184"), "it goes on");
            }
            assert_eq!(host.in_force(), with_limit(1.0));
            let mice = &keeper.snapshot().devices;
            assert_eq!(mice["input6"].settings, Some(with_limit(0.5)));
            let tried = mice.get("input5").filter(|_| ended);
            let tried = tried.and_then(|mouse| mouse.settings.clone());
            assert_eq!(tried, kept.filter(|_| ended).map(with_limit));
        }
    }
}

#[test]
fn what_others_wrote_and_could_not_be_saved_is_in_force_after_a_trial_too() {
    let ends: [fn(&mut Keeper, u32); 3] = [
        |keeper, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0),
        |keeper, _| keeper.tick(keeper.deadline().unwrap()),
        |keeper, id| assert_eq!(ask(keeper, Request::ConfirmTrial(id)).unwrap(), 0),
    ];
    for (end, value) in ends.into_iter().zip([1.0, 1.0, 4.0]) {
        for writable_again in [false, true] {
            let host = Host::with_driver();
            let mut keeper = host.agent();
            let mut outside = Settings::default();
            outside.set("LIMIT", 3.0).unwrap();
            // A folder in place of the file fails for root, too.
            let file = host.at("var/lib/vespera/maccel.toml.new");
            fs::create_dir_all(file.join("in-the-way")).unwrap();
            host.write(&outside);
            written(&mut keeper);
            assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
            let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
            if writable_again || value > 1.0 {
                fs::remove_dir_all(&file).unwrap();
            }
            let mut wanted = with_sens(value);
            wanted.set("LIMIT", 3.0).unwrap();
            if writable_again {
                // Saving works from here on, also for what could not be saved before.
                let mut again = host.in_force();
                again.set("GAMMA", 2.0).unwrap();
                host.write(&again);
                written(&mut keeper);
                wanted.set("GAMMA", 2.0).unwrap();
            }
            end(&mut keeper, id);
            assert_eq!(host.in_force(), wanted);
            if writable_again || value > 1.0 {
                assert_eq!(host.agent().snapshot().settings, Some(wanted.clone()));
                host.unload();
                host.load();
                host.agent();
                assert_eq!(host.in_force(), wanted, "saved");
            }
        }
    }
}

#[test]
fn a_confirmed_trial_that_is_saved_without_its_copy_stays_in_force() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
    fs::create_dir(host.at("var/lib/vespera/maccel.toml.good.new")).unwrap();
    ask(&mut keeper, Request::ConfirmTrial(id)).unwrap();
    assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
    assert_eq!(host.in_force(), with_sens(4.0));
}

const ADMIN: &str = "etc/vespera/maccel.toml";

/// What the administrator has for the mouse of these tests.
fn entry(own: &str) -> String {
    format!("version = 1\n[[device]]\nmatch = \"046d:c088\"\nsettings = {{ {own} }}\n")
}

fn host_with_an_entry() -> (Host, Keeper) {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    host.file(ADMIN, &entry("limit = 2"));
    let keeper = host.agent();
    (host, keeper)
}

#[test]
fn what_a_mouse_had_comes_back_after_a_trial_when_what_is_saved_contradicts_itself() {
    let (host, mut keeper) = host_with_an_entry();
    let before = own(&host);
    let id = ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    host.file(ADMIN, &entry("mode = \"lut\""));
    keeper.event(Event::Layer, Instant::now());
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    assert_eq!(own(&host), before);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
}

/// The public driver, where something is saved that it cannot do: the defaults are in force.
fn refusing_host() -> (Host, Keeper) {
    let host = Host::public_driver();
    let text = "version = 1\n[settings]\nangle-snap = 5\n";
    host.file("var/lib/vespera/maccel.toml", text);
    let keeper = host.agent();
    assert_eq!(host.in_force(), Settings::default());
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
    (host, keeper)
}

#[test]
fn a_trial_goes_back_also_when_the_driver_refuses_what_is_saved() {
    let ends: [fn(&mut Keeper, u32); 5] = [
        |keeper, _| keeper.tick(keeper.deadline().unwrap()),
        |keeper, id| keeper.event(Event::CallerLeft(id), Instant::now()),
        |keeper, id| assert_eq!(ask(keeper, Request::CancelTrial(id)).unwrap(), 0),
        |keeper, _| keeper.event(Event::Stop, Instant::now()),
        |keeper, _| {
            // The note and the driver are all that a killed agent leaves behind.
            let root = keeper.root.clone();
            *keeper = Keeper::start(root.clone(), Store::new(&root));
        },
    ];
    for end in ends {
        for outside in [false, true] {
            let (host, mut keeper) = refusing_host();
            let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
            assert_eq!(host.in_force(), with_sens(4.0));
            let mut wanted = Settings::default();
            if outside {
                wanted.set("LIMIT", 3.0).unwrap();
                host.file(&format!("{PARAMETERS}/LIMIT"), "12884901888\n");
                written(&mut keeper);
            }
            end(&mut keeper, id);
            assert_eq!(host.in_force(), wanted);
            assert_eq!(keeper.snapshot().settings, Some(wanted));
            assert_eq!(keeper.snapshot().trial, None);
            assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
            assert_eq!(host.text("var/lib/vespera/trial.json"), "");
            let saved = host.text("var/lib/vespera/maccel.toml");
            assert!(saved.contains("angle-snap = 5") && !saved.contains("sens-mult"), "{saved}");
        }
    }
}

#[test]
fn a_trial_that_cannot_be_in_force_together_with_what_is_saved_is_not_confirmed_and_goes_on() {
    let (host, mut keeper) = refusing_host();
    let id = ask(&mut keeper, trial(4.0, 10)).unwrap();
    let refusal = ask(&mut keeper, Request::ConfirmTrial(id)).unwrap_err();
    assert!(matches!(refusal, Error::InvalidValue(_)), "{refusal}");
    assert_eq!(keeper.snapshot().trial.unwrap().id, id);
    assert_eq!(host.in_force(), with_sens(4.0));
    let saved = host.text("var/lib/vespera/maccel.toml");
    assert!(!saved.contains("sens-mult"), "{saved}");
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    assert_eq!(host.in_force(), Settings::default());
}

#[test]
fn a_trial_that_an_earlier_agent_noted_goes_back_to_what_is_saved() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    drop(keeper);
    host.write(&with_sens(4.0));
    host.file("var/lib/vespera/trial.json", "{\"format\": 1, \"trial\": 7}\n");
    let seen = host.text("run/vespera-agent/seen.json");
    let tried = seen.replace("\"sens-mult\":2", "\"sens-mult\":4");
    assert_ne!(seen, tried);
    host.file("run/vespera-agent/seen.json", &tried);
    host.agent();
    assert_eq!(host.in_force(), with_sens(2.0));
}

#[test]
fn what_a_mouse_had_comes_back_to_a_killed_agent_too_when_what_is_saved_contradicts_itself() {
    let (host, mut keeper) = host_with_an_entry();
    let before = own(&host);
    ask(&mut keeper, trial_on(4.0, 10)).unwrap();
    assert_ne!(own(&host), before);
    drop(keeper);
    host.file(ADMIN, &entry("mode = \"lut\""));
    let keeper = host.agent();
    assert_eq!(own(&host), before);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
}
