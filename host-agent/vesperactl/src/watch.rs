// SPDX-License-Identifier: MIT OR Apache-2.0
//! `--watch`: shows again whenever the agent says that something changed. Nothing is polled.

use futures_util::future::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use vespera_api::names::{BUS_NAME, ROOT_OBJECT};
use zbus::{Connection, MatchRule, MessageStream, message};

use crate::Reader;
use crate::agent;
use crate::exit::Outcome;

/// Shows now and after every change, until the bus is gone, or the reader when there is something
/// to show to it.
///
/// # Errors
/// [`vespera_api::Error`] without a bus, and whatever `show` or `print` meet.
pub(crate) fn run(
    show: impl Fn() -> anyhow::Result<Outcome>,
    print: impl Fn(&str) -> anyhow::Result<Reader>,
) -> anyhow::Result<Outcome> {
    // Before the first look: a change in between is not lost.
    let signals = zbus::block_on(listen()).map_err(agent::explained)?;
    follow(signals, show, print)
}

fn follow(
    mut signals: impl Stream<Item = ()> + Unpin,
    show: impl Fn() -> anyhow::Result<Outcome>,
    print: impl Fn(&str) -> anyhow::Result<Reader>,
) -> anyhow::Result<Outcome> {
    loop {
        let outcome = show()?;
        let reader = print(&outcome.text)?;
        if reader == Reader::Gone || zbus::block_on(change(&mut signals)).is_none() {
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::io::{self, Read};
    use std::task::Poll;

    use super::*;
    use crate::exit;
    use crate::print_to;

    /// Changes without end, one at a time.
    fn changes() -> impl Stream<Item = ()> + Unpin {
        let mut due = false;
        stream::poll_fn(move |context| {
            due = !due;
            if due {
                return Poll::Ready(Some(()));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// `vesperactl status --watch | head` stayed behind for ever.
    #[test]
    fn it_ends_with_the_first_change_after_its_reader_went() {
        let (reader, writer) = io::pipe().unwrap();
        let reader = RefCell::new(Some(reader));
        let shown = Cell::new(0);
        let show = || {
            shown.set(shown.get() + 1);
            Ok(Outcome { text: format!("screen {}\n", shown.get()), code: exit::DEGRADED })
        };
        let print = |text: &str| {
            let printed = print_to(&mut &writer, text);
            if shown.get() == 2 {
                let mut seen = [0; 18];
                let mut reader = reader.take().unwrap();
                reader.read_exact(&mut seen).unwrap();
                assert_eq!(&seen, b"screen 1\nscreen 2\n");
            }
            printed
        };
        let outcome = follow(changes(), show, print).unwrap();
        assert_eq!((outcome.code, outcome.text.as_str(), shown.get()), (exit::DEGRADED, "", 3));
    }

    #[test]
    fn it_ends_with_the_bus() {
        let show = || Ok(Outcome { text: "screen\n".to_owned(), code: exit::HEALTHY });
        let shown = RefCell::new(String::new());
        let print = |text: &str| {
            shown.borrow_mut().push_str(text);
            Ok(Reader::There)
        };
        let outcome = follow(changes().take(2), show, print).unwrap();
        assert_eq!((outcome.code, shown.into_inner().as_str()), (0, "screen\nscreen\nscreen\n"));
    }
}
