// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serial numbers of mice by what stands before them, in quotes of any kind or in none.

use std::net::Ipv6Addr;

use super::is_word;

/// What stands before a serial number in a text of the kernel or in a saved match.
const SERIAL_WORDS: [&str; 4] = ["SerialNumber:", "uniq=", "Uniq=", "HID_UNIQ="];

/// What values are put in: people write TOML with either.
pub(super) const QUOTES: [char; 2] = ['"', '\''];

/// Takes out what stands behind a word for serial numbers, and the third part of a device match
/// `"vvvv:pppp:serial"`.
pub(super) fn serials(line: &str) -> String {
    let mut line = line.to_owned();
    for word in SERIAL_WORDS {
        let mut from = 0;
        while let Some(at) = line[from..].find(word) {
            let start = from + at + word.len();
            let value = line[start..].trim_start();
            let quoted = value.trim_start_matches('\\');
            let (value, length) = match quoted.strip_prefix(QUOTES) {
                Some(inner) => {
                    let quote = quoted.chars().next().unwrap_or('"');
                    (inner, length_of_quoted(inner, quote, quoted.len() < value.len()))
                }
                None => {
                    let end = |c: char| c.is_whitespace() || c == '"';
                    (value, value.find(end).unwrap_or(value.len()))
                }
            };
            if length > 0 {
                let begin = line.len() - value.len();
                line.replace_range(begin..begin + length, "[serial]");
            }
            from = start;
        }
    }
    bare_matches(&matches(&line))
}

/// The same without the backslash of an escaped closing quote.
fn length_of_quoted(text: &str, quote: char, escaped: bool) -> usize {
    let end = end_of_quoted(text, quote, escaped);
    if escaped { text[..end].trim_end_matches('\\').len() } else { end }
}

/// `vvvv:pppp:serial` in quotes without its serial; anything else as it is.
fn matches(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(QUOTES) {
        let (before, behind) = rest.split_at(at + 1);
        let quote = if before.ends_with('"') { '"' } else { '\'' };
        let escaped = before[..at].ends_with('\\');
        out.push_str(before);
        rest = behind;
        let length = length_of_quoted(behind, quote, escaped);
        if let Some(known) = without_serial(&behind[..length]) {
            out.push_str(&known);
            rest = &behind[length..];
        }
    }
    out.push_str(rest);
    out
}

/// `vvvv:pppp:serial` without its serial, if it is one.
pub(super) fn without_serial(part: &str) -> Option<String> {
    let serial = behind_ids(part)?;
    let ids = &part[..part.len() - serial.len()];
    (!serial.is_empty() && !is_more_than_ids(ids, serial)).then(|| format!("{ids}[serial]"))
}

/// The same for all that stand in a text without quotes, where a serial ends with the word.
fn bare_matches(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut done = 0;
    for (colon, _) in line.match_indices(':') {
        let Some(start) = colon.checked_sub(DIGITS).filter(|start| *start >= done) else {
            continue;
        };
        let Some(behind) = line.get(start..).and_then(behind_ids) else { continue };
        if !begins_here(&line[..start]) {
            continue;
        }
        let end = |c: char| c.is_whitespace() || c.is_control() || "\"'`\\,;()[]{}<>|".contains(c);
        let near = behind.char_indices().nth(LONGEST).map_or(behind.len(), |(at, _)| at);
        let word = &behind[..behind[..near].find(end).unwrap_or(near)];
        let serial = word.trim_end_matches(['.', ':', '!', '?']);
        let ids = &line[start..line.len() - behind.len()];
        if serial.contains(char::is_alphanumeric) && !is_more_than_ids(ids, serial) {
            out.push_str(&line[done..start]);
            out.push_str(ids);
            out.push_str("[serial]");
            done = start + ids.len() + serial.len();
        }
    }
    out.push_str(&line[done..]);
    out
}

/// The most characters of a serial number: USB's strings have 126.
const LONGEST: usize = 126;
/// How many digits a vendor and a product have.
const DIGITS: usize = 4;

/// What stands behind `vvvv:pppp:`.
fn behind_ids(text: &str) -> Option<&str> {
    let after_id = |text: &'_ str| -> Option<usize> {
        let (id, _) = text.split_at_checked(DIGITS)?;
        let whole = id.bytes().all(|byte| byte.is_ascii_hexdigit());
        (whole && text[DIGITS..].starts_with(':')).then_some(DIGITS + 1)
    };
    let product = &text[after_id(text)?..];
    Some(&product[after_id(product)?..])
}

/// Whether a vendor may begin behind `before`, and not the middle of an address.
fn begins_here(before: &str) -> bool {
    let Some(outer) = before.strip_suffix(':') else {
        return !before.chars().next_back().is_some_and(is_word);
    };
    // `usb:046d:...` is no address.
    let word = &outer[outer.trim_end_matches(is_word).len()..];
    word.contains(|c: char| !c.is_ascii_hexdigit())
}

/// Whether what looks like a vendor, a product and a serial is something else that people need to
/// see, or that has a mark of its own.
fn is_more_than_ids(ids: &str, rest: &str) -> bool {
    is_hid_name(ids, rest) || is_address(ids, rest) || is_moment(rest)
}

/// `0003:046D:C08B.0001`: the kernel's bus, vendor, product and number (`hid_add_device`).
fn is_hid_name(ids: &str, rest: &str) -> bool {
    let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next();
    let word = word.unwrap_or_default().trim_end_matches('.');
    let (product, number) = word.split_once('.').unwrap_or((word, "0000"));
    let hex = |text: &str| text.len() >= DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    ids.starts_with("00") && product.len() == DIGITS && hex(product) && hex(number)
}

/// An IPv6 address, which has a mark of its own; but six pairs are the serial of a Bluetooth mouse.
fn is_address(ids: &str, rest: &str) -> bool {
    const PAIRS: [usize; 6] = [2; 6];
    let hex = |c: char| c.is_ascii_hexdigit() || c == ':';
    let end = rest.find(|c: char| !hex(c)).unwrap_or(rest.len());
    let run = &rest[..end];
    let run = run.strip_suffix(':').filter(|run| !run.ends_with(':')).unwrap_or(run);
    let joined = rest[end..].starts_with(is_word);
    !joined
        && !run.split(':').map(str::len).eq(PAIRS)
        && format!("{ids}{run}").parse::<Ipv6Addr>().is_ok()
}

/// `[1234:5678:1130/200559.123456:ERROR:...]`: process, thread and time, as Chromium logs them.
fn is_moment(rest: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    rest.split_once('/').is_some_and(|(date, time)| {
        date.len() == 4 && digits(date) == date.len() && digits(time) == 6
    })
}

/// How long the text before a closing quote is: one with a backslash before it closes nothing,
/// unless the opening one had such, too.
pub(super) fn end_of_quoted(text: &str, quote: char, escaped: bool) -> usize {
    let mut passed = false;
    let end = text.char_indices().find(|(_, character)| {
        let closes = *character == quote && !passed;
        passed = *character == '\\' && !passed && !escaped;
        closes
    });
    end.map_or(text.trim_end_matches(['\r', '\n']).len(), |(end, _)| end)
}
