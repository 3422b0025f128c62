// SPDX-License-Identifier: MIT OR Apache-2.0
//! The interface without a terminal: what keys and the mouse do, and what is seen.

use maccel_core::changes::Changes;
use maccel_core::driver::Device;
use maccel_core::settings::{Mode, Settings};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::style::Color;

use super::layout::{self, Spot, spot};
use super::state::{Panel, State, TRIAL_SECONDS};
use super::update::{Effect, Event, update};
use super::view::view;

fn device(input: &str, name: &str, enabled: bool) -> Device {
    Device {
        input: input.to_owned(),
        name: name.to_owned(),
        id: "046d:c08b".to_owned(),
        uniq: String::new(),
        phys: "usb-1".to_owned(),
        enabled,
        settings: None,
    }
}

fn state() -> State {
    let devices = vec![device("input5", "G Pro", true), device("input7", "Trackball", false)];
    State::new(Settings::default(), devices, true)
}

/// What a worker says of a write.
fn done(settings: Settings) -> Event {
    let devices = vec![device("input5", "G Pro", true), device("input7", "Trackball", false)];
    Event::Done { settings, devices, note: String::new(), wrote: true }
}

/// Does what a worker does with an effect, on the state alone.
fn settle(state: &mut State, effects: Vec<Effect>) -> Vec<Effect> {
    for effect in &effects {
        let settings = match effect {
            Effect::Write(_, changes) => changes.apply(&state.settings).unwrap(),
            Effect::Try(_, wanted) => wanted.clone(),
            Effect::Back => state.wanted.clone(),
            _ => continue,
        };
        update(state, done(settings));
    }
    effects
}

fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    let effects = update(state, Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    settle(state, effects)
}

fn type_in(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|c| press(state, KeyCode::Char(c))).collect()
}

fn mouse(state: &mut State, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    let effects = update(state, Event::Mouse(event));
    settle(state, effects)
}

