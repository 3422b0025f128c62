// SPDX-License-Identifier: MIT OR Apache-2.0
//! Import and export.

use crate::place::Place;

#[test]
fn what_is_exported_is_imported_again_in_every_format() {
    let from = Place::public();
    from.run("set all common 0.75 1.25 1600 12").text();
    from.run("set all natural 0.05 4 2").text();
    from.run("set mode natural").text();
    for format in ["raw-accel", "raw-accel-1.6", "toml", "scripts", "public-profile"] {
        let file = from.run(&format!("export --format {format} --name mine")).text();
        let to = Place::ours();
        // Reset scripts know no profiles.
        let named = ["import", "-", "--apply", "--profile", "mine"];
        let words = if format == "scripts" { &named[..3] } else { &named[..] };
        let said = to.run_with(words, &file);
        assert_eq!(said.code, 0, "{format}: {said:?}");
        let line = to.parameter("SETTINGS");
        for word in [
            "MODE=1",
            "SENS_MULT=3221225472",
            "YX_RATIO=5368709120",
            "INPUT_DPI=6871947673600",
            "ANGLE_ROTATION=51539607552",
            "DECAY_RATE=214748365",
            "OFFSET=17179869184",
            "LIMIT=8589934592",
        ] {
            assert!(line.split(' ').any(|w| w.trim_end() == word), "{format}: {word} in {line}");
        }
    }
}

#[test]
fn a_file_is_only_shown_unless_it_shall_be_applied() {
    let place = Place::ours();
    let before = place.parameter("SETTINGS");
    let file = place.run("export").text().replace(
        "\"L/R output DPI ratio (left sens multiplier)\": 1.0",
        "\"L/R output DPI ratio (left sens multiplier)\": 0.5",
    );
    let said = place.run_with(&["import", "-"], &file).text();
    insta::assert_snapshot!(said, @r#"
    Raw Accel, profile default
    curve: none
    compiled: the driver's own formula, exact
      accel          0.0
      angle-rotation 0.0
      angle-snap     0.0
      decay-rate     0.1
      gamma          1.0
      input-dpi      1000.0
      limit          1.5
      mode           no-accel
      motivity       1.5
      offset         0.0
      output-cap     0.0
      sens-mult      1.0
      smooth         0.5
      sync-speed     5.0
      yx-ratio       1.0
    not carried over: profiles[0]."L/R output DPI ratio (left sens multiplier)" = 0.5: the driver treats left and right alike
    nothing was changed; to put it in force, add --apply
    "#);
    assert_eq!(place.parameter("SETTINGS"), before);
}

#[test]
fn public_reset_scripts_are_read_and_never_run() {
    let place = Place::public();
    place.run("set all natural 0.05 4 2").text();
    let folder = place.path("var/opt/maccel/resets");
    place.write("var/opt/maccel/resets/set_last_GAMMA_value.sh", "touch /tmp/owned; echo 1");
    let said = place.run_with(&["import", folder.to_str().unwrap(), "--json"], "").text();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["settings"]["limit"], 2.0);
    assert_eq!(said["not-carried-over"].as_array().unwrap().len(), 1, "{said}");
    let script = place.path("var/opt/maccel/resets/set_last_LIMIT_value.sh");
    let said = place.run_with(&["import", script.to_str().unwrap()], "").text();
    assert!(said.contains("limit          2.0"), "{said}");
}

#[test]
fn of_lines_of_scripts_each_that_is_none_is_named() {
    let lines = "echo 8589934592 > /sys/module/maccel/parameters/LIMIT;\nreboot\n";
    let said = Place::ours().run_with(&["import", "-"], lines).text();
    assert!(
        said.starts_with("reset scripts\n  limit          2.0\nnot carried over: line 2: it is")
    );
    let nothing = "echo 1 > /sys/module/maccel/parameters/SPEED;\n";
    let outcome = Place::ours().run_with(&["import", "-"], nothing);
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1));
    assert!(outcome.stderr.contains("no reset script there can be used"), "{outcome:?}");
}

#[test]
fn a_resolution_that_raw_accel_cannot_hold_is_told() {
    let place = Place::public();
    place.run("set input-dpi 800.4").text();
    for format in ["raw-accel", "raw-accel-1.6"] {
        let said = place.run(&format!("export --format {format}"));
        assert_eq!(
            said.stderr,
            "NOTE: not carried over: the fraction of input-dpi 800.4: Raw Accel takes whole \
             numbers, it is 800 there.\n"
        );
        assert!(said.stdout.contains("800,") || said.stdout.contains("800\n"), "{said:?}");
    }
    assert_eq!(place.run("export --format toml").stderr, "");
}

#[test]
fn settings_of_yeetmouse_are_taken_over() {
    let place = Place::ours();
    let file = "sens=0.8\nratioYX=1.1\noutCap=0\ninCap=40\noffset=0\naccel=0.05\nexponent=2.2\n\
                midpoint=4\nmotivity=1.5\npreScale=0.625\naccelMode=AccelMode_Natural\n\
                useSmoothing=1\nrotation=0\nas_threshold=0\nas_angle=0\nLUT_size=0\nLUT_data=\n";
    let said = place.run_with(&["import", "-", "--apply"], file).text();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "YeetMouse",
            "curve: natural decay-rate=0.05 offset=4 limit=2.2 gain=yes",
            "compiled: the driver's own formula, exact",
        ]
    );
    assert_eq!(
        lines[lines.len() - 2..],
        ["not carried over: inCap: the driver does not cap the length of a report", "in force now",]
    );
    let line = place.parameter("SETTINGS");
    for word in ["MODE=1", "INPUT_DPI=6871947673600", "SENS_MULT=5497558139"] {
        assert!(line.split(' ').any(|w| w.trim_end() == word), "{word} in {line}");
    }
    let outcome = place.run_with(&["import", "-"], "accelMode=1\naccel=much\n");
    assert!(outcome.stderr.contains("line 2: accel=much is not a number"), "{outcome:?}");
    let outcome = place.run_with(&["import", "-", "--profile", "games"], file);
    assert!(
        outcome.stderr.contains("no profile 'games': YeetMouse files have none"),
        "{outcome:?}"
    );
}

