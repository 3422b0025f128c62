// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent: keeps the settings of the mouse and serves them on the bus.
//!
//! Two threads. The keeper owns the state and waits for files and disks; the other one serves the
//! bus from snapshots and waits for descriptors, so no read waits for a disk or a password.
//!
//! - `args`: the command line
//! - `actor`, `keeper`: the thread that owns the state
//! - `message`, `snapshot`: what goes to it and what comes from it
//! - `bus`: the interfaces, who may do what, what is emitted
//! - `watch`: files, devices, wake-ups
//! - `store`: what outlives the agent
//! - `journal`: structured log entries
//! - `manual`: the man page

mod actor;
mod args;
mod bus;
mod journal;
mod keeper;
mod manual;
mod message;
mod snapshot;
mod store;
mod watch;

use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use anyhow::Context;
use clap::Parser;
use health::Root;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::StreamExt;
use vespera_api::names::BUS_NAME;
use zbus::Connection;
use zbus::fdo::{DBusProxy, RequestNameFlags};

use crate::args::{Args, Command};
use crate::bus::gate::Polkit;
use crate::bus::line::Line;
use crate::keeper::Keeper;
use crate::message::Event;
use crate::store::Store;

fn main() -> ExitCode {
    let args = Args::parse();
    ::journal::start(env!("CARGO_CRATE_NAME"));
    let outcome = match &args.command {
        Some(Command::Man { folder }) => manual::man(folder),
        None => run(&args.root()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(root: &Root) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // The mouse first: the settings are in force before anybody can ask for them.
    let keeper = Keeper::start(root.clone(), Store::new(root));
    let (messages, inbox) = mpsc::channel();
    let (publish, view) = tokio::sync::watch::channel(Arc::new(keeper.snapshot().clone()));
    let thread = std::thread::Builder::new()
        .name("keeper".to_owned())
        .spawn(move || actor::run(keeper, &inbox, &publish))?;

    let connection = Connection::system().await.context("cannot reach the system bus")?;
    let authority = Box::new(Polkit(connection.clone()));
    let (line, announcer) =
        bus::serve(&connection, authority, root, messages, view.clone()).await?;
    let announcing = tokio::spawn(announcer.run());
    // Whoever sees the name finds all objects.
    connection
        .request_name_with_flags(BUS_NAME, RequestNameFlags::DO_NOT_QUEUE)
        .await
        .with_context(|| format!("cannot own the name {BUS_NAME}"))?;

    let outcome = tokio::select! {
        ended = watch(root, &connection, &line, view) => ended,
        _ = closed(&connection) => Err(anyhow::anyhow!("the system bus has gone")),
        _ = announcing => Err(anyhow::anyhow!("the keeper of the settings has ended")),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    line.tell(Event::Stop);
    // A trial has gone back when the thread has ended.
    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    outcome
}

/// Runs all watchers; returns when the one that is needed fails.
async fn watch(
    root: &Root,
    connection: &Connection,
    line: &Line,
    view: tokio::sync::watch::Receiver<Arc<snapshot::Snapshot>>,
) -> anyhow::Result<()> {
    let devices = async {
        // Another root has no devices that udev would know of.
        if root.is_host() {
            optional(watch::devices::run(line.clone())).await;
        }
    };
    let others = async {
        tokio::join!(
            devices,
            optional(watch::logind::wake_ups(connection.clone(), line.clone())),
            optional(watch::logind::active_user(connection.clone(), line.clone())),
        );
        std::future::pending().await
    };
    tokio::select! {
        ended = watch::files::run(root.clone(), line.clone(), view) => ended,
        never = others => never,
    }
}

/// A watcher that the agent works without.
async fn optional(watcher: impl Future<Output = anyhow::Result<()>>) {
    if let Err(error) = watcher.await {
        journal::warning(&format!("{error:#}"));
    }
}

/// Returns when the connection is closed or the name is lost, which never happens by itself. The
/// proxy takes that from the bus alone: anybody may send a signal of the same name.
async fn closed(connection: &Connection) -> zbus::Result<()> {
    let bus = DBusProxy::new(connection).await?;
    let mut losses = bus.receive_name_lost_with_args(&[(0, BUS_NAME)]).await?;
    losses.next().await;
    Ok(())
}
