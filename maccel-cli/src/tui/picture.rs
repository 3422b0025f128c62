// SPDX-License-Identifier: MIT OR Apache-2.0
//! A screen as SVG, for documents.

use std::fmt::Write;

use maccel_core::settings::{Mode, Settings};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use crate::tui::state::State;
use crate::tui::view::view;

/// Size of a character, pixels.
const CELL: (u16, u16) = (9, 19);
const MARGIN: u16 = 12;
const GROUND: &str = "#1b1f24";
const INK: &str = "#d8dee6";

/// The picture of the README: a natural curve, the mouse in motion, what was before.
pub(crate) fn example() -> anyhow::Result<String> {
    let mut settings = Settings::default();
    settings.set_mode(Mode::Natural)?;
    let mut state = State::new(settings.clone(), Vec::new(), true);
    for (name, value) in
        [("DECAY_RATE", 0.06), ("OFFSET", 5.0), ("LIMIT", 2.4), ("INPUT_DPI", 1600.0)]
    {
        settings.set(name, value)?;
    }
    state.settings = settings;
    state.overlay = true;
    state.selected = 7;
    state.speed = 37.5;
    state.size = (96, 27);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(state.size.0, state.size.1));
    let Ok(_) = terminal.draw(|frame| view(&state, frame));
    Ok(svg(terminal.backend().buffer()))
}

/// Draws what is on a screen.
pub(crate) fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (area.width * CELL.0 + 2 * MARGIN, area.height * CELL.1 + 2 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"'JetBrains Mono','DejaVu Sans Mono',monospace\" font-size=\"15\" \
         xml:space=\"preserve\">\n"
    );
    for row in 0..area.height {
        let mut column = 0;
        while column < area.width {
            let first = &buffer[(column, row)];
            let mut run = String::new();
            let start = column;
            while column < area.width {
                let cell = &buffer[(column, row)];
                if (cell.fg, cell.modifier) != (first.fg, first.modifier) {
                    break;
                }
                run.push_str(cell.symbol());
                column += 1;
            }
            write_run(&mut text, start, row, &run, first.fg, first.modifier);
        }
    }
    text.push_str("</g>\n</svg>\n");
    text
}

fn write_run(text: &mut String, column: u16, row: u16, run: &str, fg: Color, modifier: Modifier) {
    let reversed = modifier.contains(Modifier::REVERSED);
    if run.trim().is_empty() && !reversed {
        return;
    }
    let (x, y) = (MARGIN + column * CELL.0, MARGIN + row * CELL.1);
    let columns = run.chars().count();
    let width = columns * usize::from(CELL.0);
    let colour = hex(fg);
    // Writing to a string cannot fail.
    if reversed {
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{colour}\"/>",
            CELL.1
        );
    }
    let fill = if reversed { GROUND } else { colour };
    let weight = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let faint = if modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let escaped = run.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        text,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" fill=\"{fill}\"{weight}{faint}>{escaped}</text>",
        y + 14
    );
}

fn hex(colour: Color) -> &'static str {
    match colour {
        Color::Red => "#f47067",
        Color::Green => "#6bc46d",
        Color::Yellow => "#daaa3f",
        Color::Blue => "#6cb6ff",
        Color::Magenta => "#dcbdfb",
        Color::Cyan => "#56d4dd",
        Color::White => "#ffffff",
        _ => INK,
    }
}
