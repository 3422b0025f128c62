// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl notify`: a desktop notification, once for each deployment, when the next boot has
//! no fitting module. It goes by the report of the privileged check, so it needs no agent.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use health::check::causes;
use health::deployments::{Deployment, DeploymentsReport, Role};
use health::report::ReportError;
use health::{Root, State};
use zbus::{Connection, Variant, proxy};

use crate::exit::{self, Outcome};

/// Remembers the last deployment that was told of, below the user's folder of state.
const TOLD: &str = "vespera/notified";
/// The urgency "critical" keeps it on the screen until someone has seen it.
const CRITICAL: u8 = 2;

/// The desktop's own service; the names are those of its specification, version 1.2.
#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: &HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;
}

/// What there is to tell.
#[derive(Debug, PartialEq, Eq)]
struct Notice {
    /// The deployment, in one line.
    deployment: String,
    summary: String,
    body: String,
}

/// Looks, and tells what has not been told before.
pub(crate) fn run(root: &Root) -> anyhow::Result<Outcome> {
    let deployments = match DeploymentsReport::read(root) {
        Ok(report) => report.deployments,
        // A host without deployments, or one whose check has not run yet: the unit comes back.
        Err(ReportError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Vec::new()
        }
        Err(error) => return Err(error).context("cannot read the report on deployments"),
    };
    let told = state_folder()?.join(TOLD);
    let nothing = Outcome { text: String::new(), code: exit::HEALTHY };
    let Some(notice) = notice(&deployments) else { return Ok(nothing) };
    if fs::read_to_string(&told).is_ok_and(|line| line.trim() == notice.deployment) {
        return Ok(nothing);
    }
    show(&notice).context("cannot show a notification on this desktop")?;
    // Only now: what could not be shown is tried again.
    remember(&told, &notice.deployment).with_context(|| format!("cannot write {told}"))?;
    Ok(Outcome { text: format!("{}\n", notice.summary), code: exit::HEALTHY })
}

/// What to tell of the next boot, if it is another deployment and has no fitting module.
fn notice(deployments: &[Deployment]) -> Option<Notice> {
    let next = deployments.iter().find(|deployment| deployment.next)?;
    if next.role == Role::Booted || next.state != State::Broken {
        return None;
    }
    let version = next.version.as_deref().unwrap_or("of unknown version");
    let kernel = next.kernel.as_deref().unwrap_or("unknown");
    let cause = causes(&next.checks).next().map_or(String::new(), |check| {
        let detail = if check.detail.is_empty() { "" } else { ": " };
        format!(" {}{detail}{}.", check.title, check.detail)
    });
    Some(Notice {
        deployment: format!("{}.{}", next.checksum, next.serial),
        summary: "No mouse acceleration after the next restart".to_owned(),
        body: format!(
            "The system that starts next is {version} with kernel {kernel}.{cause} \
             To see what can be done: vesperactl status"
        ),
    })
}

fn show(notice: &Notice) -> zbus::Result<()> {
    zbus::block_on(async {
        let session = Connection::session().await?;
        let hints = HashMap::from([
            ("urgency", Variant::U8(CRITICAL)),
            ("desktop-entry", Variant::from("vesperactl")),
        ]);
        let notifications = NotificationsProxy::new(&session).await?;
        let (summary, body) = (notice.summary.as_str(), notice.body.as_str());
        let never = 0;
        notifications
            .notify("Vespera", 0, "input-mouse", summary, body, &[], &hints, never)
            .await
            .map(drop)
    })
}

/// `$XDG_STATE_HOME`, or where the specification of base directories puts it.
fn state_folder() -> anyhow::Result<Utf8PathBuf> {
    let of = |name: &str| env::var(name).ok().filter(|value| value.starts_with('/'));
    of("XDG_STATE_HOME")
        .map(Utf8PathBuf::from)
        .or_else(|| of("HOME").map(|home| Utf8PathBuf::from(home).join(".local/state")))
        .context("HOME is not set, so there is no place to remember what was told")
}

fn remember(told: &Utf8Path, deployment: &str) -> io::Result<()> {
    if let Some(folder) = told.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(told, format!("{deployment}\n"))
}

#[cfg(test)]
mod tests {
    use health::Check;
    use health::catalogue::MODULE_MISSING;

    use super::*;

    fn deployment(role: Role, next: bool, state: State) -> Deployment {
        Deployment {
            role,
            next,
            stateroot: "default".to_owned(),
            checksum: "abc".to_owned(),
            serial: 0,
            version: Some("44.2".to_owned()),
            reference: None,
            digest: None,
            kernel: Some("6.2.0".to_owned()),
            state,
            checks: vec![Check::failed(&MODULE_MISSING, &Root::default(), "it is for 6.1.0")],
        }
    }

    #[test]
    fn an_unfit_next_boot_is_told_with_its_kernel_and_the_cause() {
        let unfit = deployment(Role::Staged, true, State::Broken);
        let notice = notice(&[unfit, deployment(Role::Booted, false, State::Healthy)]).unwrap();
        assert_eq!(notice.deployment, "abc.0");
        insta::assert_snapshot!(notice.body, @"The system that starts next is 44.2 with kernel 6.2.0. No module for this kernel: it is for 6.1.0. To see what can be done: vesperactl status");
    }

    #[test]
    fn nothing_is_told_of_what_runs_or_fits_or_does_not_start_next() {
        for (role, next, state) in [
            (Role::Booted, true, State::Broken),
            (Role::Staged, true, State::Healthy),
            (Role::Staged, true, State::Unknown),
            (Role::Rollback, false, State::Broken),
        ] {
            assert_eq!(notice(&[deployment(role, next, state)]), None, "{role:?}");
        }
    }

    #[test]
    fn what_was_told_is_remembered_in_a_folder_that_may_not_exist_yet() {
        let fixture = module_check::fixtures::FixtureRoot::new();
        let told = fixture.root().at("state").join(TOLD);
        remember(&told, "abc.0").unwrap();
        assert_eq!(fs::read_to_string(&told).unwrap(), "abc.0\n");
    }
}
