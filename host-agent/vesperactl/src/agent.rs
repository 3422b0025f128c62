// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to the agent, and what mends it when a call fails.

use anyhow::ensure;
use health::Root;
use vespera_api::Error;
use zbus::Connection;

/// Asks the agent of the running system.
///
/// # Errors
/// [`vespera_api::Error`] of the call, and a word where `root` is not the running system.
pub(crate) fn ask<T>(
    root: &Root,
    call: impl AsyncFnOnce(&Connection) -> vespera_api::Result<T>,
) -> anyhow::Result<T> {
    ensure!(root.is_host(), "the agent speaks for the running system only; leave out --root");
    let answer = zbus::block_on(async {
        let connection = Connection::system().await.map_err(Error::from)?;
        call(&connection).await
    });
    answer.map_err(explained)
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
        Error::AccessDenied(_) => {
            "use sudo or a desktop session; a Vespera image takes members of the group, too, so \
             join the group: sudo vesperactl group add"
        }
        Error::ModuleNotLoaded(_) => "vesperactl status says why",
        Error::TrialRunning(_) => "vesperactl trial --keep, or vesperactl trial --cancel",
        Error::UnknownParameter(_) => "vesperactl get lists the parameters",
        Error::NoSuchProfile(_) => "vesperactl profile list",
        Error::Locked(_) => "the administrator has locked it in /etc/vespera",
        error if error.is_unreachable() => "sudo systemctl start vespera-agent.service",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn another_root_has_no_agent_to_ask() {
        let fixture = FixtureRoot::new();
        let error = ask(fixture.root(), async |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("leave out --root"));
    }

    #[test]
    fn a_refusal_and_an_absent_agent_have_different_remedies() {
        let denied = Error::AccessDenied(String::new());
        assert!(remedy(&denied).is_some_and(|words| words.contains("group add")));
        let absent = Error::from(zbus::fdo::Error::ServiceUnknown(String::new()));
        assert!(remedy(&absent).is_some_and(|words| words.contains("vespera-agent.service")));
        assert_eq!(remedy(&Error::InvalidValue(String::new())), None);
    }
}
