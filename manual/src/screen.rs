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
         <g font-family=\"'JetBrains Mono','DejaVu Sans Mono',monospace\" font-size=\"15\">\n"
    );
    runs.iter().for_each(|run| draw(&mut text, run));
    text.push_str("</g>\n</svg>\n");
    text
}

fn draw(text: &mut String, run: &Run) {
    let style = run.style;
    let (x, y) = (MARGIN + run.column * CELL.0, MARGIN + run.row * CELL.1);
    let colour = style.colour.hex();
    // Writing to a string cannot fail.
    if style.reversed {
        let width = width(&run.text);
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{colour}\"/>",
            CELL.1
        );
    }
    let fill = if style.reversed { GROUND } else { colour };
    let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
    let faint = if style.dim { " opacity=\"0.6\"" } else { "" };
    for (before, word) in words(&run.text) {
        let (x, width) = (usize::from(x) + before * usize::from(CELL.0), width(word));
        let escaped = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"{fill}\"{weight}{faint}>{escaped}</text>",
            y + 14
        );
    }
    let mut frame = String::new();
    let mut dots = String::new();
    for (cell, symbol) in (run.column..).zip(run.text.chars()) {
        let corner = (MARGIN + cell * CELL.0, y);
        if let Some(arms) = arms(symbol) {
            frame.push_str(&frame_part(corner, arms));
        } else if let Some(pattern) = braille(symbol) {
            dots.push_str(&dot_part(corner, pattern));
        }
    }
    if !frame.is_empty() {
        let _ = writeln!(text, "<path d=\"{frame}\" stroke=\"{fill}\"{faint}/>");
    }
    if !dots.is_empty() {
        let _ = writeln!(text, "<path d=\"{dots}\" fill=\"{fill}\"{faint}/>");
    }
}

/// Which ways a line of a frame goes from the middle of its character: left, right, up, down.
/// Frames and dots are drawn, not written: fonts have them in all widths, or not at all.
fn arms(symbol: char) -> Option<[bool; 4]> {
    let arms = match symbol {
        '─' => "lr",
        '│' => "ud",
        '┌' => "rd",
        '┐' => "ld",
        '└' => "ru",
        '┘' => "lu",
        _ => return None,
    };
    Some(['l', 'r', 'u', 'd'].map(|way| arms.contains(way)))
}

fn frame_part((x, y): (u16, u16), arms: [bool; 4]) -> String {
    let (middle_x, middle_y) = (f32::from(x) + 4.5, f32::from(y) + 9.5);
    let ends = [
        (f32::from(x), middle_y),
        (f32::from(x + CELL.0), middle_y),
        (middle_x, f32::from(y)),
        (middle_x, f32::from(y + CELL.1)),
    ];
    let line = |(end, _): ((f32, f32), bool)| format!("M{middle_x} {middle_y}L{} {}", end.0, end.1);
    ends.into_iter().zip(arms).filter(|(_, drawn)| *drawn).map(line).collect()
}

/// The dots of a braille character: bit 0 is the upper left one.
fn braille(symbol: char) -> Option<u32> {
    ('\u{2800}'..='\u{28ff}').contains(&symbol).then(|| u32::from(symbol) - 0x2800)
}

/// Column and row of each bit's dot.
const DOTS: [(u16, u16); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];

fn dot_part((x, y): (u16, u16), pattern: u32) -> String {
    let dots = DOTS.iter().enumerate().filter(|(bit, _)| pattern & (1 << bit) != 0);
    dots.map(|(_, (column, row))| {
        let (left, top) = (f32::from(x) + 1.25, f32::from(y) + 1.4);
        let (left, top) = (left + f32::from(*column) * 4.5, top + f32::from(*row) * 4.75);
        format!("M{left} {top}h2v2h-2z")
    })
    .collect()
}

/// The words of a run, each with the number of characters before it. Each is put where it
/// belongs, so that the columns hold in a font of another width, too.
fn words(run: &str) -> Vec<(usize, &str)> {
    let drawn = |symbol| symbol == ' ' || arms(symbol).is_some() || braille(symbol).is_some();
    let mut words = Vec::new();
    let mut before = 0;
    for word in run.split(drawn) {
        if !word.is_empty() {
            words.push((before, word));
        }
        before += word.chars().count() + 1;
    }
    words
}

/// The width of a text, pixels.
fn width(text: &str) -> usize {
    text.chars().count() * usize::from(CELL.0)
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

    #[test]
    fn frames_and_dots_are_drawn_where_their_characters_are() {
        assert_eq!(frame_part((9, 19), arms('┐').unwrap()), "M13.5 28.5L9 28.5M13.5 28.5L13.5 38");
        assert_eq!(dot_part((0, 0), braille('⢁').unwrap()), "M1.25 1.4h2v2h-2zM5.75 15.65h2v2h-2z");
        assert_eq!((arms('x'), braille('x'), arms(' ')), (None, None, None));
    }

    #[test]
    fn every_word_has_its_place_and_its_width_in_a_font_of_any_width() {
        assert_eq!(words("  Limit   2.4 "), [(2, "Limit"), (10, "2.4")]);
        assert_eq!(words("│Limit─┐ ⠁x"), [(1, "Limit"), (10, "x")]);
        assert!(words("   ").is_empty());
        let text = " a <b".to_owned();
        let run = Run { column: 3, row: 0, text, style: Style::default() };
        let picture = svg(8, 1, &[run]);
        for (x, width, word) in [(48, 9, "a"), (66, 18, "&lt;b")] {
            let place = format!(
                "<text x=\"{x}\" y=\"26\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\""
            );
            let line = picture.lines().find(|line| line.starts_with(&place)).unwrap();
            assert!(line.ends_with(&format!(">{word}</text>")), "{line}");
        }
    }
}
