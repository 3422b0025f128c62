// SPDX-License-Identifier: MIT OR Apache-2.0
//! The screen, from the state alone.

use maccel_core::curve;
use maccel_core::parameter;
use maccel_core::settings::Mode;
use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line as Words, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use crate::plot::graph::{Graph, Mark};
use crate::plot::line::Quantity;
use crate::tui::layout::{self, LEAST, Rooms, inner, tab};
use crate::tui::state::{Panel, SCREENS, State, shown};

/// Draws everything.
pub(crate) fn view(state: &State, frame: &mut Frame<'_>) {
    let size = (frame.area().width, frame.area().height);
    if size.0 < LEAST.0 || size.1 < LEAST.1 {
        frame.render_widget(Paragraph::new("too small"), frame.area());
        return;
    }
    let rooms = layout::rooms(size);
    let paint = Paint { colours: state.colours };
    tabs(state, paint, frame, rooms.tabs);
    list(state, paint, frame, rooms.list);
    if let Some(area) = rooms.graph {
        graph(state, paint, frame, area);
    }
    words(state, paint, frame, &rooms);
    panel(state, paint, frame);
}

/// Colours, where they may be used; without them weight and inversion do.
#[derive(Clone, Copy)]
struct Paint {
    colours: bool,
}

impl Paint {
    fn fg(self, colour: Color) -> Style {
        if self.colours { Style::new().fg(colour) } else { Style::new() }
    }

    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn faint(self) -> Style {
        if self.colours { Style::new().add_modifier(Modifier::DIM) } else { Style::new() }
    }
}

fn tabs(state: &State, paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let mut spans = vec![Span::raw(" ")];
    for (screen, mode) in SCREENS.iter().enumerate() {
        let in_force = *mode == state.settings.mode();
        let mut style =
            if in_force { paint.fg(Color::Green).patch(paint.strong()) } else { Style::new() };
        if screen == state.screen {
            style = style.patch(paint.chosen());
        }
        spans.push(Span::styled(format!(" {} ", tab(screen)), style));
        spans.push(Span::raw(" "));
    }
    frame.render_widget(Paragraph::new(Words::from(spans)), area);
    let mut right = match &state.device {
        Some(input) => state
            .devices
            .iter()
            .find(|device| &device.input == input)
            .map_or_else(|| input.clone(), |device| device.name.clone()),
        None => "all mice".to_owned(),
    };
    if let Some(left) = state.trial.as_ref().and_then(|trial| trial.left) {
        right = format!("TRIAL {left} s  {right}");
    }
    let used: usize = (0..SCREENS.len()).map(|screen| tab(screen).len() + 3).sum();
    let free = usize::from(area.width).saturating_sub(used + 1);
    if right.chars().count() < free {
        let style = if state.trial.is_some() { paint.fg(Color::Yellow) } else { paint.faint() };
        let [_, room] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(fit(free, area.width))])
                .areas(area);
        frame.render_widget(Paragraph::new(right).style(style).right_aligned(), room);
    }
}

fn list(state: &State, paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title(crate::public::title(state.mode()));
    let inside = inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inside.width);
    let mut rows: Vec<(String, String)> = state
        .names()
        .iter()
        .map(|name| (name.label().to_owned(), shown(state.value(*name))))
        .collect();
    if state.mode() == Mode::Lut {
        rows.extend(state.points.iter().enumerate().map(|(i, (speed, factor))| {
            (format!("Point {}", i + 1), format!("{}:{}", shown(*speed), shown(*factor)))
        }));
    }
    let first = layout::scrolled(state, inside.height);
    for (i, (label, value)) in rows.iter().enumerate().skip(first) {
        let Ok(line) = u16::try_from(i - first) else { break };
        if line >= inside.height {
            break;
        }
        let selected = i == state.selected;
        let value = match &state.edit {
            Some(text) if selected => format!("{text}_"),
            _ => value.clone(),
        };
        let room = width.saturating_sub(value.chars().count() + 1);
        let label: String = label.chars().take(room).collect();
        let text = format!("{label:<room$} {value}");
        let style = if selected && state.edit.is_some() {
            paint.fg(Color::Yellow).patch(paint.strong())
        } else if selected {
            paint.chosen()
        } else {
            Style::new()
        };
        let row = Rect::new(inside.x, inside.y + line, inside.width, 1);
        frame.render_widget(Paragraph::new(text).style(style), row);
    }
}

fn graph(state: &State, paint: Paint, frame: &mut Frame<'_>, area: Rect) {
    let lines = layout::lines(state);
    let live = state.speed > 0.0;
    let title = if live {
        let factor = curve::factor(&state.settings, state.speed);
        format!(" {:.2} counts/ms, factor {factor:.3} ", state.speed)
    } else {
        " at rest ".to_owned()
    };
    let block = Block::bordered()
        .title(state.quantity.title())
        .title_bottom(Words::from(title).right_aligned());
    let mut graph = Graph::new(&lines, state.quantity).colours(paint.colours).block(block);
    let scale = state.value(crate::public::Name::SensMult);
    if state.mode() == Mode::Lut && state.quantity == Quantity::Sensitivity {
        let all = state.points.iter().map(|(x, y)| (*x, y * scale)).collect();
        graph = graph.mark(Mark { points: all, colour: Color::White, marker: Marker::Dot });
        if let Some((x, y)) = state.point().map(|point| state.points[point]) {
            let points = vec![(x, y * scale)];
            graph = graph.mark(Mark { points, colour: Color::Yellow, marker: Marker::Block });
        }
    }
    if live {
        let points = lines[0].near(state.quantity, state.speed).into_iter().collect();
        graph = graph.mark(Mark { points, colour: Color::Red, marker: Marker::Dot });
    }
    graph.render(frame, area);
}

