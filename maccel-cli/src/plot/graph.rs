// SPDX-License-Identifier: MIT OR Apache-2.0
//! Curves between axes on a terminal: of `plot --text` and of the terminal interface.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::Line as Words;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LegendPosition};

use crate::plot::line::{Line, Quantity, reach};

/// Colours of lines, of the eight that every terminal has.
const COLOURS: [Color; 6] =
    [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::White];

/// Curves, and what is marked on them.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    lines: &'a [Line],
    quantity: Quantity,
    /// Points with a mark of their own: the live speed, the points of a drawn curve.
    marks: Vec<Mark>,
    colours: bool,
    block: Option<Block<'a>>,
    legend: bool,
}

/// Points that are marked.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    /// Where, in the units of the axes.
    pub(crate) points: Vec<(f64, f64)>,
    /// Its colour.
    pub(crate) colour: Color,
    /// Its character.
    pub(crate) marker: Marker,
}

/// What is drawn for one axis of a line.
struct Drawn {
    name: String,
    points: Vec<(f64, f64)>,
    colour: Color,
}

impl<'a> Graph<'a> {
    /// A graph of one quantity.
    pub(crate) fn new(lines: &'a [Line], quantity: Quantity) -> Self {
        Graph {
            lines,
            quantity,
            marks: Vec::new(),
            colours: true,
            block: None,
            legend: lines.len() > 1 || lines.iter().any(|line| line.yx != 1.0),
        }
    }

    /// Adds marked points.
    pub(crate) fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    /// Draws without colours.
    pub(crate) fn colours(mut self, colours: bool) -> Self {
        self.colours = colours;
        self
    }

    /// Draws a frame around.
    pub(crate) fn block(mut self, block: Block<'a>) -> Self {
        self.block = Some(block);
        self
    }

    /// The bounds of both axes.
    pub(crate) fn bounds(&self) -> ([f64; 2], [f64; 2]) {
        let (low, high) = reach(self.lines, self.quantity);
        let fastest = self
            .lines
            .iter()
            .filter_map(|line| line.x(self.quantity).last().map(|point| point.0))
            .fold(1.0, f64::max);
        ([0.0, fastest], [low, high])
    }

    /// Where in a room (inside any frame) the lines are drawn: what the labels leave.
    pub(crate) fn plot_area(&self, room: Rect) -> Rect {
        let (x, y) = self.bounds();
        let width = |value: f64, bounds: [f64; 2]| label(value, bounds).len();
        let of_y = y.iter().map(|value| width(*value, y)).max().unwrap_or(0);
        let left = u16::try_from(of_y.max(width(x[0], x) - 1)).unwrap_or(0).min(room.width / 3) + 1;
        Rect::new(
            room.x + left,
            room.y,
            room.width.saturating_sub(left),
            room.height.saturating_sub(2),
        )
    }

    /// Draws it.
    pub(crate) fn render(&self, frame: &mut Frame<'_>, area: Rect) {
        let (x, y) = self.bounds();
        let style = |colour| {
            if self.colours { Style::new().fg(colour) } else { Style::new() }
        };
        let mut drawn: Vec<Drawn> = Vec::new();
        for (i, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let name = |axis: &str| {
                let name: String = line.name.chars().take(28).collect();
                if line.yx == 1.0 { name } else { format!("{name} {axis}").trim().to_owned() }
            };
            drawn.push(Drawn { name: name("X"), points: line.x(self.quantity), colour });
            if let Some(points) = line.y(self.quantity) {
                let colour = COLOURS[(i + 1) % COLOURS.len()];
                drawn.push(Drawn { name: name("Y"), points, colour });
            }
        }
        let named = drawn.iter().filter(|_| self.legend);
        let named =
            named.map(|line| Dataset::default().style(style(line.colour)).name(line.name.as_str()));
        // A cell has the colour of what was drawn last: that is the first line where two meet.
        let lines = drawn.iter().rev().map(|line| {
            Dataset::default()
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(style(line.colour))
                .data(&line.points)
        });
        let mut sets: Vec<Dataset<'_>> = named.chain(lines).collect();
        sets.extend(self.marks.iter().map(|mark| {
            Dataset::default()
                .marker(mark.marker)
                .graph_type(GraphType::Scatter)
                .style(style(mark.colour))
                .data(&mark.points)
        }));
        let mut chart = Chart::new(sets)
            .x_axis(axis("counts/ms", x))
            .y_axis(axis(self.quantity.title(), y))
            .legend_position(Some(LegendPosition::BottomRight));
        if let Some(block) = &self.block {
            chart = chart.block(block.clone());
        }
        frame.render_widget(chart, area);
    }
}

fn label(value: f64, bounds: [f64; 2]) -> String {
    let digits = if bounds[1] >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$}")
}

fn axis(title: &str, bounds: [f64; 2]) -> Axis<'static> {
    let middle = f64::midpoint(bounds[0], bounds[1]);
    let labels = [bounds[0], middle, bounds[1]].map(|value| Words::from(label(value, bounds)));
    Axis::default().title(title.to_owned()).bounds(bounds).labels(labels)
}
