// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lists of applications and their removal, by flatpak itself.

use std::fs;
use std::process::Command;

use crate::place::Place;
use crate::{both, output, run};

/// flatpak on a host that is a folder.
fn flatpak(place: &Place) -> Command {
    let mut flatpak = place.command("flatpak");
    flatpak.env("FLATPAK_DATA_DIR", place.path("root/usr/share/flatpak"));
    flatpak.env("FLATPAK_CONFIG_DIR", place.path("etc"));
    flatpak.env("FLATPAK_SYSTEM_DIR", place.path("flatpak"));
    flatpak
}

#[test]
fn flatpak_wants_what_is_listed_from_the_branch_that_flathub_has() {
    let place = Place::new("");
    place.config("packages: {add_flatpak: [org.mozilla.firefox], remove_flatpak: [org.kde.kcalc]}");
    place.write("root/usr/lib/modules/6.17.1/vmlinuz", "kernel");
    let root = place.path("root").display().to_string();
    run(&mut place.program(&["customize", "--root", &root, "packages"]));
    // As a host has it, but for the applications themselves: nothing is fetched.
    let mut flatpak = flatpak(&place);
    let said = both(&output(flatpak.args(["preinstall", "--system", "--noninteractive", "-vv"])));
    let wanted: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once("Found preinstall ref "))
        .map(|(_, r)| r)
        .collect();
    assert_eq!(wanted.len(), 1, "{said}");
    assert!(wanted[0].starts_with("app/org.mozilla.firefox/"), "{said}");
    assert!(wanted[0].ends_with("/stable"), "{said}");
    assert!(said.contains("Skipping preinstall of org.kde.kcalc"), "{said}");
}

/// An application of two files, exported to a repository of the place.
fn publish(place: &Place, id: &str) {
    let arch = std::env::consts::ARCH;
    let metadata =
        format!("[Application]\nname={id}\nruntime=org.example.Platform/{arch}/1\ncommand=true\n");
    place.write(&format!("{id}/metadata"), &metadata);
    place.write(&format!("{id}/files/bin/true"), "#!/bin/sh\n");
    fs::create_dir_all(place.path(&format!("{id}/export"))).unwrap();
    let (repository, folder) = (place.path("repository"), place.path(id));
    let export = ["build-export", "--disable-sandbox"];
    run(flatpak(place).args(export).arg(repository).arg(folder).arg("stable"));
}

#[test]
fn removal_unit_takes_the_unwanted_application_off_the_host_and_no_other() {
    let place = Place::new("");
    for id in ["org.kde.kcalc", "org.kde.okular"] {
        publish(&place, id);
    }
    let remote = ["remote-add", "--system", "--no-gpg-verify", "here"];
    run(flatpak(&place).args(remote).arg(place.path("repository")));
    let install = ["install", "--system", "--noninteractive", "--no-deps", "here"];
    run(flatpak(&place).args(install).args(["org.kde.kcalc", "org.kde.okular"]));
    let installed = || {
        let list =
            run(flatpak(&place).args(["list", "--system", "--app", "--columns=application"]));
        list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(installed(), ["org.kde.kcalc", "org.kde.okular"]);

    // The one that is not there at all is no failure.
    place.config("packages: {remove_flatpak: [org.kde.absent, org.kde.kcalc]}");
    place.write("root/usr/lib/modules/6.17.1/vmlinuz", "kernel");
    let root = place.path("root").display().to_string();
    run(&mut place.program(&["customize", "--root", &root, "packages"]));
    let unit = place.read("root/usr/lib/systemd/system/vespera-flatpak-removal.service");
    let commands = unit.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/bin/sh -c '"));
    let outcomes: Vec<_> = commands
        .map(|command| {
            let (script, id) = command.rsplit_once("' ").unwrap();
            // As systemd reads it.
            let script = script.replace("$$", "$");
            // The variables of the folder that stands for a host reach it through the shell.
            let mut shell = Command::new("sh");
            shell.envs(flatpak(&place).get_envs().filter_map(|(name, value)| Some((name, value?))));
            output(shell.args(["-c", script.as_str(), id])).status.success()
        })
        .collect();
    assert_eq!(outcomes, [true, true], "{unit}");
    assert_eq!(installed(), ["org.kde.okular"]);
}

#[test]
fn words_of_flatpak_about_an_application_that_is_not_there_are_explained() {
    let place = Place::new("");
    publish(&place, "org.kde.kcalc");
    let remote = ["remote-add", "--system", "--no-gpg-verify", "here"];
    run(flatpak(&place).args(remote).arg(place.path("repository")));
    let install = ["install", "--system", "--noninteractive", "here", "org.kde.kclac"];
    let refused = output(flatpak(&place).args(install));
    assert!(!refused.status.success(), "{}", both(&refused));
    let found = image::explain::explain(&both(&refused));
    assert_eq!(found.first().map(|found| found.known.code), Some("flatpak"), "{}", both(&refused));
}
