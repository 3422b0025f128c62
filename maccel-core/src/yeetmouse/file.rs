// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines of the file, and which keys there are.

use super::ReadError;

/// Keys that are read for what they say, the second spelling is that of older versions.
const KNOWN: [&str; 20] = [
    "sens",
    "sens_Y",
    "ratioYX",
    "outCap",
    "inCap",
    "offset",
    "accel",
    "acceleration",
    "exponent",
    "midpoint",
    "motivity",
    "preScale",
    "accelMode",
    "useSmoothing",
    "rotation",
    "as_threshold",
    "as_angle",
    "LUT_size",
    "LUT_data",
    "CC_data_aggregate",
];

/// Keys of a fork for what neither the others nor our driver have, with the value that means
/// nothing, and why the rest is lost.
const LACKED: [(&str, f64, &str); 13] = [
    ("minTime", 0.0, "the driver's shortest interval is 0.0625 ms"),
    ("maxTime", 100.0, "the driver's longest interval is 100 ms"),
    ("fixedTime", 0.0, "the driver measures each interval"),
    ("truncateCarry", 0.0, "the driver keeps what is left of a count"),
    ("clockOnAnyReport", 0.0, "the driver takes the time between movements"),
    ("lpNorm", 2.0, "the driver's distance is the usual one, with 2"),
    ("domainX", 1.0, "the driver weighs both axes alike"),
    ("domainY", 1.0, "the driver weighs both axes alike"),
    ("rangeX", 1.0, "the driver weighs both axes alike"),
    ("rangeY", 1.0, "the driver weighs both axes alike"),
    ("inputSmoothHalfLife", 0.0, "the driver does not smooth over time"),
    ("scaleSmoothHalfLife", 0.0, "the driver does not smooth over time"),
    ("outputSmoothHalfLife", 0.0, "the driver does not smooth over time"),
];

/// Keys of the same fork that say something about the curve.
const FORKED: [&str; 4] = ["inputOffset", "legacyCap", "lutVelocity", "byComponent"];

/// Its vertical curve, in force with `byComponent` alone.
const VERTICAL: [&str; 11] = [
    "accelModeY",
    "accelY",
    "exponentY",
    "midpointY",
    "motivityY",
    "useSmoothingY",
    "inputOffsetY",
    "legacyCapY",
    "lutVelocityY",
    "LUT_size_y",
    "LUT_data_y",
];

/// Whether a text has a line that no other of the files has.
pub fn is_it(text: &str) -> bool {
    text.lines().any(|line| {
        let key = line.split('=').next().unwrap_or_default().trim();
        let header = line.trim_start().strip_prefix("#define").map(str::trim_start);
        line.contains('=') && key.eq_ignore_ascii_case("accelMode")
            || header.is_some_and(|rest| rest.starts_with("ACCELERATION_MODE"))
    })
}

/// A value and its line.
#[derive(Clone, Copy)]
struct Entry<'a> {
    key: &'a str,
    text: &'a str,
    line: usize,
}

/// The keys of a file.
pub(super) struct File<'a>(Vec<Entry<'a>>);

impl<'a> File<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ReadError> {
        let mut file = File(Vec::new());
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            if line.starts_with("#define") || line.starts_with("//") {
                return Err(ReadError::Header(number));
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = line.split_once('=').ok_or(ReadError::Line(number))?;
            let (key, text) = (key.trim(), text.trim());
            if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(ReadError::Line(number));
            }
            if file.has(key) {
                return Err(ReadError::Repeated { line: number, key: key.to_owned() });
            }
            file.0.push(Entry { key, text, line: number });
        }
        Ok(file)
    }

    fn find(&self, key: &str) -> Option<Entry<'a>> {
        self.0.iter().copied().find(|entry| entry.key.eq_ignore_ascii_case(key))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.find(key).map(|entry| entry.text)
    }

    /// A finite number, or `absent`.
    pub(super) fn number(&self, key: &str, absent: f64) -> Result<f64, ReadError> {
        let Some(entry) = self.find(key) else { return Ok(absent) };
        let number = entry.text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| self.wrong(key, "a number"))
    }

    /// A number that must be there.
    pub(super) fn needed(&self, key: &'static str) -> Result<f64, ReadError> {
        if !self.has(key) {
            return Err(ReadError::Missing(key));
        }
        self.number(key, 0.0)
    }

    /// Yes or no.
    pub(super) fn switch(&self, key: &str) -> Result<bool, ReadError> {
        match self.text(key) {
            None | Some("0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(_) => Err(self.wrong(key, "0 or 1")),
        }
    }

    /// The error of a value that is there.
    pub(super) fn wrong(&self, key: &str, wanted: &'static str) -> ReadError {
        let (text, line) = self.find(key).map_or(("", 0), |entry| (entry.text, entry.line));
        let mut text = text.to_owned();
        if text.chars().count() > 40 {
            text = text.chars().take(37).collect::<String>() + "...";
        }
        ReadError::Value { line, key: key.to_owned(), text, wanted }
    }

    /// Notes for keys that the driver has nothing for, unless they say nothing.
    pub(super) fn neutral_or_lost(&self) -> Result<Vec<String>, ReadError> {
        let mut notes = Vec::new();
        for (key, neutral, why) in LACKED {
            let value = self.number(key, neutral)?;
            if value != neutral {
                notes.push(format!("{key}={value}: {why}"));
            }
        }
        if self.switch("byComponent")? {
            notes.push(
                "byComponent: the driver takes the speed of the whole movement; the horizontal \
                 curve is used for both axes"
                    .to_owned(),
            );
        }
        let listed = |key: &str| {
            let is = |known: &str| known.eq_ignore_ascii_case(key);
            KNOWN.into_iter().chain(FORKED).chain(VERTICAL).any(is)
                || LACKED.iter().any(|lacked| is(lacked.0))
        };
        let strangers = self.0.iter().filter(|entry| !listed(entry.key));
        notes.extend(strangers.map(|e| format!("line {}: {}: not known, left out", e.line, e.key)));
        Ok(notes)
    }
}
