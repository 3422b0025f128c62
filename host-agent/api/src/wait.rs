// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a client waits for an answer of the agent.

use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use futures_util::future::abortable;
use zbus::Connection;
use zbus::fdo::PeerProxy;

use crate::names::{BUS_NAME, ROOT_OBJECT};

/// What an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The agent has it ready.
    Ready,
    /// A person may have to give a password first, and may leave the program instead: it takes as
    /// long as the agent is alive.
    Person,
}

/// How long an agent that is alive takes at most for what it has ready; as libdbus has it.
pub const READY: Duration = Duration::from_secs(25);

/// Waits for an answer, but not for an agent that hangs: `None` then. The clock is on a thread of
/// its own, since neither the bus nor its library has one for all that can hang.
pub fn within<T>(limit: Duration, wait: Wait, answer: impl Future<Output = T>) -> Option<T> {
    let (answer, silent) = abortable(answer);
    let (answered, clock) = mpsc::channel::<()>();
    thread::spawn(move || {
        while clock.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            if wait == Wait::Ready || !is_alive(limit) {
                silent.abort();
                return;
            }
        }
    });
    let outcome = zbus::block_on(answer);
    drop(answered);
    outcome.ok()
}

/// Whether the agent answers at all: it does so also while a person is being asked.
fn is_alive(limit: Duration) -> bool {
    let (tell, told) = mpsc::channel();
    // It may hang as well, and then ends with the program.
    thread::spawn(move || {
        let answer: zbus::Result<()> = zbus::block_on(async {
            let bus = Connection::system().await?;
            PeerProxy::new(&bus, BUS_NAME, ROOT_OBJECT).await?.ping().await
        });
        tell.send(answer.is_ok())
    });
    told.recv_timeout(limit).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn nobody_waits_for_ever_for_an_agent_that_hangs() {
        let never = pending::<u8>();
        assert_eq!(within(Duration::from_millis(20), Wait::Ready, never), None);
        assert_eq!(within(READY, Wait::Person, ready(7)), Some(7));
    }
}