fn words(state: &State, paint: Paint, frame: &mut Frame<'_>, rooms: &Rooms) {
    let meaning = || match (state.name(), state.point()) {
        (Some(name), _) => parameter::by_file_name(name.file()).map_or_else(String::new, |p| {
            let unit = if p.unit.is_empty() { String::new() } else { format!(" [{}]", p.unit) };
            format!("{}{unit}, {} to {}", p.meaning, p.minimum, p.maximum)
        }),
        (None, Some(_)) => "a point of the drawn curve, SPEED:FACTOR".to_owned(),
        (None, None) => String::new(),
    };
    let (text, style) = match &state.message {
        Some(message) if message.fault => {
            (message.text.clone(), paint.fg(Color::Red).patch(paint.strong()))
        }
        Some(message) => (message.text.clone(), paint.fg(Color::Green)),
        None => (meaning(), Style::new()),
    };
    frame.render_widget(Paragraph::new(format!(" {text}")).style(style), rooms.words);
    let keys = if state.edit.is_some() {
        " Enter takes it  Esc leaves it  q quits"
    } else if state.mode() == Mode::Lut {
        " +/- </> move  a add  x remove  w use it  u undo  t trial  ? help  q quit"
    } else {
        " ←/→ mode  Tab select  Enter edit  +/- step  u undo  t trial  ? help  q quit"
    };
    frame.render_widget(Paragraph::new(keys).style(paint.faint()), rooms.keys);
}

const HELP: &str = "\
Left Right   screen; its mode is in force at once
Tab Down Up  select     PgUp PgDn, wheel   scroll
i Enter      type a value, Enter takes it, Esc not
+ -          a small step
u   U        undo, redo
t            trial: goes back after 15 s
k   Esc      keep what is on trial, or go back
o   b        show what was before; begin anew
g            sensitivity, velocity, gain
d            mice: Enter works on one, Space on/off
p            profiles: Enter applies, s saves, x deletes
r            read everything again
Curve: + - < > or the mouse move a point, a adds,
x removes, w puts the curve in force
q Ctrl-C     quit";

fn panel(state: &State, paint: Paint, frame: &mut Frame<'_>) {
    let (title, lines, chosen): (&str, Vec<String>, Option<usize>) = match &state.panel {
        Panel::None => return,
        Panel::Help => ("Keys", HELP.lines().map(str::to_owned).collect(), None),
        Panel::Devices(row) => {
            let mark = |here: bool| if here { "*" } else { " " };
            let mut lines = vec![format!("{} all mice", mark(state.device.is_none()))];
            lines.extend(state.devices.iter().map(|device| {
                let what = match (device.enabled, &device.settings) {
                    (false, _) => "not accelerated",
                    (true, None) => "shared settings",
                    (true, Some(_)) => "own settings",
                };
                let here = mark(state.device.as_ref() == Some(&device.input));
                format!("{here} {}  {}  {what}", device.name, device.id)
            }));
            ("Mice", lines, Some(*row))
        }
        Panel::Profiles(row) => {
            let mut lines: Vec<String> = state
                .profiles
                .iter()
                .map(|name| {
                    format!("{} {name}", if *name == state.active_profile { "*" } else { " " })
                })
                .collect();
            if lines.is_empty() {
                lines.push("none yet; s saves the settings as one".to_owned());
            }
            ("Profiles", lines, Some(*row))
        }
        Panel::SaveProfile(name) => ("Save as", vec![format!("{name}_")], None),
    };
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(30) + 4;
    let height = lines.len() + 2;
    let area = centred(frame.area(), width, height);
    frame.render_widget(Clear, area);
    let text: Vec<Words<'_>> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let style = if chosen == Some(i) { paint.chosen() } else { Style::new() };
            Words::styled(format!(" {line} "), style)
        })
        .collect();
    frame.render_widget(Paragraph::new(text).block(Block::bordered().title(title)), area);
}

fn centred(area: Rect, width: usize, height: usize) -> Rect {
    let length = |wanted, most| Constraint::Length(fit(wanted, most));
    let [row] = Layout::vertical([length(height, area.height)]).flex(Flex::Center).areas(area);
    let [room] = Layout::horizontal([length(width, area.width)]).flex(Flex::Center).areas(row);
    room
}

/// As much as is wanted and there.
fn fit(wanted: usize, most: u16) -> u16 {
    u16::try_from(wanted).unwrap_or(most).min(most)
}