fn drawn(state: &State) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(state.size.0, state.size.1)).unwrap();
    terminal.draw(|frame| view(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(state: &State) -> String {
    let buffer = drawn(state);
    let row = |y| (0..state.size.0).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..state.size.1).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

fn on(state: &mut State, mode: Mode) {
    state.settings.set_mode(mode).unwrap();
    *state = State::new(state.settings.clone(), state.devices.clone(), true);
}

#[test]
fn the_first_screen_in_80_columns() {
    insta::assert_snapshot!(text(&state()));
}

#[test]
fn a_moving_mouse_is_shown_on_the_curve_with_what_was_before() {
    let mut state = state();
    on(&mut state, Mode::Natural);
    state.settings.set("LIMIT", 3.0).unwrap();
    press(&mut state, KeyCode::Char('o'));
    update(&mut state, Event::Speed(40.0));
    insta::assert_snapshot!(text(&state));
    let red = drawn(&state).content().iter().filter(|cell| cell.fg == Color::Red).count();
    assert_eq!(red, 1, "one live point");
}

#[test]
fn a_curve_is_drawn_through_points() {
    let mut state = state();
    state.size = (90, 26);
    press(&mut state, KeyCode::Left);
    insta::assert_snapshot!(text(&state));
}

#[test]
fn small_terminals_lose_the_graph_first() {
    let mut state = state();
    state.size = (50, 12);
    insta::assert_snapshot!(text(&state));
    state.size = (20, 6);
    assert_eq!(text(&state).lines().next(), Some("too small"));
}

#[test]
fn the_keys_the_mice_and_the_profiles_lie_over_the_screen() {
    let mut state = state();
    press(&mut state, KeyCode::Char('?'));
    insta::assert_snapshot!("help", text(&state));
    press(&mut state, KeyCode::Esc);
    assert_eq!(press(&mut state, KeyCode::Char('d')), [Effect::Read(None)]);
    insta::assert_snapshot!("mice", text(&state));
    press(&mut state, KeyCode::Esc);
    assert_eq!(press(&mut state, KeyCode::Char('p')), [Effect::ListProfiles]);
    update(
        &mut state,
        Event::Profiles(vec!["desk".to_owned(), "games".to_owned()], "desk".to_owned()),
    );
    insta::assert_snapshot!("profiles", text(&state));
}

#[test]
fn eight_colours_are_enough_and_none_is_needed() {
    let eight = [
        Color::Reset,
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::White,
    ];
    let mut state = state();
    state.overlay = true;
    state.speed = 20.0;
    state.trial = Some(super::state::Trial { before: state.settings.clone(), left: Some(9) });
    state.complain("no");
    for colours in [true, false] {
        state.colours = colours;
        let buffer = drawn(&state);
        let used: Vec<Color> = buffer.content().iter().flat_map(|c| [c.fg, c.bg]).collect();
        assert!(used.iter().all(|colour| eight.contains(colour)), "{used:?}");
        assert_eq!(used.iter().any(|colour| *colour != Color::Reset), colours);
    }
}

#[test]
fn another_screen_puts_its_mode_in_force_at_once() {
    let mut state = state();
    let mut wanted = Changes::default();
    wanted.set_mode(Mode::Natural);
    assert_eq!(press(&mut state, KeyCode::Right), [Effect::Write(None, wanted)]);
    assert_eq!((state.mode(), state.settings.mode()), (Mode::Natural, Mode::Natural));
    press(&mut state, KeyCode::Left);
    assert_eq!(state.settings.mode(), Mode::Linear);
    // There is no table yet, so that nothing is written.
    assert_eq!(press(&mut state, KeyCode::Left), []);
    assert_eq!((state.mode(), state.settings.mode()), (Mode::Lut, Mode::Linear));
}

#[test]
fn a_typed_value_is_taken_or_left_and_q_ends_also_then() {
    let mut state = state();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Char('i'));
    type_in(&mut state, "1.5");
    let effects = press(&mut state, KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::Write(None, changes)] if changes.number("YX_RATIO") == Some(1.5))
    );
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "9");
    assert_eq!(press(&mut state, KeyCode::Esc), []);
    assert_eq!(state.settings.get("YX_RATIO"), Ok(1.5));
    for wrong in ["0", "-", "1e99"] {
        press(&mut state, KeyCode::Enter);
        type_in(&mut state, wrong);
        assert_eq!(press(&mut state, KeyCode::Enter), [], "{wrong}");
        assert!(state.message.as_ref().is_some_and(|message| message.fault), "{wrong}");
    }
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Char('q'));
    assert!(state.quit);
}

#[test]
fn steps_can_be_undone_and_done_again() {
    let mut state = state();
    for _ in 0..3 {
        press(&mut state, KeyCode::Char('+'));
    }
    let after = state.settings.clone();
    assert!(after.get("SENS_MULT").unwrap() > 1.2);
    for _ in 0..3 {
        press(&mut state, KeyCode::Char('u'));
    }
    assert_eq!(state.settings, Settings::default());
    for _ in 0..3 {
        press(&mut state, KeyCode::Char('U'));
    }
    assert_eq!(state.settings, after);
    press(&mut state, KeyCode::Char('U'));
    assert_eq!(state.settings, after);
}

#[test]
fn keys_that_are_quicker_than_the_driver_lose_nothing() {
    let mut state = state();
    let key = |state: &mut State, code| {
        update(state, Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    };
    let mut waiting = key(&mut state, KeyCode::Right);
    for code in [KeyCode::Up, KeyCode::Enter, KeyCode::Char('3'), KeyCode::Enter] {
        waiting.extend(key(&mut state, code));
    }
    waiting.extend(key(&mut state, KeyCode::Char('u')));
    // The three writes are done only now.
    assert_eq!(settle(&mut state, waiting).len(), 3);
    assert_eq!((state.settings.mode(), state.mode()), (Mode::Natural, Mode::Natural));
    assert_eq!(state.settings.get("LIMIT"), Ok(1.5));
    assert_eq!((state.pending, &state.wanted), (0, &state.settings));
}

#[test]
fn a_trial_goes_back_unless_it_is_kept() {
    for (kept, seconds) in [(false, TRIAL_SECONDS), (true, 3)] {
        let mut state = state();
        press(&mut state, KeyCode::Char('t'));
        // Nothing is written that would be kept, whatever is done meanwhile.
        for key in ['+', '+', 'u', 'U'] {
            let effects = press(&mut state, KeyCode::Char(key));
            assert!(matches!(&effects[..], [Effect::Try(None, _)]), "{key}: {effects:?}");
        }
        assert!(text(&state).contains("TRIAL 15 s"));
        let mut effects = Vec::new();
        for _ in 0..seconds {
            effects = update(&mut state, Event::Second);
            effects = settle(&mut state, effects);
        }
        if kept {
            effects = press(&mut state, KeyCode::Char('k'));
            update(&mut state, Event::Second);
        }
        assert_eq!(effects, [if kept { Effect::Keep } else { Effect::Back }]);
        assert_eq!(state.settings != Settings::default(), kept);
        assert_eq!(state.trial, None);
    }
}

#[test]
fn whoever_ends_during_a_trial_gets_the_old_settings_back() {
    for end in [Event::Terminate, Event::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE))]
    {
        let mut state = state();
        press(&mut state, KeyCode::Char('t'));
        press(&mut state, KeyCode::Char('+'));
        let effects = update(&mut state, end);
        let effects = settle(&mut state, effects);
        assert_eq!(effects, [Effect::Back]);
        assert!(state.quit && state.settings == Settings::default());
    }
}

