// SPDX-License-Identifier: MIT OR Apache-2.0
//! A system bus of a test's own, and who has the agent's name there: nobody, one who never
//! answers, or one who does as it is told and notes what it was asked.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use futures_util::StreamExt;
use maccel_core::changes::Changes;
use maccel_core::driver::Driver;
use vespera_api::names::BUS_NAME;
use vespera_api::{Dict, dict};
use zbus::{Connection, MessageStream, message};

use crate::place::Place;
use crate::tmux::until;

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
pub(crate) struct Bus {
    daemon: Child,
    pub(crate) address: String,
}

impl Bus {
    pub(crate) fn start(place: &Place) -> Self {
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

    pub(crate) fn environment(&self) -> String {
        format!("DBUS_SYSTEM_BUS_ADDRESS='{}'", self.address)
    }

    /// A connection with the agent's name.
    pub(crate) async fn agent(&self) -> Connection {
        let builder = zbus::connection::Builder::address(self.address.as_str());
        builder.name(BUS_NAME).build().await.unwrap()
    }

    pub(crate) fn end(&mut self) {
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

/// Whether a process has more than the one connection that listens.
pub(crate) fn unanswered(bus: &Bus, process: u32) -> bool {
    zbus::block_on(async {
        let bus = zbus::connection::Builder::address(bus.address.as_str()).build().await.unwrap();
        let daemon = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
        let mut connections = 0;
        for name in daemon.list_names().await.unwrap() {
            let owner = daemon.get_connection_unix_process_id(name.into_inner()).await;
            connections += usize::from(owner.is_ok_and(|owner| owner == process));
        }
        connections > 1
    })
}

/// In place of the agent: what it is asked for it writes to the driver's files, and it has trials
/// of all mice. That the real one keeps and forgets the right things is tested with that one.
pub(crate) struct Obedient {
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Obedient {
    pub(crate) fn start(place: &Place, bus: &Bus) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let driver = Driver::open(place.path("").to_str().unwrap()).unwrap();
        let (notes, connection) = (Arc::clone(&asked), zbus::block_on(bus.agent()));
        thread::spawn(move || zbus::block_on(serve(&driver, &connection, &notes)));
        Obedient { asked }
    }

    /// The methods it was asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(method, _)| method.clone()).collect()
    }

    /// Who asked.
    pub(crate) fn callers(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, caller)| caller.clone()).collect()
    }
}

async fn serve(driver: &Driver, bus: &Connection, notes: &Mutex<Vec<(String, String)>>) {
    let mut before = HashMap::new();
    let mut messages = MessageStream::from(bus);
    while let Some(Ok(call)) = messages.next().await {
        let header = call.header();
        let (Some(method), Some(caller)) = (header.member(), header.sender()) else { continue };
        if call.message_type() != message::Type::MethodCall {
            continue;
        }
        notes.lock().unwrap().push((method.to_string(), caller.to_string()));
        let now = Changes::all(&driver.settings().unwrap());
        let mouse = header.path().and_then(|path| path.as_str().split("/devices/").nth(1));
        match method.as_str() {
            "Set" => {
                let wanted: Dict = call.body().deserialize().unwrap();
                driver.change(&dict::read(&wanted).unwrap()).unwrap();
            }
            "Trial" => {
                let body = call.body();
                let (wanted, _): (Dict, u32) = body.deserialize().unwrap();
                let wanted = dict::read(&wanted).unwrap();
                match mouse {
                    Some(input) => {
                        let own = wanted.apply(&driver.settings().unwrap()).unwrap();
                        driver.set_device_settings(input, Some(&own)).unwrap();
                    }
                    None => drop(driver.change(&wanted).unwrap()),
                }
                let number = u32::try_from(notes.lock().unwrap().len()).unwrap();
                before.insert(number, now);
                bus.reply(&header, &number).await.unwrap();
                continue;
            }
            "ConfirmTrial" | "CancelTrial" => {
                let old = before.remove(&call.body().deserialize::<u32>().unwrap());
                let Some(old) = old else {
                    let name = "org.vespera.Agent1.Error.NoSuchTrial";
                    bus.reply_error(&header, name, &"it has ended").await.unwrap();
                    continue;
                };
                if method == "CancelTrial" {
                    driver.change(&old).unwrap();
                }
            }
            other => panic!("asked for {other}"),
        }
        bus.reply(&header, &()).await.unwrap();
    }
}
