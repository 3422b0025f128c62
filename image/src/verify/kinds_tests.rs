// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn faults(text: &str, look: Look) -> Vec<String> {
    look(&Document::parse(text).unwrap())
}

/// What systemd-tmpfiles 262 says of files, as recorded, and what it says when it cannot work.
#[test]
fn failure_of_tmpfiles_is_a_fault_unless_it_is_about_users_of_the_host() {
    let user = "/r/usr/lib/tmpfiles.d/vespera.conf:4: Failed to resolve user 'vespera-agent': \
                Unknown user\nWould create directory /r/run/vespera";
    assert_eq!(tmpfiles_fault(user), None);
    let path = "/r/usr/lib/tmpfiles.d/bad.conf:2: Path 'relative' not absolute.";
    assert_eq!(tmpfiles_fault(&format!("{user}\n{path}")).as_deref(), Some(path));
    let elsewhere = "Failed to open '/r/usr/lib/tmpfiles.d/x': Permission denied";
    assert_eq!(tmpfiles_fault(&format!("{user}\n{elsewhere}")).as_deref(), Some(elsewhere));
    assert!(tmpfiles_fault("Would create directory /r/run/vespera").is_some());
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
