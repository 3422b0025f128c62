// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the payload fits: the reports of the privileged checks, what the agent itself found,
//! and the boots.

use std::io;
use std::time::{Duration, Instant};

use ::health::catalogue::{
    BOOT_UNCHECKED, MODULE_NOT_LOADED, SETTINGS_FILE_DAMAGED, SETTINGS_FILE_REFUSED,
    SETTINGS_NOT_IMPORTED, SETTINGS_NOT_IN_FORCE, SETTINGS_NOT_SAVED,
};
use ::health::deployments::{self, DeploymentsReport};
use ::health::host::{self, ImageFacts};
use ::health::report::ModuleReport;
use ::health::{Check, State, Status, loaded, timestamp};
use maccel_core::changes::Changes;
use serde::{Deserialize, Serialize};
use vespera_api::{CheckRecord, DeploymentRecord, Error, Result};

use super::Keeper;
use crate::journal;
use crate::snapshot::HealthView;
use crate::store::Saved;

/// Where a check is asked for.
const REQUEST: &str = "run/vespera/request/check";
/// The least time between two requests.
const PAUSE: Duration = Duration::from_secs(1);
/// The boots that are kept.
const BOOTS: usize = 50;
const FORMAT: u32 = 1;

/// The boots of this system, the running one first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    format: u32,
    pub(super) boots: Vec<Boot>,
}

/// One boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boot {
    pub(super) boot_id: String,
    pub(super) time: String,
    pub(super) kernel: String,
    pub(super) state: String,
    pub(super) image: Option<String>,
    pub(super) version: Option<String>,
    pub(super) module: Option<String>,
    pub(super) srcversion: Option<String>,
    pub(super) faults: Vec<String>,
}

impl Keeper {
    pub(super) fn note_damage(&mut self, damage: Option<String>) {
        let check = match damage {
            Some(detail) => Check::failed(&SETTINGS_FILE_DAMAGED, &self.root, detail),
            None => Check::ok(&SETTINGS_FILE_DAMAGED, &self.root, ""),
        };
        self.note(check);
    }

    pub(super) fn note_refused_layers(&mut self, faults: &[String]) {
        let check = match faults {
            [] => Check::ok(&SETTINGS_FILE_REFUSED, &self.root, ""),
            _ => Check::failed(&SETTINGS_FILE_REFUSED, &self.root, faults.join("\n")),
        };
        self.note(check);
    }

    pub(super) fn note_saved(&mut self, outcome: &io::Result<Saved>) {
        let check = match outcome {
            Ok(Saved::Whole) => Check::ok(&SETTINGS_NOT_SAVED, &self.root, ""),
            Ok(Saved::WithoutCopy(error)) => Check::failed(
                &SETTINGS_NOT_SAVED,
                &self.root,
                format!("they are saved, their copy for the case of damage is not: {error}"),
            ),
            Err(error) => Check::failed(&SETTINGS_NOT_SAVED, &self.root, error.to_string()),
        };
        self.note(check);
    }

    /// Whether the last attempt to save failed, wholly or in part.
    pub(super) fn is_unsaved(&self) -> bool {
        self.findings.get(SETTINGS_NOT_SAVED.code).is_some_and(Check::is_failed)
    }

    pub(super) fn note_import(&mut self, refused: &[String]) {
        let check = match refused {
            [] => Check::ok(&SETTINGS_NOT_IMPORTED, &self.root, ""),
            _ => Check::failed(&SETTINGS_NOT_IMPORTED, &self.root, refused.join("\n")),
        };
        self.note(check);
    }

