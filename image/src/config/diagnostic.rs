// SPDX-License-Identifier: MIT OR Apache-2.0
//! Violations with file, line, column, the line itself and a caret.

use std::fmt;

use serde::Serialize;
use serde_saphyr::{Error, Location};

use super::file::ConfigFile;

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Line, from 1; 0 when the place is not known.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// Key path of the value, as `base.gpu_variant`, where there is one.
    pub key: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
    /// The line of the file.
    #[serde(skip)]
    source_line: String,
    /// Width of what the caret underlines.
    #[serde(skip)]
    width: usize,
}

/// A configuration with at least one violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Invalid {
    /// Name of the file.
    pub file: String,
    /// All violations, in the order of the file.
    pub violations: Vec<Diagnostic>,
}

impl Invalid {
    pub(super) fn unreadable(file: &str, reason: &str) -> Self {
        let violation = Diagnostic {
            line: 0,
            column: 0,
            key: None,
            message: format!("cannot be read: {reason}"),
            source_line: String::new(),
            width: 0,
        };
        Self { file: file.to_owned(), violations: vec![violation] }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let message = &violation.message;
            if violation.line == 0 {
                write!(f, "{}: error: {message}", self.file)?;
                continue;
            }
            let (line, column) = (violation.line, violation.column);
            let key = violation.key.as_deref().map_or(String::new(), |key| format!("{key}: "));
            let gutter = " ".repeat(line.to_string().len());
            let indent: String = violation
                .source_line
                .chars()
                .take(usize::try_from(column).unwrap_or(1).saturating_sub(1))
                // A tab stays a tab, so that the caret stands under its character.
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(f, "{}:{line}:{column}: error: {key}{message}", self.file)?;
            writeln!(f, " {gutter} |")?;
            writeln!(f, " {line} | {}", violation.source_line)?;
            write!(f, " {gutter} | {indent}{}", "^".repeat(violation.width.max(1)))?;
        }
        Ok(())
    }
}

/// Parses strictly and applies the rules.
///
/// The reader stops at a wrong shape (an unknown key, a list where a word belongs). So that all
/// violations come at once, the entry is blanked and the rest read again, until nothing but wrong
/// values is left, or the text is no YAML.
pub(super) fn read(name: &str, text: &str) -> Result<ConfigFile, Invalid> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    // A file of comments only is a configuration of defaults.
    let empty = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    if empty {
        return Ok(ConfigFile::default());
    }
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut lines: Vec<&str> = text.lines().collect();
    loop {
        let rest = lines.join("\n");
        let error =
            match serde_saphyr::from_str_with_options_valid::<ConfigFile>(&rest, options.clone()) {
                Ok(file) if found.is_empty() => return Ok(file),
                Ok(_) => break,
                Err(error) => error,
            };
        // The lines are those of the text, whatever has been blanked.
        found.extend(violations(&error, text));
        match wrong_shape(&error) {
            Some(line) if blank(&mut lines, line) => {}
            _ => break,
        }
    }
    found.sort_by_key(|violation| (violation.line, violation.column));
    Err(Invalid { file: name.to_owned(), violations: found })
}

/// The line, from 0, of an entry that is YAML but not of this configuration.
fn wrong_shape(error: &Error) -> Option<usize> {
    let error = error.without_snippet();
    let readable = matches!(
        error,
        Error::SerdeUnknownField { .. }
            | Error::SerdeInvalidType { .. }
            | Error::SerdeInvalidValue { .. }
            | Error::InvalidBooleanStrict { .. }
            | Error::DuplicateMappingKey { .. }
            | Error::InvalidScalar { .. }
            | Error::NullIntoString { .. }
            | Error::Unexpected { .. }
    );
    let line = error.location().filter(|_| readable)?.line();
    usize::try_from(line).ok()?.checked_sub(1)
}

/// Blanks an entry: its line and those below that are further in. A key above that is left without
/// anything goes too: it would be the next wrong shape. Returns whether anything was there.
fn blank(lines: &mut [&str], first: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if lines.get(first).is_none_or(|line| empty(line)) {
        return false;
    }
    let depth = indent(lines[first]);
    let after = (first + 1..lines.len())
        .find(|&at| !empty(lines[at]) && indent(lines[at]) <= depth)
        .unwrap_or(lines.len());
    lines[first..after].fill("");
    let Some(above) = (0..first).rfind(|&at| !empty(lines[at])) else { return true };
    let alone = lines.get(after).is_none_or(|next| indent(next) <= indent(lines[above]));
    if alone && indent(lines[above]) < depth && lines[above].trim_end().ends_with(':') {
        lines[above] = "";
    }
    true
}

fn violations(error: &Error, text: &str) -> Vec<Diagnostic> {
    match error {
        Error::ValidationError { issues, locations, .. } => issues
            .iter()
            .map(|issue| {
                let key =
                    issue.path.segments().map(|(_, segment)| segment).collect::<Vec<_>>().join(".");
                let message = issue.message.clone().unwrap_or_else(|| issue.code.clone());
                // A key that is missing has no place of its own; what holds it stands for it.
                let location = locations
                    .locations_for(&issue.path)
                    .map_or(Location::UNKNOWN, |found| found.reference_location);
                place(location, Some(key), message, text)
            })
            .collect(),
        Error::ValidationErrors { errors, .. } => {
            errors.iter().flat_map(|error| violations(error, text)).collect()
        }
        other => {
            let other = other.without_snippet();
            let location = other.location().unwrap_or(Location::UNKNOWN);
            vec![place(location, None, shape_message(other), text)]
        }
    }
}

/// The parser's own words without its place, which stands before the message already.
fn shape_message(error: &Error) -> String {
    match error {
        Error::InvalidBooleanStrict { .. } => {
            "not a truth value; allowed: true, false (`yes`, `on` and the like are not)".to_owned()
        }
        other => {
            let text = other.render();
            let first = text.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            match first.rfind(" at line ") {
                Some(end) => first[..end].to_owned(),
                None => first.to_owned(),
            }
        }
    }
}

fn place(location: Location, key: Option<String>, message: String, text: &str) -> Diagnostic {
    let (line, column) = (location.line(), location.column());
    let source_line = usize::try_from(line)
        .ok()
        .and_then(|line| text.lines().nth(line.checked_sub(1)?))
        .unwrap_or_default()
        .to_owned();
    let rest = source_line
        .chars()
        .count()
        .saturating_sub(usize::try_from(column).unwrap_or(1).saturating_sub(1));
    // A span over several lines is underlined up to the end of its first one.
    let width = usize::try_from(location.span().len()).unwrap_or(1).clamp(1, rest.max(1));
    // An optional value adds a segment without a name.
    let key = key.map(|key| key.trim_end_matches('.').to_owned()).filter(|key| !key.is_empty());
    Diagnostic { line, column, key, message, source_line, width }
}
