// SPDX-License-Identifier: MIT OR Apache-2.0
//! This same program as another user: it calls what its words say and prints what came of it,
//! one line each.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vespera_api::access::METHODS;
use vespera_api::names::{BUS_NAME, DEVICE, MACCEL, ROOT_OBJECT, device_path};
use vespera_api::{Dict, MaccelProxy};
use zbus::fdo::{DBusProxy, PropertiesProxy, RequestNameFlags};
use zbus::wire::DynamicType;
use zbus::{Connection, OwnedVariant, Variant};

use crate::sysfs::MOUSE;
use crate::world::{CALLER, World};

/// Calls that are sent before anything is waited for: more than the bus lets the agent ask.
pub(crate) const FLOOD: usize = 500;
/// The word that makes the program a caller.
const CALL: &str = "call";

/// The words after it.
pub(crate) fn words(all: &[String]) -> Option<&[String]> {
    match all {
        [_, first, rest @ ..] if first == CALL => Some(rest),
        _ => None,
    }
}

/// A caller at work.
pub(crate) struct Caller {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Caller {
    /// Starts it.
    pub(crate) fn start(world: &World, user: &str, words: &[&str]) -> Self {
        let mut command: Command = world.command_of(user, world.path(CALLER));
        command.arg(CALL).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Caller { child, output }
    }

    /// Its next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// All that it says until it ends by itself.
    pub(crate) fn finish(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        let lines = self.output.lines().map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        lines
    }

