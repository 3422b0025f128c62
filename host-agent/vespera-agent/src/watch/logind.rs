// SPDX-License-Identifier: MIT OR Apache-2.0
//! logind: when the system wakes up, and whose session is the active one.

use tokio_stream::StreamExt;
use zbus::wire::OwnedObjectPath;
use zbus::{Connection, proxy};

use crate::bus::line::Line;
use crate::message::Event;

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Manager {
    /// Before the system sleeps, and after.
    #[zbus(signal)]
    fn prepare_for_sleep(&self, start: bool) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.freedesktop.login1.Seat",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1/seat/seat0"
)]
trait Seat {
    /// The session in the foreground; an empty id and the path `/` for none.
    #[zbus(property)]
    fn active_session(&self) -> zbus::Result<(String, OwnedObjectPath)>;
}

#[proxy(interface = "org.freedesktop.login1.Session", default_service = "org.freedesktop.login1")]
trait Session {
    /// Its user: id and object.
    #[zbus(property(emits_changed_signal = "const"))]
    fn user(&self) -> zbus::Result<(u32, OwnedObjectPath)>;
}

/// Tells when the system has woken up.
pub(crate) async fn wake_ups(connection: Connection, line: Line) -> anyhow::Result<()> {
    let manager = ManagerProxy::new(&connection).await?;
    let mut sleeps = manager.receive_prepare_for_sleep().await?;
    while let Some(sleep) = sleeps.next().await {
        if !sleep.args()?.start {
            line.tell(Event::Resumed);
        }
    }
    Ok(())
}

/// Tells whose session is the active one, at first and at each change.
pub(crate) async fn active_user(connection: Connection, line: Line) -> anyhow::Result<()> {
    let seat = SeatProxy::new(&connection).await?;
    let mut sessions = seat.receive_active_session_changed().await;
    while let Some(change) = sessions.next().await {
        let uid = match change.get().await {
            Ok((id, path)) if !id.is_empty() => user_of(&connection, path).await,
            _ => None,
        };
        line.tell(Event::ActiveUser(uid));
    }
    Ok(())
}

/// `None` for a session that has just ended.
async fn user_of(connection: &Connection, session: OwnedObjectPath) -> Option<u32> {
    let session = SessionProxy::builder(connection).path(session).build().await.ok()?;
    session.user().await.ok().map(|(uid, _)| uid)
}
