// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast this machine's time stamp counter counts.
//!
//! Without KVM a guest reads the host's counter. Its kernel finds out the frequency while it
//! boots, against a timer that QEMU emulates: on a busy host it came out ten to sixty times too
//! low, and the guest's clock ran as much too fast, with every time-out and timer tick in it.

use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between the two readings. With an error of a microsecond in each, one part in 10^5.
const SPAN: Duration = Duration::from_millis(100);
/// Readings of which the least disturbed one counts.
const TRIES: u32 = 50;

/// The frequency in kHz, for the kernel's `tsc_early_khz=`; nothing on other processors.
#[must_use]
pub fn counter_khz() -> Option<u64> {
    static KHZ: OnceLock<Option<u64>> = OnceLock::new();
    *KHZ.get_or_init(measure)
}

fn measure() -> Option<u64> {
    let (count, at) = undisturbed()?;
    sleep(SPAN);
    let (later_count, later) = undisturbed()?;
    let nanoseconds = (later - at).as_nanos();
    let khz = u128::from(later_count - count) * 1_000_000 / nanoseconds;
    u64::try_from(khz).ok()
}

/// The counter and its time, of the reading that took the shortest time.
fn undisturbed() -> Option<(u64, Instant)> {
    (0..TRIES)
        .filter_map(|_| {
            let before = Instant::now();
            let count = counter()?;
            Some((before.elapsed(), count, before))
        })
        .min_by_key(|(took, ..)| *took)
        .map(|(took, count, before)| (count, before + took / 2))
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "no safe function reads the counter")]
fn counter() -> Option<u64> {
    // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
    Some(unsafe { core::arch::x86_64::_rdtsc() })
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_measurements_agree_to_a_hundredth() {
        let measured = [measure(), measure()];
        assert_eq!(measured.map(|khz| khz.is_some()), [cfg!(target_arch = "x86_64"); 2]);
        if let [Some(first), Some(second)] = measured {
            assert!(first.abs_diff(second) <= first / 100, "{first} and {second} kHz");
        }
    }
}
