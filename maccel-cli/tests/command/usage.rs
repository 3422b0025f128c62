// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options that every command takes: each of them means something, or is refused with a reason.

use serde_json::{Value, json};

use crate::place::Place;

/// Wrong usage: nothing on standard output, code 2, and why.
fn refused(words: &str, why: &str) {
    let outcome = Place::public().run(words);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 2), "{words}: {outcome:?}");
    assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
    assert!(outcome.stderr.contains(why), "{words}: {outcome:?}");
}

#[test]
fn a_profile_is_not_for_one_mouse_and_nothing_is_printed_for_one() {
    let way = "maccel profile show NAME | maccel import - --apply --device MOUSE";
    for words in ["--device input5 profile list", "profile apply games --device input5"] {
        refused(words, way);
    }
    refused("--device input5 completion bash", "leave out --device");
}

#[test]
fn the_way_that_is_named_gives_one_mouse_the_settings_of_a_profile() {
    let place = Place::ours();
    place.mouse("input5", "A mouse");
    // What `maccel profile show` prints is what is exported.
    place.run("set limit 3").text();
    let profile = place.run("export --format toml --name games").text();
    place.run("set limit 1.5").text();
    let said = place.run_with(&["import", "-", "--apply", "--device", "input5"], &profile);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(place.read("sys/class/maccel/input5/settings").contains("LIMIT=12884901888"));
    assert_eq!(place.run("get param limit").text(), "1.500000000\n");
}

#[test]
fn json_is_printed_or_refused_but_never_left_out() {
    let place = Place::public();
    let json = |words: &str| -> Value {
        let outcome = place.run(words);
        assert_eq!(outcome.code, 0, "{words}: {outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|e| panic!("{words}: {e}"))
    };
    let said = json("--json set all no-accel");
    assert_eq!((&said["format"], &said["mode"]), (&json!(1), &json!("linear")));
    assert_eq!(said, json("--json set mode linear"));
    let said = json("--json completion fish");
    assert_eq!((&said["format"], &said["shell"]), (&json!(1), &json!("fish")));
    assert_eq!(said["text"], place.run("completion fish").text());
    assert_eq!(json("--json plot")["curves"].as_array().unwrap().len(), 1);
    for picture in ["--png", "--svg", "--text", "--png --output curve.png"] {
        refused(&format!("--json plot {picture}"), "leave out --svg, --png and --text, or --json");
    }
    for words in ["--json", "tui --json"] {
        refused(words, "the terminal interface prints no JSON");
    }
}