#[test]
fn a_trial_is_about_one_mouse_and_about_profiles_too() {
    let mut state = state();
    press(&mut state, KeyCode::Char('t'));
    press(&mut state, KeyCode::Char('d'));
    press(&mut state, KeyCode::Down);
    assert_eq!(press(&mut state, KeyCode::Enter), []);
    assert_eq!(state.device, None);
    press(&mut state, KeyCode::Char('p'));
    update(&mut state, Event::Profiles(vec!["games".to_owned()], String::new()));
    let effects = press(&mut state, KeyCode::Enter);
    assert_eq!(effects, [Effect::TryProfile("games".to_owned())]);
    assert!(text(&state).contains("TRIAL 15 s"));
    // A profile is for all mice, a trial of one mouse is not.
    let mut state = self::state();
    state.device = Some("input5".to_owned());
    press(&mut state, KeyCode::Char('t'));
    press(&mut state, KeyCode::Char('p'));
    update(&mut state, Event::Profiles(vec!["games".to_owned()], String::new()));
    assert_eq!(press(&mut state, KeyCode::Enter), []);
    assert!(text(&state).contains("a profile is for all mice"));
}

#[test]
fn the_time_of_a_trial_begins_when_it_is_in_force_and_not_before() {
    let mut state = state();
    let plus = Event::Key(KeyEvent::new(KeyCode::Char('+'), KeyModifiers::NONE));
    press(&mut state, KeyCode::Char('t'));
    let effects = update(&mut state, plus.clone());
    // A person gives a password meanwhile.
    for _ in 0..2 * TRIAL_SECONDS {
        assert_eq!(update(&mut state, Event::Second), []);
    }
    settle(&mut state, effects);
    assert!(text(&state).contains("TRIAL 15 s"));
    // What could not be tried needs not go back.
    let mut state = self::state();
    press(&mut state, KeyCode::Char('t'));
    update(&mut state, plus);
    let settings = Some(Settings::default());
    update(&mut state, Event::Failed { why: "no".to_owned(), settings, wrote: true });
    assert_eq!(update(&mut state, Event::Terminate), []);
}

#[test]
fn a_lost_driver_is_a_message_and_no_end() {
    let mut state = state();
    let why = "the maccel module is not loaded".to_owned();
    update(&mut state, Event::Failed { why, settings: None, wrote: false });
    assert!(text(&state).contains("the maccel module is not loaded") && !state.quit);
}

#[test]
fn one_mouse_is_worked_on_and_switched() {
    let mut state = state();
    press(&mut state, KeyCode::Char('d'));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    let switched = press(&mut state, KeyCode::Char(' '));
    assert_eq!(switched, [Effect::Accelerate("input7".to_owned(), true)]);
    assert_eq!(press(&mut state, KeyCode::Enter), [Effect::Read(Some("input7".to_owned()))]);
    let effects = press(&mut state, KeyCode::Char('+'));
    assert!(matches!(&effects[..], [Effect::Write(Some(input), _)] if input == "input7"));
}

