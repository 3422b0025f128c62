// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens: an event changes the state and asks for effects. Nothing here touches the
//! driver, the agent or the terminal.

use maccel_core::changes::Changes;
use maccel_core::driver::Device;
use maccel_core::parameter;
use maccel_core::settings::{Mode, Settings};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};

use crate::tui::points::{
    add_point, begin_anew, moused, place, remove_point, shift_point, use_points,
};
use crate::tui::state::{Panel, SCREENS, State, TRIAL_SECONDS, Trial, points_of};

/// The most characters of a value, and those that are no digits.
const LONGEST: usize = 24;
const SIGNS: [char; 5] = ['.', '-', '+', 'e', ':'];

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A key.
    Key(KeyEvent),
    /// The mouse in the terminal.
    Mouse(MouseEvent),
    /// The terminal has a new size.
    Resize(u16, u16),
    /// The speed of the mouse, counts/ms.
    Speed(f64),
    /// A second of a trial has passed.
    Second,
    /// Somebody else may have changed something.
    Outside,
    /// What is in force, for one mouse or for all.
    Seen {
        /// The mouse that was looked at.
        device: Option<String>,
        /// The settings in force.
        settings: Settings,
        /// The mice.
        devices: Vec<Device>,
    },
    /// What was asked for is done.
    Done {
        /// The settings in force, as read back.
        settings: Settings,
        /// The mice.
        devices: Vec<Device>,
        /// What there is to say.
        note: String,
        /// Whether it was a change of settings.
        wrote: bool,
    },
    /// What was asked for failed.
    Failed {
        /// Why.
        why: String,
        /// The settings in force all the same.
        settings: Option<Settings>,
        /// Whether it was a change of settings.
        wrote: bool,
    },
    /// The profiles, and the one in force.
    Profiles(Vec<String>, String),
    /// The program shall end.
    Terminate,
    /// The program shall stop until somebody continues it. The loop does that, since it has the
    /// terminal.
    Stop,
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Make changes, for one mouse or for all.
    Write(Option<String>, Changes),
    /// Read the settings, for one mouse or for all.
    Read(Option<String>),
    /// See whether somebody else changed the settings.
    Look(Option<String>),
    /// List the profiles.
    ListProfiles,
    /// Save, apply or delete a profile.
    SaveProfile(String),
    ApplyProfile(String),
    DeleteProfile(String),
    /// Switch the acceleration of a mouse.
    Accelerate(String, bool),
    /// Put settings on trial, for one mouse or for all: they go back when this program ends.
    Try(Option<String>, Settings),
    /// Put the settings of a profile on trial.
    TryProfile(String),
    /// Keep what is on trial.
    Keep,
    /// Put back what was before the trial.
    Back,
}

impl Effect {
    /// Whether it changes the settings in force and tells when that is done.
    pub(crate) const fn writes(&self) -> bool {
        matches!(self, Effect::Write(..) | Effect::Try(..) | Effect::TryProfile(_) | Effect::Back)
    }
}

/// Changes the state.
pub(crate) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => keyed(state, key),
        Event::Mouse(mouse) => moused(state, mouse),
        Event::Resize(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Event::Speed(speed) => {
            let rested = state.speed == 0.0;
            state.speed = speed;
            // The kernel tells nobody of a written parameter; whoever moves the mouse wants to
            // see the curve that is in force.
            if rested { look(state) } else { Vec::new() }
        }
        Event::Second => second(state),
        Event::Outside => look(state),
        Event::Seen { device, settings, devices } => {
            seen(state, device.as_deref(), settings, devices);
            Vec::new()
        }
        Event::Done { settings, devices, note, wrote } => {
            read_back(state, Some(settings), wrote);
            state.devices = devices;
            if !note.is_empty() {
                state.say(note.trim());
            }
            Vec::new()
        }
        Event::Failed { why, settings, wrote } => {
            state.points_changed |= std::mem::take(&mut state.points_sent);
            // What could not be tried needs not go back.
            if let Some(trial) = state.trial.as_mut().filter(|_| wrote)
                && settings.as_ref() == Some(&trial.before)
            {
                trial.left = None;
            }
            read_back(state, settings, wrote);
            state.complain(why);
            Vec::new()
        }
        Event::Profiles(profiles, active) => {
            state.profiles = profiles;
            state.active_profile = active;
            Vec::new()
        }
        Event::Terminate => leave(state),
        Event::Stop => Vec::new(),
    }
}

