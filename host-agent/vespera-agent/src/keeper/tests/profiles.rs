// SPDX-License-Identifier: MIT OR Apache-2.0
//! Profiles, and whose they are.

use super::*;

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
fn a_profile_given_to_the_active_user_applies_at_once() {
    let host = Host::with_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    keeper.event(Event::ActiveUser(Some(1000)), Instant::now());
    let path = "etc/vespera/maccel.toml";
    host.file(path, "version = 1\n[profiles.mary]\nsens-mult = 0.5\n[users]\n1000 = \"mary\"\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force(), with_sens(0.5));
    assert_eq!(keeper.snapshot().active_profile, "mary");
    host.file(path, "version = 1\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force(), with_sens(2.0));
}

#[test]
fn what_is_written_while_the_agent_is_away_belongs_to_the_user_who_was_active() {
    let host = Host::with_driver();
    host.file(
        "etc/vespera/maccel.toml",
        "version = 1\n[profiles.mary]\nsens-mult = 0.5\n[users]\n1000 = \"mary\"\n",
    );
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    keeper.event(Event::ActiveUser(Some(1000)), Instant::now());
    assert_eq!(host.in_force(), with_sens(0.5));
    drop(keeper);
    host.write(&with_sens(0.25));
    let mut keeper = host.agent();
    keeper.event(Event::ActiveUser(Some(1000)), Instant::now());
    assert_eq!(host.in_force(), with_sens(0.25), "mary keeps what was written");
    keeper.event(Event::ActiveUser(None), Instant::now());
    assert_eq!(host.in_force(), with_sens(2.0), "the others do not get it");
}

#[test]
fn what_an_agent_before_this_one_saw_is_still_understood() {
    let host = Host::with_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    let seen = host.text("run/vespera-agent/seen.json");
    assert!(!seen.contains("profile"), "without a user's profile it is the earlier form: {seen}");
    host.write(&with_sens(3.0));
    drop(host.agent());
    assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 3"));
}

const MARY: &str = "version = 1\n[profiles.mary]\nsens-mult = 0.5\n[profiles.games]\nsens-mult = 4\n\
     [users]\n1000 = \"mary\"\n";

fn active(keeper: &mut Keeper, uid: u32) {
    keeper.event(Event::ActiveUser(Some(uid)), Instant::now());
}

/// Mary is at the screen and has changed her profile from 0.5; all others have 2.
fn mary_at_work() -> (Host, Keeper) {
    let host = Host::with_driver();
    host.file("etc/vespera/maccel.toml", MARY);
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    active(&mut keeper, 1000);
    ask(&mut keeper, Request::Set(sens(0.25))).unwrap();
    (host, keeper)
}

#[test]
fn a_profile_that_a_user_applies_is_the_users_from_then_on_and_the_one_before_is_kept() {
    let (host, mut keeper) = mary_at_work();
    ask(&mut keeper, Request::ApplyProfile("games".to_owned())).unwrap();
    assert_eq!(host.in_force(), with_sens(4.0));
    assert_eq!(keeper.snapshot().profiles["mary"], with_sens(0.25), "nothing of it is lost");
    assert_eq!(keeper.snapshot().active_profile, "games");
    // Neither another session nor another start of the agent changes whose it is.
    active(&mut keeper, 1001);
    assert_eq!(host.in_force(), with_sens(2.0));
    let mut keeper = host.agent();
    active(&mut keeper, 1000);
    assert_eq!(host.in_force(), with_sens(4.0));
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    // Back to what the administrator says, and nothing of it remains.
    ask(&mut keeper, Request::ApplyProfile("mary".to_owned())).unwrap();
    assert_eq!(host.in_force(), with_sens(0.25));
    assert!(!host.text("var/lib/vespera/maccel.toml").contains("users"));
}

#[test]
fn a_profile_that_cannot_be_saved_as_the_users_is_not_applied() {
    let host = Host::with_driver();
    host.file("etc/vespera/maccel.toml", MARY);
    let mut keeper = host.agent();
    active(&mut keeper, 1000);
    // A folder where the new file would be fails for root, too.
    fs::create_dir(host.at("var/lib/vespera/maccel.toml.new")).unwrap();
    let refusal = ask(&mut keeper, Request::ApplyProfile("games".to_owned())).unwrap_err();
    assert!(matches!(refusal, Error::WriteFailed(_)), "{refusal}");
    assert_eq!(host.in_force(), with_sens(0.5));
    assert_eq!(keeper.snapshot().active_profile, "mary");
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}

#[test]
fn what_is_in_force_without_a_deleted_profile_is_in_force_at_once() {
    let (host, mut keeper) = mary_at_work();
    let delete = |name: &str| Request::DeleteProfile(name.to_owned());
    ask(&mut keeper, delete("mary")).unwrap();
    assert_eq!(host.in_force(), with_sens(0.5), "the administrator's of that name");
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");

    // One that was the user's choice: the user has what the administrator says again.
    ask(&mut keeper, Request::SaveProfile("mine".to_owned())).unwrap();
    ask(&mut keeper, Request::ApplyProfile("mine".to_owned())).unwrap();
    ask(&mut keeper, Request::Set(sens(8.0))).unwrap();
    ask(&mut keeper, delete("mine")).unwrap();
    assert_eq!(host.in_force(), with_sens(0.5));
    assert_eq!(keeper.snapshot().active_profile, "mary");

    // What others have just written is theirs, and another's profile is no reason to undo it.
    ask(&mut keeper, Request::SaveProfile("other".to_owned())).unwrap();
    host.write(&with_sens(0.75));
    ask(&mut keeper, delete("other")).unwrap();
    assert_eq!(host.in_force(), with_sens(0.75));
    assert_eq!(keeper.snapshot().profiles["mary"], with_sens(0.75));
}

#[test]
fn a_trial_goes_on_when_a_profile_is_deleted_and_goes_back_to_what_is_left() {
    let host = Host::with_driver();
    host.file("etc/vespera/maccel.toml", MARY);
    let mut keeper = host.agent();
    active(&mut keeper, 1000);
    ask(&mut keeper, Request::Set(sens(0.25))).unwrap();
    let id = ask(&mut keeper, trial(3.0, 10)).unwrap();
    ask(&mut keeper, Request::DeleteProfile("mary".to_owned())).unwrap();
    assert_eq!(host.in_force(), with_sens(3.0));
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    assert_eq!(host.in_force(), with_sens(0.5));
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}