    /// Whether what is saved is in force.
    pub(super) fn judge(&mut self) {
        let kind = &SETTINGS_NOT_IN_FORCE;
        if self.driver.is_none() || self.trial.is_some() {
            // Without the module that is said elsewhere, and a trial is no fault.
            self.findings.remove(kind.code);
            return;
        }
        if let Some(why) = &self.unread {
            return self.note(Check::failed(kind, &self.root, why.clone()));
        }
        let Some(seen) = &self.seen else {
            let check = Check::failed(kind, &self.root, "what the driver holds cannot be read");
            return self.note(check);
        };
        let mut faults = Vec::new();
        match self.wanted() {
            Ok(wanted) if wanted == *seen => {}
            Ok(wanted) => {
                let differing = super::force::names(&Changes::between(seen, &wanted));
                faults.push(format!("the driver has other values: {differing}"));
            }
            Err(error) => faults.push(error.to_string()),
        }
        faults.extend(self.devices.values().filter_map(|mouse| self.fault_of(mouse, seen)));
        let check = match faults.as_slice() {
            [] => Check::ok(kind, &self.root, ""),
            _ => Check::failed(kind, &self.root, faults.join("; ")),
        };
        self.note(check);
    }

    fn note(&mut self, check: Check) {
        let Some(kind) = ::health::catalogue::find(&check.code) else { return };
        let before = self.findings.get(kind.code);
        if check.is_failed() && before != Some(&check) {
            journal::fault(&check);
        }
        self.findings.insert(kind.code, check);
    }

    /// Reads the reports of the privileged checks anew.
    pub(super) fn look_at_reports(&mut self) {
        let report = ModuleReport::read(&self.root);
        let mut checks = match &report {
            Ok(report) => report.checks.clone(),
            Err(error) => {
                vec![Check::failed(&BOOT_UNCHECKED, &self.root, error.to_string())]
            }
        };
        // Hosts without deployments have no report of them.
        let found = DeploymentsReport::read(&self.root).map(|report| report.deployments);
        let deployments = found.unwrap_or_default();
        checks.extend(deployments::checks(&self.root, &deployments));
        let reported = report.as_ref().map_or(State::Unknown, |report| report.state);
        let view = &mut self.snapshot.health;
        view.kernel = host::kernel(&self.root).unwrap_or_default();
        view.deployments = deployments.iter().map(deployment_record).collect();
        self.reported = checks;
        self.note_boot(report.as_ref().ok(), reported);
    }

    /// All findings.
    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> =
            self.reported.iter().chain(self.findings.values()).cloned().collect();
        // The report is of a moment ago: nothing checks by itself when the module goes.
        let was_loaded =
            |check: &&mut Check| check.code == MODULE_NOT_LOADED.code && check.status == Status::Ok;
        if self.driver.is_none()
            && let Some(check) = checks.iter_mut().find(was_loaded)
            && loaded::find(&self.root).is_none()
        {
            *check = Check::failed(
                &MODULE_NOT_LOADED,
                &self.root,
                "it was unloaded after the check of this boot",
            );
        }
        checks
    }

    pub(super) fn health_view(&self) -> HealthView {
        let checks = self.checks();
        HealthView {
            state: state_of(&checks).to_string(),
            kernel: self.snapshot.health.kernel.clone(),
            checks: checks.iter().map(check_record).collect(),
            deployments: self.snapshot.health.deployments.clone(),
            history: self.history.boots.iter().map(Boot::record).collect(),
        }
    }

    /// Reads the boots before this one.
    pub(super) fn load_history(&mut self) {
        let history = self.store.history().and_then(|text| match text.is_empty() {
            true => Ok(History::default()),
            false => Ok(serde_json::from_slice(&text)?),
        });
        match history {
            Ok(history) if history.boots.is_empty() || history.format == FORMAT => {
                self.history = history;
            }
            // Only for people to look at: what cannot be read begins anew.
            Ok(history) => journal::warning(&format!(
                "the history of boots has format {}, known is {FORMAT}; it begins anew",
                history.format
            )),
            Err(error) => {
                journal::warning(&format!("the history of boots begins anew: {error}"));
            }
        }
    }

    /// Notes what is known of the running boot.
    fn note_boot(&mut self, report: Option<&ModuleReport>, reported: State) {
        let Some(boot_id) = host::boot_id(&self.root) else { return };
        let image = ImageFacts::read(&self.root);
        let same = self.history.boots.first().filter(|boot| boot.boot_id == boot_id);
        let boot = Boot {
            time: same.map_or_else(timestamp::now, |boot| boot.time.clone()),
            boot_id,
            kernel: host::kernel(&self.root).unwrap_or_default(),
            state: reported.to_string(),
            image: image.name,
            version: image.version,
            module: report
                .and_then(|report| report.module.as_ref())
                .and_then(|module| module.version.clone()),
            srcversion: report
                .and_then(|report| report.loaded.as_ref())
                .and_then(|loaded| loaded.srcversion.clone()),
            faults: failed_codes(report.map_or(&[], |report| &report.checks)),
        };
        if same == Some(&boot) {
            return;
        }
        let keep_first = same.is_none();
        let earlier = self.history.boots.iter().skip(usize::from(!keep_first)).cloned();
        let boots = std::iter::once(boot).chain(earlier).take(BOOTS).collect();
        self.history = History { format: FORMAT, boots };
        let saved = serde_json::to_vec_pretty(&self.history)
            .map_err(io::Error::other)
            .and_then(|text| self.store.save_history(&text));
        if let Err(error) = saved {
            journal::warning(&format!("cannot save the history of boots: {error}"));
        }
    }

    /// Has the module checked again, at most once a second; a request that comes sooner waits.
    pub(super) fn recheck(&mut self, now: Instant) -> Result<()> {
        match self.rechecked.map(|last| last + PAUSE).filter(|next| *next > now) {
            Some(next) => {
                self.recheck_at.get_or_insert(next);
                Ok(())
            }
            None => self.write_request(now).map_err(|error| {
                Error::WriteFailed(format!("cannot ask for a check: /{REQUEST}: {error}"))
            }),
        }
    }

    /// Does what [`Keeper::recheck`] put off.
    pub(super) fn ask_for_check(&mut self, now: Instant) {
        self.recheck_at = None;
        if let Err(error) = self.write_request(now) {
            journal::warning(&format!("cannot ask for a check: /{REQUEST}: {error}"));
        }
    }

    fn write_request(&mut self, now: Instant) -> io::Result<()> {
        std::fs::write(self.root.at(REQUEST), timestamp::now())?;
        self.rechecked = Some(now);
        Ok(())
    }
}

