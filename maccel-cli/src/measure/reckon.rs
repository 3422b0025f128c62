// SPDX-License-Identifier: MIT OR Apache-2.0
//! What follows from the reports of a mouse.

/// One report: when it came, in microseconds, and how far the mouse went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Time, microseconds.
    pub(crate) at: u64,
    /// Counts to the right.
    pub(crate) x: i64,
    /// Counts downwards.
    pub(crate) y: i64,
}

/// A resolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dpi {
    /// Counts to the right.
    pub(crate) counts: i64,
    /// Counts for each inch.
    pub(crate) exact: f64,
    /// The step of 50 that is nearest, as mice have them.
    pub(crate) suggested: f64,
    /// Whether the way went up or down by more than a tenth.
    pub(crate) slanted: bool,
}

const CM_PER_INCH: f64 = 2.54;
const STEP: f64 = 50.0;

/// The resolution of a mouse that went `length` cm to the right.
pub(crate) fn dpi(reports: &[Report], length: f64) -> Dpi {
    let counts: i64 = reports.iter().map(|report| report.x).sum();
    let aside: i64 = reports.iter().map(|report| report.y).sum();
    let exact = counts as f64 / (length / CM_PER_INCH);
    Dpi {
        counts,
        exact,
        suggested: ((exact / STEP).round() * STEP).max(STEP),
        slanted: aside.abs() * 10 > counts.abs(),
    }
}

/// A polling rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    /// Reports a second while the mouse moves.
    pub(crate) exact: f64,
    /// The usual rate that is meant.
    pub(crate) nominal: Option<u32>,
}

/// Rates that mice have.
const USUAL: [u32; 7] = [125, 250, 500, 1000, 2000, 4000, 8000];
/// A longer interval is a rest.
const REST: u64 = 30_000;
/// Fewer intervals say nothing.
const FEWEST: usize = 20;

/// The rate, from the median interval; `None` from too few reports.
pub(crate) fn rate(reports: &[Report]) -> Option<Rate> {
    let mut intervals: Vec<u64> = reports
        .windows(2)
        .map(|pair| pair[1].at.saturating_sub(pair[0].at))
        .filter(|interval| (1..REST).contains(interval))
        .collect();
    if intervals.len() < FEWEST {
        return None;
    }
    intervals.sort_unstable();
    let exact = 1e6 / intervals[intervals.len() / 2] as f64;
    let nominal = USUAL.into_iter().find(|usual| (exact / f64::from(*usual) - 1.0).abs() < 0.15);
    Some(Rate { exact, nominal })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(intervals: &[u64], x: i64, y: i64) -> Vec<Report> {
        let mut at = 0;
        intervals
            .iter()
            .map(|interval| {
                at += interval;
                Report { at, x, y }
            })
            .collect()
    }

    #[test]
    fn the_resolution_follows_from_the_way() {
        let found = dpi(&reports(&[1000; 315], 10, 0), 10.0);
        assert_eq!((found.counts, found.suggested, found.slanted), (3150, 800.0, false));
        assert!((found.exact - 800.1).abs() < 0.01);
        assert!(dpi(&reports(&[1000; 100], 10, 2), 10.0).slanted);
        // back and forth counts once
        let mut way = reports(&[1000; 10], 10, 0);
        way.extend(reports(&[1000; 10], -10, 0));
        assert_eq!(dpi(&way, 10.0).counts, 0);
    }

    #[test]
    fn the_rate_is_that_of_motion_and_not_of_rests() {
        let mut intervals = vec![1010; 200];
        intervals.extend([500_000, 90_000, 40_000]);
        intervals.extend([2000; 30]);
        let found = rate(&reports(&intervals, 1, 1)).unwrap();
        assert_eq!(found.nominal, Some(1000));
        assert!((found.exact - 990.1).abs() < 0.1);
        assert_eq!(rate(&reports(&[3333; 50], 1, 1)).unwrap().nominal, None);
        assert_eq!(rate(&reports(&[1000; 10], 1, 1)), None);
    }
}
