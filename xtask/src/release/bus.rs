// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether programs written for older D-Bus interfaces work with newer ones: members and
//! annotations may be added; none goes away, and no signature changes.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use roxmltree::{Document, Node, ParsingOptions};

/// What a member promises, by what it is called: `org.x.Y.Set: method` and its kind.
type Members = BTreeMap<(String, &'static str), Promise>;

/// What a client relies on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Promise {
    /// Types of what goes in and comes out; of a property its type.
    signature: String,
    /// Of a property, what may be done with it.
    access: String,
    /// Of a property, whether its changes are told.
    told: String,
}

/// The annotation about the changes of a property, and what holds without it (D-Bus
/// specification, "Introspection Data Format").
const TOLD: &str = "org.freedesktop.DBus.Property.EmitsChangedSignal";

/// What the newer interfaces break for clients of the older ones. Both are all files together.
///
/// # Errors
/// If a file is no introspection data.
pub(crate) fn breaks(old: &[String], new: &[String]) -> Result<Vec<String>> {
    let (old, new) = (members(old).context("the older interfaces")?, members(new)?);
    let mut found = Vec::new();
    for ((name, kind), before) in &old {
        let Some(now) = new.get(&(name.clone(), *kind)) else {
            found.push(format!("the {kind} {name} is gone"));
            continue;
        };
        for (what, before, now) in [
            ("signature", &before.signature, &now.signature),
            ("access", &before.access, &now.access),
            ("change signal", &before.told, &now.told),
        ] {
            // Who only reads goes on reading.
            let wider = what == "access" && now == "readwrite";
            if before != now && !wider {
                found.push(format!("the {what} of the {kind} {name} was `{before}`, is `{now}`"));
            }
        }
    }
    Ok(found)
}

fn members(files: &[String]) -> Result<Members> {
    let mut all = Members::new();
    for text in files {
        // The introspection format names its DTD.
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let document =
            Document::parse_with_options(text, options).context("not introspection data")?;
        for interface in document.descendants().filter(|node| node.has_tag_name("interface")) {
            let interface_name = name(interface)?;
            for member in interface.children().filter(Node::is_element) {
                let kind = match member.tag_name().name() {
                    "method" => "method",
                    "signal" => "signal",
                    "property" => "property",
                    _ => continue,
                };
                let told = annotation(member, TOLD).or_else(|| annotation(interface, TOLD));
                let is_property = kind == "property";
                let promise = Promise {
                    signature: signature(member, kind),
                    access: member.attribute("access").unwrap_or_default().to_owned(),
                    told: told.filter(|_| is_property).unwrap_or("true").to_owned(),
                };
                let full = format!("{interface_name}.{}", name(member)?);
                all.insert((full, kind), promise);
            }
        }
    }
    Ok(all)
}

fn name<'a>(node: Node<'a, '_>) -> Result<&'a str> {
    node.attribute("name").with_context(|| format!("a {} has no name", node.tag_name().name()))
}

fn annotation<'a>(node: Node<'a, '_>, wanted: &str) -> Option<&'a str> {
    node.children()
        .filter(|child| child.has_tag_name("annotation"))
        .find(|child| child.attribute("name") == Some(wanted))?
        .attribute("value")
}

/// Types only: the names of arguments are for people.
fn signature(member: Node<'_, '_>, kind: &str) -> String {
    if kind == "property" {
        return member.attribute("type").unwrap_or_default().to_owned();
    }
    let of = |wanted: &str| -> String {
        member
            .children()
            .filter(|child| child.has_tag_name("arg"))
            .filter(|arg| {
                let default = if kind == "signal" { "out" } else { "in" };
                arg.attribute("direction").unwrap_or(default) == wanted
            })
            .filter_map(|arg| arg.attribute("type"))
            .collect()
    };
    format!("{} -> {}", of("in"), of("out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"<!DOCTYPE node PUBLIC "x" "y"><node><interface name="a.B">
        <method name="Set"><arg name="change" type="a{sv}" direction="in"/>
          <arg name="id" type="u" direction="out"/></method>
        <signal name="Gone"><arg type="s"/></signal>
        <property name="State" type="s" access="read"/>
        <property name="Id" type="s" access="read"><annotation
          name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/></property>
        </interface></node>"#;

    fn changed(from: &str, to: &str) -> Vec<String> {
        let new = OLD.replace(from, to);
        assert_ne!(new, OLD, "{from} is there");
        breaks(&[OLD.to_owned()], &[new]).unwrap()
    }

    #[test]
    fn what_is_added_or_named_otherwise_breaks_nothing() {
        assert_eq!(breaks(&[OLD.to_owned()], &[OLD.to_owned()]).unwrap(), [""; 0]);
        assert_eq!(changed("<signal", "<method name=\"New\"/><signal"), [""; 0]);
        assert_eq!(changed("name=\"change\"", "name=\"changes\""), [""; 0]);
        assert_eq!(changed("<arg type=\"s\"/>", "<arg type=\"s\" direction=\"out\"/>"), [""; 0]);
        assert_eq!(
            changed("type=\"s\" access=\"read\"/>", "type=\"s\" access=\"readwrite\"/>"),
            [""; 0]
        );
        let apart = [OLD.to_owned(), "<node><interface name=\"a.C\"/></node>".to_owned()];
        assert_eq!(breaks(&[OLD.to_owned()], &apart).unwrap(), [""; 0]);
    }

    #[test]
    fn a_member_that_goes_away_is_a_break() {
        assert_eq!(changed("\"Set\"", "\"Put\""), ["the method a.B.Set is gone"]);
        assert_eq!(changed("\"State\"", "\"Stated\""), ["the property a.B.State is gone"]);
        assert_eq!(changed("\"Gone\"", "\"Went\""), ["the signal a.B.Gone is gone"]);
        assert_eq!(breaks(&[OLD.to_owned()], &[]).unwrap().len(), 4);
    }

    #[test]
    fn another_signature_access_or_signal_is_a_break() {
        let arguments = changed("type=\"u\"", "type=\"t\"");
        assert_eq!(
            arguments,
            ["the signature of the method a.B.Set was `a{sv} -> u`, is `a{sv} -> t`"]
        );
        let direction = changed("type=\"u\" direction=\"out\"", "type=\"u\" direction=\"in\"");
        assert_eq!(direction.len(), 1, "{direction:?}");
        let kind = changed("\"State\" type=\"s\"", "\"State\" type=\"u\"");
        assert_eq!(kind, ["the signature of the property a.B.State was `s`, is `u`"]);
        let access = changed(
            "\"State\" type=\"s\" access=\"read\"",
            "\"State\" type=\"s\" access=\"write\"",
        );
        assert_eq!(access, ["the access of the property a.B.State was `read`, is `write`"]);
        let told = changed("value=\"const\"", "value=\"false\"");
        assert_eq!(told, ["the change signal of the property a.B.Id was `const`, is `false`"]);
    }

    #[test]
    fn what_is_no_introspection_data_is_an_error() {
        assert!(breaks(&["<node>".to_owned()], &[]).is_err());
    }
}