/// Takes what was read back. As long as more is on its way, the next change still begins with
/// what was asked for.
fn read_back(state: &mut State, settings: Option<Settings>, wrote: bool) {
    if wrote {
        state.pending = state.pending.saturating_sub(1);
    }
    let Some(settings) = settings else { return };
    if state.pending == 0 {
        if settings.mode() != state.settings.mode()
            && let Some(screen) = SCREENS.iter().position(|mode| *mode == settings.mode())
        {
            state.screen = screen;
            state.selected = state.selected.min(state.rows().saturating_sub(1));
            if state.edit.take().is_some() {
                state.complain("the curve has changed: what was typed is left out");
            }
        }
        state.wanted = settings.clone();
    }
    state.settings = settings;
    if state.pending == 0 {
        begin_anew(state);
    }
}

/// Looks what is in force, unless what is asked for is on its way: that tells it anyway.
fn look(state: &State) -> Vec<Effect> {
    if state.pending > 0 { Vec::new() } else { vec![Effect::Look(state.device.clone())] }
}

/// Takes what another program has set.
fn seen(state: &mut State, device: Option<&str>, settings: Settings, devices: Vec<Device>) {
    state.devices = devices;
    if state.pending == 0 && device == state.device.as_deref() && settings != state.settings {
        read_back(state, Some(settings), false);
        state.say("another program has changed the settings");
    }
}

/// Ends; a trial that nobody kept goes back.
fn leave(state: &mut State) -> Vec<Effect> {
    state.quit = true;
    match state.trial.take() {
        Some(trial) => go_back(state, &trial),
        None => Vec::new(),
    }
}

/// Ends a trial with the old settings, if anything was changed.
fn go_back(state: &mut State, trial: &Trial) -> Vec<Effect> {
    if trial.left.is_none() {
        return Vec::new();
    }
    state.wanted = trial.before.clone();
    state.pending += 1;
    vec![Effect::Back]
}

/// A second of a trial. It begins when the settings are in force: a person may have to give a
/// password first.
fn second(state: &mut State) -> Vec<Effect> {
    if state.pending > 0 {
        return Vec::new();
    }
    let Some(Trial { left: Some(left), .. }) = &mut state.trial else { return Vec::new() };
    *left = left.saturating_sub(1);
    if *left > 0 {
        return Vec::new();
    }
    let Some(trial) = state.trial.take() else { return Vec::new() };
    let effects = go_back(state, &Trial { left: Some(0), ..trial });
    state.say("nobody said keep: the old settings are back");
    effects
}

/// Asks for settings as a whole, as far as they differ.
fn go_to(state: &mut State, wanted: &Settings) -> Vec<Effect> {
    let changes = Changes::between(&state.wanted, wanted);
    if changes.is_empty() {
        return Vec::new();
    }
    state.wanted = wanted.clone();
    state.pending += 1;
    let device = state.device.clone();
    match &mut state.trial {
        // Its time begins anew.
        Some(trial) => {
            trial.left = Some(TRIAL_SECONDS);
            vec![Effect::Try(device, wanted.clone())]
        }
        None => vec![Effect::Write(device, changes)],
    }
}

/// Asks for a change that can be undone.
pub(super) fn change(state: &mut State, wanted: &Settings) -> Vec<Effect> {
    let before = state.wanted.clone();
    let writes = go_to(state, wanted);
    if writes.is_empty() {
        return writes;
    }
    state.remember(before);
    state.message = None;
    writes
}

fn keyed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && key.code == KeyCode::Char('c') {
        return leave(state);
    }
    if state.edit.is_some() {
        return typed(state, key);
    }
    match state.panel.clone() {
        Panel::None => {}
        Panel::Help => {
            state.panel = Panel::None;
            return if key.code == KeyCode::Char('q') { leave(state) } else { Vec::new() };
        }
        Panel::Devices(row) => return on_devices(state, key, row),
        Panel::Profiles(row) => return on_profiles(state, key, row),
        Panel::SaveProfile(name) => return on_name(state, key, name),
    }
    match key.code {
        KeyCode::Char('q') => return leave(state),
        KeyCode::Char('r') if control => return redo(state),
        KeyCode::Left => return turn(state, SCREENS.len() - 1),
        KeyCode::Right => return turn(state, 1),
        KeyCode::Tab | KeyCode::Down => state.selected = (state.selected + 1) % state.rows(),
        KeyCode::BackTab | KeyCode::Up => {
            state.selected = (state.selected + state.rows() - 1) % state.rows();
        }
        KeyCode::PageDown => state.selected = state.rows() - 1,
        KeyCode::PageUp => state.selected = 0,
        KeyCode::Char('i') | KeyCode::Enter => {
            state.message = None;
            state.edit = Some(String::new());
        }
        KeyCode::Char('+' | '=') => return nudge(state, 1.0),
        KeyCode::Char('-') => return nudge(state, -1.0),
        KeyCode::Char('u') => return undo(state),
        KeyCode::Char('U') => return redo(state),
        KeyCode::Char('o') => state.overlay = !state.overlay,
        KeyCode::Char('b') => {
            state.before = state.settings.clone();
            state.overlay = true;
        }
        KeyCode::Char('g') => state.quantity = state.quantity.next(),
        KeyCode::Char('r') => return vec![Effect::Read(state.device.clone())],
        KeyCode::Char('?') => state.panel = Panel::Help,
        KeyCode::Char('d') => {
            let row = state.devices.iter().position(|d| Some(&d.input) == state.device.as_ref());
            state.panel = Panel::Devices(row.map_or(0, |row| row + 1));
            return vec![Effect::Read(state.device.clone())];
        }
        KeyCode::Char('p') => {
            state.panel = Panel::Profiles(0);
            return vec![Effect::ListProfiles];
        }
        KeyCode::Char('t') => trial(state),
        KeyCode::Char('k') => return keep(state),
        KeyCode::Esc => {
            if let Some(trial) = state.trial.take() {
                state.say("the trial is over: the old settings are back");
                return go_back(state, &trial);
            }
        }
        KeyCode::Char('a') if state.mode() == Mode::Lut => add_point(state),
        KeyCode::Char('x') | KeyCode::Delete => remove_point(state),
        KeyCode::Char('<' | ',') => shift_point(state, 1.0 / 1.1),
        KeyCode::Char('>' | '.') => shift_point(state, 1.1),
        KeyCode::Char('w') if state.mode() == Mode::Lut => return use_points(state),
        _ => {}
    }
    Vec::new()
}

