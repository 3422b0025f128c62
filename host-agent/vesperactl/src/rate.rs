// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl rate`: how often a mouse reports, and how evenly.

use std::io::ErrorKind;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, bail};
use camino::{Utf8Path, Utf8PathBuf};
use evdev::{Device, EventType, RelativeAxisCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use crate::args::Show;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;
const FOLDER: &str = "/dev/input";
/// A pause longer than this is a resting hand, not a slow report: the slowest mice report every
/// 8 ms.
const REST_US: u64 = 50_000;
/// Fewer intervals tell nothing.
const FEWEST: usize = 20;
/// The rates USB mice are sold with, in reports a second.
const NOMINAL: [u32; 8] = [90, 125, 250, 500, 1000, 2000, 4000, 8000];

/// The figures; times in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Polling {
    /// Intervals between two reports of one movement.
    intervals: usize,
    /// Reports a second, from the median interval.
    rate_hz: f64,
    /// The nearest rate a mouse is sold with, if it is within a tenth.
    nominal_hz: Option<u32>,
    median_us: u64,
    /// The mean distance of the intervals from their median.
    jitter_us: f64,
    /// 99 of 100 intervals are not longer.
    p99_us: u64,
    shortest_us: u64,
    longest_us: u64,
}

#[derive(Debug, Serialize)]
struct RateReport<'a> {
    format: u32,
    device: &'a str,
    name: &'a str,
    polling: Option<Polling>,
}

impl Polling {
    /// The figures of reports at these times, in microseconds of any clock; `None` when there
    /// are too few.
    fn of(times: &[u64]) -> Option<Self> {
        let mut intervals: Vec<u64> = times
            .windows(2)
            .filter_map(|pair| pair[1].checked_sub(pair[0]))
            .filter(|interval| *interval > 0 && *interval < REST_US)
            .collect();
        if intervals.len() < FEWEST {
            return None;
        }
        intervals.sort_unstable();
        let count = intervals.len();
        let median = intervals[count / 2];
        let distance: u64 = intervals.iter().map(|interval| interval.abs_diff(median)).sum();
        let rate = 1e6 / as_f64(median);
        Some(Self {
            intervals: count,
            rate_hz: rate,
            nominal_hz: nominal(rate),
            median_us: median,
            jitter_us: as_f64(distance) / as_f64(count as u64),
            p99_us: intervals[(count * 99 / 100).min(count - 1)],
            shortest_us: intervals[0],
            longest_us: intervals[count - 1],
        })
    }
}

fn nominal(rate: f64) -> Option<u32> {
    NOMINAL.into_iter().find(|nominal| {
        let nominal = f64::from(*nominal);
        (rate - nominal).abs() < nominal / 10.0
    })
}

/// Intervals and their sums are far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

/// Measures one mouse.
pub(crate) fn run(device: Option<&str>, seconds: u32, show: &Show) -> anyhow::Result<Outcome> {
    let (path, mut mouse) = match device {
        Some(device) => {
            let path = path_of(device);
            let mouse = open(&path)?;
            if !is_mouse(&mouse) {
                bail!("{path} is no mouse: it reports no relative movement");
            }
            (path, mouse)
        }
        None => only_mouse()?,
    };
    let name = mouse.name().unwrap_or("without a name").to_owned();
    eprintln!("move {name} ({path}) in circles for {seconds} s, not too slowly");
    let times = times_of_movement(&mut mouse, Duration::from_secs(seconds.into()))
        .with_context(|| format!("cannot read {path}"))?;
    let polling = Polling::of(&times);
    let code = if polling.is_some() { exit::HEALTHY } else { exit::DEGRADED };
    let text = if show.json {
        let report = RateReport { format: FORMAT, device: path.as_str(), name: &name, polling };
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        polling.as_ref().map_or_else(
            || format!("only {} reports came: too few to tell\n", times.len()),
            describe,
        )
    };
    Ok(Outcome { text, code })
}

fn describe(polling: &Polling) -> String {
    let sold = polling.nominal_hz.map_or(String::new(), |rate| format!(" (a {rate} Hz mouse)"));
    format!(
        "{:.0} reports a second{sold}\nan interval of {} us, off by {:.0} us on average; 99 of 100 \
         within {} us, shortest {} us, longest {} us\nfrom {} intervals\n",
        polling.rate_hz,
        polling.median_us,
        polling.jitter_us,
        polling.p99_us,
        polling.shortest_us,
        polling.longest_us,
        polling.intervals
    )
}

/// `eventN`, or a path.
fn path_of(device: &str) -> Utf8PathBuf {
    if device.contains('/') { device.into() } else { Utf8Path::new(FOLDER).join(device) }
}

