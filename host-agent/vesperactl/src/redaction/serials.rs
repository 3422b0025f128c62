// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serial numbers of mice by what stands before them, in quotes of any kind.

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
    matches(&line)
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
    let hex = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match part.splitn(3, ':').collect::<Vec<_>>().as_slice() {
        [vendor, product, serial] if hex(vendor) && hex(product) && !serial.is_empty() => {
            Some(format!("{vendor}:{product}:[serial]"))
        }
        _ => None,
    }
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
