// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that is said to people, whole: help, completions, and what is missing where the driver
//! cannot be read or written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::place::{Outcome, Place};

/// The help of a command and of all below it, in their order.
fn help(place: &Place, path: &str, all: &mut String) {
    let said = place.run(&format!("{path} --help")).text();
    all.push_str(&format!("$ maccel {path} --help\n{said}\n"));
    let commands = said.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands.take_while(|line| !line.is_empty()).filter_map(|line| {
        // A line that goes on is further in.
        let name = line.strip_prefix("  ")?;
        (!name.starts_with(' ')).then(|| name.split(' ').next()).flatten()
    });
    for name in names.filter(|name| *name != "help") {
        help(place, &format!("{path} {name}"), all);
    }
}

#[test]
fn the_help_of_every_command() {
    let mut all = String::new();
    help(&Place::empty(), "", &mut all);
    assert!(all.contains("$ maccel  set all natural --help"));
    insta::assert_snapshot!(all);
}

#[test]
fn the_completions_of_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Place::empty().run(&format!("completion {shell}")).text();
        insta::assert_snapshot!(format!("completions_{shell}"), script);
    }
}

/// All that a command says where it fails.
fn failure(outcome: Outcome) -> String {
    assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 1), "{outcome:?}");
    outcome.stderr
}

#[test]
fn without_a_driver_and_without_anything_known_of_the_host() {
    for words in ["get param accel", "get mode", "set param accel 1", "plot", "export", "devices"] {
        let said = failure(Place::empty().run(words));
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"
            Error: the maccel module is not loaded

            Caused by:
                0: The module is not loaded; to mend it: sudo vesperactl module load
                1: to load the driver: sudo modprobe maccel
            "); }
    }
}

#[test]
fn without_a_driver_on_a_kernel_that_has_none() {
    let place = Place::empty();
    place.write("proc/sys/kernel/osrelease", "6.12.1\n");
    place.write("usr/lib/modules/6.12.1/modules.dep", "");
    insta::assert_snapshot!(failure(place.run("get mode")), @"
    Error: the maccel module is not loaded

    Caused by:
        0: No module for this kernel; to mend it: see https://github.com/abirkel/Vespera/blob/main/docs/packages.md
        1: The module is not loaded; to mend it: sudo vesperactl module load
        2: to load the driver: sudo modprobe maccel
    ");
}

#[test]
fn without_the_agent_that_keeps_profiles() {
    insta::assert_snapshot!(failure(Place::ours().run("profile list")), @"Error: profiles are kept by the agent, which is not there; to see why: vesperactl doctor");
}

#[test]
fn on_the_public_driver_what_only_ours_can_do() {
    let place = Place::public();
    let said: String = [
        "devices",
        "--device input5 get mode",
        "set param angle-snap 3",
        "set curve jump input=15 output=2",
    ]
    .into_iter()
    .map(|words| format!("$ maccel {words}\n{}", failure(place.run(words))))
    .collect();
    insta::assert_snapshot!(said, @"
    $ maccel devices
    Error: the public driver tells nothing of single mice; ours is needed
    $ maccel --device input5 get mode
    Error: the public driver tells nothing of single mice; ours is needed
    $ maccel set param angle-snap 3
    Error: the loaded driver lacks the feature 'angle-snap'
    $ maccel set curve jump input=15 output=2
    Error: the loaded driver lacks the feature 'lut'
    ");
}

#[test]
fn whoever_may_not_write_is_told_the_group_and_the_command() {
    let place = Place::public();
    let parameters = place.path("sys/module/maccel/parameters");
    for file in fs::read_dir(parameters).unwrap() {
        fs::set_permissions(file.unwrap().path(), fs::Permissions::from_mode(0o444)).unwrap();
    }
    place.write("etc/group", "root:x:0:\nmaccel:x:403:mona\n");
    place.write("etc/passwd", "root:x:0:0::/root:/bin/sh\ncarla:x:1002:1002::/:/bin/sh\n");
    // Root may write all the same, so a root becomes somebody else; its program may lie where only
    // root can look.
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.path("maccel");
    fs::copy(env!("CARGO_BIN_EXE_maccel"), &program).unwrap();
    let mut command = Command::new(program);
    if rustix::process::geteuid().is_root() {
        command.uid(1002).gid(1002);
    }
    let said = place.finish(
        command.env_clear().arg("--root").arg(place.path("")),
        &["set", "limit", "3"],
        "",
    );
    insta::assert_snapshot!(failure(said), @"
    Error: ROOT/sys/module/maccel/parameters/LIMIT: permission denied

    Caused by:
        0: The group maccel cannot write the settings; to mend it: sudo /usr/libexec/vespera/vespera-module permissions
        1: members of the group maccel may change settings: sudo vesperactl group add
    ");
}
