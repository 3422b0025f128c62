// SPDX-License-Identifier: MIT OR Apache-2.0
//! Marks, colours and lines for people.

use std::env;
use std::io::{self, IsTerminal};

use health::{Check, Severity, State, Status};

/// How much a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink {
    symbols: bool,
    colours: bool,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    None,
    Ok,
    Unknown,
    Warning,
    Error,
}

impl Ink {
    /// For files, pipes and programs.
    pub(crate) const PLAIN: Self = Self { symbols: false, colours: false };

    /// For pictures of a terminal.
    #[cfg(test)]
    pub(crate) const FULL: Self = Self { symbols: true, colours: true };

    /// What stdout can show.
    pub(crate) fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let term = env::var("TERM").unwrap_or_default();
        let no_color = env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
        Self::of(terminal, &term, no_color)
    }

    fn of(terminal: bool, term: &str, no_color: bool) -> Self {
        // The kernel's console has colours, but hardly a glyph beyond its code page.
        Self {
            symbols: terminal && !matches!(term, "dumb" | "linux" | ""),
            colours: terminal && !no_color && term != "dumb",
        }
    }

    /// The mark, four columns wide without symbols and one with them.
    pub(crate) fn mark(self, mark: Mark) -> String {
        let (symbol, word, colour) = match mark {
            Mark::None => (" ", "    ", ""),
            Mark::Ok => ("✓", "ok  ", "32"),
            Mark::Unknown => ("?", "?   ", "2"),
            Mark::Warning => ("!", "warn", "33"),
            Mark::Error => ("✗", "FAIL", "31"),
        };
        self.paint(if self.symbols { symbol } else { word }, colour)
    }

    /// Emphasised text.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(text, "1")
    }

    /// The word of a state, in its colour.
    pub(crate) fn state(self, state: State) -> String {
        let colour = match state {
            State::Healthy => "1;32",
            State::Degraded | State::Unknown => "1;33",
            State::Broken => "1;31",
        };
        self.paint(&state.to_string(), colour)
    }

    /// Begins a screen anew, where there is one.
    pub(crate) fn clear(self) -> &'static str {
        // Home, and erase from there on.
        if self.symbols || self.colours { "\x1b[H\x1b[J" } else { "" }
    }

    fn paint(self, text: &str, colour: &str) -> String {
        if self.colours && !colour.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Mark {
    /// The mark of one finding.
    pub(crate) fn of(check: &Check) -> Self {
        match (check.status, check.severity) {
            (Status::Ok, _) => Self::Ok,
            (Status::Unknown, _) | (Status::Failed, Severity::Info) => Self::Unknown,
            (Status::Failed, Severity::Warning) => Self::Warning,
            (Status::Failed, Severity::Error) => Self::Error,
        }
    }

    /// The worst mark of several findings, remarks left out.
    pub(crate) fn worst<'a>(checks: impl Iterator<Item = &'a Check>) -> Self {
        let remark =
            |check: &&Check| check.status != Status::Ok && check.severity == Severity::Info;
        checks.filter(|check| !remark(check)).map(Self::of).max().unwrap_or(Self::None)
    }
}

/// A finding that stands on its own: what, why, and what mends it.
pub(crate) fn finding(ink: Ink, check: &Check) -> String {
    let indent = if ink.symbols { "  " } else { "     " };
    let mut text =
        format!("{} {} ({})\n", ink.mark(Mark::of(check)), ink.bold(&check.title), check.code);
    if !check.detail.is_empty() {
        text.push_str(&format!("{indent}{}\n", check.detail));
    }
    if let Some(remedy) = &check.remedy {
        text.push_str(&format!("{indent}to mend it: {}\n", ink.bold(remedy)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_colours_are_for_terminals_that_have_them() {
        for (terminal, term, no_color, symbols, colours) in [
            (true, "xterm-256color", false, true, true),
            (true, "xterm-256color", true, true, false),
            (true, "linux", false, false, true),
            (true, "dumb", false, false, false),
            (false, "xterm-256color", false, false, false),
        ] {
            assert_eq!(
                Ink::of(terminal, term, no_color),
                Ink { symbols, colours },
                "{terminal} {term} {no_color}"
            );
        }
    }

    #[test]
    fn marks_are_painted_only_where_colours_are() {
        let full = Ink { symbols: true, colours: true };
        assert_eq!(full.mark(Mark::Error), "\x1b[31m✗\x1b[0m");
        assert_eq!(Ink { symbols: true, colours: false }.mark(Mark::Ok), "✓");
        assert_eq!(Ink::PLAIN.mark(Mark::Warning), "warn");
    }
}
