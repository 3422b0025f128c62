// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a race inside the guest: a request of the harness takes longer than what is raced.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use vespera_guest::mouse::{Event, Frame, Mouse, code};
use vespera_guest::race::{PROGRESS, Race, RaceRecord, Tally, Write, X, Y};

use crate::modules;
use crate::player::VirtualMouse;

const CLASS: &str = "/sys/class/maccel";
const MODULE: &str = "/mods/maccel.ko";
/// Threads that write: more would only take processors from the mice.
const WRITERS: usize = 2;
/// Threads whose mice come and go: one waits while the kernel lets another's mouse go.
const CYCLERS: u32 = 4;
/// Between reports and writes while mice or the driver come and go, as of a mouse at 1000 Hz.
/// Those that come and go wait for both processors again and again; threads that never rest
/// would make them wait a time slice each time.
const PACE: Duration = Duration::from_millis(1);
/// How often the console hears of a race.
const INTERVAL: Duration = Duration::from_secs(20);
/// Kinds of movement counted, and reports described, for one mouse.
const KINDS: usize = 64;

/// Reads a race from the standard input, runs it, prints the record.
pub(crate) fn run_standard_input() -> Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("reading the race")?;
    let race: Race = serde_json::from_str(&text).context("reading the race")?;
    println!("{}", serde_json::to_string(&run(&race)?)?);
    Ok(())
}

/// What has been done so far, counted by all threads.
#[derive(Default)]
struct Score {
    reports: AtomicU64,
    written: AtomicU64,
    refused: AtomicU64,
    cycles: AtomicU32,
    reloads: AtomicU32,
}

fn run(race: &Race) -> Result<RaceRecord> {
    let score = Score::default();
    // Set when cycles and reloads are done; when the mice are.
    let (still, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let pace = (race.cycles + race.reloads > 0).then_some(PACE);
    let mice = thread::scope(|scope| -> Result<Vec<Tally>> {
        // Dropping the sender ends the progress.
        let (_running, ended) = mpsc::channel::<()>();
        scope.spawn({
            let score = &score;
            move || tell(score, race, &ended)
        });
        let mice: Vec<_> = (0..race.mice)
            .map(|number| {
                let (score, still) = (&score, &still);
                scope.spawn(move || ride(number, race.frames, still, pace, score))
            })
            .collect();
        let share = race.writes.len().div_ceil(WRITERS).max(1);
        for writes in race.writes.chunks(share) {
            scope.spawn(|| scribble(writes, &over, pace, &score));
        }
        let reloads = scope.spawn(|| reload(race.reloads, &score));
        let cyclers: Vec<_> = (0..CYCLERS)
            .map(|number| {
                let times = (race.cycles + CYCLERS - 1 - number) / CYCLERS;
                let (taken, score) = (race.reloads == 0, &score);
                scope.spawn(move || cycle(times, taken, score))
            })
            .collect();
        let cycles: Vec<_> = cyclers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let reloads = reloads.join();
        still.store(true, Ordering::Relaxed);
        let tallies: Vec<_> = mice.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        let lost = |_| anyhow!("a thread panicked");
        cycles.into_iter().try_for_each(|cycle| cycle.map_err(lost)?)?;
        reloads.map_err(lost)??;
        tallies.into_iter().map(|tally| tally.map_err(lost)?).collect()
    })?;
    Ok(RaceRecord {
        mice,
        written: score.written.into_inner(),
        refused: score.refused.into_inner(),
        cycles: score.cycles.into_inner(),
        reloads: score.reloads.into_inner(),
        processors: thread::available_parallelism()?.get(),
    })
}

/// Says now and then on the console how far the race is, until the other end is dropped.
fn tell(score: &Score, race: &Race, ended: &mpsc::Receiver<()>) {
    while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let mut line = format!("{PROGRESS}{} reports", score.reports.load(Ordering::Relaxed));
        for (done, of, what) in [
            (score.cycles.load(Ordering::Relaxed), race.cycles, "mice came and went"),
            (score.reloads.load(Ordering::Relaxed), race.reloads, "reloads"),
        ] {
            if of > 0 {
                line.push_str(&format!(", {done} of {of} {what}"));
            }
        }
        line.push('\n');
        // Without a console nobody wants to know.
        drop(fs::write("/dev/console", line));
    }
}

fn mouse(number: u32) -> Mouse {
    let product = 0x6000 | u16::try_from(number).unwrap_or(0xfff);
    Mouse::new(&format!("racing mouse {number}"), 0x1209, product)
}

/// A report like no other of the last thousand.
fn report(number: u64) -> Frame {
    let relative = |code, value| Event { kind: code::EV_REL, code, value };
    let pressed = i32::from(number.is_multiple_of(2));
    let events = vec![
        Event { kind: code::EV_KEY, code: code::BTN_LEFT, value: pressed },
        relative(code::REL_X, X),
        relative(code::REL_Y, Y),
        relative(code::REL_WHEEL, i32::try_from(number % 1000).unwrap_or(0) + 1),
    ];
    Frame { mouse: 0, at_us: 0, events }
}

