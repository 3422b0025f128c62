// SPDX-License-Identifier: MIT OR Apache-2.0
//! A screen as SVG, for documents.

use maccel_core::settings::{Mode, Settings};
use manual::screen::{self, Colour, Run, Style};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use crate::tui::state::State;
use crate::tui::view::view;

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
fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut runs = Vec::new();
    for row in 0..area.height {
        let mut column = 0;
        while column < area.width {
            let first = &buffer[(column, row)];
            let mut run =
                Run { column, row, text: String::new(), style: style(first.fg, first.modifier) };
            while column < area.width {
                let cell = &buffer[(column, row)];
                if (cell.fg, cell.modifier) != (first.fg, first.modifier) {
                    break;
                }
                run.text.push_str(cell.symbol());
                column += 1;
            }
            runs.push(run);
        }
    }
    screen::svg(area.width, area.height, &runs)
}

fn style(colour: Color, modifier: Modifier) -> Style {
    Style {
        colour: match colour {
            Color::Red => Colour::Red,
            Color::Green => Colour::Green,
            Color::Yellow => Colour::Yellow,
            Color::Blue => Colour::Blue,
            Color::Magenta => Colour::Magenta,
            Color::Cyan => Colour::Cyan,
            Color::White => Colour::White,
            _ => Colour::Ink,
        },
        bold: modifier.contains(Modifier::BOLD),
        dim: modifier.contains(Modifier::DIM),
        reversed: modifier.contains(Modifier::REVERSED),
    }
}
