// SPDX-License-Identifier: MIT OR Apache-2.0
//! The public command's interface, letter for letter: commands, order of arguments, output, exit
//! codes. The rows that a real driver is asked as well are in `table`.

use crate::place::{Outcome, Place};
use crate::table::{READING, WRITING};

fn places() -> [(&'static str, Place); 2] {
    [("public", Place::public()), ("ours", Place::ours())]
}

#[test]
fn every_reading_command_prints_what_the_public_one_does() {
    for (driver, place) in places() {
        for (command, stdout, stderr, code) in READING {
            let right = Outcome { stdout: stdout.to_owned(), stderr: stderr.to_owned(), code };
            assert_eq!(place.run(command), right, "{driver}: maccel {command}");
        }
    }
}

#[test]
fn every_writing_command_is_silent_writes_the_file_and_keeps_the_value() {
    for (command, file, raw) in WRITING {
        let place = Place::public();
        // Another value before, so that each row writes.
        place.write(&format!("sys/module/maccel/parameters/{file}"), "4299262263296\n");
        if file == "MODE" {
            place.write("sys/module/maccel/parameters/MODE", "7\n");
        }
        assert_eq!(place.run(command).text(), "", "maccel {command}");
        assert_eq!(place.parameter(file), raw, "maccel {command}");
        let script = place.read(&format!("var/opt/maccel/resets/set_last_{file}_value.sh"));
        assert_eq!(script, format!("echo {raw} > /sys/module/maccel/parameters/{file};"));
    }
}

/// The value was in force, and the command failed for what another file held.
#[test]
fn value_is_set_and_kept_also_while_another_parameter_is_out_of_range() {
    for (file, raw) in [("MODE", "7"), ("ACCEL", "-4294967296"), ("INPUT_DPI", "0")] {
        let place = Place::public();
        place.write(&format!("sys/module/maccel/parameters/{file}"), &format!("{raw}\n"));
        assert_eq!(place.run("set param sens-mult 2").text(), "", "{file}");
        assert_eq!(place.parameter("SENS_MULT"), "8589934592", "{file}");
        let script = place.read("var/opt/maccel/resets/set_last_SENS_MULT_value.sh");
        assert!(script.starts_with("echo 8589934592 "), "{file}: {script}");
        assert_eq!(place.parameter(file).trim(), raw, "what nobody asked for stays");
    }
}

#[test]
fn on_our_driver_all_is_written_at_once() {
    for (command, file, raw) in WRITING {
        let place = Place::ours();
        place.run(command).text();
        let line = place.parameter("SETTINGS");
        let word = format!("{file}={raw}");
        let unchanged = ["MODE=0", "SYNC_SPEED=21474836480"].contains(&word.as_str());
        assert!(unchanged || line.split(' ').any(|w| w.trim_end() == word), "{command}: {line}");
    }
}

#[test]
fn each_mode_has_its_title_and_its_parameters() {
    for (raw, first, stderr) in [
        ("0", "Linear Acceleration\n\nAccel:", ""),
        ("1", "Natural (w/ Gain)\n\nDecay-Rate:", ""),
        ("2", "Synchronous\n\nGamma:", ""),
        (
            "3",
            "No Acceleration\n\nSens-Multiplier:",
            "NOTE: There are no parameters specific here except for the common ones.\n\n",
        ),
        // The public driver takes any number, and the public command shows it modulo 4.
        ("5", "Natural (w/ Gain)\n\nDecay-Rate:", ""),
    ] {
        let place = Place::public();
        place.write("sys/module/maccel/parameters/MODE", &format!("{raw}\n"));
        let outcome = place.run("get mode");
        assert!(outcome.stdout.starts_with(first), "{outcome:?}");
        assert_eq!((outcome.stderr.as_str(), outcome.code), (stderr, 0));
    }
}

#[test]
fn nine_decimals_are_cut_and_not_rounded() {
    let place = Place::public();
    for (raw, text) in [
        ("3006477107", "0.699999999\n"),
        ("236223201", "0.054999999\n"),
        ("-21474836480", "-5.000000000\n"),
        // A value that was stored with a newline of its own reads back with two.
        ("6442450944\n", "1.500000000\n"),
        // What the public driver makes of text that is no number.
        ("abc", "0.000000000\n"),
    ] {
        place.write("sys/module/maccel/parameters/SENS_MULT", &format!("{raw}\n"));
        assert_eq!(place.run("get param sens-mult").text(), text);
    }
}

#[test]
fn refused_values_end_with_1_and_one_line_and_change_nothing() {
    for command in [
        "set param input-dpi 0",
        "set param input-dpi 1e-10",
        "set param offset-linear -1",
        "set param offset-natural -0.5",
        "set param decay-rate 0",
        "set param limit 0.5",
        "set param gamma 0",
        "set param smooth 1.5",
        "set param smooth -0.1",
        "set param motivity 1",
        "set param motivity 1.0000000001",
        "set param sync-speed 0",
        "set param sens-mult nan",
        "set param sens-mult inf",
        "set param -- limit -inf",
        "set param limit 1e300",
        "set all natural 0.03 8 0.5",
        "set all common 1 1 1000 nan",
        "set all common 1 1 0 5",
    ] {
        for (driver, place) in places() {
            let files = ["INPUT_DPI", "DECAY_RATE", "OFFSET", "SENS_MULT", "LIMIT"];
            let before: Vec<String> = files.iter().map(|file| place.parameter(file)).collect();
            let outcome = place.run(command);
            assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{driver}: {command}");
            let lines: Vec<&str> = outcome.stderr.lines().collect();
            assert!(lines.len() == 1 && lines[0].starts_with("Error: "), "{outcome:?}");
            let after: Vec<String> = files.iter().map(|file| place.parameter(file)).collect();
            assert_eq!(before, after, "{driver}: {command}");
        }
    }
}

#[test]
fn wrong_usage_ends_with_2_and_usage_on_standard_error() {
    let place = Place::public();
    for command in [
        "get",
        "set",
        "get all",
        "set all",
        "get param",
        "get param sensitivity",
        "get all everything",
        "set param sens-mult",
        "set param sens-mult one",
        "set param sensitivity 1",
        "set all linear 1 2",
        "set all linear 1 2 three",
        "set mode fast",
        "set sensitivity 1",
        "set accel one",
        "set accel 1 2",
        "no-such-command",
        "completion tcsh",
    ] {
        let outcome = place.run(command);
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 2), "{command}: {outcome:?}");
        assert!(outcome.stderr.contains("--help"), "{command}: {}", outcome.stderr);
    }
}

