// SPDX-License-Identifier: MIT OR Apache-2.0
//! `get param NAME` without the machinery of the whole command line.
//!
//! Scripts and status bars ask for single values all the time; this way it costs no more than
//! starting a program. Whatever is out of the ordinary is left to the full command line.

use std::fs;

use maccel_core::driver;
use maccel_core::fixed::Fixed;

use crate::public::Name;

/// The answer to these arguments (without the program's name), if they ask for one parameter
/// and its file holds a plain number.
pub(crate) fn answer<S: AsRef<str>>(arguments: &[S]) -> Option<String> {
    let words: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let (root, name) = match words[..] {
        ["get", "param", name] => ("/", name),
        ["--root", root, "get", "param", name] => (root, name),
        _ => return None,
    };
    let file = Name::of_word(name)?.file();
    let text = fs::read_to_string(format!("{root}/{}/{file}", driver::PARAMETERS)).ok()?;
    Some(line(text.strip_suffix('\n')?.parse().ok()?))
}

/// The one line that is printed.
pub(crate) fn line(value: Fixed) -> String {
    let mut line = value.to_decimal9();
    line.push('\n');
    line
}