fn open(path: &Utf8Path) -> anyhow::Result<Device> {
    Device::open(path).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{path} may be read by root only, since a reader of input devices sees every key: \
             sudo vesperactl rate"
        ),
        _ => anyhow::Error::new(error).context(format!("cannot open {path}")),
    })
}

/// The one mouse there is; an error that lists them when there are several.
fn only_mouse() -> anyhow::Result<(Utf8PathBuf, Device)> {
    let mut mice = Vec::new();
    let mut denied = None;
    let listing = Utf8Path::new(FOLDER).read_dir_utf8();
    for entry in listing.with_context(|| format!("cannot list {FOLDER}"))?.flatten() {
        if !entry.file_name().starts_with("event") {
            continue;
        }
        match open(entry.path()) {
            Ok(device) if is_mouse(&device) => mice.push((entry.into_path(), device)),
            Ok(_) => {}
            Err(error) => denied = Some(error),
        }
    }
    match (mice.len(), denied) {
        (1, _) => Ok(mice.remove(0)),
        (0, Some(error)) => Err(error),
        (0, None) => bail!("there is no mouse under {FOLDER}"),
        _ => {
            let line = |(path, device): &(Utf8PathBuf, Device)| {
                format!("\n  {path}  {}", device.name().unwrap_or("without a name"))
            };
            let lines: String = mice.iter().map(line).collect();
            bail!("there are several mice, name one:{lines}")
        }
    }
}

fn is_mouse(device: &Device) -> bool {
    device.supported_relative_axes().is_some_and(|axes| {
        axes.contains(RelativeAxisCode::REL_X) && axes.contains(RelativeAxisCode::REL_Y)
    })
}

/// The kernel's times of all reports with movement, in microseconds.
fn times_of_movement(device: &mut Device, limit: Duration) -> std::io::Result<Vec<u64>> {
    device.set_nonblocking(true)?;
    let deadline = Instant::now() + limit;
    let mut times = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(times);
        }
        let wait = Timespec::try_from(left).map_err(std::io::Error::other)?;
        match poll(&mut [PollFd::new(&*device, PollFlags::IN)], Some(&wait)) {
            Ok(0) => return Ok(times),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let events = match device.fetch_events() {
            Ok(events) => events,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        for event in events.filter(|event| event.event_type() == EventType::RELATIVE) {
            let since = event.timestamp().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
            // Both axes of a report have one time.
            if times.last() != Some(&time) {
                times.push(time);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_jitter_come_from_the_intervals_of_a_moving_hand() {
        let even: Vec<u64> = (0..1001).map(|number| number * 1000).collect();
        let polling = Polling::of(&even).unwrap();
        assert_eq!((polling.intervals, polling.median_us, polling.p99_us), (1000, 1000, 1000));
        assert_eq!(
            (polling.rate_hz, polling.nominal_hz, polling.jitter_us),
            (1000.0, Some(1000), 0.0)
        );
        // Every other report 50 us late, and a rest of a second in the middle.
        let uneven: Vec<u64> = (0..1000)
            .map(|number| {
                number * 1000 + 50 * (number % 2) + if number < 500 { 0 } else { 1_000_000 }
            })
            .collect();
        let polling = Polling::of(&uneven).unwrap();
        assert_eq!(polling.intervals, 998);
        assert_eq!((polling.shortest_us, polling.longest_us), (950, 1050));
        assert!((polling.jitter_us - 50.0).abs() < 1.0, "{}", polling.jitter_us);
        assert_eq!(polling.nominal_hz, Some(1000));
    }

    #[test]
    fn too_few_reports_and_clocks_that_jump_back_tell_nothing() {
        assert_eq!(Polling::of(&[]), None);
        assert_eq!(Polling::of(&[5; 100]), None);
        let back: Vec<u64> = (0..100).rev().collect();
        assert_eq!(Polling::of(&back), None);
        let few: Vec<u64> = (0..=19).map(|number| number * 1000).collect();
        assert_eq!(Polling::of(&few), None);
    }

    #[test]
    fn rates_are_matched_with_those_mice_are_sold_with() {
        for (rate, sold) in
            [(124.0, Some(125)), (990.0, Some(1000)), (333.0, None), (8100.0, Some(8000))]
        {
            assert_eq!(nominal(rate), sold, "{rate}");
        }
    }

    #[test]
    fn devices_are_named_shortly_or_by_path() {
        assert_eq!(path_of("event5"), "/dev/input/event5");
        assert_eq!(path_of("/dev/input/by-id/x"), "/dev/input/by-id/x");
    }
}