#[test]
fn documented_spellings_and_negative_numbers_work_although_the_public_command_lacks_them() {
    let place = Place::public();
    place.run("set angle-rotation 15").text();
    assert_eq!(place.run("get param angle-rotation").text(), "15.000000000\n");
    place.run("set param angle-rotation -5").text();
    assert_eq!(place.run("get param angle-rotation").text(), "-5.000000000\n");
    place.run("set angle-rotation -7.5").text();
    assert_eq!(place.run("get param angle-rotation").text(), "-7.500000000\n");
    place.run("set param angle-rotation -.5").text();
    assert_eq!(place.run("get param angle-rotation").text(), "-0.500000000\n");
    place.run("set all common 1 1 1000 -1e1").text();
    assert_eq!(place.run("get param angle-rotation").text(), "-10.000000000\n");
}

#[test]
fn a_negative_number_can_stand_wherever_a_number_can() {
    for words in [
        "set param angle-rotation -5",
        "set param angle-rotation -- -5",
        "set param -- angle-rotation -5",
        "set angle-rotation -5",
        "set angle-rotation -- -5",
        "set -- angle-rotation -5",
        "set --json angle-rotation -5",
        "set angle-rotation -5 --json",
        "set angle-rotation -5.0",
        "set angle-rotation -0.5e1",
        "set all common 1 1 1000 -5",
        "set all common 1 1 1000 -- -5",
        "set all common -- 1 1 1000 -5",
        "set all -- common 1 1 1000 -5",
        "trial angle-rotation -5",
        "trial --seconds 600 angle-rotation -5",
        "trial -- angle-rotation -5",
        "trial param angle-rotation -5",
        "trial all common 1 1 1000 -5",
    ] {
        let place = Place::public();
        let words: Vec<&str> = words.split(' ').collect();
        let outcome = place.run_with(&words, "y\n");
        // A public row: what comes after `--` is no command, there as here.
        if words.starts_with(&["set", "all", "--"]) {
            assert_eq!(outcome.code, 2, "{outcome:?}");
            continue;
        }
        assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
        assert_eq!(place.parameter("ANGLE_ROTATION"), "-21474836480", "{words:?}");
    }
    // Where none is right the range is told, and not that there is no option -5.
    for words in [
        "set param limit -5",
        "set all natural -1 0 2",
        "trial limit -5",
        "trial --seconds -5 limit 2",
        "plot --max-speed -5",
        "measure dpi --cm -5",
        "measure rate --seconds -5",
    ] {
        let outcome = Place::public().run(words);
        assert_ne!(outcome.code, 0, "{words}: {outcome:?}");
        let told = outcome.stderr.contains("is valid") || outcome.stderr.contains("is not in");
        assert!(told, "{words}: {outcome:?}");
    }
}

#[test]
fn a_value_that_is_live_but_not_kept_is_no_failure() {
    let place = Place::public();
    std::fs::remove_dir(place.path("var/opt/maccel/resets")).unwrap();
    let outcome = place.run("set param limit 3");
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 0));
    assert!(outcome.stderr.starts_with("NOTE: in force, but not kept"), "{outcome:?}");
    assert_eq!(place.parameter("LIMIT"), "12884901888");
}

#[test]
fn a_link_in_the_folder_of_scripts_is_not_followed() {
    let place = Place::public();
    place.write("etc/precious", "untouched");
    let link = place.path("var/opt/maccel/resets/set_last_LIMIT_value.sh");
    std::os::unix::fs::symlink(place.path("etc/precious"), &link).unwrap();
    place.run("set param limit 3").text();
    assert_eq!(place.read("etc/precious"), "untouched");
    assert!(!link.is_symlink());
}

#[test]
fn without_a_driver_all_ends_with_1_the_causes_and_the_way_out() {
    let place = Place::empty();
    for command in ["get param accel", "get all linear", "get mode", "set param accel 1"] {
        let outcome = place.run(command);
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{command}");
        let (error, causes) = outcome.stderr.split_once("\n\nCaused by:\n").unwrap();
        assert_eq!(error, "Error: the maccel module is not loaded");
        assert!(causes.starts_with("    0: "), "{causes}");
        assert!(causes.contains("modprobe maccel"), "{causes}");
    }
}

#[test]
fn completions_are_printed_for_every_shell_of_the_public_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Place::empty().run(&format!("completion {shell}")).text();
        assert!(script.contains("maccel") && script.contains("no-accel"), "{shell}");
    }
}

#[test]
fn the_terminal_interface_needs_a_terminal_and_says_so_in_one_line() {
    for command in ["", "tui"] {
        let outcome = Place::public().run(command);
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    }
}
