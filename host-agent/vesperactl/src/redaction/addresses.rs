// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses of networks and Bluetooth.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::disks::is_disk;
use super::is_word;

/// Takes out network and Bluetooth addresses, and the UUIDs of disks on a kernel command line.
pub(super) fn addresses(line: &str) -> String {
    let belongs = |c: char| c.is_ascii_hexdigit() || SEPARATORS.contains(&c);
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(belongs) {
        let length = rest[start..].find(|c: char| !belongs(c)).unwrap_or(rest.len() - start);
        let (before, run) = (&rest[..start], &rest[start..start + length]);
        rest = &rest[start + length..];
        out.push_str(before);
        let word_before = before.chars().next_back().is_some_and(is_word);
        let word_behind = rest.chars().next().is_some_and(is_word);
        let lead = &run[..run.len() - run.trim_start_matches(SEPARATORS).len()];
        let core = run.trim_matches(SEPARATORS);
        let trail = &run[lead.len() + core.len()..];
        let joined = word_behind && trail.is_empty();
        let ahead = out.len();
        out.push_str(lead);
        if !joined && is_disk(core, &out) {
            out.push_str(&format!("[disk]{trail}"));
        } else {
            out.truncate(ahead);
            out.push_str(&without_addresses(run, word_before, word_behind));
        }
    }
    out.push_str(rest);
    out
}

/// What addresses are made of besides digits; they stand between addresses as well.
const SEPARATORS: [char; 3] = [':', '.', '-'];
/// How many of them an address has at its beginning or end: `2001:db8::`.
const OWN: usize = 2;
const ADDRESS: &str = "[address]";

/// A run of what addresses are made of, without them. Letters right before it or behind it make
/// the first or last of it part of a word.
fn without_addresses(run: &str, word_before: bool, word_behind: bool) -> String {
    let core = run.trim_matches(SEPARATORS);
    let lead = run.len() - run.trim_start_matches(SEPARATORS).len();
    let trail = run.len() - run.trim_end_matches(SEPARATORS).len();
    if core.is_empty() {
        return run.to_owned();
    }
    for before in lead.saturating_sub(OWN)..=lead {
        for behind in trail.saturating_sub(OWN)..=trail {
            let end = run.len() - behind;
            let joined = (before == 0 && word_before) || (behind == 0 && word_behind);
            if !joined && is_address(&run[before..end]) {
                return format!("{}{ADDRESS}{}", &run[..before], &run[end..]);
            }
        }
    }
    // Several in a row, or one with a port: `10.0.0.1-10.0.0.9`, `ip=10.0.0.2::10.0.0.1:...`.
    let last = run.split('-').count() - 1;
    let parts = run.split('-').enumerate().map(|(number, part)| {
        let (before, behind) = (number == 0 && word_before, number == last && word_behind);
        if !before && !behind && is_address(part) {
            return ADDRESS.to_owned();
        }
        without_inner_addresses(part, before, behind)
    });
    parts.collect::<Vec<_>>().join("-")
}

/// What lies between colons: IPv4 addresses, and six pairs behind a word of hexadecimal letters.
fn without_inner_addresses(part: &str, word_before: bool, word_behind: bool) -> String {
    // A longer row of pairs is the fingerprint of a key.
    const PAIRS: usize = 6;
    let mut parts: Vec<&str> = part.split(':').collect();
    let from = usize::from(word_before);
    let to = parts.len().saturating_sub(usize::from(word_behind)).max(from);
    for part in &mut parts[from..to] {
        if part.parse::<Ipv4Addr>().is_ok() && is_address(part) {
            *part = ADDRESS;
        }
    }
    let is_pair = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(first) = parts[from..to].iter().position(is_pair) {
        let first = from + first;
        let row = parts[first..to].iter().copied().take_while(is_pair).count();
        if row == PAIRS {
            parts.splice(first..first + PAIRS, [ADDRESS]);
        }
    }
    parts.join(":")
}

fn is_address(token: &str) -> bool {
    let six_pairs = |separator: char| {
        let pairs: Vec<_> = token.split(separator).collect();
        pairs.len() == 6
            && pairs
                .iter()
                .all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let loopback = matches!(token, "127.0.0.1" | "0.0.0.0" | "::" | "::1");
    !loopback
        && (six_pairs(':')
            || six_pairs('-')
            || token.parse::<Ipv4Addr>().is_ok()
            || token.parse::<Ipv6Addr>().is_ok())
}
