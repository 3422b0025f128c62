// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn faults(text: &str, look: Look) -> Vec<String> {
    look(&Document::parse(text).unwrap())
}

#[test]
fn attribute_that_the_bus_does_not_know_is_named() {
    let good = "<busconfig><policy user='x'><allow own='org.vespera.Agent1'/></policy></busconfig>";
    assert_eq!(faults(good, bus_policy), [""; 0]);
    let bad = "<busconfig><policy><allow owns='a'/></policy><deny/></busconfig>";
    assert_eq!(
        faults(bad, bus_policy),
        [
            "<allow> does not know `owns`",
            "<deny> outside of <policy>",
            "<deny> without an attribute"
        ]
    );
}

#[test]
fn answer_that_polkit_does_not_have_is_named() {
    let action = |answer: &str| {
        format!(
            "<policyconfig><action id='a.b'><defaults><allow_any>{answer}</allow_any>\
             </defaults></action></policyconfig>"
        )
    };
    assert_eq!(faults(&action("auth_admin_keep"), polkit_actions), [""; 0]);
    assert_eq!(
        faults(&action("maybe"), polkit_actions),
        ["action a.b: polkit has no answer `maybe`"]
    );
    let none = "<policyconfig><action/></policyconfig>";
    assert_eq!(
        faults(none, polkit_actions),
        ["an action without an id", "action  has no defaults"]
    );
}
