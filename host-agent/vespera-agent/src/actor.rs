// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keeper's thread: takes what is sent, does what is due, publishes what is known. It sleeps
//! until one of them happens.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::watch;

use crate::keeper::Keeper;
use crate::message::{Event, Message};
use crate::snapshot::Snapshot;

/// Runs until [`Event::Stop`], or until nobody can send any more.
pub(crate) fn run(
    mut keeper: Keeper,
    inbox: &Receiver<Message>,
    view: &watch::Sender<Arc<Snapshot>>,
) {
    loop {
        let received = match keeper.deadline() {
            Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let now = Instant::now();
        let mut answer = None;
        let mut last = false;
        match received {
            Ok(Message::Request(request, caller)) => {
                answer = Some((caller, keeper.request(request, now)));
            }
            Ok(Message::Event(event)) => {
                last = event == Event::Stop;
                keeper.event(event, now);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        keeper.tick(Instant::now());
        publish(&keeper, view);
        if let Some((caller, reply)) = answer {
            // A caller that has left is not waiting.
            let _ = caller.send(reply);
        }
        if last {
            return;
        }
    }
}

fn publish(keeper: &Keeper, view: &watch::Sender<Arc<Snapshot>>) {
    view.send_if_modified(|published| {
        let is_new = published.serial != keeper.snapshot().serial;
        if is_new {
            *published = Arc::new(keeper.snapshot().clone());
        }
        is_new
    });
}
