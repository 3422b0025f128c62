// SPDX-License-Identifier: MIT OR Apache-2.0
//! What follows the person at the screen, as logind tells it: a profile of theirs, and the right
//! to see how fast the mouse moves.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::{Guest, HarnessError};

use crate::bus::{self, ACTIVE, INACTIVE, NAME, in_session, wait_for};
use crate::group::Group;

const ADMIN: &str = "/etc/vespera";

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("whoever_is_at_the_screen_has_the_profile_of_theirs", own_profile),
        group.test("the_speed_is_opened_for_the_person_at_the_screen_and_nobody_else", speed),
    ]
}

/// Both people have a console; this one's is in front.
fn to_front(guest: &Guest, person: &str) -> Result<(), HarnessError> {
    for (person, console) in [(ACTIVE, 1), (INACTIVE, 2)] {
        if bus::session(guest, person)?.is_none() {
            bus::log_in(guest, person, console)?;
        }
    }
    let session = bus::session(guest, person)?.expect("the person has logged in");
    guest.run(["loginctl", "activate", &session])?.success()?;
    wait_for(&format!("the console of {person} is in front"), || bus::is_active(guest, person))
}

/// `sens-mult` in 1/8.
fn wait_for_eighths(guest: &Guest, eighths: i64) -> Result<(), HarnessError> {
    wait_for(&format!("sens-mult is {eighths}/8"), || {
        Ok(bus::raw(guest, "SENS_MULT")? == (eighths << 29).to_string())
    })
}

fn active_profile(guest: &Guest) -> Result<String, HarnessError> {
    let maccel = format!("{NAME}.Maccel");
    let get = ["busctl", "get-property", NAME, "/org/vespera/Agent1", &maccel, "ActiveProfile"];
    Ok(guest.run(get)?.success()?.stdout.trim().to_owned())
}

fn own_profile(guest: &Guest) -> Result<(), HarnessError> {
    to_front(guest, ACTIVE)?;
    guest.run(["vesperactl", "reset"])?.success()?;
    let uid = guest.run(["id", "-u", ACTIVE])?.success()?.stdout;
    let uid = uid.trim();
    guest.run(["mkdir", "-p", ADMIN])?.success()?;
    let text =
        format!("version = 1\n[profiles.hers]\nsens-mult = 0.5\n[users]\n\"{uid}\" = \"hers\"\n");
    guest.write_file(&format!("{ADMIN}/maccel.toml"), text)?;
    // It is hers at once, not at the next change of the console.
    wait_for_eighths(guest, 4)?;
    wait_for("the agent says so", || Ok(active_profile(guest)? == "s \"hers\""))?;
    to_front(guest, INACTIVE)?;
    wait_for_eighths(guest, 8)?;
    // What either changes is the own.
    in_session(guest, INACTIVE, "vesperactl set sens-mult=2")?.success()?;
    to_front(guest, ACTIVE)?;
    wait_for_eighths(guest, 4)?;
    in_session(guest, ACTIVE, "vesperactl set sens-mult=0.25")?.success()?;
    to_front(guest, INACTIVE)?;
    wait_for_eighths(guest, 16)?;
    to_front(guest, ACTIVE)?;
    wait_for_eighths(guest, 2)?;
    guest.run(["vesperactl", "profile", "delete", "hers"])?.success()?;
    guest.run(["rm", &format!("{ADMIN}/maccel.toml")])?.success()?;
    wait_for_eighths(guest, 16)?;
    guest.run(["vesperactl", "reset"])?.success()?;
    Ok(())
}

/// Neither of them can read /dev/maccel.
fn speed(guest: &Guest) -> Result<(), HarnessError> {
    to_front(guest, ACTIVE)?;
    let open = format!("busctl call {NAME} /org/vespera/Agent1 {NAME}.Maccel OpenSpeed");
    for person in [ACTIVE, INACTIVE] {
        let read = in_session(guest, person, "head -c 8 /dev/maccel")?;
        assert!(read.stderr.contains("Permission denied"), "{read:?}");
    }
    let opened = in_session(guest, ACTIVE, &open)?.success()?.stdout;
    assert!(opened.starts_with("h "), "a descriptor: {opened}");
    let refused = in_session(guest, INACTIVE, &open)?;
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("Access denied"), "{refused:?}");
    Ok(())
}