/// Goes to another screen and puts its mode in force, as the public interface does.
pub(super) fn turn(state: &mut State, by: usize) -> Vec<Effect> {
    state.screen = (state.screen + by) % SCREENS.len();
    state.selected = state.selected.min(state.rows() - 1);
    let mut wanted = state.wanted.clone();
    if state.mode() == Mode::Lut && wanted.lut().is_none() {
        if !state.points_changed {
            state.points = points_of(&state.settings);
        }
        state.say("draw a curve: +/- and </> move a point, a adds, x removes, w puts it in force");
        return Vec::new();
    }
    if wanted.set_mode(state.mode()).is_err() {
        return Vec::new();
    }
    change(state, &wanted)
}

/// A key while a value is typed.
fn typed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(text) = &mut state.edit else { return Vec::new() };
    match key.code {
        KeyCode::Char('q') => return leave(state),
        KeyCode::Char(c) if text.len() < LONGEST && (c.is_ascii_digit() || SIGNS.contains(&c)) => {
            text.push(c);
        }
        KeyCode::Backspace => {
            text.pop();
        }
        KeyCode::Esc => state.edit = None,
        KeyCode::Enter => return commit(state),
        _ => {}
    }
    Vec::new()
}

fn commit(state: &mut State) -> Vec<Effect> {
    let Some(text) = state.edit.take().filter(|text| !text.is_empty()) else { return Vec::new() };
    if let Some(point) = state.point() {
        let (speed, factor) = match text.split_once(':') {
            Some((speed, factor)) => (speed.parse().ok(), factor.parse().ok()),
            None => (Some(state.points[point].0), text.parse().ok()),
        };
        match (speed, factor) {
            (Some(speed), Some(factor)) => place(state, point, speed, factor),
            _ => state.complain(format!("'{text}' is neither FACTOR nor SPEED:FACTOR")),
        }
        return Vec::new();
    }
    match text.parse::<f64>() {
        Ok(value) => set(state, value),
        Err(_) => {
            state.complain(format!("'{text}' is not a number"));
            Vec::new()
        }
    }
}

/// Sets the selected parameter.
fn set(state: &mut State, value: f64) -> Vec<Effect> {
    let Some(name) = state.name() else { return Vec::new() };
    let mut wanted = state.wanted.clone();
    match wanted.set(name.file(), value) {
        Ok(()) => change(state, &wanted),
        Err(error) => {
            state.complain(error.to_string());
            Vec::new()
        }
    }
}

/// A small step of the selected value.
fn nudge(state: &mut State, way: f64) -> Vec<Effect> {
    if let Some(point) = state.point() {
        let (speed, factor) = state.points[point];
        place(state, point, speed, factor + way * 0.05);
        return Vec::new();
    }
    let Some(name) = state.name() else { return Vec::new() };
    let Some(parameter) = parameter::by_file_name(name.file()) else { return Vec::new() };
    let value = state.wanted.get(name.file()).unwrap_or_default();
    // A twentieth of the value, in a step that reads well.
    let step = 10f64.powf((value.abs().max(0.02) / 10.0).log10().round()).max(0.001);
    let next = ((value + way * step) / step).round() * step;
    set(state, next.clamp(parameter.minimum, parameter.maximum))
}

