// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reference of the bus for people: the shipped interfaces with their comments, the errors,
//! and what each polkit action allows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is the failed test")]

use manual::committed::{document, head, heading, repository, row};
use roxmltree::{Document, Node, ParsingOptions};
use vespera_api::access::{Access, Action, METHODS};
use vespera_api::error;
use vespera_api::names::{BUS_NAME, DEVICE, HEALTH, INTERFACES, MACCEL, ROOT_OBJECT};

const BEFORE: &str = "\
The agent owns this name on the system bus and starts when somebody calls it:

| | |
|---|---|
| bus name | `@BUS_NAME@` |
| object | `@ROOT@`: `@HEALTH@`, `@MACCEL@`, and the `org.freedesktop.DBus.ObjectManager` of the mice |
| objects of mice | `@ROOT@/devices/inputN`: `@DEVICE@` |

[applications.md](applications.md) begins with ten lines that work.

## What stays

- The digit in the names is the version. Within it, methods, properties, errors and keys of
  dictionaries may be added; none goes away, no signature changes, no meaning changes. A client
  passes over keys that it does not know. What breaks that gets `org.vespera.Agent2`, beside this.
- Whether a driver can do something is in `Features` of `@MACCEL@`. `Version` of `@HEALTH@` is for
  people.
- Values are in natural units; the driver's Q32.32 never appears but in what `OpenSpeed` opens.
- Every property is read-only, may be read by everyone, and emits `PropertiesChanged` with its new
  value (but for those marked as constant). Only methods change something.
- A call returns when what it changed is in force, read back, saved and emitted.

## Who may do what

A method that changes something needs one of three polkit actions. They are given without a
password to the person whose session is active at the machine; everyone else is asked for the
password of an administrator if the call carries the flag `ALLOW_INTERACTIVE_AUTHORIZATION`, and
refused with `org.freedesktop.DBus.Error.AccessDenied` if it does not. In a Vespera image, members of the group `maccel` need
no password either: they may write the driver's files anyway. Without polkitd everything that
needs an action is refused.

Of the calls that need an action, 64 of one user may wait to be decided on, 4 of them for a password;
of those whose user the bus has yet to tell, 512 may wait, 64 of one program. More are refused at
once, with the same error and the reason in its text, which ends in `is not granted` only where the
caller has not the right, or gave no password for it. Their arguments may have 4 KiB. A call that
brings an open file is refused by the bus.

";

const AFTER_ACTIONS: &str = "
Open to everyone: ";

/// What an error means, by its last word.
const ERRORS: &[(&str, &str)] = &[
    ("InvalidValue", "a value, a profile name or a time that cannot be; the text has the range"),
    ("UnknownParameter", "a key that names no parameter"),
    (
        "Locked",
        "the administrator has locked the parameter in `/etc/vespera/maccel.toml`, or a profile to \
         be deleted is the image's or the administrator's",
    ),
    (
        "TrialRunning",
        "settings are on trial, and this call would change them or save them; it ends by itself",
    ),
    ("NoSuchTrial", "the trial has ended, or never was"),
    ("NoSuchProfile", "there is no profile of this name"),
    ("ModuleNotLoaded", "the driver is not there; `Checks` of `Health` says why"),
    ("WriteFailed", "the driver or the disk refused; what was in force still is"),
];

fn shipped(inside: &str) -> String {
    let path = repository().join("packaging/rootfs/usr/share").join(inside);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    Document::parse_with_options(text, options).unwrap()
}

/// The text of a comment as Markdown paragraphs.
fn paragraphs(comment: &str) -> String {
    let paragraphs = comment.trim().split("\n\n");
    let joined: Vec<String> =
        paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    joined.join("\n\n")
}

/// The comment that stands right before a node.
fn comment_before(node: Node<'_, '_>) -> String {
    let before = node.prev_siblings().skip(1).find(|node| node.is_element() || node.is_comment());
    let comment = before.filter(Node::is_comment).and_then(|comment| comment.text());
    paragraphs(comment.unwrap_or_default())
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_default()
}

/// `Trial(a{sv} change, u seconds) -> (u trial)`
fn signature(method: Node<'_, '_>) -> String {
    let of = |direction| {
        let arguments = method.children().filter(|node| attribute(*node, "direction") == direction);
        let words =
            arguments.map(|own| format!("{} {}", attribute(own, "type"), attribute(own, "name")));
        words.collect::<Vec<_>>().join(", ")
    };
    let (taken, given) = (of("in"), of("out"));
    let given = if given.is_empty() { given } else { format!(" -> {given}") };
    format!("{}({taken}){given}", attribute(method, "name"))
}

