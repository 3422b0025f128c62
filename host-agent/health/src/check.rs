// SPDX-License-Identifier: MIT OR Apache-2.0
//! One finding, and the state that follows from all of them.

use std::borrow::Cow;
use std::fmt;

use module_check::Root;
use serde::{Deserialize, Serialize};

use crate::catalogue::{self, Kind};

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// The fault is there.
    Failed,
    /// The check could not run; nothing is known.
    Unknown,
}

/// How much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; changes no state.
    Info,
    /// Something is lost, the mouse still accelerates.
    Warning,
    /// Mouse acceleration does not work.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, area and fault in kebab case.
    pub code: Cow<'static, str>,
    /// What was found.
    pub status: Status,
    /// How much it matters if it failed.
    pub severity: Severity,
    /// One line for people.
    pub title: Cow<'static, str>,
    /// What exactly was seen.
    pub detail: String,
    /// The command that mends it, if there is one.
    pub remedy: Option<String>,
    /// The check whose fault would explain this one.
    pub after: Option<Cow<'static, str>>,
    /// The root folder that was looked at.
    pub root: String,
}

impl Check {
    fn new(kind: &Kind, root: &Root, status: Status, detail: String) -> Self {
        let failed = status == Status::Failed;
        Self {
            code: kind.code.into(),
            status,
            severity: kind.severity,
            title: if failed { kind.fault } else { kind.title }.into(),
            detail,
            remedy: (failed && !kind.remedy.is_empty()).then(|| kind.remedy.to_owned()),
            after: kind.after.map(Into::into),
            root: root.path().to_string(),
        }
    }

    /// All is well.
    pub fn ok(kind: &Kind, root: &Root, detail: impl Into<String>) -> Self {
        Self::new(kind, root, Status::Ok, detail.into())
    }

    /// The fault is there.
    pub fn failed(kind: &Kind, root: &Root, detail: impl Into<String>) -> Self {
        Self::new(kind, root, Status::Failed, detail.into())
    }

    /// The check could not run.
    pub fn unknown(kind: &Kind, root: &Root, reason: impl Into<String>) -> Self {
        Self::new(kind, root, Status::Unknown, reason.into())
    }

    /// Replaces the catalogue's remedy by one that suits this host.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Replaces the catalogue's severity where the circumstances make it milder.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Whether the fault is there.
    pub fn is_failed(&self) -> bool {
        self.status == Status::Failed
    }
}

/// The state of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Mouse acceleration works.
    Healthy,
    /// It works, but something is lost.
    Degraded,
    /// It does not work.
    Broken,
    /// Nothing failed, but a check that matters could not run.
    Unknown,
}

impl State {
    /// The state that follows from all findings.
    pub fn of(checks: &[Check]) -> Self {
        let worst = checks.iter().filter(|check| check.is_failed()).map(|check| check.severity);
        match worst.max() {
            Some(Severity::Error) => Self::Broken,
            Some(Severity::Warning) => Self::Degraded,
            Some(Severity::Info) | None => {
                let blind = |check: &Check| {
                    check.status == Status::Unknown && check.severity == Severity::Error
                };
                if checks.iter().any(blind) { Self::Unknown } else { Self::Healthy }
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        })
    }
}

/// The faults that stand on their own: those whose named cause did not itself fail.
///
/// A person needs the cause, not the three things that follow from it.
pub fn causes(checks: &[Check]) -> impl Iterator<Item = &Check> {
    checks.iter().filter(|check| check.is_failed() && !explained(checks, check))
}

fn explained(checks: &[Check], check: &Check) -> bool {
    // A check between the two may not have been made, so the chain is the catalogue's; the bound
    // ends a cycle in a hand-written file.
    let mut after = check.after.as_deref();
    for _ in 0..checks.len() + catalogue::ALL.len() {
        let Some(code) = after else { return false };
        let cause = checks.iter().find(|other| other.code == code && other.root == check.root);
        if cause.is_some_and(Check::is_failed) {
            return true;
        }
        after = match cause {
            Some(cause) => cause.after.as_deref(),
            None => catalogue::find(code).and_then(|kind| kind.after),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{
        GROUP_MISSING, MODULE_MISSING, MODULE_NOT_LOADED, PERMISSIONS_PARAMETERS,
    };

    fn root() -> Root {
        Root::default()
    }

    #[test]
    fn the_worst_fault_makes_the_state() {
        let broken = Check::failed(&MODULE_NOT_LOADED, &root(), "");
        let degraded = Check::failed(&PERMISSIONS_PARAMETERS, &root(), "");
        let fine = Check::ok(&MODULE_MISSING, &root(), "");
        let blind = Check::unknown(&MODULE_MISSING, &root(), "");
        let table = [
            (vec![], State::Healthy),
            (vec![fine.clone()], State::Healthy),
            (vec![fine.clone(), degraded.clone()], State::Degraded),
            (vec![degraded.clone(), broken, blind.clone()], State::Broken),
            (vec![fine, blind.clone()], State::Unknown),
            (vec![degraded, blind], State::Degraded),
        ];
        for (checks, state) in table {
            assert_eq!(State::of(&checks), state, "{checks:?}");
        }
    }

    #[test]
    fn only_the_cause_is_named_not_what_follows_from_it() {
        let checks = [
            Check::failed(&MODULE_MISSING, &root(), ""),
            Check::failed(&MODULE_NOT_LOADED, &root(), ""),
            Check::failed(&GROUP_MISSING, &root(), ""),
        ];
        let codes: Vec<_> = causes(&checks).map(|check| check.code.as_ref()).collect();
        assert_eq!(codes, ["module-missing", "group-missing"]);
    }

    #[test]
    fn the_json_has_exactly_the_designed_keys() {
        let check = Check::failed(&MODULE_MISSING, &root(), "gone").remedy("sudo mend");
        assert_eq!(
            serde_json::to_value(&check).unwrap(),
            serde_json::json!({
                "code": "module-missing", "status": "failed", "severity": "error",
                "title": "No module for this kernel", "detail": "gone",
                "remedy": "sudo mend", "after": null, "root": "/",
            })
        );
    }
}
