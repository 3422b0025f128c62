// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to the agent, and what mends it when a call fails.

use std::future::Future;
use std::io;
use std::time::Duration;

use anyhow::ensure;
use health::Root;
use vespera_api::Error;
pub(crate) use vespera_api::wait::Wait;
use vespera_api::wait::{self, READY};
use zbus::Connection;

/// Asks the agent of the running system.
///
/// # Errors
/// [`vespera_api::Error`] of the call, and a word where `root` is not the running system.
pub(crate) fn ask<T>(
    root: &Root,
    wait: Wait,
    call: impl AsyncFnOnce(&Connection) -> vespera_api::Result<T>,
) -> anyhow::Result<T> {
    ensure!(root.is_host(), "the agent speaks for the running system only; leave out --root");
    ask_on(Connection::system(), READY, wait, call)
}

/// Asks on a bus; what does not answer within the limit cannot be reached.
pub(crate) fn ask_on<T>(
    bus: impl Future<Output = zbus::Result<Connection>>,
    limit: Duration,
    wait: Wait,
    call: impl AsyncFnOnce(&Connection) -> vespera_api::Result<T>,
) -> anyhow::Result<T> {
    let answer = wait::within(limit, wait, async { call(&bus.await?).await });
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
    answer.unwrap_or_else(|| Err(zbus::Error::from(silent()).into())).map_err(explained)
}

/// An error of the agent, with what it means where the bus only says what it met.
pub(crate) fn explained(error: Error) -> anyhow::Error {
    match error.is_unreachable() {
        true => anyhow::Error::new(error).context("the agent cannot be reached"),
        false => error.into(),
    }
}

/// What a person can do about an error of the agent.
pub(crate) fn remedy(error: &Error) -> Option<&'static str> {
    Some(match error {
        error if error.lacks_right() => {
            "use sudo or a desktop session; a Vespera image takes members of the group, too, so \
             join the group: sudo vesperactl group add"
        }
        Error::AccessDenied(_) => "try again in a moment, or see: systemctl status polkit",
        Error::ModuleNotLoaded(_) => "vesperactl status says why",
        Error::TrialRunning(_) => "vesperactl trial --keep, or vesperactl trial --cancel",
        Error::UnknownParameter(_) => "vesperactl get lists the parameters",
        Error::NoSuchProfile(_) => "vesperactl profile list",
        Error::Locked(_) => "the administrator has locked it in /etc/vespera",
        error if is_silence(error) => "sudo systemctl restart vespera-agent.service",
        error if error.is_unreachable() => "sudo systemctl start vespera-agent.service",
        _ => return None,
    })
}

/// Whether something is there, and hangs.
fn is_silence(error: &Error) -> bool {
    let Error::Bus(zbus::Error::InputOutput(error)) = error else { return false };
    error.kind() == io::ErrorKind::TimedOut
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::net::UnixListener;

    use module_check::fixtures::FixtureRoot;

    use super::*;

    /// Asks where a connection is taken and nobody ever answers, as a stopped process.
    pub(crate) fn ask_a_stopped_one<T>(
        call: impl AsyncFnOnce(&Connection) -> vespera_api::Result<T>,
    ) -> anyhow::Result<T> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let _stopped = UnixListener::bind(&socket).unwrap();
        let bus = async {
            let address = format!("unix:path={}", socket.display());
            zbus::connection::Builder::address(address.as_str()).build().await
        };
        ask_on(bus, Duration::from_millis(50), Wait::Ready, call)
    }

    #[test]
    fn another_root_has_no_agent_to_ask() {
        let fixture = FixtureRoot::new();
        let error = ask(fixture.root(), Wait::Ready, async |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("leave out --root"));
    }

    #[test]
    fn a_refusal_and_an_absent_agent_have_different_remedies() {
        let denied = |why: &str| Error::AccessDenied(format!("Set: {why}"));
        let lacking = denied("org.vespera.agent1.change-settings is not granted");
        assert!(remedy(&lacking).is_some_and(|words| words.contains("group add")));
        let crowded = denied("64 calls of this user are not decided on yet");
        assert_eq!(
            remedy(&crowded),
            Some("try again in a moment, or see: systemctl status polkit")
        );
        let absent = Error::from(zbus::fdo::Error::ServiceUnknown(String::new()));
        assert!(remedy(&absent).is_some_and(|words| words.contains("vespera-agent.service")));
        assert_eq!(remedy(&Error::InvalidValue(String::new())), None);
        let silent = ask_a_stopped_one(async |_| Ok(())).unwrap_err();
        let silent = silent.downcast_ref().unwrap();
        assert!(remedy(silent).is_some_and(|words| words.contains("restart vespera-agent")));
    }
}
