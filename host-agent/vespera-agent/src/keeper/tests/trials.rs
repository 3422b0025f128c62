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