#[test]
fn points_of_libinput_go_out_and_come_back() {
    let place = Place::ours();
    let said = place.run_with(&["import", "-", "--apply"], "custom 10 0 10 30\n");
    let begin = "libinput\ncurve: points velocity=yes 10:10 20:30\n";
    assert!(said.stdout.starts_with(begin), "{said:?}");
    assert_eq!(
        said.stderr,
        "NOTE: in force, but not kept for the next boot: LUT (reset scripts have no line for it, \
         and no agent is there).\n"
    );
    assert!(place.parameter("SETTINGS").contains("MODE=64"));
    let section = place.run("export --format libinput").stdout;
    assert!(
        section.starts_with("# Hyprland: accel_profile = custom 1.269841 0 1.2698"),
        "{section}"
    );
    assert!(section.contains("    Option \"AccelStepMotion\" \"1.269841\"\n"), "{section}");
    let back = Place::ours().run_with(&["import", "-", "--json"], &section).text();
    let back: serde_json::Value = serde_json::from_str(&back).unwrap();
    assert_eq!(
        (&back["source"], &back["not-carried-over"]),
        (&"libinput".into(), &serde_json::json!([]))
    );
    place.run("set yx-ratio 1.2").text();
    let note = place.run("export --format libinput").stderr;
    assert_eq!(note, "NOTE: not carried over: yx-ratio: libinput treats both axes alike.\n");
}

#[test]
fn what_an_export_loses_can_be_read_by_programs() {
    let place = Place::public();
    place.run("set mode synchronous").text();
    place.run("set smooth 0.2").text();
    let said = place.run("export --json --format raw-accel-1.6").text();
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["format"], &said["export"]), (&1.into(), &"raw-accel-1.6".into()));
    assert!(said["text"].as_str().unwrap().contains("\"version\": \"1.6.1\""), "{said}");
    assert_eq!(said["not-carried-over"].as_array().unwrap().len(), 1, "{said}");
}

#[test]
fn a_file_is_written_where_it_was_asked_for_whatever_is_in_it() {
    let place = Place::public();
    place.run("set all natural 0.05 4 2").text();
    let folder = place.path("var/opt/maccel/resets");
    let file = place.path("curves.json");
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let said = place.run_with(&["plot", "--json", "--file", folder, "--output", file], "").text();
    assert_eq!(said, "");
    let written: serde_json::Value = serde_json::from_str(&place.read("curves.json")).unwrap();
    assert_eq!(written["curves"].as_array().unwrap().len(), 1);
}

#[test]
fn faults_name_the_file_and_the_place() {
    let place = Place::ours();
    for (text, fault) in [
        ("", "missing field `version`"),
        ("{", "not JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "the file has no \"profiles\": not a settings.json of Raw Accel 1.6 or 1.7"),
        ("version = 1\n[settings]\nspeed = 3\n", "TOML parse error at line 3, column 1"),
        ("version = 1\n", "it holds no settings"),
    ] {
        let outcome = place.run_with(&["import", "-"], text);
        assert_eq!(outcome.code, 1, "{text}");
        assert!(outcome.stderr.contains(fault), "{text}: {}", outcome.stderr);
    }
    let outcome = place.run("import no-such-file");
    assert!(outcome.stderr.starts_with("Error: cannot read no-such-file"), "{outcome:?}");
}

#[test]
fn a_profile_of_the_public_command_is_taken_over_whole_or_not_at_all() {
    let place = Place::ours();
    let file = r#"{"Name": "games", "Mode": "Natural", "CreatedAt": "2026-03-01T12:00:00Z",
        "Params": {"SENS_MULT": 0.5, "DECAY_RATE": 0.25, "LIMIT": 2.0}}"#;
    let before = place.parameter("SETTINGS");
    for (wrong, why) in [
        (file.replace("2.0}", "1e9}"), "LIMIT"),
        (file.replace("SENS_MULT", "../SENS_MULT"), "'../SENS_MULT' is no parameter"),
    ] {
        let outcome = place.run_with(&["import", "-", "--apply"], &wrong);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        assert!(outcome.stderr.contains(why), "{outcome:?}");
        assert_eq!(place.parameter("SETTINGS"), before);
    }
    let said = place.run_with(&["import", "-", "--apply", "--profile", "games"], file).text();
    assert_eq!(said.lines().next(), Some("public maccel, profile games"));
    let line = place.parameter("SETTINGS");
    for word in ["MODE=1", "SENS_MULT=2147483648", "DECAY_RATE=1073741824", "LIMIT=8589934592"] {
        assert!(line.split(' ').any(|w| w.trim_end() == word), "{word} in {line}");
    }
    let outcome = place.run_with(&["import", "-", "--profile", "work"], file);
    assert!(outcome.stderr.contains("there is no profile 'work'; there is games"), "{outcome:?}");
}