fn interface(name: &str) -> String {
    let text = shipped(&format!("dbus-1/interfaces/{name}.xml"));
    let document = parse(&text);
    let node = document.root_element();
    let element = node.children().find(|node| node.has_tag_name("interface")).unwrap();
    let mut text = format!("\n## {name}\n\n{}\n", comment_before(node));
    for (tag, title) in [("method", "Methods"), ("property", "Properties")] {
        text += &format!("\n### {title} of {}\n", name.rsplit('.').next().unwrap());
        for member in element.children().filter(|node| node.has_tag_name(tag)) {
            let words = comment_before(member);
            let constant = member.children().any(|own| attribute(own, "value") == "const");
            text += &match tag {
                "method" => format!("\n#### `{}`\n\n{words}\n", signature(member)),
                _ => format!(
                    "\n#### `{} {}`\n\n{words}{}\n",
                    attribute(member, "name"),
                    attribute(member, "type"),
                    if constant { " Constant." } else { "" }
                ),
            };
        }
    }
    text
}

/// What each action allows, from the shipped file of actions and the table of the service.
fn actions() -> String {
    let text = shipped("polkit-1/actions/org.vespera.agent1.policy");
    let policy = parse(&text);
    let mut table = heading(&["action", "allows", "active person", "others"]);
    for action in Action::ALL {
        let node =
            policy.descendants().find(|node| node.attribute("id") == Some(action.id())).unwrap();
        let word = |name: &str| {
            let found = node.descendants().find(|node| node.has_tag_name(name)).unwrap();
            found.text().unwrap()
        };
        assert_eq!(word("allow_any"), word("allow_inactive"));
        let allowed = methods(Access::Needs(action));
        let id = format!("`{}`", action.id());
        table += &row(&[&id, &allowed, word("allow_active"), &format!("`{}`", word("allow_any"))]);
    }
    table
}

fn methods(access: Access) -> String {
    let own = METHODS.iter().filter(|(_, _, needed)| *needed == access);
    let words = own
        .map(|(interface, name, _)| format!("`{}.{name}`", interface.rsplit('.').next().unwrap()));
    words.collect::<Vec<_>>().join(", ")
}

fn errors() -> String {
    let mut text = String::from(
        "\n## Errors\n\nThe text of an error says what was wrong, where, and what would be right; \
         it is for people.\n\n",
    );
    text += &heading(&["name", "meaning"]);
    for (name, meaning) in ERRORS {
        text += &row(&[&format!("`{}{name}`", error::PREFIX), meaning]);
    }
    text += &row(&["`org.freedesktop.DBus.Error.AccessDenied`", "the caller may not do this"]);
    text
}

#[test]
fn committed_document_of_the_bus_is_current() {
    let made_from = concat!(
        "packaging/rootfs/usr/share/dbus-1/interfaces, the polkit actions, \
         host-agent/api/src/access.rs and ",
        file!()
    );
    let mut text = head("D-Bus reference", made_from);
    text += &BEFORE
        .replace("@BUS_NAME@", BUS_NAME)
        .replace("@ROOT@", ROOT_OBJECT)
        .replace("@HEALTH@", HEALTH)
        .replace("@MACCEL@", MACCEL)
        .replace("@DEVICE@", DEVICE);
    text += &actions();
    text += AFTER_ACTIONS;
    text += &methods(Access::Open);
    text += ", and all properties.\n";
    text += &errors();
    for name in [MACCEL, DEVICE, HEALTH] {
        text += &interface(name);
    }
    assert_eq!(INTERFACES.len(), 3);
    document("docs/dbus.md", &text).unwrap();
}

#[test]
fn every_error_of_the_agent_is_described() {
    use vespera_api::Error;
    let text = String::new;
    let all = [
        Error::InvalidValue(text()),
        Error::UnknownParameter(text()),
        Error::Locked(text()),
        Error::TrialRunning(text()),
        Error::NoSuchTrial(text()),
        Error::NoSuchProfile(text()),
        Error::ModuleNotLoaded(text()),
        Error::WriteFailed(text()),
    ];
    let names: Vec<String> = all.iter().map(|own| own.bus_name().to_owned()).collect();
    let described: Vec<String> =
        ERRORS.iter().map(|(name, _)| format!("{}{name}", error::PREFIX)).collect();
    assert_eq!(described, names);
}

#[test]
fn signatures_read_like_calls() {
    let text = shipped(&format!("dbus-1/interfaces/{MACCEL}.xml"));
    let document = parse(&text);
    let method = |name| document.descendants().find(|node| node.attribute("name") == Some(name));
    assert_eq!(signature(method("Trial").unwrap()), "Trial(a{sv} change, u seconds) -> u trial");
    assert_eq!(signature(method("Reset").unwrap()), "Reset()");
}
