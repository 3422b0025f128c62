// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the agent serves against what is shipped.

use std::collections::BTreeSet;
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};
use vespera_api::names::{BUS_NAME, DEVICE, HEALTH, INTERFACES, MACCEL, ROOT_OBJECT, device_path};
use zbus::fdo::IntrospectableProxy;

use crate::agent::Agent;
use crate::sysfs::{MOUSE, Root};
use crate::world::World;

pub(crate) fn served_is_shipped(world: &World) {
    let agent = Agent::start(world, Root::ours());
    let device = device_path(MOUSE).unwrap();
    for (object, interfaces) in
        [(ROOT_OBJECT, &[HEALTH, MACCEL][..]), (device.as_str(), &[DEVICE][..])]
    {
        let served = zbus::block_on(async {
            let connection = agent.connect().await;
            let proxy = IntrospectableProxy::builder(&connection)
                .destination(BUS_NAME)
                .path(object)
                .build()
                .await
                .unwrap();
            proxy.introspect().await.unwrap()
        });
        let names: BTreeSet<_> = parse(&served)
            .root_element()
            .children()
            .filter(|node| node.has_tag_name("interface"))
            .map(|node| node.attribute("name").unwrap().to_owned())
            .filter(|name| !name.starts_with("org.freedesktop.DBus."))
            .collect();
        assert_eq!(names, interfaces.iter().map(|name| (*name).to_owned()).collect());
        for interface in interfaces {
            let shipped = shipped(interface);
            similar(&members(&served, interface), &members(&shipped, interface));
        }
    }
    assert_eq!(INTERFACES.len(), 3);
}

/// A call with open files would fill the agent's table of them before anybody looks at it.
pub(crate) fn no_files_are_sent(_: &World) {
    let policy = "../../packaging/rootfs/usr/share/dbus-1/system.d/org.vespera.Agent1.conf";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(policy);
    let text = std::fs::read_to_string(path).unwrap();
    let document = parse(&text);
    let sent = |node: &Node<'_, '_>| {
        node.has_tag_name("allow") && node.attributes().any(|own| own.name().starts_with("send_"))
    };
    let rules: Vec<_> = document.descendants().filter(sent).collect();
    for interface in INTERFACES {
        assert!(rules.iter().any(|rule| rule.attribute("send_interface") == Some(interface)));
    }
    for rule in rules {
        assert_eq!(rule.attribute("max_fds"), Some("0"), "{}", describe(rule));
    }
    for interface in INTERFACES {
        let shipped = shipped(interface);
        let taken = parse(&shipped).descendants().any(|node| {
            let is_taken = node.attribute("direction") == Some("in");
            is_taken && node.attribute("type").is_some_and(|kind| kind.contains('h'))
        });
        assert!(!taken, "{interface} takes an open file, which the policy lets nobody send");
    }
}

/// Says which members differ, rather than show all of both.
fn similar(served: &BTreeSet<String>, shipped: &BTreeSet<String>) {
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
    let (extra, missing) = (only(served, shipped), only(shipped, served));
    assert!(
        extra.is_empty() && missing.is_empty(),
        "served and not shipped:\n  {}\nshipped and not served:\n  {}",
        extra.join("\n  "),
        missing.join("\n  ")
    );
}

fn shipped(interface: &str) -> String {
    let interfaces = "../../packaging/rootfs/usr/share/dbus-1/interfaces";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(interfaces);
    std::fs::read_to_string(folder.join(format!("{interface}.xml"))).unwrap()
}

fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    Document::parse_with_options(text, options).unwrap()
}

/// Each member in one line; comments do not count.
fn members(text: &str, interface: &str) -> BTreeSet<String> {
    let document = parse(text);
    let element = document
        .descendants()
        .find(|node| node.has_tag_name("interface") && node.attribute("name") == Some(interface))
        .unwrap();
    element.children().filter(Node::is_element).map(describe).collect()
}

fn describe(node: Node<'_, '_>) -> String {
    let mut words: Vec<String> =
        node.attributes().map(|own| format!("{}={}", own.name(), own.value())).collect();
    words.sort();
    words.insert(0, node.tag_name().name().to_owned());
    // The order of arguments counts.
    words.extend(
        node.children().filter(Node::is_element).map(|child| format!("[{}]", describe(child))),
    );
    words.join(" ")
}
