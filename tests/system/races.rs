// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver while things happen at once. `VESPERA_SOAK=1` makes each test long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use vespera_tests::race::{RacePlan, RaceRecord, Write, X, Y, run};
use vespera_tests::{Guest, HarnessError};

use crate::driver::watches;
use crate::group::Group;
use crate::pointer::{DEFAULTS, parameter, set};

/// Mice that come and go, and reloads, when nobody soaks.
const CYCLES: u32 = 200;
const RELOADS: u32 = 8;

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("two_mice_on_two_processors_lose_nothing", two_mice),
        group.test("a_parameter_is_rewritten_while_a_mouse_moves", rewriting),
        group.test("all_parameters_are_rewritten_while_two_mice_move", writers),
        group.test("mice_come_and_go_while_their_attributes_are_written", unplugging),
        group.test("the_module_is_removed_under_load", removal),
        group.test("a_remappers_mouse_is_scaled_once", remapper),
    ]
}

/// Those that attach and detach.
pub(crate) fn brief_tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("mice_come_and_go_while_their_attributes_are_written", |guest| {
            unplug(guest, CYCLES)
        }),
        group.test("the_module_is_removed_under_load", |guest| remove(guest, RELOADS)),
    ]
}

/// The tests are to take their time.
pub(crate) fn soaking() -> bool {
    std::env::var("VESPERA_SOAK").is_ok_and(|value| value == "1")
}

/// The usual number, or in a soak the large one.
fn amount(usual: u32, soak: u32) -> u32 {
    if soaking() { soak } else { usual }
}

fn race(guest: &Guest, plan: &RacePlan) -> Result<RaceRecord, HarnessError> {
    let limit = Duration::from_secs(if soaking() { 3600 } else { 240 });
    let started = Instant::now();
    let record = run(guest, plan, limit)?;
    for tally in &record.mice {
        assert_eq!(tally.whole, tally.sent, "a report is not whole: {:#?}", tally.others);
    }
    if soaking() {
        eprintln!(
            "    {}: {:?} reports, all whole, {} writes taken, {} refused, {} mice came and went, \
             {} reloads in {:.0?}",
            guest.name(),
            record.mice.iter().map(|tally| tally.sent).collect::<Vec<_>>(),
            record.written,
            record.refused,
            record.cycles,
            record.reloads,
            started.elapsed(),
        );
    }
    Ok(record)
}

fn write_to(name: &str, value: &str) -> Write {
    Write { path: parameter(name), value: value.into() }
}

fn two_mice(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("MODE", 0.0), ("SENS_MULT", 2.0)])?;
    let frames = amount(20_000, 200_000).into();
    let record = race(guest, &RacePlan { mice: 2, frames, ..RacePlan::default() })?;
    assert!(record.processors >= 2, "one processor proves nothing");
    for tally in &record.mice {
        assert_eq!(tally.movements, [((2 * X, 2 * Y), tally.sent)]);
    }
    set(guest, &[])
}

fn rewriting(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let writes = vec![write_to("INPUT_DPI", "4294967296000")];
    let frames = amount(10_000, 200_000).into();
    let record = race(guest, &RacePlan { mice: 1, frames, writes, ..RacePlan::default() })?;
    assert!(record.written > 0 && record.refused == 0, "{record:?}");
    assert_eq!(record.mice[0].movements, [((X, Y), record.mice[0].sent)]);
    Ok(())
}

