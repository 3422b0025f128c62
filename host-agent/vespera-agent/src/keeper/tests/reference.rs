// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the comments of the shipped interfaces say of refusals, against what is refused: people
//! write programs by them.

use roxmltree::{Document, Node, ParsingOptions};
use vespera_api::names::{DEVICE, MACCEL};

use super::*;

/// The administrator's file.
const ADMIN: &str = "etc/vespera/maccel.toml";

/// The comment of a method, on one line.
fn comment(interface: &str, method: &str) -> String {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging/rootfs/usr/share/dbus-1/interfaces");
    let text = fs::read_to_string(folder.join(format!("{interface}.xml"))).unwrap();
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = Document::parse_with_options(&text, options).unwrap();
    let node = document.descendants().find(|node| node.attribute("name") == Some(method)).unwrap();
    let comment = node.prev_siblings().find(Node::is_comment).unwrap();
    comment.text().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What comes behind "Errors:", those of another method that is named included.
fn errors(interface: &str, method: &str) -> String {
    let comment = comment(interface, method);
    let own = comment.split_once("Errors: ").unwrap().1.to_owned();
    match (own.contains("as SetSettings"), own.contains("as Set")) {
        (true, _) => format!("{own} {}", errors(DEVICE, "SetSettings")),
        (_, true) => format!("{own} {}", errors(MACCEL, "Set")),
        _ => own,
    }
}

/// The methods that can change or save settings, each as it is asked for.
fn requests() -> [(&'static str, &'static str, Request); 9] {
    let input = || "input5".to_owned();
    [
        (MACCEL, "Set", Request::Set(sens(3.0))),
        (MACCEL, "Reset", Request::Reset),
        (MACCEL, "Trial", trial(3.0, 10)),
        (MACCEL, "SaveProfile", Request::SaveProfile("more".to_owned())),
        (MACCEL, "ApplyProfile", Request::ApplyProfile("saved".to_owned())),
        (DEVICE, "SetSettings", Request::SetDevice { input: input(), changes: sens(3.0) }),
        (DEVICE, "Trial", Request::TrialOn { input: input(), changes: sens(3.0), seconds: 10 }),
        (DEVICE, "Inherit", Request::Inherit { input: input() }),
        (DEVICE, "SetEnabled", Request::SetEnabled { input: input(), enabled: false }),
    ]
}

/// Those that are refused while this trial runs, each tried on a host of its own.
fn refused_during(trial: impl Fn() -> Request) -> Vec<(&'static str, &'static str)> {
    let mut refused = Vec::new();
    for (interface, method, request) in requests() {
        let host = Host::with_driver();
        host.mouse("input5", "046d:c088");
        let mut keeper = host.agent();
        ask(&mut keeper, Request::SaveProfile("saved".to_owned())).unwrap();
        ask(&mut keeper, trial()).unwrap();
        match ask(&mut keeper, request) {
            Ok(_) => {}
            Err(Error::TrialRunning(_)) => refused.push((interface, method)),
            Err(error) => panic!("{interface}.{method}: {error}"),
        }
    }
    refused
}

#[test]
fn the_reference_names_the_methods_that_a_trial_refuses() {
    let of_mouse = "TrialRunning for a mouse on trial";
    let named = |condition: fn(&str) -> bool| {
        let own = requests().into_iter().map(|(interface, method, _)| (interface, method));
        own.filter(|(interface, method)| condition(&errors(interface, method))).collect::<Vec<_>>()
    };
    let by_any =
        named(|errors| errors.contains("TrialRunning,") || errors.contains("for any trial"));
    let by_its_own = named(|errors| errors.contains("TrialRunning"));
    assert_eq!(refused_during(|| trial(2.0, 10)), by_any);
    let on_the_mouse =
        || Request::TrialOn { input: "input5".to_owned(), changes: sens(2.0), seconds: 10 };
    assert_eq!(refused_during(on_the_mouse), by_its_own);
    assert!(errors(DEVICE, "Inherit").contains(of_mouse));
    assert_eq!(by_its_own.len(), by_any.len() + 2);
}

#[test]
fn the_reference_names_what_a_profile_is_refused_for() {
    let host = Host::with_driver();
    host.file("usr/lib/vespera/maccel.toml", "version = 1\n[profiles.slow]\nsens-mult = 0.5\n");
    let mut keeper = host.agent();
    ask(&mut keeper, trial(2.0, 10)).unwrap();
    let refusal = ask(&mut keeper, Request::DeleteProfile("slow".to_owned())).unwrap_err();
    assert!(matches!(refusal, Error::Locked(_)), "{refusal}");
    assert!(errors(MACCEL, "DeleteProfile").contains("Locked for a profile"));
    let words = comment(MACCEL, "SaveProfile");
    let most = words.split_once("At most ").unwrap().1.split_once(" profiles").unwrap().0;
    let id = keeper.snapshot().trial.unwrap().id;
    ask(&mut keeper, Request::CancelTrial(id)).unwrap();
    for number in 0..most.parse().unwrap() {
        ask(&mut keeper, Request::SaveProfile(format!("p{number}"))).unwrap();
    }
    assert!(ask(&mut keeper, Request::SaveProfile("one-more".to_owned())).is_err());
}

#[test]
fn a_locked_parameter_has_its_locked_value_in_every_profile() {
    let host = Host::with_driver();
    host.file(
        ADMIN,
        "version = 1\nlocked = [\"sens-mult\"]\n[settings]\nsens-mult = 1.5\n\
         [profiles.fast]\nsens-mult = 4\nlimit = 3\n",
    );
    let mut keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(1.5));
    ask(&mut keeper, Request::ApplyProfile("fast".to_owned())).unwrap();
    let mut wanted = with_sens(1.5);
    wanted.set("LIMIT", 3.0).unwrap();
    assert_eq!(host.in_force(), wanted);
    assert!(!errors(MACCEL, "ApplyProfile").contains("Locked"));
}

