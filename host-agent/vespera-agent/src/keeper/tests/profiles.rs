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