fn writers(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let mut writes = vec![write_to("MODE", "2"), write_to("MODE", "1"), write_to("MODE", "0")];
    for (name, default) in DEFAULTS.iter().filter(|(name, _)| *name != "MODE") {
        writes.push(write_to(name, "-9223372036854775808"));
        writes.push(write_to(name, &default.to_string()));
        writes.push(write_to(name, &(default + default / 4 + 1).to_string()));
    }
    writes.push(write_to("SETTINGS", "MODE=0 SENS_MULT=2147483648 ANGLE_ROTATION=193273528320"));
    writes.push(write_to("SETTINGS", "MODE=3 ANGLE_SNAP=4294967296 ANGLE_ROTATION=0"));
    let table = vec!["8589934592"; 121].join(",");
    writes.push(write_to("SETTINGS", &format!("MODE=64 LUT={table}")));
    let frames = amount(10_000, 200_000).into();
    let record = race(guest, &RacePlan { mice: 2, frames, writes, ..RacePlan::default() })?;
    assert!(record.written > 0 && record.refused > 0, "{record:?}");
    for ((x, y), _) in record.mice.iter().flat_map(|tally| &tally.movements) {
        assert!(x.abs() < 100 && y.abs() < 100, "({x}, {y})");
    }
    guest.write_file(&parameter("SETTINGS"), "MODE=0 ANGLE_SNAP=0 LUT=")?;
    set(guest, &[])
}

fn attribute(name: &str, value: &str) -> Write {
    Write { path: format!("*/{name}"), value: value.into() }
}

fn unplugging(guest: &Guest) -> Result<(), HarnessError> {
    unplug(guest, amount(CYCLES, 10_000))
}

fn unplug(guest: &Guest, cycles: u32) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let writes = vec![
        attribute("settings", "MODE=1 SENS_MULT=8589934592"),
        attribute("enabled", "0"),
        attribute("settings", "NONSENSE"),
        attribute("settings", "inherit"),
        attribute("enabled", "1"),
    ];
    // A PS/2 mouse is always there.
    let before = entries(guest)?;
    let record = race(guest, &RacePlan { mice: 1, frames: 1, writes, cycles, reloads: 0 })?;
    assert_eq!(record.cycles, cycles);
    assert!(record.written > 0 && record.refused > 0, "{record:?}");
    // The entries of mice that are gone would still be there.
    assert_eq!(entries(guest)?, before);
    Ok(())
}

/// Mice the driver has.
fn entries(guest: &Guest) -> Result<usize, HarnessError> {
    let known = guest.read_file("/proc/bus/input/devices")?;
    Ok(known.lines().filter(|line| line.starts_with("H:") && line.contains("maccel")).count())
}

fn removal(guest: &Guest) -> Result<(), HarnessError> {
    // A kernel that watches takes ten times as long to load a module.
    let many = if watches(&guest.hello().release) { 200 } else { 500 };
    remove(guest, amount(RELOADS, many))
}

fn remove(guest: &Guest, reloads: u32) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let writes = vec![
        write_to("SENS_MULT", "8589934592"),
        write_to("SENS_MULT", "4294967296"),
        attribute("settings", "MODE=2"),
    ];
    let record = race(guest, &RacePlan { mice: 2, frames: 1, writes, cycles: 0, reloads })?;
    assert_eq!(record.reloads, reloads);
    if watches(&guest.hello().release) {
        // What lockdep learned of each load stays; when it is full it stops, and says so.
        let learned = guest.read_file("/proc/lockdep_stats")?;
        let entries = learned.lines().filter(|line| line.contains("[max:")).map(str::trim);
        eprintln!("    {}: lockdep: {:?}", guest.name(), entries.collect::<Vec<_>>());
    }
    set(guest, &[])
}

fn remapper(guest: &Guest) -> Result<(), HarnessError> {
    set(guest, &[("SENS_MULT", 2.0)])?;
    let program = guest.hello().program.clone();
    let output = guest.run([program, "remap".into()])?.success()?;
    // The grabbed mouse as it is, for the remapper; the two that programs see, scaled once.
    let list = |x, y| vec![format!("[{x},{y}]"); 100].join(",");
    let (raw, scaled) = (list(X, Y), list(2 * X, 2 * Y));
    assert_eq!(output.stdout.trim(), format!("[[{raw}],[{scaled}],[{scaled}]]"));
    set(guest, &[])
}
