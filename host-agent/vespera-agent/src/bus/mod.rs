// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent on the bus. Nothing here waits for a file or keeps state: calls become requests, reads
//! are answered from the last snapshot.
//!
//! - [`gate`]: who may do what
//! - [`crowd`], [`denials`]: calls that are not decided on yet, and those refused
//! - [`line`]: requests to the keeper, snapshots from it
//! - [`maccel`], [`device`], [`health`]: the interfaces
//! - [`announce`]: changes and objects
//! - [`caller`]: callers who leave

pub(crate) mod announce;
mod caller;
mod crowd;
mod denials;
mod device;
pub(crate) mod gate;
mod health;
pub(crate) mod line;
mod maccel;

use std::sync::{Arc, mpsc};

use ::health::Root;
use tokio::sync::watch;
use vespera_api::names::ROOT_OBJECT;
use zbus::Connection;
use zbus::fdo::ObjectManager;

use self::announce::Announcer;
use self::gate::{Authority, Gate};
use self::health::Health;
use self::line::Line;
use self::maccel::Maccel;
use crate::message::Message;
use crate::snapshot::Snapshot;

/// Makes all objects on `connection`; the changes are emitted while the [`Announcer`] runs.
pub(crate) async fn serve(
    connection: &Connection,
    authority: Box<dyn Authority>,
    root: &Root,
    keeper: mpsc::Sender<Message>,
    view: watch::Receiver<Arc<Snapshot>>,
) -> zbus::Result<(Line, Announcer)> {
    let gate = Arc::new(Gate::new(authority));
    let last = Arc::clone(&view.borrow());
    let (announced, so_far) = watch::channel(last.serial);
    let line = Line::new(keeper, view.clone(), so_far);
    let server = connection.object_server();
    server.at(ROOT_OBJECT, ObjectManager).await?;
    let (own_gate, own_line) = (Arc::clone(&gate), line.clone());
    server.at(ROOT_OBJECT, Health { gate: own_gate, line: own_line }).await?;
    let maccel = Maccel { gate: Arc::clone(&gate), line: line.clone(), root: root.clone() };
    server.at(ROOT_OBJECT, maccel).await?;
    let connection = connection.clone();
    let mut announcer = Announcer { connection, gate, line: line.clone(), view, announced, last };
    announcer.begin().await?;
    Ok((line, announcer))
}

#[cfg(test)]
mod tests;