#[test]
fn points_follow_the_mouse_and_are_put_in_force() {
    let mut state = state();
    press(&mut state, KeyCode::Left);
    let graph = layout::inner(layout::rooms(state.size).graph.unwrap());
    let at = (graph.x + 30, graph.y + 8);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), at.0, at.1);
    let point = state.point().unwrap();
    mouse(&mut state, MouseEventKind::Drag(MouseButton::Left), at.0, at.1 - 3);
    let Some(Spot::Graph(speed, _)) = spot(&state, at.0, at.1) else { panic!("in the graph") };
    assert!((state.points[point].0 - speed).abs() < 2.0, "{:?} {speed}", state.points);
    assert_ne!(state.points[point].1, 1.0);
    let effects = press(&mut state, KeyCode::Char('w'));
    assert!(
        matches!(&effects[..], [Effect::Write(None, changes)] if changes.mode() == Some(Mode::Lut))
    );
    assert_eq!(state.settings.mode(), Mode::Lut);
}

/// A click used to send what was typed to another parameter, and to change the curve from beneath
/// the help.
#[test]
fn the_mouse_is_not_heard_while_a_value_is_typed_or_something_lies_over_the_screen() {
    let mut state = state();
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "3");
    let row = state.selected;
    mouse(&mut state, MouseEventKind::ScrollDown, 1, 1);
    assert_eq!(state.selected, row);
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.value(crate::public::Name::SensMult), 3.0);
    press(&mut state, KeyCode::Char('?'));
    for column in 0..80 {
        assert!(mouse(&mut state, MouseEventKind::Down(MouseButton::Left), column, 0).is_empty());
    }
    assert_eq!(state.mode(), Mode::Linear);
}

#[test]
fn what_is_typed_is_left_out_when_another_program_changes_the_curve() {
    let mut state = state();
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "3");
    let mut natural = Settings::default();
    natural.set_mode(Mode::Natural).unwrap();
    let devices = state.devices.clone();
    update(&mut state, Event::Seen { device: None, settings: natural.clone(), devices });
    assert_eq!((state.mode(), state.edit.clone()), (Mode::Natural, None));
    assert_eq!(state.settings, natural);
}

/// The points of the table before used to stay, and `w` wrote them over the new one.
#[test]
fn points_are_those_of_the_table_in_force_and_what_is_drawn_stays() {
    let table = |factor: f64| {
        let mut settings = Settings::default();
        settings.set_lut(&vec![factor; maccel_core::settings::LUT_LEN]).unwrap();
        settings.set_mode(Mode::Lut).unwrap();
        settings
    };
    let mut state = State::new(table(2.0), Vec::new(), true);
    assert!(state.points.iter().all(|point| point.1 == 2.0), "{:?}", state.points);
    let seen = |state: &mut State, settings: Settings| {
        update(state, Event::Seen { device: None, settings, devices: Vec::new() });
    };
    seen(&mut state, table(3.0));
    assert!(state.points.iter().all(|point| point.1 == 3.0), "{:?}", state.points);
    // Drawn and put in force: they stay as they were drawn.
    state.selected = state.names().len();
    press(&mut state, KeyCode::Char('a'));
    press(&mut state, KeyCode::Char('+'));
    let own = state.points.clone();
    assert_eq!(own.len(), 7);
    seen(&mut state, table(4.0));
    assert_eq!(state.points, own, "what is being drawn is not lost");
    press(&mut state, KeyCode::Char('w'));
    assert_eq!(state.points, own);
    press(&mut state, KeyCode::Char('u'));
    assert!(state.points.iter().all(|point| point.1 == 4.0), "{:?}", state.points);
}

#[test]
fn the_mouse_is_where_the_graph_says_it_is() {
    let mut state = state();
    press(&mut state, KeyCode::Left);
    let buffer = drawn(&state);
    // Each point of the curve is a dot; the place of each dot must be found again.
    let dots: Vec<(u16, u16)> = (0..state.size.1)
        .flat_map(|y| (0..state.size.0).map(move |x| (x, y)))
        .filter(|at| buffer[*at].symbol() == "•")
        .collect();
    assert!(dots.len() >= 4, "{dots:?}");
    for (column, row) in dots {
        let Some(Spot::Graph(speed, factor)) = spot(&state, column, row) else {
            panic!("{column}")
        };
        let near =
            state.points.iter().any(|p| (p.0 - speed).abs() < 1.5 && (p.1 - factor).abs() < 0.1);
        assert!(near, "{speed}:{factor} in {:?}", state.points);
    }
}