/// The state that follows from all findings; a boot that nobody checked is not known to be well.
fn state_of(checks: &[Check]) -> State {
    let unchecked =
        checks.iter().any(|check| check.code == BOOT_UNCHECKED.code && check.is_failed());
    match State::of(checks) {
        State::Healthy | State::Degraded if unchecked => State::Unknown,
        state => state,
    }
}

fn failed_codes(checks: &[Check]) -> Vec<String> {
    checks.iter().filter(|check| check.is_failed()).map(|check| check.code.to_string()).collect()
}

fn check_record(check: &Check) -> CheckRecord {
    CheckRecord {
        code: check.code.to_string(),
        status: word(&check.status),
        severity: word(&check.severity),
        title: check.title.to_string(),
        detail: check.detail.clone(),
        remedy: check.remedy.clone(),
        after: check.after.as_ref().map(ToString::to_string),
        root: check.root.clone(),
    }
}

fn deployment_record(deployment: &deployments::Deployment) -> DeploymentRecord {
    DeploymentRecord {
        role: word(&deployment.role),
        next: deployment.next,
        stateroot: deployment.stateroot.clone(),
        checksum: deployment.checksum.clone(),
        serial: deployment.serial,
        version: deployment.version.clone(),
        reference: deployment.reference.clone(),
        digest: deployment.digest.clone(),
        kernel: deployment.kernel.clone(),
        state: deployment.state.to_string(),
        checks: deployment.checks.iter().map(check_record).collect(),
    }
}

/// A word as it is in the reports.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

impl Boot {
    fn record(&self) -> vespera_api::BootRecord {
        vespera_api::BootRecord {
            boot_id: self.boot_id.clone(),
            time: self.time.clone(),
            kernel: self.kernel.clone(),
            state: self.state.clone(),
            image: self.image.clone(),
            version: self.version.clone(),
            module: self.module.clone(),
            srcversion: self.srcversion.clone(),
            faults: self.faults.clone(),
        }
    }
}