fn ride(
    number: u32,
    frames: u64,
    others_done: &AtomicBool,
    pace: Option<Duration>,
    score: &Score,
) -> Result<Tally> {
    let mut mouse = VirtualMouse::create(&mouse(number))?;
    let mut tally = Tally::default();
    let mut movements = BTreeMap::new();
    while tally.sent < frames || !others_done.load(Ordering::Relaxed) {
        rest(pace);
        let frame = report(tally.sent);
        tally.sent += 1;
        score.reports.fetch_add(1, Ordering::Relaxed);
        mouse.send(&frame, None)?;
        // Handlers run inside the write: what will ever arrive has arrived.
        let seen = mouse.drain()?;
        let Some(movement) = whole(&frame, &seen) else {
            if tally.others.len() < KINDS {
                tally.others.push(format!("{seen:?}"));
            }
            continue;
        };
        tally.whole += 1;
        if movements.len() < KINDS || movements.contains_key(&movement) {
            *movements.entry(movement).or_insert(0) += 1;
        }
    }
    tally.movements = movements.into_iter().collect();
    Ok(tally)
}

/// The movement of what was seen, if that is the report with its movement changed.
fn whole(sent: &Frame, seen: &[Event]) -> Option<(i32, i32)> {
    let (end, events) = seen.split_last()?;
    let [button, .., wheel] = sent.events.as_slice() else { return None };
    let (first, rest) = events.split_first()?;
    let (last, axes) = rest.split_last()?;
    let in_order = first == button
        && last == wheel
        && (end.kind, end.code) == (code::EV_SYN, code::SYN_REPORT)
        && axes.iter().all(|event| event.kind == code::EV_REL && event.code <= code::REL_Y)
        && axes.is_sorted_by(|a, b| a.code < b.code);
    let axis = |code| axes.iter().find(|event| event.code == code).map_or(0, |event| event.value);
    in_order.then(|| (axis(code::REL_X), axis(code::REL_Y)))
}

fn scribble(writes: &[Write], over: &AtomicBool, pace: Option<Duration>, score: &Score) {
    while !over.load(Ordering::Relaxed) {
        for write in writes {
            for path in targets(&write.path) {
                let result = File::options()
                    .write(true)
                    .open(path)
                    .and_then(|mut file| file.write_all(write.value.as_bytes()));
                let count = if result.is_ok() { &score.written } else { &score.refused };
                count.fetch_add(1, Ordering::Relaxed);
                rest(pace);
            }
        }
    }
}

/// The path itself, or with `*` that of each mouse of the driver just now.
fn targets(path: &str) -> Vec<PathBuf> {
    let Some(file) = path.strip_prefix("*/") else { return vec![path.into()] };
    let Ok(entries) = fs::read_dir(CLASS) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("input"))
        .map(|entry| entry.path().join(file))
        .collect()
}

fn rest(pace: Option<Duration>) {
    if let Some(pace) = pace {
        sleep(pace);
    }
}

fn cycle(times: u32, taken: bool, score: &Score) -> Result<()> {
    for number in 0..times {
        let mut mouse = VirtualMouse::create(&mouse(0x100))?;
        let entry = Path::new(CLASS).join(&mouse.input);
        if taken && !entry.is_dir() {
            bail!("cycle {number}: the driver has no entry {}", entry.display());
        }
        let frame = report(0);
        mouse.send(&frame, None)?;
        let seen = mouse.drain()?;
        if whole(&frame, &seen).is_none() {
            bail!("cycle {number}: {seen:?}");
        }
        drop(mouse);
        if taken && entry.exists() {
            bail!("cycle {number}: {} is left over", entry.display());
        }
        score.cycles.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn reload(times: u32, score: &Score) -> Result<()> {
    for number in 0..times {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(refusal) = modules::remove("maccel") {
            // Somebody has one of its files open.
            if refusal.errno != Some(libc::EAGAIN) || Instant::now() > deadline {
                bail!("reload {number}: {}", refusal.message);
            }
            sleep(Duration::from_millis(1));
        }
        modules::insert(Path::new(MODULE), "")
            .map_err(|refusal| anyhow!("reload {number}: {}", refusal.message))?;
        score.reloads.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// A remapper as people run them: it grabs a mouse, and what it reads there it writes to a
/// virtual mouse, while another real mouse moves too. Prints what each of the three gave.
pub(crate) fn remap() -> Result<()> {
    let mut real = VirtualMouse::create(&mouse(1))?;
    real.grab()?;
    let mut mapped = VirtualMouse::create(&mouse(2))?;
    let mut beside = VirtualMouse::create(&mouse(3))?;
    let mut given: [Vec<(i32, i32)>; 3] = Default::default();
    for number in 0..100 {
        let frame = report(number);
        for (mouse, given) in [&mut real, &mut mapped, &mut beside].into_iter().zip(&mut given) {
            mouse.send(&frame, None)?;
            let seen = mouse.drain()?;
            let movement = whole(&frame, &seen).with_context(|| format!("{seen:?}"))?;
            given.push(movement);
        }
    }
    println!("{}", serde_json::to_string(&given)?);
    Ok(())
}
