// SPDX-License-Identifier: MIT OR Apache-2.0
//! The list of applications, read by flatpak itself.

use crate::place::Place;
use crate::{both, output, run};

#[test]
fn flatpak_wants_what_is_listed_from_the_branch_that_flathub_has() {
    let place = Place::new("");
    place.config("packages: {add_flatpak: [org.mozilla.firefox], remove_flatpak: [org.kde.kcalc]}");
    place.write("root/usr/lib/modules/6.17.1/vmlinuz", "kernel");
    let root = place.path("root").display().to_string();
    run(&mut place.program(&["customize", "--root", &root, "packages"]));
    let mut flatpak = place.command("flatpak");
    // As a host has it, but for the applications themselves: nothing is fetched.
    flatpak.env("FLATPAK_DATA_DIR", place.path("root/usr/share/flatpak"));
    flatpak.env("FLATPAK_CONFIG_DIR", place.path("etc"));
    flatpak.env("FLATPAK_SYSTEM_DIR", place.path("flatpak"));
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
