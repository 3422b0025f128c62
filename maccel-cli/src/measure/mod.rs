// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel measure`: the resolution of a mouse by a ruler, and its polling rate.
//!
//! The event nodes show what the driver made of a movement, so it is neutral meanwhile, on trial:
//! the settings come back also when this program is killed.
//!
//! - `node`: the event node of a mouse
//! - `reckon`: what follows from counts and times

mod node;
mod reckon;

use std::io::{Write, stderr, stdin};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use maccel_core::changes::Changes;
use maccel_core::driver::Feature;
use maccel_core::settings::{Mode, Settings};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::args::{Common, Measure};
use crate::host::{Host, explained};
use crate::measure::node::Node;
use crate::measure::reckon::{Dpi, Rate, Report, dpi, rate};
use crate::output::{FORMAT, Output, document};
use crate::provisional::Provisional;

/// Settings are neutral no longer than this, in seconds.
const LONGEST: u32 = 600;

/// Runs the command.
pub(crate) fn run(common: &Common, measure: &Measure) -> anyhow::Result<Output> {
    // The public driver knows no single mice, but there can be several to choose from.
    let all = Host::open(&Common { device: None, ..common.clone() })?;
    let (host, wanted) = if all.driver.has(Feature::Devices) {
        let host = Host::open(common)?;
        let wanted = host.device.as_ref().map(|device| device.input.clone());
        (host, wanted)
    } else {
        (all, common.device.clone())
    };
    let mut node = Node::find(wanted.as_deref())?;
    let meanwhile = without_acceleration(common, &host, &node)?;
    let measured = match *measure {
        Measure::Dpi { length } => reports_of_dpi(&mut node, length)
            .and_then(|reports| say_dpi(common, &node, &reports, length)),
        Measure::Rate { seconds } => reports_of_rate(&mut node, seconds)
            .and_then(|reports| say_rate(common, &node, &reports)),
    };
    meanwhile.map(Provisional::back).transpose()?;
    measured
}

/// Makes the mouse neutral on trial, so that nobody keeps that for the next time it is plugged in.
/// `None` where it is not accelerated anyway.
fn without_acceleration(
    common: &Common,
    host: &Host,
    node: &Node,
) -> anyhow::Result<Option<Provisional>> {
    let mut neutral = Settings::default();
    neutral.set_mode(Mode::NoAccel)?;
    if !host.driver.has(Feature::Devices) {
        // The public driver knows no single mice: the settings of all are neutral meanwhile.
        let changes = Changes::between(&host.settings()?, &neutral);
        return Provisional::begin(common, host, &changes, LONGEST).map(Some);
    }
    let device = host.driver.device(&node.input).map_err(|error| explained(&host.root, error))?;
    if !device.enabled {
        return Ok(None);
    }
    let of_mouse = Common { device: Some(node.input.clone()), ..common.clone() };
    let mouse = Host { device: Some(device), ..host.reopened()? };
    Provisional::begin(&of_mouse, &mouse, &Changes::all(&neutral), LONGEST).map(Some)
}

fn prompt(words: &str) -> anyhow::Result<()> {
    eprint!("{words}");
    Ok(stderr().flush()?)
}

fn line() -> anyhow::Result<()> {
    let mut line = String::new();
    stdin().read_line(&mut line).context("cannot read the answer")?;
    Ok(())
}

fn reports_of_dpi(node: &mut Node, length: f64) -> anyhow::Result<Vec<Report>> {
    prompt(&format!("{}: put it against a ruler at 0, then press Enter. ", node.name))?;
    line()?;
    node.forget()?;
    prompt(&format!("Move it {length} cm to the right in a straight line, then press Enter. "))?;
    let mut reports = Vec::new();
    loop {
        let input = stdin();
        let mut wait = [
            PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(node.as_fd(), PollFlags::IN),
        ];
        poll(&mut wait, None)?;
        let answered = !wait[0].revents().is_empty();
        if !wait[1].revents().is_empty() {
            reports.extend(node.reports()?);
        }
        if answered {
            line()?;
            // What came before the answer may be more than one reading takes.
            loop {
                let more = node.reports()?;
                if more.is_empty() {
                    return Ok(reports);
                }
                reports.extend(more);
            }
        }
    }
}

fn reports_of_rate(node: &mut Node, seconds: u32) -> anyhow::Result<Vec<Report>> {
    prompt(&format!("{}: move it in quick circles for {seconds} s...\n", node.name))?;
    node.forget()?;
    let end = Instant::now() + Duration::from_secs(seconds.into());
    let mut reports = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(reports);
        }
        let limit = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(1),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut wait = [PollFd::from_borrowed_fd(node.as_fd(), PollFlags::IN)];
        if poll(&mut wait, Some(&limit))? > 0 {
            reports.extend(node.reports()?);
        }
    }
}

fn say_dpi(
    common: &Common,
    node: &Node,
    reports: &[Report],
    length: f64,
) -> anyhow::Result<Output> {
    let found = dpi(reports, length);
    ensure!(found.counts > 0, "the mouse was not moved to the right");
    if common.json {
        return Ok(Output::text(document(&json!({
            "format": FORMAT, "mouse": node.name, "counts": found.counts, "cm": length,
            "dpi": found.exact, "suggested": found.suggested, "slanted": found.slanted,
        }))?));
    }
    Ok(Output::text(dpi_text(&found, length)))
}

fn dpi_text(found: &Dpi, length: f64) -> String {
    let mut text = format!(
        "{} counts over {length} cm: {:.0} counts/inch\nto tell the driver: maccel set input-dpi {}\n",
        found.counts, found.exact, found.suggested
    );
    if found.slanted {
        text.push_str("the line was not straight; measure again to be sure\n");
    }
    text
}

fn say_rate(common: &Common, node: &Node, reports: &[Report]) -> anyhow::Result<Output> {
    let found = rate(reports).context("too few reports; keep the mouse moving")?;
    if common.json {
        return Ok(Output::text(document(&json!({
            "format": FORMAT, "mouse": node.name, "reports": reports.len(), "hz": found.exact,
            "nominal": found.nominal,
        }))?));
    }
    Ok(Output::text(rate_text(&found, reports.len())))
}

fn rate_text(found: &Rate, reports: usize) -> String {
    let nominal = found.nominal.map_or_else(String::new, |nominal| format!(", nominal {nominal}"));
    format!("{reports} reports, {:.0} Hz{nominal}\n", found.exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports of a movement to the right, every eighth of a millisecond.
    fn reports(number: u64, x: i64, y: i64) -> Vec<Report> {
        (0..number).map(|n| Report { at: n * 125, x, y }).collect()
    }

    #[test]
    fn words_of_a_measurement_say_what_to_do_with_it() {
        assert_eq!(
            dpi_text(&dpi(&reports(126, 50, 0), 10.0), 10.0),
            "6300 counts over 10 cm: 1600 counts/inch\n\
             to tell the driver: maccel set input-dpi 1600\n"
        );
        let slanted = dpi_text(&dpi(&reports(126, 50, 40), 10.0), 10.0);
        assert!(
            slanted.ends_with("\nthe line was not straight; measure again to be sure\n"),
            "{slanted}"
        );
        let found = rate(&reports(400, 3, 2)).unwrap();
        assert_eq!(rate_text(&found, 400), "400 reports, 8000 Hz, nominal 8000\n");
    }
}
