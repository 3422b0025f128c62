// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what: the committed tables against the real bus and polkitd.

use std::collections::BTreeMap;

use crate::agent::Agent;
use crate::caller::Caller;
use crate::sysfs::Root;
use crate::world::{USERS, World};

/// Each method, and what root, a member of the group and a stranger get. Without a session nobody
/// is active; the active person is tested in a guest.
const METHODS: &str = include_str!("rights.txt");

pub(crate) fn methods(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in USERS {
        for line in Caller::start(world, user, &["methods"]).finish() {
            let (method, outcome) = line.split_once(' ').unwrap();
            table.entry(method.to_owned()).or_default().push(outcome.to_owned());
        }
    }
    let rows = table.iter().map(|(method, outcomes)| row(method, outcomes));
    let heading = row("method", &USERS.map(str::to_owned));
    let found: String = std::iter::once(heading).chain(rows).collect();
    assert_eq!(found, METHODS, "the table above is what was found");
    drop(agent);
}

fn row(method: &str, outcomes: &[String]) -> String {
    let columns: String = outcomes.iter().map(|outcome| format!(" {outcome:<14}")).collect();
    format!("{method:<22}{}\n", columns.trim_end())
}

pub(crate) fn properties(world: &World) {
    let agent = Agent::start(world, Root::ours());
    for user in USERS {
        let said = Caller::start(world, user, &["properties"]).finish();
        let (ours, standard): (Vec<_>, Vec<_>) =
            said.iter().partition(|line| !line.starts_with("org."));
        assert!(ours.len() >= 30, "{user}: {ours:?}");
        // zbus knows no such property to write.
        for line in ours {
            assert!(line.ends_with(" read ok, write UnknownProperty"), "{user}: {line}");
        }
        assert_eq!(
            standard,
            [
                "org.freedesktop.DBus.Peer.Ping ok",
                "org.freedesktop.DBus.Introspectable.Introspect ok",
                "org.freedesktop.DBus.ObjectManager.GetManagedObjects ok",
                "org.example.Other.Anything AccessDenied",
            ],
            "{user}"
        );
    }
    drop(agent);
}
