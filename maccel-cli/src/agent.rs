// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent on the system bus, if there is one.

use std::env;
use std::future::Future;

use camino::Utf8Path;
use futures_util::future::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use maccel_core::changes::Changes;
use vespera_api::names::{BUS_NAME, ROOT_OBJECT, device_path};
use vespera_api::{DeviceProxy, Error, MaccelProxy, dict};
use zbus::{Connection, MatchRule, MessageStream, message};

/// Whether the agent did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It did.
    Done,
    /// There is none.
    NoAgent,
}

/// Where another address of the system bus is given.
const ADDRESS: &str = "DBUS_SYSTEM_BUS_ADDRESS";

/// Lets the agent make changes, to one mouse or to all.
pub(crate) fn change(
    root: &Utf8Path,
    device: Option<&str>,
    changes: &Changes,
) -> anyhow::Result<Sent> {
    let dict = dict::write(changes);
    let answer = ask(root, async |bus| match device.map(device_path) {
        None => MaccelProxy::new(&bus).await?.set(&dict).await,
        Some(path) => {
            DeviceProxy::builder(&bus)
                .path(path.unwrap_or_default())
                .build()
                .await?
                .set_settings(&dict)
                .await
        }
    });
    sent(answer)
}

/// Calls `told` whenever the agent says that something changed, or comes or goes, until that
/// gives `false` or the bus is gone. Signals that come together are one.
pub(crate) fn follow(root: &Utf8Path, told: impl Fn() -> bool) {
    if !has_bus(root) {
        return;
    }
    zbus::block_on(async {
        let Ok(mut signals) = listen().await else { return };
        while signals.next().await.is_some() {
            while signals.next().now_or_never().flatten().is_some() {}
            if !told() {
                return;
            }
        }
    });
}

/// Every signal of the agent's objects, and of the agent's coming and going.
async fn listen() -> zbus::Result<impl Stream<Item = ()> + Unpin> {
    let bus = Connection::system().await?;
    let signal = || MatchRule::builder().msg_type(message::Type::Signal);
    let owner = signal().interface("org.freedesktop.DBus").member("NameOwnerChanged");
    let mut streams = Vec::new();
    for rule in [signal().path_namespace(ROOT_OBJECT).build()?, owner.arg(0, BUS_NAME).build()?] {
        streams.push(MessageStream::for_match_rule(rule, &bus, None).await?);
    }
    Ok(stream::select_all(streams).map(drop))
}

/// Whether there is a bus that may have an agent of this root.
fn has_bus(root: &Utf8Path) -> bool {
    // Another root has a bus of its own or none.
    root == "/" || env::var_os(ADDRESS).is_some()
}

/// Puts a question to the agent. `None` without an agent.
pub(crate) fn ask<T, F>(
    root: &Utf8Path,
    question: impl FnOnce(Connection) -> F,
) -> Option<Result<T, Error>>
where
    F: Future<Output = Result<T, Error>>,
{
    if !has_bus(root) {
        return None;
    }
    zbus::block_on(async {
        let bus = Connection::system().await.ok()?;
        match question(bus).await {
            Err(error) if error.is_unreachable() => None,
            answer => Some(answer),
        }
    })
}

/// An answer as an outcome; a refusal says what would be needed.
pub(crate) fn sent(answer: Option<Result<(), Error>>) -> anyhow::Result<Sent> {
    match answer {
        None => Ok(Sent::NoAgent),
        Some(Ok(())) => Ok(Sent::Done),
        Some(Err(error)) => Err(refusal(error)),
    }
}

/// Why the agent did not do it, and what mends it.
pub(crate) fn refusal(error: Error) -> anyhow::Error {
    let hint = match &error {
        Error::AccessDenied(_) => {
            "a person at this computer, or a member of the group maccel, may: \
             sudo vesperactl group add"
        }
        Error::Locked(_) => "the administrator has locked it in /etc/vespera/maccel.toml",
        Error::TrialRunning(_) => "somebody tries settings just now; they are kept or go back soon",
        _ => return error.into(),
    };
    anyhow::Error::msg(hint).context(error)
}
