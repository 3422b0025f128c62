// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may do what: the committed tables against the real bus and polkitd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vespera_api::names::{DEVICE, HEALTH, MACCEL};

use crate::agent::Agent;
use crate::caller::{Caller, short};
use crate::sysfs::Root;
use crate::world::{USERS, World};

/// Each method, and what root, a member of the group and a stranger get. Without a session nobody
/// is active; the active person is tested in a guest.
const METHODS: &str = include_str!("rights.txt");
/// Where the interfaces are shipped from.
const INTERFACES: &str = "../../packaging/rootfs/usr/share/dbus-1/interfaces";

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

/// All properties of the interfaces as they are shipped.
fn shipped_properties() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(INTERFACES);
    let mut found = BTreeSet::new();
    for interface in [HEALTH, MACCEL, DEVICE] {
        let text = std::fs::read_to_string(folder.join(format!("{interface}.xml"))).unwrap();
        let names = text.split("<property name=\"").skip(1);
        let names = names.map(|rest| rest.split('"').next().unwrap());
        found.extend(names.map(|name| format!("{}.{name}", short(interface))));
    }
    found
}

pub(crate) fn properties(world: &World) {
    let agent = Agent::start(world, Root::ours());
    for user in USERS {
        let said = Caller::start(world, user, &["properties"]).finish();
        let (ours, standard): (Vec<_>, Vec<_>) =
            said.iter().partition(|line| !line.starts_with("org."));
        let name = |line: &&String| line.split(' ').next().map(str::to_owned);
        let names: BTreeSet<String> = ours.iter().filter_map(name).collect();
        assert_eq!(names, shipped_properties(), "{user}");
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