#[test]
fn tabs_and_rows_can_be_clicked_and_the_wheel_scrolls() {
    let mut state = state();
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 12, 0);
    assert_eq!(state.settings.mode(), Mode::Natural);
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 3, 4);
    assert_eq!(state.selected, 2);
    mouse(&mut state, MouseEventKind::ScrollDown, 3, 4);
    assert_eq!(state.selected, 3);
}

#[test]
fn what_another_program_sets_is_shown_unless_a_change_is_on_its_way() {
    let mut state = state();
    let mut other = Settings::default();
    other.set("LIMIT", 3.0).unwrap();
    other.set_mode(Mode::Natural).unwrap();
    let seen = |device: Option<&str>, settings: &Settings| Event::Seen {
        device: device.map(str::to_owned),
        settings: settings.clone(),
        devices: Vec::new(),
    };
    for event in [Event::Outside, Event::Speed(3.0)] {
        assert_eq!(update(&mut state, event), [Effect::Look(None)]);
    }
    assert_eq!(update(&mut state, Event::Speed(4.0)), [], "one look for each movement");
    // What is in force already is nothing to tell, and another mouse is of no interest now.
    update(&mut state, seen(None, &Settings::default()));
    update(&mut state, seen(Some("input5"), &other));
    assert_eq!((state.message.clone(), state.settings.mode()), (None, Mode::Linear));
    update(&mut state, seen(None, &other));
    assert_eq!((state.mode(), &state.wanted), (Mode::Natural, &other));
    assert!(text(&state).contains("another program has changed the settings"));
    // A change that is on its way tells what is in force when it is done.
    let key = Event::Key(KeyEvent::new(KeyCode::Char('+'), KeyModifiers::NONE));
    let [Effect::Write(_, changes)] = &update(&mut state, key)[..] else { panic!("a write") };
    assert_eq!(update(&mut state, Event::Outside), []);
    update(&mut state, seen(None, &Settings::default()));
    assert_eq!(state.settings, other);
    update(&mut state, done(changes.apply(&other).unwrap()));
    assert!((state.value(crate::public::Name::SensMult) - 1.1).abs() < 1e-9);
    assert_eq!(state.mode(), Mode::Natural);
}

#[test]
fn a_name_is_asked_for_before_a_profile_is_saved() {
    let mut state = state();
    press(&mut state, KeyCode::Char('p'));
    press(&mut state, KeyCode::Char('s'));
    type_in(&mut state, "quake");
    assert_eq!(state.panel, Panel::SaveProfile("quake".to_owned()));
    let effects = press(&mut state, KeyCode::Enter);
    assert_eq!(effects, [Effect::SaveProfile("quake".to_owned()), Effect::ListProfiles]);
}

fn events() -> impl Strategy<Value = Event> {
    let keys = "qwertuiopadkxgb+-<>?U1290.: ".chars().map(KeyCode::Char).chain([
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Backspace,
        KeyCode::Delete,
    ]);
    let keys = prop::sample::select(keys.collect::<Vec<_>>());
    let kinds = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ]);
    prop_oneof![
        8 => keys.prop_map(|code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE))),
        4 => (kinds, 0..120u16, 0..50u16).prop_map(|(kind, column, row)| {
            Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
        }),
        1 => (1..120u16, 1..50u16).prop_map(|(columns, rows)| Event::Resize(columns, rows)),
        1 => (0.0..300.0f64).prop_map(Event::Speed),
        1 => Just(Event::Second),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_sequence_of_events_breaks_the_state_or_the_screen(
        events in prop::collection::vec(events(), 1..40),
    ) {
        let mut state = state();
        for event in events {
            let effects = update(&mut state, event);
            settle(&mut state, effects);
            prop_assert!(state.selected < state.rows());
            prop_assert!(state.points.len() >= 2);
            prop_assert!(state.points.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", state.points);
            drawn(&state);
        }
    }
}
