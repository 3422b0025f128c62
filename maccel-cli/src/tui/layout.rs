// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where everything lies on the screen: for drawing, and for finding what the mouse is on.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::plot::graph::Graph;
use crate::plot::line::{Line, Quantity};
use crate::tui::state::{SCREENS, State};

/// Below this the graph is left out.
const GRAPH: (u16, u16) = (56, 14);
/// Below this nothing can be shown.
pub(crate) const LEAST: (u16, u16) = (24, 8);

/// The rooms of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rooms {
    /// The names of the screens.
    pub(crate) tabs: Rect,
    /// The parameters.
    pub(crate) list: Rect,
    /// The curve, where there is room for it.
    pub(crate) graph: Option<Rect>,
    /// What the selected parameter means, or what was said.
    pub(crate) words: Rect,
    /// The keys.
    pub(crate) keys: Rect,
}

/// What the mouse is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spot {
    /// The name of a screen.
    Screen(usize),
    /// A row of the list.
    Row(usize),
    /// A place in the graph: speed in counts/ms, and sensitivity.
    Graph(f64, f64),
}

/// Divides the screen.
pub(crate) fn rooms(size: (u16, u16)) -> Rooms {
    let area = Rect::new(0, 0, size.0, size.1);
    let [tabs, middle, words, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    if size.0 < GRAPH.0 || size.1 < GRAPH.1 {
        return Rooms { tabs, list: middle, graph: None, words, keys };
    }
    let [list, graph] =
        Layout::horizontal([Constraint::Length((size.0 / 4).clamp(27, 34)), Constraint::Fill(1)])
            .areas(middle);
    Rooms { tabs, list, graph: Some(graph), words, keys }
}

/// The lines of the graph: the curve, and the one before where it is shown.
pub(crate) fn lines(state: &State) -> Vec<Line> {
    let fastest = fastest(state);
    let mut lines = vec![Line::sampled("now", &state.shown(), fastest)];
    if state.overlay {
        lines.push(Line::sampled("before", &state.before, fastest));
    }
    lines
}

/// How far the graph reaches: as in the public interface, or as far as the points go.
fn fastest(state: &State) -> f64 {
    let last = state.points.last().map_or(0.0, |point| point.0);
    if state.mode() == maccel_core::settings::Mode::Lut { (last * 1.1).max(64.0) } else { 128.0 }
}

/// The word of a screen in the line above.
pub(crate) const fn tab(screen: usize) -> &'static str {
    match screen {
        0 => "Linear",
        1 => "Natural",
        2 => "Synchronous",
        3 => "No accel",
        _ => "Curve",
    }
}

/// The first row of the list that is shown, so that the selected one is.
pub(crate) fn scrolled(state: &State, height: u16) -> usize {
    let height = usize::from(height.max(1));
    (state.selected + 1).saturating_sub(height)
}

/// What lies at a place of the screen.
pub(crate) fn spot(state: &State, column: u16, row: u16) -> Option<Spot> {
    let rooms = rooms(state.size);
    let at = ratatui::layout::Position::new(column, row);
    if rooms.tabs.contains(at) {
        let mut start = 1;
        for screen in 0..SCREENS.len() {
            let end = start + u16::try_from(tab(screen).len()).unwrap_or(0) + 2;
            if (start..end).contains(&column) {
                return Some(Spot::Screen(screen));
            }
            start = end + 1;
        }
        return None;
    }
    let inside = inner(rooms.list);
    if inside.contains(at) {
        let row = scrolled(state, inside.height) + usize::from(row - inside.y);
        return Some(Spot::Row(row));
    }
    let graph = rooms.graph.map(inner)?;
    let lines = lines(state);
    let drawn = Graph::new(&lines, Quantity::Sensitivity);
    let plot = drawn.plot_area(graph);
    if !plot.contains(at) {
        return None;
    }
    let (x, y) = drawn.bounds();
    let way = |from: u16, size: u16, at: u16| (f64::from(at - from) + 0.5) / f64::from(size.max(1));
    let speed = x[0] + (x[1] - x[0]) * way(plot.x, plot.width, column);
    let high = y[1] - (y[1] - y[0]) * way(plot.y, plot.height, row);
    let scale = state.settings.get("SENS_MULT").unwrap_or(1.0);
    Some(Spot::Graph(speed, high / scale))
}

/// What a frame around leaves.
pub(crate) fn inner(area: Rect) -> Rect {
    Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(2))
}
