// SPDX-License-Identifier: MIT OR Apache-2.0
//! The points of a drawn curve, by keyboard and mouse.

use maccel_core::compile;
use maccel_core::settings::Mode;
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::tui::layout::{self, Spot};
use crate::tui::state::{Panel, SCREENS, State, points_of};
use crate::tui::update::{Effect, change, turn};

/// Puts a point somewhere between its neighbours.
pub(super) fn place(state: &mut State, point: usize, speed: f64, factor: f64) {
    let below = point.checked_sub(1).map_or(0.02, |i| state.points[i].0 * 1.01);
    let above = state.points.get(point + 1).map_or(1000.0, |next| next.0 / 1.01);
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    state.points[point] =
        (round(speed.clamp(below, above.max(below))), round(factor.clamp(0.0, 100.0)));
    state.points_changed = true;
}

pub(super) fn shift_point(state: &mut State, by: f64) {
    if let Some(point) = state.point() {
        let (speed, factor) = state.points[point];
        place(state, point, speed * by, factor);
    }
}

pub(super) fn add_point(state: &mut State) {
    let after = state.point().unwrap_or(state.points.len() - 1);
    let (x, y) = state.points[after];
    let new = match state.points.get(after + 1) {
        Some(next) => ((x * next.0).sqrt(), f64::midpoint(y, next.1)),
        None => (x * 1.5, y),
    };
    state.points.insert(after + 1, new);
    state.selected = state.names().len() + after + 1;
    place(state, after + 1, new.0, new.1);
}

pub(super) fn remove_point(state: &mut State) {
    match state.point() {
        Some(point) if state.points.len() > 2 => {
            state.points.remove(point);
            state.points_changed = true;
            state.selected = state.selected.min(state.rows() - 1);
        }
        Some(_) => state.complain("a curve needs two points"),
        None => {}
    }
}

/// Compiles the drawn curve and puts it in force.
pub(super) fn use_points(state: &mut State) -> Vec<Effect> {
    let mut wanted = state.wanted.clone();
    match compile::apply(&state.drawn(), &mut wanted) {
        Ok(error) => {
            state.points_changed = false;
            state.points_sent = true;
            let effects = change(state, &wanted);
            state.points_sent &= !effects.is_empty();
            if let Some(error) = error {
                state.say(format!(
                    "in force; the table is off by at most {:.2} %",
                    error.relative * 100.0
                ));
            }
            effects
        }
        Err(error) => {
            state.complain(error.to_string());
            Vec::new()
        }
    }
}

/// Begins anew with the curve in force where somebody else has changed it: points of the one before
/// would lie over it, and be written as if they were drawn for it. What is being drawn stays.
pub(super) fn begin_anew(state: &mut State) {
    let in_force = state.settings.lut().map(<[f64]>::to_vec);
    if state.points_sent {
        state.points_sent = false;
    } else if !state.points_changed && in_force != state.points_table {
        state.points = points_of(&state.settings);
        state.selected = state.selected.min(state.rows() - 1);
    }
    if !state.points_changed {
        state.points_table = in_force;
    }
}

pub(super) fn moused(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    // What lies over the screen hides what a click would mean, and a value that is being typed is
    // for the row where it was begun.
    if state.edit.is_some() || state.panel != Panel::None {
        return Vec::new();
    }
    match mouse.kind {
        MouseEventKind::ScrollDown => state.selected = (state.selected + 1).min(state.rows() - 1),
        MouseEventKind::ScrollUp => state.selected = state.selected.saturating_sub(1),
        MouseEventKind::Down(MouseButton::Left) => {
            match layout::spot(state, mouse.column, mouse.row) {
                Some(Spot::Screen(screen)) => {
                    let by = (screen + SCREENS.len() - state.screen) % SCREENS.len();
                    return if by == 0 { Vec::new() } else { turn(state, by) };
                }
                Some(Spot::Row(row)) => state.selected = row.min(state.rows() - 1),
                Some(Spot::Graph(speed, _)) if state.mode() == Mode::Lut => {
                    // The nearest point follows the mouse from here on.
                    let nearest = (0..state.points.len()).min_by(|a, b| {
                        let far = |i: usize| (state.points[i].0 - speed).abs();
                        far(*a).total_cmp(&far(*b))
                    });
                    state.selected = state.names().len() + nearest.unwrap_or(0);
                }
                _ => {}
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            if let (Some(Spot::Graph(speed, factor)), Some(point)) =
                (layout::spot(state, mouse.column, mouse.row), state.point())
            {
                place(state, point, speed, factor);
            }
        }
        _ => {}
    }
    Vec::new()
}
