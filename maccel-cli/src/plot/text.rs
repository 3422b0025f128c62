// SPDX-License-Identifier: MIT OR Apache-2.0
//! Curves as text, drawn with the dots of Braille characters.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout};

use crate::plot::graph::Graph;
use crate::plot::line::{Line, Quantity};

/// The size where a terminal gives none.
const USUAL: (u16, u16) = (80, 24);

/// Rows from which on there is room for a second graph.
const TALL: u16 = 32;

/// Columns and rows to draw on.
pub(crate) fn size() -> (u16, u16) {
    let (columns, rows) = ratatui::crossterm::terminal::size().unwrap_or(USUAL);
    (columns.clamp(40, 160), rows.saturating_sub(2).clamp(12, 60))
}

/// Draws sensitivity, and gain where there is room for it.
pub(crate) fn draw(lines: &[Line], (columns, rows): (u16, u16)) -> String {
    let quantities: &[Quantity] = if rows >= TALL {
        &[Quantity::Sensitivity, Quantity::Gain]
    } else {
        &[Quantity::Sensitivity]
    };
    let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
    let Ok(_) = terminal.draw(|frame| {
        let rooms =
            Layout::vertical(quantities.iter().map(|_| Constraint::Fill(1))).split(frame.area());
        for (quantity, room) in quantities.iter().zip(rooms.iter()) {
            Graph::new(lines, *quantity).render(frame, *room);
        }
    });
    let buffer = terminal.backend().buffer();
    let row = |y: u16| -> String { (0..columns).map(|x| buffer[(x, y)].symbol()).collect() };
    (0..rows).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use maccel_core::settings::{Mode, Settings};

    use super::*;

    #[test]
    fn a_curve_is_drawn_between_its_axes() {
        let mut settings = Settings::default();
        settings.set_mode(Mode::Synchronous).unwrap();
        let line = Line::sampled("synchronous", &settings, 40.0);
        insta::assert_snapshot!(draw(&[line], (60, 14)), @r"
        1.62│Sensitivity                    ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
            │          ⣀⡤⠖⠒⠋⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠁
            │        ⢀⡜⠁
            │       ⢠⠎
            │      ⢀⠏
            │     ⢀⠏
        0.81│  ⢀⣀⡴⠋
            │⠉⠉⠉
            │
            │
            │
        0.00│                                              counts/ms
            └───────────────────────────────────────────────────────
         0.00                         20.00                    40.00
        ");
    }
}