#[test]
fn the_reference_names_what_a_method_is_refused_for_where_the_files_contradict_themselves() {
    let shared = "version = 1\n[settings]\nmode = \"lut\"\n";
    let of_mouse =
        "version = 1\n[[device]]\nmatch = \"046d:c088\"\nsettings = { mode = \"lut\" }\n";
    let on_the_mouse =
        || Request::TrialOn { input: "input5".to_owned(), changes: sens(2.0), seconds: 10 };
    let mut refused = Vec::new();
    for (text, of_one) in [(shared, false), (of_mouse, true)] {
        let ended = |request: fn(u32) -> Request| {
            move |keeper: &mut Keeper, host: &Host| {
                let begin = if of_one { on_the_mouse() } else { trial(2.0, 10) };
                let id = ask(keeper, begin).unwrap();
                host.file(ADMIN, text);
                keeper.event(Event::Layer, Instant::now());
                ask(keeper, request(id))
            }
        };
        let mut outcomes = Vec::new();
        for (interface, method, request) in requests() {
            let outcome = asked(|keeper, host| {
                host.file(ADMIN, text);
                keeper.event(Event::Layer, Instant::now());
                ask(keeper, request)
            });
            outcomes.push((interface, method, outcome));
        }
        outcomes.push((MACCEL, "ConfirmTrial", asked(ended(Request::ConfirmTrial))));
        outcomes.push((MACCEL, "CancelTrial", asked(ended(Request::CancelTrial))));
        for (interface, method, outcome) in outcomes {
            let Err(error) = outcome else { continue };
            let name = error.bus_name().rsplit('.').next().unwrap();
            assert!(errors(interface, method).contains(name), "{interface}.{method}: {error}");
            refused.push(method);
        }
    }
    assert!(refused.contains(&"Reset") && !refused.contains(&"CancelTrial"), "{refused:?}");
    assert_eq!(refused.iter().filter(|method| **method == "ConfirmTrial").count(), 2);
}

/// What a host of its own, with a mouse and a saved profile, says to a request.
fn asked(
    request: impl FnOnce(&mut Keeper, &Host) -> vespera_api::Result<u32>,
) -> vespera_api::Result<u32> {
    let host = Host::with_driver();
    host.mouse("input5", "046d:c088");
    let mut keeper = host.agent();
    ask(&mut keeper, Request::SaveProfile("saved".to_owned())).unwrap();
    request(&mut keeper, &host)
}

#[test]
fn the_reference_names_what_ends_a_trial_when_the_active_user_gets_another_profile() {
    type End = fn(&mut Keeper, &Host);
    // First what the user has by the administrator's file; else "saved" is what the user applied.
    let ends: [(&str, End, &str); 3] = [
        (
            "saved",
            |keeper, _| keeper.event(Event::ActiveUser(Some(1001)), Instant::now()),
            "another user's session becomes the active one",
        ),
        (
            "saved",
            |keeper, host| {
                host.file(ADMIN, "version = 1\n");
                keeper.event(Event::Layer, Instant::now());
            },
            "the administrator's file says so",
        ),
        (
            "mary",
            |keeper, _| {
                ask(keeper, Request::DeleteProfile("saved".to_owned())).unwrap();
            },
            "DeleteProfile takes the one away that the user applied",
        ),
    ];
    for (given, end, words) in ends {
        for one in [false, true] {
            let host = Host::with_driver();
            host.mouse("input5", "046d:c088");
            let users = format!("[profiles.mary]\nsens-mult = 0.5\n[users]\n1000 = \"{given}\"\n");
            host.file(ADMIN, &format!("version = 1\n{users}"));
            let mut keeper = host.agent();
            ask(&mut keeper, Request::SaveProfile("saved".to_owned())).unwrap();
            ask(&mut keeper, Request::SaveProfile("other".to_owned())).unwrap();
            keeper.event(Event::ActiveUser(Some(1000)), Instant::now());
            if given != "saved" {
                ask(&mut keeper, Request::ApplyProfile("saved".to_owned())).unwrap();
            }
            let input = "input5".to_owned();
            let begin = match one {
                true => Request::TrialOn { input, changes: sens(2.0), seconds: 10 },
                false => trial(2.0, 10),
            };
            ask(&mut keeper, begin).unwrap();
            // That of nobody who is active ends nothing.
            ask(&mut keeper, Request::DeleteProfile("other".to_owned())).unwrap();
            assert!(keeper.snapshot().trial.is_some());
            end(&mut keeper, &host);
            assert_eq!(keeper.snapshot().trial, None, "{words}");
            assert!(comment(MACCEL, "Trial").contains(words), "{words}");
        }
    }
    let words = "If the user had applied it, that ends a trial.";
    assert!(comment(MACCEL, "DeleteProfile").contains(words));
}
