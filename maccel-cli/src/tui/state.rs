// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the terminal interface knows. It changes only in `update`.

use maccel_core::curve;
use maccel_core::driver::Device;
use maccel_core::settings::{Mode, Settings};
use maccel_core::shape::{Kind, Shape};

use crate::plot::line::Quantity;
use crate::public::{Group, Name};

/// The screens, in the public order; the last one is ours.
pub(crate) const SCREENS: [Mode; 5] =
    [Mode::Linear, Mode::Natural, Mode::Synchronous, Mode::NoAccel, Mode::Lut];

/// Seconds that a trial lasts.
pub(crate) const TRIAL_SECONDS: u32 = 15;

/// Changes that can be undone.
const MEMORY: usize = 100;

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The settings in force, as they were read back.
    pub(crate) settings: Settings,
    /// What was asked for last: what the next change begins with.
    pub(crate) wanted: Settings,
    /// Writes that are not done yet.
    pub(crate) pending: usize,
    /// Those at the start, for the overlay.
    pub(crate) before: Settings,
    /// Whether the overlay is shown.
    pub(crate) overlay: bool,
    /// The screen, as an index of [`SCREENS`].
    pub(crate) screen: usize,
    /// The selected parameter or point.
    pub(crate) selected: usize,
    /// A value that is being typed.
    pub(crate) edit: Option<String>,
    /// What lies over the screen.
    pub(crate) panel: Panel,
    /// The mice.
    pub(crate) devices: Vec<Device>,
    /// The mouse that is worked on, by entry; all without one.
    pub(crate) device: Option<String>,
    /// The profiles, and the one in force.
    pub(crate) profiles: Vec<String>,
    /// The profile in force.
    pub(crate) active_profile: String,
    /// The points of the drawn curve.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether they differ from what is in force.
    pub(crate) points_changed: bool,
    /// Whether they are on their way.
    pub(crate) points_sent: bool,
    /// The table that they belong to.
    pub(crate) points_table: Option<Vec<f64>>,
    /// Settings to go back to.
    pub(crate) undo: Vec<Settings>,
    /// Settings to go forward to.
    pub(crate) redo: Vec<Settings>,
    /// The trial.
    pub(crate) trial: Option<Trial>,
    /// The speed of the mouse, counts/ms.
    pub(crate) speed: f64,
    /// What the graph shows.
    pub(crate) quantity: Quantity,
    /// What was last said to the person.
    pub(crate) message: Option<Message>,
    /// Whether colours may be used.
    pub(crate) colours: bool,
    /// The size of the terminal: columns, rows.
    pub(crate) size: (u16, u16),
    /// Whether the loop shall end.
    pub(crate) quit: bool,
}

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Panel {
    /// Nothing.
    None,
    /// The keys.
    Help,
    /// The mice; the selected row, the first of which means all of them.
    Devices(usize),
    /// The profiles; the selected row.
    Profiles(usize),
    /// The name of a profile that is being typed.
    SaveProfile(String),
}

/// Settings that go back by themselves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trial {
    /// What to go back to.
    pub(crate) before: Settings,
    /// Seconds left, once something was changed.
    pub(crate) left: Option<u32>,
}

/// Something said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The words.
    pub(crate) text: String,
    /// Whether something went wrong.
    pub(crate) fault: bool,
}

impl State {
    /// The start: settings in force, mice.
    pub(crate) fn new(settings: Settings, devices: Vec<Device>, colours: bool) -> Self {
        let screen = SCREENS.iter().position(|mode| *mode == settings.mode()).unwrap_or(0);
        State {
            points: points_of(&settings),
            points_sent: false,
            points_table: settings.lut().map(<[f64]>::to_vec),
            before: settings.clone(),
            wanted: settings.clone(),
            pending: 0,
            settings,
            overlay: false,
            screen,
            selected: 0,
            edit: None,
            panel: Panel::None,
            devices,
            device: None,
            profiles: Vec::new(),
            active_profile: String::new(),
            points_changed: false,
            undo: Vec::new(),
            redo: Vec::new(),
            trial: None,
            speed: 0.0,
            quantity: Quantity::Sensitivity,
            message: None,
            colours,
            size: (80, 24),
            quit: false,
        }
    }

    /// The mode of the screen.
    pub(crate) fn mode(&self) -> Mode {
        SCREENS[self.screen]
    }

    /// The parameters of the screen: the common ones first.
    pub(crate) fn names(&self) -> Vec<Name> {
        let mut names = Group::Common.names().to_vec();
        names.push(Name::AngleSnap);
        if !matches!(self.mode(), Mode::NoAccel | Mode::Lut) {
            names.extend(Group::of(self.mode()).names());
        }
        names
    }

    /// Rows that can be selected: parameters, then the points of a drawn curve.
    pub(crate) fn rows(&self) -> usize {
        self.names().len() + if self.mode() == Mode::Lut { self.points.len() } else { 0 }
    }

    /// The selected parameter.
    pub(crate) fn name(&self) -> Option<Name> {
        self.names().get(self.selected).copied()
    }

    /// The selected point of the drawn curve.
    pub(crate) fn point(&self) -> Option<usize> {
        let index = self.selected.checked_sub(self.names().len())?;
        (self.mode() == Mode::Lut && index < self.points.len()).then_some(index)
    }

    /// The value of a parameter in force.
    pub(crate) fn value(&self, name: Name) -> f64 {
        self.settings.get(name.file()).unwrap_or_default()
    }

    /// The settings that the graph of this screen shows: those in force in the screen's mode,
    /// with the drawn curve where points were moved.
    pub(crate) fn shown(&self) -> Settings {
        let mut shown = self.settings.clone();
        if self.mode() == Mode::Lut && (self.points_changed || shown.lut().is_none()) {
            let _ = maccel_core::compile::apply(&self.drawn(), &mut shown);
        } else {
            // Cannot fail: the table is there.
            let _ = shown.set_mode(self.mode());
        }
        shown
    }

    /// The drawn curve.
    pub(crate) fn drawn(&self) -> Shape {
        Shape { points: self.points.clone(), ..Shape::of(Kind::Drawn) }
    }

    /// Remembers settings that are about to change.
    pub(crate) fn remember(&mut self, before: Settings) {
        self.undo.push(before);
        if self.undo.len() > MEMORY {
            self.undo.remove(0);
        }
        self.redo.clear();
    }

    /// Says something.
    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), fault: false });
    }

    /// Says what went wrong.
    pub(crate) fn complain(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), fault: true });
    }
}

/// Points to begin a drawn curve with: on the table, or without one on the curve in force.
pub(crate) fn points_of(settings: &Settings) -> Vec<(f64, f64)> {
    let mut settings = settings.clone();
    // Refused without a table, and then the mode stays.
    let _ = settings.set_mode(Mode::Lut);
    let round = |factor: f64| (factor * 100.0).round() / 100.0;
    [1.0, 4.0, 8.0, 16.0, 32.0, 64.0]
        .into_iter()
        .map(|speed| (speed, round(curve::factor(&settings, speed))))
        .collect()
}

/// A value as the public interface shows it: at most five decimals.
pub(crate) fn shown(value: f64) -> String {
    let text = format!("{value:.5}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}
