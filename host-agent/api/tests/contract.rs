// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shipped files and the code name the same members, actions and errors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is the failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use maccel_core::driver::Feature;
use maccel_core::parameter::{self, Kind};
use roxmltree::{Document, Node, ParsingOptions};
use vespera_api::access::{Access, Action, METHODS};
use vespera_api::names::{BUS_NAME, INTERFACES, MACCEL, USER};

fn shipped(inside: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(inside)).unwrap_or_else(|error| panic!("{inside}: {error}"))
}

fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    Document::parse_with_options(text, options).unwrap()
}

fn interface_file(interface: &str) -> String {
    shipped(&format!("packaging/rootfs/usr/share/dbus-1/interfaces/{interface}.xml"))
}

/// The comment that stands right before a member.
fn documentation<'a>(member: Node<'a, '_>) -> &'a str {
    let before = member.prev_siblings().skip(1).find(|node| node.is_element() || node.is_comment());
    before.filter(Node::is_comment).and_then(|comment| comment.text()).unwrap_or_default()
}

/// Kind, name and element of every member of every interface, with its documentation.
fn members(mut each: impl FnMut(&str, Node<'_, '_>, &str)) {
    for interface in INTERFACES {
        let text = interface_file(interface);
        let document = parse(&text);
        let element = document.descendants().find(|node| node.has_tag_name("interface")).unwrap();
        assert_eq!(element.attribute("name"), Some(interface));
        for member in element.children().filter(Node::is_element) {
            each(interface, member, documentation(member));
        }
    }
}

#[test]
fn every_member_is_documented_and_every_property_is_read_only() {
    let mut seen = 0;
    members(|interface, member, words| {
        let name = member.attribute("name").unwrap();
        assert!(words.trim().ends_with('.'), "{interface}.{name} has no sentence");
        if member.has_tag_name("property") {
            assert_eq!(member.attribute("access"), Some("read"), "{interface}.{name}");
        }
        seen += 1;
    });
    assert!(seen >= 40, "{seen} members");
}

#[test]
fn the_table_of_access_has_the_documented_methods_with_their_actions() {
    let mut documented = BTreeMap::new();
    members(|interface, member, words| {
        if member.has_tag_name("method") {
            let action = Action::ALL.iter().find(|action| words.contains(action.id()));
            let access = action.map_or(Access::Open, |action| Access::Needs(*action));
            assert_eq!(words.contains("Needs org."), action.is_some(), "{words}");
            let name = member.attribute("name").unwrap().to_owned();
            documented.insert((interface.to_owned(), name), access);
        }
    });
    let table: BTreeMap<_, _> = METHODS
        .iter()
        .map(|(interface, method, access)| (((*interface).into(), (*method).into()), *access))
        .collect();
    assert_eq!(table.len(), METHODS.len(), "a method stands there twice");
    assert_eq!(table, documented);
}

#[test]
fn every_parameter_is_a_property_of_its_type_with_its_range() {
    let mut properties = BTreeMap::new();
    members(|interface, member, words| {
        if interface == MACCEL && member.has_tag_name("property") {
            let of = |name| member.attribute(name).unwrap().to_owned();
            properties.insert(of("name"), (of("type"), words.to_owned()));
        }
    });
    for parameter in parameter::all() {
        let (kind, words) = &properties[&parameter.bus_name()];
        let expected = match parameter.kind {
            Kind::Mode => "s",
            Kind::Fixed => "d",
            Kind::Table => "ad",
        };
        assert_eq!(kind, expected, "{}", parameter.name);
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let range = format!("{} to {}", parameter.minimum, parameter.maximum);
        assert!(
            parameter.kind == Kind::Mode || words.contains(&range),
            "{}: {range}",
            parameter.name
        );
    }
}

#[test]
fn every_feature_of_the_driver_is_documented() {
    let mut words = String::new();
    members(|_, member, documentation| {
        if member.attribute("name") == Some("Features") {
            words.push_str(documentation);
        }
    });
    for feature in Feature::ALL {
        assert!(words.contains(&format!("\"{}\"", feature.name())), "{}", feature.name());
    }
}

#[test]
fn polkit_has_exactly_the_actions_of_the_code_and_lets_the_agent_ask() {
    let text = shipped("packaging/rootfs/usr/share/polkit-1/actions/org.vespera.agent1.policy");
    let document = parse(&text);
    let mut declared = BTreeSet::new();
    for action in document.descendants().filter(|node| node.has_tag_name("action")) {
        let id = action.attribute("id").unwrap();
        declared.insert(id.to_owned());
        let word = |name: &str| {
            let element = action.descendants().find(|node| node.has_tag_name(name));
            element.and_then(|node| node.text()).unwrap_or_default()
        };
        let owner = action
            .descendants()
            .find(|node| node.attribute("key") == Some("org.freedesktop.policykit.owner"));
        let owner = owner.and_then(|node| node.text());
        assert_eq!(owner, Some(format!("unix-user:{USER}").as_str()), "{id}");
        assert_eq!(word("allow_any"), "auth_admin_keep", "{id}");
        assert_eq!(word("allow_inactive"), "auth_admin_keep", "{id}");
        assert_eq!(word("allow_active"), "yes", "{id}");
        assert!(!word("message").is_empty() && !word("description").is_empty(), "{id}");
    }
    let known: BTreeSet<_> = Action::ALL.iter().map(|action| action.id().to_owned()).collect();
    assert_eq!(declared, known);
}

#[test]
fn the_rule_of_the_image_names_actions_that_exist() {
    let rule = shipped("image/rootfs/usr/share/polkit-1/rules.d/50-vespera.rules");
    let named: BTreeSet<_> =
        rule.split('"').filter(|word| word.starts_with("org.vespera.")).collect();
    let known: BTreeSet<_> = Action::ALL.iter().map(|action| action.id()).collect();
    assert_eq!(named, known);
}

#[test]
fn the_bus_lets_one_user_own_the_name_and_everyone_send_to_the_interfaces() {
    let text = shipped("packaging/rootfs/usr/share/dbus-1/system.d/org.vespera.Agent1.conf");
    let document = parse(&text);
    let mut allowed = BTreeSet::new();
    for policy in document.descendants().filter(|node| node.has_tag_name("policy")) {
        for allow in policy.children().filter(Node::is_element) {
            assert!(allow.has_tag_name("allow"));
            if allow.attribute("own").is_some() {
                assert_eq!(allow.attribute("own"), Some(BUS_NAME));
                assert_eq!(policy.attribute("user"), Some(USER));
            } else {
                assert_eq!(policy.attribute("context"), Some("default"));
                assert_eq!(allow.attribute("send_destination"), Some(BUS_NAME));
                allowed.insert(allow.attribute("send_interface").unwrap());
            }
        }
    }
    let right = BTreeSet::from(INTERFACES);
    for standard in ["Introspectable", "ObjectManager", "Peer", "Properties"] {
        let whole = format!("org.freedesktop.DBus.{standard}");
        assert!(allowed.remove(whole.as_str()), "{whole}");
    }
    assert_eq!(right, allowed);
}

#[test]
fn systemd_alone_starts_the_agent() {
    let service =
        shipped("packaging/rootfs/usr/share/dbus-1/system-services/org.vespera.Agent1.service");
    for line in [
        format!("Name={BUS_NAME}"),
        format!("User={USER}"),
        "Exec=/bin/false".to_owned(),
        "SystemdService=vespera-agent.service".to_owned(),
    ] {
        assert!(service.lines().any(|own| own == line), "{line}");
    }
}
