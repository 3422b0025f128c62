// SPDX-License-Identifier: MIT OR Apache-2.0
//! A screen as SVG, for documents.

use std::fmt::Write;

/// Size of a character, pixels.
const CELL: (u16, u16) = (9, 19);
const MARGIN: u16 = 12;
const GROUND: &str = "#1b1f24";

/// The colours of a terminal, as far as our programs use them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// That of plain text.
    #[default]
    Ink,
    /// 31
    Red,
    /// 32
    Green,
    /// 33
    Yellow,
    /// 34
    Blue,
    /// 35
    Magenta,
    /// 36
    Cyan,
    /// 37
    White,
}

impl Colour {
    const fn hex(self) -> &'static str {
        match self {
            Self::Ink => "#d8dee6",
            Self::Red => "#f47067",
            Self::Green => "#6bc46d",
            Self::Yellow => "#daaa3f",
            Self::Blue => "#6cb6ff",
            Self::Magenta => "#dcbdfb",
            Self::Cyan => "#56d4dd",
            Self::White => "#ffffff",
        }
    }
}

/// How characters look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Their colour.
    pub colour: Colour,
    /// Thick.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// In the colour of the ground on their own.
    pub reversed: bool,
}

/// Characters of one look beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where they begin.
    pub column: u16,
    /// Their line.
    pub row: u16,
    /// The characters, one column each.
    pub text: String,
    /// Their look.
    pub style: Style,
}

/// Draws a screen of so many columns and rows.
pub fn svg(columns: u16, rows: u16, runs: &[Run]) -> String {
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"'JetBrains Mono','DejaVu Sans Mono',monospace\" font-size=\"15\" \
         xml:space=\"preserve\">\n"
    );
    runs.iter().for_each(|run| draw(&mut text, run));
    text.push_str("</g>\n</svg>\n");
    text
}

fn draw(text: &mut String, run: &Run) {
    let style = run.style;
    if run.text.trim().is_empty() && !style.reversed {
        return;
    }
    let (x, y) = (MARGIN + run.column * CELL.0, MARGIN + run.row * CELL.1);
    let width = run.text.chars().count() * usize::from(CELL.0);
    let colour = style.colour.hex();
    // Writing to a string cannot fail.
    if style.reversed {
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{colour}\"/>",
            CELL.1
        );
    }
    let fill = if style.reversed { GROUND } else { colour };
    let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
    let faint = if style.dim { " opacity=\"0.6\"" } else { "" };
    let escaped = run.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        text,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" fill=\"{fill}\"{weight}{faint}>{escaped}</text>",
        y + 14
    );
}

/// What a program printed for a terminal, with its colours, from a column on.
pub fn printed(text: &str, column: u16) -> Vec<Run> {
    let mut runs = Vec::new();
    for (row, line) in (0..).zip(text.lines()) {
        let (mut at, mut style) = (column, Style::default());
        for (place, part) in line.split("\x1b[").enumerate() {
            let shown = match part.split_once('m').filter(|_| place > 0) {
                Some((codes, shown)) => {
                    style = codes.split(';').fold(style, changed);
                    shown
                }
                None => part,
            };
            let columns = u16::try_from(shown.chars().count()).unwrap_or(0);
            if columns > 0 {
                runs.push(Run { column: at, row, text: shown.to_owned(), style });
            }
            at += columns;
        }
    }
    runs
}

/// The size of what a program printed: columns, rows.
pub fn size(text: &str) -> (u16, u16) {
    let end = |run: &Run| run.column + u16::try_from(run.text.chars().count()).unwrap_or(0);
    let columns = printed(text, 0).iter().map(end).max().unwrap_or(0);
    (columns, u16::try_from(text.lines().count()).unwrap_or(0))
}

/// A style after one code of SGR (ECMA-48, 8.3.117).
fn changed(style: Style, code: &str) -> Style {
    match code {
        "0" | "" => Style::default(),
        "1" => Style { bold: true, ..style },
        "2" => Style { dim: true, ..style },
        "7" => Style { reversed: true, ..style },
        "31" => Style { colour: Colour::Red, ..style },
        "32" => Style { colour: Colour::Green, ..style },
        "33" => Style { colour: Colour::Yellow, ..style },
        "34" => Style { colour: Colour::Blue, ..style },
        "35" => Style { colour: Colour::Magenta, ..style },
        "36" => Style { colour: Colour::Cyan, ..style },
        "37" => Style { colour: Colour::White, ..style },
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_a_program_are_read_and_take_no_columns() {
        let text = "\x1b[1mVespera\x1b[0m \x1b[1;32mhealthy\x1b[0m\n  plain\n";
        assert_eq!(size(text), (15, 2));
        let runs = printed(text, 10);
        let green = Style { colour: Colour::Green, bold: true, ..Style::default() };
        assert_eq!(runs[2], Run { column: 18, row: 0, text: "healthy".to_owned(), style: green });
        assert_eq!((runs[3].column, runs[3].row, runs[3].style), (10, 1, Style::default()));
    }

    #[test]
    fn text_is_escaped_and_reversed_text_has_a_ground() {
        let style = Style { reversed: true, ..Style::default() };
        let run = Run { column: 0, row: 0, text: "a<b".to_owned(), style };
        let picture = svg(3, 1, &[run]);
        assert!(picture.contains(">a&lt;b</text>") && picture.contains("<rect x=\"12\""));
        assert!(picture.starts_with("<svg ") && picture.contains("width=\"51\" height=\"43\""));
    }
}
