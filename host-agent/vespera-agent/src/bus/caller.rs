// SPDX-License-Identifier: MIT OR Apache-2.0
//! Callers who leave the bus: with them go their trials.

use tokio_stream::StreamExt;
use vespera_api::Result;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

use super::gate::Permit;
use super::line::Line;
use crate::journal;
use crate::message::{Event, Request};

/// Begins a trial, of all mice or of one, that ends when its caller leaves.
pub(super) async fn begin_trial(
    connection: &Connection,
    permit: &Permit,
    line: &Line,
    request: Request,
) -> Result<u32> {
    let trial = line.ask(permit, request).await?.trial;
    follow(connection, permit, trial, line.clone());
    Ok(trial)
}

/// Tells the keeper when the caller of a trial has left. On a line of its own nobody can.
fn follow(connection: &Connection, permit: &Permit, trial: u32, line: Line) {
    let Some(caller) = permit.caller().map(str::to_owned) else { return };
    let connection = connection.clone();
    tokio::spawn(async move {
        if let Err(error) = wait_for_end(&connection, &caller, trial, &line).await {
            journal::warning(&format!("cannot follow {caller}, its trial ends: {error}"));
        }
        line.tell(Event::CallerLeft(trial));
    });
}

/// Returns when the caller has left, or the trial has ended.
async fn wait_for_end(
    connection: &Connection,
    caller: &str,
    trial: u32,
    line: &Line,
) -> zbus::Result<()> {
    let bus = DBusProxy::new(connection).await?;
    let mut changes = bus.receive_name_owner_changed_with_args(&[(0, caller)]).await?;
    // It may have left before we listened.
    if !bus.name_has_owner(BusName::try_from(caller)?).await? {
        return Ok(());
    }
    loop {
        tokio::select! {
            change = changes.next() => {
                let Some(change) = change else { return Ok(()) };
                if change.args()?.new_owner().is_none() {
                    return Ok(());
                }
            }
            () = line.trial_over(trial) => return Ok(()),
        }
    }
}
