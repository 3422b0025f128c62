// SPDX-License-Identifier: MIT OR Apache-2.0
//! What other programs set is shown by the terminal interface without a key: through the agent's
//! announcements, and where there is none when the person comes back to the window.
//!
//! The bus is a real dbus-daemon; in place of the agent the test has its name and says that
//! something changed.

use vespera_api::names::{MACCEL, ROOT_OBJECT};

use crate::bus::{Bus, unanswered};
use crate::place::Place;
use crate::tmux::{Terminal, until};

const TWO: &str = "8589934592\n";

#[test]
fn what_the_agent_announces_is_shown_without_a_key() {
    let place = Place::public();
    let mut bus = Bus::start(&place);
    let terminal = Terminal::start(&place, &bus.environment());
    terminal.shows(&["Sens-Multiplier         1"]);
    place.write("sys/module/maccel/parameters/SENS_MULT", TWO);
    zbus::block_on(async {
        let agent = bus.agent().await;
        let changed = std::collections::HashMap::from([("SensMult", zbus::Variant::from(2.0))]);
        let body = (MACCEL, changed, Vec::<&str>::new());
        let properties = "org.freedesktop.DBus.Properties";
        agent
            .emit_signal(None::<&str>, ROOT_OBJECT, properties, "PropertiesChanged", &body)
            .await
            .unwrap();
    });
    terminal.shows(&["Sens-Multiplier         2", "another program has changed the settings"]);
    // The agent has left with its connection; then the whole bus goes. Keys still work.
    bus.end();
    terminal.keys(&["+"]);
    terminal.shows(&["Sens-Multiplier       2.1"]);
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0", "sane"]);
}

#[test]
fn an_agent_that_dies_with_a_change_is_told_and_the_terminal_is_left_clean() {
    let place = Place::public();
    let bus = Bus::start(&place);
    let agent = zbus::block_on(bus.agent());
    let terminal = Terminal::start(&place, &bus.environment());
    terminal.shows(&["Sens-Multiplier         1"]);
    // It has the name and never answers; the change waits for it.
    terminal.keys(&["+"]);
    let asked = terminal.program(&place);
    until("the program asks", || unanswered(&bus, asked));
    drop(agent);
    terminal.shows(&["Sens-Multiplier       1.1"]);
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0", "sane"]);
    assert_eq!(place.parameter("SENS_MULT"), "4724464026");
}

#[test]
fn without_an_agent_a_look_back_at_the_window_shows_what_changed() {
    let place = Place::public();
    let terminal = Terminal::start(&place, "");
    terminal.shows(&["Sens-Multiplier         1"]);
    place.write("sys/module/maccel/parameters/SENS_MULT", TWO);
    // What a terminal sends when its window gets the focus.
    terminal.tmux(&["send-keys", "-H", "1b", "5b", "49"]);
    terminal.shows(&["Sens-Multiplier         2", "another program has changed the settings"]);
}
