// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers of disks, file systems and partitions.

use super::is_word;
use super::serials::QUOTES;

/// What a file system or a partition has at least: `ABCD-1234`, `1a2b3c4d-02`.
const FEWEST_DIGITS: usize = 8;
/// The groups of digits of a UUID, and of whatever else a disk has.
const MOST_GROUPS: usize = 8;
/// The digits between the hyphens of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// A hyphen in the name of a unit, behind its backslash (systemd-escape(1)).
const ESCAPED: &str = "x2d";
/// The backslashes of one that was quoted twice.
const MOST_BACKSLASHES: usize = 4;
/// How many characters before a number its word begins, at most.
const WORD: usize = 128;

/// Whether a number is that of a disk, by what stands before it.
pub(super) fn is_disk(number: &str, before: &str) -> bool {
    let digits = number.chars().filter(char::is_ascii_hexdigit).count();
    if digits < FEWEST_DIGITS {
        return false;
    }
    let before = before.trim_end_matches(QUOTES);
    let named = ["UUID=", "uuid=", "luks-", "by-uuid/", "by-partuuid/"];
    named.iter().any(|name| before.ends_with(name)) || is_uuid(number) && is_of_luks(before)
}

/// Whether a text ends within a parameter of systemd-cryptsetup-generator(8), like
/// `rd.luks.name=UUID=NAME`.
fn is_of_luks(before: &str) -> bool {
    let near = before.char_indices().rev().nth(WORD).map_or(0, |(at, _)| at);
    let word = before[near..].rsplit([' ', '\t', '\n', '"', '\'']).next().unwrap_or_default();
    ["rd.luks.", "luks."].iter().any(|name| word.starts_with(name))
}

fn is_uuid(token: &str) -> bool {
    let lengths: Vec<_> = token.split('-').map(str::len).collect();
    lengths == UUID
}

/// Takes out the names of disks that end with their serial numbers: `/dev/disk/by-id/nvme-980_S649`.
pub(super) fn disks_by_id(line: &str) -> String {
    const FOLDER: &str = "/disk/by-id/";
    let mut parts = line.split(FOLDER);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end =
            part.find(|c: char| c.is_whitespace() || QUOTES.contains(&c) || ",;)".contains(c));
        let name = end.unwrap_or(part.len());
        out.push_str(FOLDER);
        out.push_str(if name > 0 { "[disk]" } else { "" });
        out.push_str(&part[name..]);
    }
    out
}

/// Takes out the numbers of disks in names of units, in which systemd writes `\x2d` for a hyphen:
/// `dev-disk-by\x2duuid-0A1B\x2d2C3D.device`.
pub(super) fn escaped_disks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside = out.chars().next_back().is_some_and(is_word) && !ends_with_hyphen(&out);
        let disk = if inside { None } else { length_of_disk(rest, is_named_uuid(&out)) };
        let length = disk.unwrap_or(escaped_hyphen(rest).max(first.len_utf8()));
        out.push_str(if disk.is_some() { "[disk]" } else { &rest[..length] });
        rest = &rest[length..];
    }
    out
}

/// How long the number of a disk is with which a text begins: a UUID, or whatever is `named` one.
/// Those of a RAID have colons.
fn length_of_disk(text: &str, named: bool) -> Option<usize> {
    let mut groups: Vec<usize> = Vec::new();
    let mut end = 0;
    while groups != UUID && groups.len() < MOST_GROUPS {
        let separator = match escaped_hyphen(&text[end..]) {
            _ if groups.is_empty() => 0,
            0 if named && text[end..].starts_with(':') => 1,
            0 => break,
            hyphen => hyphen,
        };
        let group = &text[end + separator..];
        let digits = group.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(group.len());
        if digits == 0 {
            break;
        }
        groups.push(digits);
        end += separator + digits;
    }
    let joined = text[end..].chars().next().is_some_and(is_word);
    let is_disk = groups == UUID || (named && groups.iter().sum::<usize>() >= FEWEST_DIGITS);
    (is_disk && !joined).then_some(end)
}

/// How long the escaped hyphen is with which a text begins, 0 without one. Quoted once more, as
/// JSON does it, it has several backslashes.
fn escaped_hyphen(text: &str) -> usize {
    let backslashes = text.bytes().take(MOST_BACKSLASHES).take_while(|b| *b == b'\\').count();
    let is_escaped = backslashes > 0 && text[backslashes..].starts_with(ESCAPED);
    if is_escaped { backslashes + ESCAPED.len() } else { 0 }
}

fn ends_with_hyphen(text: &str) -> bool {
    text.strip_suffix(ESCAPED).is_some_and(|text| text.ends_with('\\'))
}

/// Whether a text ends like `by\x2duuid-` or `md\x2duuid\x2d`.
fn is_named_uuid(text: &str) -> bool {
    let escaped = text.strip_suffix(ESCAPED).map(|text| text.trim_end_matches('\\'));
    text.strip_suffix('-').or(escaped).is_some_and(|name| name.ends_with("uuid"))
}
