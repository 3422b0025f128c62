// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel measure` on a mouse that a script moves: it counts what the mouse said, not what the
//! driver made of it, and the driver goes on as before, also when the program was killed. The
//! public driver is a folder with its files: what it lacks is what matters here.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::{Guest, HarnessError};

use crate::bus::{self, NAME};
use crate::group::Group;
use crate::pointer::set;

/// The folder with the pipes and what was said.
const FOLDER: &str = "/tmp/measure";
/// Every movement is three times as long behind the driver.
const THREEFOLD: &str = "set curve points 0.01:3 1000:3";

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("maccel_measure_counts_without_the_acceleration_and_puts_it_back", dpi),
        group.test("a_killed_maccel_measure_leaves_the_acceleration_on", killed),
        group.test("maccel_measure_finds_the_polling_rate_of_a_moving_mouse", rate),
        group.test("vesperactl_rate_measures_a_moving_mouse_and_refuses_what_is_none", intervals),
        group.test("the_object_of_a_mouse_has_the_documented_interface", object),
        group
            .test("on_the_public_driver_maccel_measure_makes_all_mice_neutral_meanwhile", fallback),
    ]
}

/// A mouse on pipe 3.
const HAND: &str = r#"
set -e
mkdir -p "$FOLDER"; cd "$FOLDER"; rm -rf ./*; mkfifo hand answers
soon() { n=0; until "$@"; do n=$((n + 1)); test $n -lt 1200 || { echo "never: $*" >&2; exit 9; }; sleep 0.05; done; }
"$GUEST" hand "measured mouse" <hand >moved & exec 3>hand
soon test -s moved
input=$(head -n 1 moved); settings=/sys/class/maccel/$input/settings
soon test -e "$settings"
moves=1
move() { echo "$1 $2" >&3; moves=$((moves + 1)); soon moved; }
moved() { test "$(wc -l <moved)" -eq $moves; }
neutral() { grep -q "MODE=3 " "$settings"; }
as_before() { test "$(cat "$settings")" = inherit; }
as_before
"#;

/// And a measurement of it that takes its answers from pipe 4.
const DPI: &str = r#"
maccel --json --device "$input" measure dpi <answers >said 2>asked & measure=$!
exec 4>answers
soon grep -q "press Enter" asked
soon neutral
"#;

fn script(guest: &Guest, rest: &str) -> Result<String, HarnessError> {
    set(guest, &[])?;
    let curve: Vec<&str> = ["maccel"].into_iter().chain(THREEFOLD.split(' ')).collect();
    guest.run(curve)?.success()?;
    let said = with_hand(guest, &format!("{DPI}\n{rest}"))?;
    set(guest, &[])?;
    guest.write_file(&crate::pointer::parameter("SETTINGS"), "LUT=")?;
    Ok(said)
}

fn with_hand(guest: &Guest, rest: &str) -> Result<String, HarnessError> {
    let head = format!("FOLDER={FOLDER} GUEST={}", guest.hello().program);
    Ok(guest.run(["sh", "-c", &format!("{head}\n{HAND}\n{rest}")])?.success()?.stdout)
}

fn dpi(guest: &Guest) -> Result<(), HarnessError> {
    // What comes before the first answer is not counted; 20 movements are more events than one
    // reading of the node takes.
    let said = script(
        guest,
        r#"
move 7000 0
echo >&4
soon grep -q "Move it 10 cm" asked
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do move 50 1; done
echo >&4
wait $measure
soon as_before
cat said
"#,
    )?;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["counts"], 1000, "{said}");
    assert_eq!(
        (said["mouse"].as_str(), said["suggested"].as_f64()),
        (Some("measured mouse"), Some(250.0))
    );
    assert_eq!(said["slanted"], false);
    Ok(())
}

fn killed(guest: &Guest) -> Result<(), HarnessError> {
    let said = script(
        guest,
        r#"
kill -KILL $measure
soon as_before
# Nor does the mouse find it again when it is plugged in the next time.
if grep -rs "$(cat "/sys/class/maccel/$input/id")" /var/lib/vespera/maccel.toml; then exit 8; fi
echo accelerated again
"#,
    )?;
    assert_eq!(said, "accelerated again\n");
    Ok(())
}

fn rate(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let said = with_hand(
        guest,
        r#"
maccel --json --device "$input" measure rate --seconds 3 >said 2>asked & measure=$!
soon grep -q "in quick circles for 3 s" asked
soon neutral
while kill -0 $measure 2>nothing; do echo "3 -2" >&3; done
wait $measure
soon as_before
cat said
"#,
    )?;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["format"], said["mouse"].as_str()), (&1.into(), Some("measured mouse")));
    // How many there are depends on the machine.
    let (reports, hz) = (said["reports"].as_u64().unwrap(), said["hz"].as_f64().unwrap());
    assert!(reports > 20 && hz > 0.0, "{said}");
    Ok(())
}

fn intervals(guest: &Guest) -> Result<(), HarnessError> {
    let said = with_hand(
        guest,
        r#"
node=$(basename /sys/class/input/$input/event*)
vesperactl rate --json --seconds 3 "$node" >said 2>asked & measure=$!
soon grep -q "in circles for 3 s" asked
while kill -0 $measure 2>nothing; do echo "3 -2" >&3; done
wait $measure
cat said
for other in /sys/class/input/event*; do
    grep -q "measured mouse" "$other/device/name" || break
done
if vesperactl rate --seconds 1 "$(basename "$other")" 2>refused; then exit 8; fi
grep -q "no mouse: it reports no relative movement" refused
"#,
    )?;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["format"], said["name"].as_str()), (&1.into(), Some("measured mouse")));
    let polling = &said["polling"];
    let count = polling["intervals"].as_u64().unwrap_or_default();
    assert!(count > 20 && polling["rate_hz"].as_f64().is_some_and(|rate| rate > 0.0), "{said}");
    Ok(())
}

fn object(guest: &Guest) -> Result<(), HarnessError> {
    let interface = format!("{NAME}.Device");
    let listing = with_hand(
        guest,
        &format!(
            r#"
object=/org/vespera/Agent1/devices/$input
soon busctl introspect {NAME} "$object" {interface} >listing 2>nothing
busctl introspect --no-pager {NAME} "$object" {interface}
"#
        ),
    )?;
    let documented = bus::documented(guest, &interface)?;
    assert!(documented.len() >= 7, "{documented:?}");
    assert_eq!(bus::members(&listing), documented);
    Ok(())
}

fn fallback(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let said = with_hand(
        guest,
        r#"
public=$FOLDER/public/sys/module/maccel/parameters
mkdir -p "$public" "$FOLDER/public/var/opt/maccel/resets"
for name in MODE SENS_MULT YX_RATIO INPUT_DPI ANGLE_ROTATION ACCEL OFFSET OUTPUT_CAP DECAY_RATE LIMIT \
    GAMMA SMOOTH MOTIVITY SYNC_SPEED; do
    cat "/sys/module/maccel/parameters/$name" >"$public/$name"
done
echo 1 >"$public/MODE"; echo 8589934592 >"$public/SENS_MULT"
holds() { test "$(cat "$public/MODE") $(cat "$public/SENS_MULT")" = "$1"; }
for end in answer kill; do
    maccel --root "$FOLDER/public" --json --device "measured" measure dpi <answers >said 2>asked & measure=$!
    exec 4>answers
    soon grep -q "press Enter" asked
    soon holds "3 4294967296"
    as_before
    if test $end = kill; then
        kill -KILL $measure
    else
        echo >&4
        soon grep -q "Move it 10 cm" asked
        for n in 1 2 3 4; do move 250 0; done
        echo >&4
        wait $measure
        cat said
    fi
    soon holds "1 8589934592"
    exec 4>&-
done
# What was neutral for a moment is kept nowhere.
test -z "$(ls "$FOLDER/public/var/opt/maccel/resets")"
"#,
    )?;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["counts"], &said["suggested"]), (&1000.into(), &250.0.into()));
    Ok(())
}
