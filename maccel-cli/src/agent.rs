// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent on the system bus, if there is one.

use std::env;
use std::future::Future;
use std::time::Duration;

use camino::Utf8Path;
use futures_util::future::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use maccel_core::changes::Changes;
use vespera_api::names::{BUS_NAME, ROOT_OBJECT, device_path};
pub(crate) use vespera_api::wait::Wait;
use vespera_api::wait::{self, READY};
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
    let answer = ask(root, Wait::Person, async |bus| match device {
        None => MaccelProxy::new(&bus).await?.set(&dict).await,
        Some(input) => proxy(&bus, input).await?.set_settings(&dict).await,
    });
    sent(answer)
}

/// A trial of the agent. It lasts as long as its caller is on the bus.
#[derive(Debug)]
pub(crate) struct Trial {
    bus: Connection,
    /// The mouse that it is of; of all without one.
    device: Option<String>,
    number: u32,
}

impl Trial {
    /// Begins one, of one mouse or of all; `None` without an agent.
    pub(crate) fn begin(
        root: &Utf8Path,
        device: Option<&str>,
        changes: &Changes,
        seconds: u32,
    ) -> anyhow::Result<Option<Self>> {
        let device = device.map(str::to_owned);
        let answer = ask(root, Wait::Person, async |bus| {
            let number = try_out(&bus, device.as_deref(), changes, seconds).await?;
            Ok(Trial { bus, device, number })
        });
        answer.transpose().map_err(refusal)
    }

    /// Tries something else: the old settings, with these changes. Where that fails the old
    /// settings are in force.
    pub(crate) fn instead(self, changes: &Changes, seconds: u32) -> anyhow::Result<Self> {
        let Trial { bus, device, number } = self;
        let answer = limited(READY, Wait::Person, async {
            ended(MaccelProxy::new(&bus).await?.cancel_trial(number).await)?;
            try_out(&bus, device.as_deref(), changes, seconds).await
        });
        Ok(Trial { number: answer.map_err(refusal)?, bus, device })
    }

    /// Has the settings kept.
    pub(crate) fn keep(self) -> anyhow::Result<()> {
        let answer = limited(READY, Wait::Person, async {
            MaccelProxy::new(&self.bus).await?.confirm_trial(self.number).await
        });
        answer.map_err(|error| match error {
            Error::NoSuchTrial(_) => refusal(error).context("too late: the old settings are back"),
            error => refusal(error),
        })
    }

    /// Has the old settings put back.
    pub(crate) fn back(self) -> anyhow::Result<()> {
        let answer = limited(READY, Wait::Person, async {
            ended(MaccelProxy::new(&self.bus).await?.cancel_trial(self.number).await)
        });
        answer.map_err(refusal)
    }
}

/// Begins a trial and gives its number.
async fn try_out(
    bus: &Connection,
    device: Option<&str>,
    changes: &Changes,
    seconds: u32,
) -> Result<u32, Error> {
    let wanted = dict::write(changes);
    match device {
        None => MaccelProxy::new(bus).await?.trial(&wanted, seconds).await,
        Some(input) => proxy(bus, input).await?.trial(&wanted, seconds).await,
    }
}

/// The object of a mouse.
pub(crate) async fn proxy<'a>(bus: &Connection, input: &str) -> Result<DeviceProxy<'a>, Error> {
    let path = device_path(input).unwrap_or_default();
    Ok(DeviceProxy::builder(bus).path(path).build().await?)
}

/// A trial that ran out by itself at the same moment has ended as well.
fn ended(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::NoSuchTrial(_)) => Ok(()),
        outcome => outcome,
    }
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
    wait: Wait,
    question: impl FnOnce(Connection) -> F,
) -> Option<Result<T, Error>>
where
    F: Future<Output = Result<T, Error>>,
{
    if !has_bus(root) {
        return None;
    }
    let answer = limited(READY, wait, async {
        match Connection::system().await {
            Ok(bus) => question(bus).await.map(Some),
            Err(_) => Ok(None),
        }
    });
    match answer {
        Err(error) if error.is_unreachable() => None,
        answer => answer.transpose(),
    }
}

/// Waits for an answer, but not for an agent that hangs.
fn limited<T>(
    limit: Duration,
    wait: Wait,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let silent = || Err(Error::Bus(zbus::Error::Failure(SILENT.to_owned())));
    wait::within(limit, wait, answer).unwrap_or_else(silent)
}

/// What is said of an agent that hangs.
const SILENT: &str = "the agent does not answer; to start it again: \
                      sudo systemctl restart vespera-agent.service";

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
        error if error.lacks_right() => {
            "a person at this computer and root may; in a Vespera image a member of the group \
             maccel, too: sudo vesperactl group add"
        }
        Error::AccessDenied(_) => "try again in a moment, or see: systemctl status polkit",
        Error::Locked(_) => "the administrator has locked it in /etc/vespera/maccel.toml",
        Error::TrialRunning(_) => "somebody tries settings just now; they are kept or go back soon",
        _ => return error.into(),
    };
    anyhow::Error::msg(hint).context(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_lacks_the_right_is_told_how_to_get_it() {
        let said = |why: &str| format!("{:#}", refusal(Error::AccessDenied(why.to_owned())));
        let denied = said("Set: org.vespera.agent1.change-settings is not granted");
        assert!(denied.contains("group add") && !denied.contains("again"), "{denied}");
        let crowded = said("Set: 64 calls of this user are not decided on yet");
        assert!(crowded.contains("try again") && !crowded.contains("group"), "{crowded}");
    }

    #[test]
    fn an_agent_that_hangs_is_not_taken_for_none() {
        let never = std::future::pending::<Result<(), Error>>();
        let error = limited(Duration::from_millis(20), Wait::Ready, never).unwrap_err();
        assert!(!error.is_unreachable(), "it would be taken for no agent: {error}");
        assert!(refusal(error).to_string().starts_with("the agent does not answer"));
        let at_once = std::future::ready(Ok(7));
        assert_eq!(limited(READY, Wait::Person, at_once).unwrap(), 7);
    }
}
