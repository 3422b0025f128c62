// SPDX-License-Identifier: MIT OR Apache-2.0
//! What other programs set is shown by the terminal interface without a key: through the agent's
//! announcements, and where there is none when the person comes back to the window.
//!
//! The bus is a real dbus-daemon; in place of the agent the test has its name and says that
//! something changed.

use std::process::{Child, Command, Stdio};

use vespera_api::names::{BUS_NAME, MACCEL, ROOT_OBJECT};
use zbus::Connection;

use crate::place::Place;
use crate::tmux::{Terminal, until};

const CONFIGURATION: &str = r#"<busconfig>
  <type>system</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/><allow send_destination="*"/><allow send_type="signal"/>
    <allow receive_type="signal"/><allow eavesdrop="false"/>
  </policy>
</busconfig>
"#;

/// A bus of the place's own.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start(place: &Place) -> Self {
        let socket = place.path("bus");
        let path = socket.to_str().unwrap();
        place.write("bus.conf", &CONFIGURATION.replace("SOCKET", path));
        let daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--config-file"])
            .arg(place.path("bus.conf"))
            .stdin(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed: cargo xtask setup");
        until("the bus listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        Bus { daemon, address: format!("unix:path={path}") }
    }

    fn environment(&self) -> String {
        format!("DBUS_SYSTEM_BUS_ADDRESS='{}'", self.address)
    }

    /// A connection with the agent's name.
    async fn agent(&self) -> Connection {
        let builder = zbus::connection::Builder::address(self.address.as_str());
        builder.name(BUS_NAME).build().await.unwrap()
    }

    fn end(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.end();
    }
}

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
    until("the program asks", || zbus::block_on(async { unanswered(&bus.address, asked).await }));
    drop(agent);
    terminal.shows(&["Sens-Multiplier       1.1"]);
    terminal.keys(&["q"]);
    terminal.shows(&["ended 0", "sane"]);
    assert_eq!(place.parameter("SENS_MULT"), "4724464026");
}

/// Whether a process has more than the one connection that listens.
async fn unanswered(address: &str, process: u32) -> bool {
    let bus = zbus::connection::Builder::address(address).build().await.unwrap();
    let daemon = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
    let mut connections = 0;
    for name in daemon.list_names().await.unwrap() {
        let owner = daemon.get_connection_unix_process_id(name.into_inner()).await;
        connections += usize::from(owner.is_ok_and(|owner| owner == process));
    }
    connections > 1
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