fn undo(state: &mut State) -> Vec<Effect> {
    let Some(before) = state.undo.pop() else {
        state.say("nothing to undo");
        return Vec::new();
    };
    state.redo.push(state.wanted.clone());
    go_to(state, &before)
}

fn redo(state: &mut State) -> Vec<Effect> {
    let Some(after) = state.redo.pop() else {
        state.say("nothing to redo");
        return Vec::new();
    };
    state.undo.push(state.wanted.clone());
    go_to(state, &after)
}

fn trial(state: &mut State) {
    if state.trial.is_some() {
        state.say("a trial is running: k keeps, Esc goes back");
        return;
    }
    state.trial = Some(Trial { before: state.wanted.clone(), left: None });
    state.say(format!(
        "trial: a change goes back after {TRIAL_SECONDS} s unless you press k to keep it"
    ));
}

fn keep(state: &mut State) -> Vec<Effect> {
    let Some(trial) = state.trial.take() else { return Vec::new() };
    if trial.left.is_none() {
        state.say("the trial is over: nothing was changed");
    }
    trial.left.map(|_| Effect::Keep).into_iter().collect()
}

fn on_devices(state: &mut State, key: KeyEvent, row: usize) -> Vec<Effect> {
    let rows = state.devices.len() + 1;
    let input = row.checked_sub(1).and_then(|i| state.devices.get(i)).map(|d| d.input.clone());
    match key.code {
        KeyCode::Down | KeyCode::Tab => state.panel = Panel::Devices((row + 1) % rows),
        KeyCode::Up | KeyCode::BackTab => state.panel = Panel::Devices((row + rows - 1) % rows),
        KeyCode::Enter if state.trial.is_some() => {
            state.panel = Panel::None;
            state.complain("a trial is running: k keeps, Esc goes back; then another mouse");
        }
        KeyCode::Enter => {
            state.panel = Panel::None;
            state.device.clone_from(&input);
            state.undo.clear();
            state.redo.clear();
            // They were drawn over another mouse's curve.
            state.points_changed = false;
            return vec![Effect::Read(input)];
        }
        KeyCode::Char(' ') => {
            let device = row.checked_sub(1).and_then(|i| state.devices.get(i));
            if let Some(device) = device {
                return vec![Effect::Accelerate(device.input.clone(), !device.enabled)];
            }
        }
        KeyCode::Char('q') => return leave(state),
        KeyCode::Esc | KeyCode::Char('d') => state.panel = Panel::None,
        _ => {}
    }
    Vec::new()
}

fn on_profiles(state: &mut State, key: KeyEvent, row: usize) -> Vec<Effect> {
    let rows = state.profiles.len().max(1);
    let name = state.profiles.get(row).cloned();
    match (key.code, name) {
        (KeyCode::Down | KeyCode::Tab, _) => state.panel = Panel::Profiles((row + 1) % rows),
        (KeyCode::Up | KeyCode::BackTab, _) => {
            state.panel = Panel::Profiles((row + rows - 1) % rows);
        }
        (KeyCode::Enter, Some(name)) => {
            state.panel = Panel::None;
            return apply_profile(state, name);
        }
        (KeyCode::Char('x') | KeyCode::Delete, Some(name)) => {
            return vec![Effect::DeleteProfile(name), Effect::ListProfiles];
        }
        (KeyCode::Char('s'), _) => state.panel = Panel::SaveProfile(String::new()),
        (KeyCode::Char('q'), _) => return leave(state),
        (KeyCode::Esc | KeyCode::Char('p'), _) => state.panel = Panel::None,
        _ => {}
    }
    Vec::new()
}

fn apply_profile(state: &mut State, name: String) -> Vec<Effect> {
    let before = state.wanted.clone();
    let Some(trial) = &mut state.trial else {
        state.remember(before);
        return vec![Effect::ApplyProfile(name)];
    };
    if state.device.is_some() {
        state.complain("a profile is for all mice; k keeps this trial, Esc goes back");
        return Vec::new();
    }
    trial.left = Some(TRIAL_SECONDS);
    state.remember(before);
    state.pending += 1;
    vec![Effect::TryProfile(name)]
}

fn on_name(state: &mut State, key: KeyEvent, mut name: String) -> Vec<Effect> {
    match key.code {
        KeyCode::Char(c) if !c.is_control() && name.chars().count() < 40 => name.push(c),
        KeyCode::Backspace => {
            name.pop();
        }
        KeyCode::Enter if !name.is_empty() => {
            state.panel = Panel::Profiles(0);
            return vec![Effect::SaveProfile(name), Effect::ListProfiles];
        }
        KeyCode::Esc => {
            state.panel = Panel::Profiles(0);
            return Vec::new();
        }
        _ => {}
    }
    state.panel = Panel::SaveProfile(name);
    Vec::new()
}