    /// Ends it without a warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Entry point of the caller.
pub(crate) fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words == ["example"] {
        crate::examples::sensitivity();
        return ExitCode::SUCCESS;
    }
    zbus::block_on(async {
        let connection = Connection::system().await.unwrap();
        match words.as_slice() {
            ["own"] => own(&connection).await,
            ["forge"] => forge(&connection).await,
            ["methods"] => methods(&connection).await,
            ["properties"] => properties(&connection).await,
            ["trial", parameter, value] => trial(&connection, parameter, value).await,
            ["flood"] => flood(&connection).await,
            ["sets", times] => sets(&connection, times.parse().unwrap()).await,
            ["descriptor"] => descriptor(&connection).await,
            other => panic!("no such call: {other:?}"),
        }
    });
    ExitCode::SUCCESS
}

async fn own(connection: &Connection) {
    let bus = DBusProxy::new(connection).await.unwrap();
    let flags = RequestNameFlags::REPLACE_EXISTING | RequestNameFlags::DO_NOT_QUEUE;
    let outcome = bus.request_name(BUS_NAME.try_into().unwrap(), flags).await;
    match outcome {
        Ok(reply) => say(&format!("{reply:?}")),
        Err(error) => say(&name_of(&zbus::Error::from(error))),
    }
}

/// Tells the agent in the words of the bus that it has lost its name, and that its callers have
/// gone.
async fn forge(connection: &Connection) {
    let (path, interface) = ("/org/freedesktop/DBus", "org.freedesktop.DBus");
    let lost = (BUS_NAME,);
    connection.emit_signal(Some(BUS_NAME), path, interface, "NameLost", &lost).await.unwrap();
    let changed = (":1.1", ":1.1", "");
    let name = "NameOwnerChanged";
    connection.emit_signal(Some(BUS_NAME), path, interface, name, &changed).await.unwrap();
    // The bus has both when it answers.
    DBusProxy::new(connection).await.unwrap().get_id().await.unwrap();
    say("sent");
}

/// Every method of the table once, with arguments that do no harm.
async fn methods(connection: &Connection) {
    for (interface, method, _) in METHODS {
        let outcome = call_with_sample(connection, interface, method).await;
        say(&format!("{}.{method} {outcome}", short(interface)));
    }
}

async fn call_with_sample(connection: &Connection, interface: &str, method: &str) -> String {
    let nothing = Dict::new();
    let sens = Dict::from([("SensMult".to_owned(), OwnedVariant::from(1.0))]);
    let path = object_of(interface);
    let to = (path.as_str(), interface, method);
    match method {
        "Recheck" | "Reset" | "OpenSpeed" | "ListProfiles" | "Inherit" => {
            call(connection, to, &()).await
        }
        "Set" | "SetSettings" => call(connection, to, &(sens,)).await,
        "Trial" => {
            let trial: zbus::Result<u32> = async {
                let reply = connection
                    .call_method(Some(BUS_NAME), to.0, Some(to.1), to.2, &(sens, 600_u32))
                    .await?;
                reply.body().deserialize()
            }
            .await;
            match trial {
                // What comes after it in the table is not to meet it.
                Ok(id) => call(connection, (ROOT_OBJECT, MACCEL, "CancelTrial"), &(id,)).await,
                Err(error) => name_of(&error),
            }
        }
        "ConfirmTrial" | "CancelTrial" => call(connection, to, &(0_u32,)).await,
        "Preview" => call(connection, to, &(nothing, vec![1.0, 2.0])).await,
        "SaveProfile" | "GetProfile" | "ApplyProfile" | "DeleteProfile" => {
            call(connection, to, &("sample",)).await
        }
        "SetEnabled" => call(connection, to, &(true,)).await,
        other => panic!("there is no sample for {other}"),
    }
}

async fn call<B: serde::Serialize + DynamicType>(
    connection: &Connection,
    (path, interface, method): (&str, &str, &str),
    body: &B,
) -> String {
    match connection.call_method(Some(BUS_NAME), path, Some(interface), method, body).await {
        Ok(_) => "ok".to_owned(),
        Err(error) => name_of(&error),
    }
}

/// Every property read and written, and the standard interfaces.
async fn properties(connection: &Connection) {
    for interface in vespera_api::names::INTERFACES {
        let path = object_of(interface);
        let proxy = PropertiesProxy::new(connection, BUS_NAME, path.as_str()).await.unwrap();
        let name = zbus::names::InterfaceName::try_from(interface).unwrap();
        let all = match proxy.get_all(name.clone()).await {
            Ok(all) => all,
            Err(error) => {
                say(&format!("{}: {error}", short(interface)));
                continue;
            }
        };
        let mut names: Vec<_> = all.keys().collect();
        names.sort();
        for property in names {
            let read = match proxy.get(name.clone(), property).await {
                Ok(_) => "ok".to_owned(),
                Err(error) => name_of(&error.into()),
            };
            let written = match proxy.set(name.clone(), property, &all[property]).await {
                Ok(()) => "ok".to_owned(),
                Err(error) => name_of(&error.into()),
            };
            say(&format!("{}.{property} read {read}, write {written}", short(interface)));
        }
    }
    for (interface, method) in [
        ("org.freedesktop.DBus.Peer", "Ping"),
        ("org.freedesktop.DBus.Introspectable", "Introspect"),
        ("org.freedesktop.DBus.ObjectManager", "GetManagedObjects"),
        ("org.example.Other", "Anything"),
    ] {
        let outcome = call(connection, (ROOT_OBJECT, interface, method), &()).await;
        say(&format!("{interface}.{method} {outcome}"));
    }
}

/// Starts a trial, says its number, and stays on the bus until its input ends.
async fn trial(connection: &Connection, parameter: &str, value: &str) {
    let maccel = MaccelProxy::new(connection).await.unwrap();
    let value: f64 = value.parse().unwrap();
    let change = HashMap::from([(parameter.to_owned(), OwnedVariant::from(value))]);
    let id = maccel.trial(&change, 600).await.unwrap();
    say(&id.to_string());
    io::stdin().lines().for_each(drop);
}

/// Sends [`FLOOD`] changes and waits for none of the answers, again and again until its input ends;
/// says when they are sent.
async fn flood(connection: &Connection) {
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    std::thread::spawn(move || {
        io::stdin().lines().for_each(drop);
        ended.store(true, Ordering::Relaxed);
    });
    let maccel = MaccelProxy::new(connection).await.unwrap();
    let change = (Dict::from([("SensMult".to_owned(), OwnedVariant::from(1.0))]),);
    while !over.load(Ordering::Relaxed) {
        for _ in 0..FLOOD {
            maccel.inner().call_noreply("Set", &change).await.unwrap();
        }
        say("sent");
        // Else all the bus would do is to keep them for the agent.
        let ping = (ROOT_OBJECT, "org.freedesktop.DBus.Peer", "Ping");
        assert_eq!(call(connection, ping, &()).await, "ok");
    }
}

/// So many changes, one after another.
async fn sets(connection: &Connection, times: u32) {
    let maccel = MaccelProxy::new(connection).await.unwrap();
    for time in 0..times {
        let value = 1.0 + f64::from(time);
        let change = Dict::from([("SensMult".to_owned(), OwnedVariant::from(value))]);
        match maccel.set(&change).await {
            Ok(()) => say("ok"),
            Err(error) => say(&error.to_string()),
        }
    }
}

/// A change with an open file in it, and calls that are open to everyone with one that nobody asked
/// for: who refuses them.
async fn descriptor(connection: &Connection) {
    let file = || std::os::fd::OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let held = || Variant::Fd(zbus::wire::Fd::from(file()));
    let change = Dict::from([("SensMult".to_owned(), OwnedVariant::try_from(held()).unwrap())]);
    let (peer, properties) = ("org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Properties");
    let outcomes = [
        connection.call_method(Some(BUS_NAME), ROOT_OBJECT, Some(MACCEL), "Set", &(change,)).await,
        connection.call_method(Some(BUS_NAME), ROOT_OBJECT, Some(peer), "Ping", &(held(),)).await,
        connection
            .call_method(Some(BUS_NAME), ROOT_OBJECT, Some(properties), "GetAll", &(MACCEL, held()))
            .await,
    ];
    for outcome in outcomes {
        match outcome {
            Ok(_) => say("ok"),
            // The words of dbus-daemon, and none of the agent's.
            Err(error) if error.to_string().contains("Rejected send message") => {
                say(&format!("{} by the bus", name_of(&error)));
            }
            Err(error) => say(&error.to_string()),
        }
    }
}

fn object_of(interface: &str) -> String {
    if interface == DEVICE { device_path(MOUSE).unwrap() } else { ROOT_OBJECT.to_owned() }
}

/// The last part of an interface's name.
pub(crate) fn short(interface: &str) -> &str {
    interface.rsplit('.').next().unwrap()
}

/// The name of an error reply, without what most of ours begin with.
pub(crate) fn name_of(error: &zbus::Error) -> String {
    let name = match error {
        zbus::Error::MethodError(name, _, _) => name.to_string(),
        zbus::Error::FDO(error) => zbus::DBusError::name(&**error).to_string(),
        other => panic!("not an error reply: {other}"),
    };
    name_only(&name)
}

fn name_only(name: &str) -> String {
    name.trim_start_matches(vespera_api::error::PREFIX)
        .trim_start_matches("org.freedesktop.DBus.Error.")
        .to_owned()
}

fn say(line: &str) {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").unwrap();
    output.flush().unwrap();
}
