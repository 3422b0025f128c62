// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line from the bus to the keeper: requests one way, snapshots the other.

use std::sync::Arc;
use std::sync::mpsc;

use tokio::sync::{oneshot, watch};
use vespera_api::{Error, Result};

use super::gate::Permit;
use crate::message::{Event, Message, Reply, Request};
use crate::snapshot::Snapshot;

/// One end of it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    keeper: mpsc::Sender<Message>,
    view: watch::Receiver<Arc<Snapshot>>,
    announced: watch::Receiver<u64>,
}

impl Line {
    /// Connects to the keeper behind `keeper`; `announced` is the last snapshot whose changes have
    /// been emitted.
    pub(crate) fn new(
        keeper: mpsc::Sender<Message>,
        view: watch::Receiver<Arc<Snapshot>>,
        announced: watch::Receiver<u64>,
    ) -> Self {
        Self { keeper, view, announced }
    }

    /// What is known now.
    pub(crate) fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.view.borrow())
    }

    /// Has something done. When it returns, the changes have been emitted.
    pub(crate) async fn ask(&self, _: &Permit, request: Request) -> Result<Reply> {
        let gone = || Error::WriteFailed("the agent is stopping".to_owned());
        let (answer, answered) = oneshot::channel();
        self.keeper.send(Message::Request(request, answer)).map_err(|_| gone())?;
        let reply = answered.await.map_err(|_| gone())??;
        let mut announced = self.announced.clone();
        // An announcer that has ended has no more to say; the request is done all the same.
        let _ = announced.wait_for(|serial| *serial >= reply.serial).await;
        Ok(reply)
    }

    /// Returns when this trial no longer runs.
    pub(crate) async fn trial_over(&self, trial: u32) {
        let mut view = self.view.clone();
        let over = |now: &Arc<Snapshot>| now.trial.is_none_or(|running| running.id != trial);
        // Without a keeper nothing runs.
        let _ = view.wait_for(over).await;
    }

    /// Tells of an event.
    pub(crate) fn tell(&self, event: Event) {
        // A keeper that has ended needs to know nothing.
        let _ = self.keeper.send(Message::Event(event));
    }
}
