// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--watch`: shows again whenever the agent says that something changed. Nothing is polled.

use futures_util::future::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use vespera_api::names::{BUS_NAME, ROOT_OBJECT};
use zbus::{Connection, MatchRule, MessageStream, message};

use crate::agent;
use crate::exit::Outcome;

/// Shows now and after every change, until the reader or the bus is gone.
///
/// # Errors
/// [`vespera_api::Error`] without a bus, and whatever `show` or `print` meet.
pub(crate) fn run(
    show: impl Fn() -> anyhow::Result<Outcome>,
    print: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    // Before the first look: a change in between is not lost.
    let mut signals = zbus::block_on(listen()).map_err(agent::explained)?;
    loop {
        let outcome = show()?;
        print(&outcome.text)?;
        if zbus::block_on(change(&mut signals)).is_none() {
            return Ok(Outcome { text: String::new(), ..outcome });
        }
    }
}

/// Every signal of the agent's objects, and when the agent comes or goes.
async fn listen() -> vespera_api::Result<impl Stream<Item = ()> + Unpin> {
    let connection = Connection::system().await?;
    let signal = || MatchRule::builder().msg_type(message::Type::Signal);
    let mut streams = Vec::new();
    for rule in [
        signal().path_namespace(ROOT_OBJECT).build()?,
        signal()
            .interface("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .arg(0, BUS_NAME)
            .build()?,
    ] {
        streams.push(MessageStream::for_match_rule(rule, &connection, None).await?);
    }
    Ok(stream::select_all(streams).map(drop))
}

/// Waits for a signal and takes those that came with it; `None` at the end of the bus.
async fn change(signals: &mut (impl Stream<Item = ()> + Unpin)) -> Option<()> {
    signals.next().await?;
    while signals.next().now_or_never().flatten().is_some() {}
    Some(())
}
