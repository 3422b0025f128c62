// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `status` shows besides the checks: the settings in force and the mice, from the driver,
//! and what only the agent knows.

use health::mice::{self, Mouse};
use health::{Check, Root, State, catalogue};
use maccel_core::driver::{Driver, DriverError};
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Settings;
use serde::Serialize;
use serde_json::Value;
use vespera_api::{BootRecord, CheckRecord, DriverState, HealthProxy};
use zbus::Connection;

use crate::agent::{self, Wait};
use crate::assignment;
use crate::exit;
use crate::history;
use crate::screen::Mark;

/// The unit that makes a system one with an agent.
const UNIT: &str = "usr/lib/systemd/system/vespera-agent.service";

/// What is in force.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) settings: Result<Settings, String>,
    pub(crate) mice: Vec<Mouse>,
    pub(crate) agent: Agent,
}

/// What the agent said.
#[derive(Debug)]
pub(crate) enum Agent {
    /// Another root has none, nor has a system where it is not installed.
    None,
    /// It is there and does not answer.
    Unreachable(String),
    /// It answered.
    Answered(Box<Answer>),
}

/// The answer of the agent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) driver: DriverState,
    pub(crate) boots: Vec<BootRecord>,
    pub(crate) checks: Vec<CheckRecord>,
}

/// The same for programs.
#[derive(Debug, Serialize)]
pub(crate) struct InForceReport {
    /// Null if they cannot be read.
    settings: Option<Value>,
    devices: Vec<Mouse>,
    agent: AgentReport,
}

#[derive(Debug, Default, Serialize)]
struct AgentReport {
    /// Null where there is none to ask.
    reached: Option<bool>,
    error: Option<String>,
    version: Option<String>,
    active_profile: Option<String>,
    trial: Option<u32>,
    changed: Vec<String>,
}

impl InForce {
    /// Reads the driver and asks the agent.
    pub(crate) fn see(root: &Root) -> Self {
        let read = Driver::open(root.path()).and_then(|driver| driver.settings());
        Self {
            settings: read.map_err(|error| match error {
                DriverError::NotLoaded => "none while the module is not loaded".to_owned(),
                other => other.to_string(),
            }),
            // A list that cannot be read is one of the checks.
            mice: mice::list(root).unwrap_or_default(),
            agent: Agent::ask(root),
        }
    }

    /// The rows of the screen: mark, name, value.
    pub(crate) fn rows(&self) -> Vec<(Mark, &'static str, String)> {
        let mut rows = vec![match &self.settings {
            Ok(settings) => (self.settings_mark(), "settings", self.describe(settings)),
            Err(reason) => (Mark::Unknown, "settings", reason.clone()),
        }];
        if self.settings.is_ok() {
            rows.push((Mark::None, "devices", self.devices()));
        }
        match &self.agent {
            Agent::None => {}
            Agent::Unreachable(reason) => {
                let value = format!("{reason}; what only it can check is not known");
                rows.push((Mark::Error, "agent", value));
            }
            Agent::Answered(answer) => {
                rows.push((Mark::Ok, "agent", answer.version.clone()));
                rows.extend(answer.changed().map(|changed| (Mark::None, "last boot", changed)));
            }
        }
        rows
    }

    /// Reading them is well, unless the agent found something about them.
    fn settings_mark(&self) -> Mark {
        let Agent::Answered(answer) = &self.agent else { return Mark::Ok };
        Mark::worst(answer.findings().iter()).max(Mark::Ok)
    }

    /// For `--json`.
    pub(crate) fn report(&self) -> serde_json::Result<InForceReport> {
        let agent = match &self.agent {
            Agent::None => AgentReport::default(),
            Agent::Unreachable(reason) => AgentReport {
                reached: Some(false),
                error: Some(reason.clone()),
                ..AgentReport::default()
            },
            Agent::Answered(answer) => AgentReport {
                reached: Some(true),
                error: None,
                version: Some(answer.version.clone()),
                active_profile: answer.driver.active_profile.clone(),
                trial: answer.driver.trial.map(|trial| trial.id),
                changed: answer.changes(),
            },
        };
        let settings = self.settings.as_ref().ok().map(assignment::json).transpose()?;
        Ok(InForceReport { settings, devices: self.mice.clone(), agent })
    }

    /// The mode, and whatever is not as it always is.
    fn describe(&self, settings: &Settings) -> String {
        let usual = Settings::default();
        let mut words = vec![settings.mode().name().to_owned()];
        for parameter in parameter::all().iter().filter(|own| own.kind == Kind::Fixed) {
            if let (Ok(value), Ok(always)) =
                (settings.get(&parameter.name), usual.get(&parameter.name))
                && value != always
            {
                words.push(format!("{} {}", parameter.cli_name(), assignment::short(value)));
            }
        }
        let mut text = words.join(", ");
        if let Agent::Answered(answer) = &self.agent {
            if let Some(profile) = &answer.driver.active_profile {
                text.push_str(&format!(" (profile {profile})"));
            }
            if answer.driver.trial.is_some() {
                text.push_str(" (on trial)");
            }
        }
        text
    }

    fn devices(&self) -> String {
        let count = |wanted: fn(&Mouse) -> bool| self.mice.iter().filter(|one| wanted(one)).count();
        let off = count(|mouse| mouse.enabled == Some(false));
        let own = count(|mouse| mouse.settings.as_deref().is_some_and(|text| text != "inherit"));
        let mut text = self.mice.len().to_string();
        for (number, what) in [(off, "off"), (own, "with own settings")] {
            if number > 0 {
                text.push_str(&format!(", {number} {what}"));
            }
        }
        text
    }
}

impl Agent {
    /// What only the agent finds: whether the settings are read, saved and in force. All of it is
    /// unknown when it does not answer; a root without an agent has none of it.
    pub(crate) fn findings(&self, root: &Root) -> Vec<Check> {
        match self {
            Self::None => Vec::new(),
            Self::Answered(answer) => answer.findings(),
            Self::Unreachable(reason) => catalogue::ALL
                .iter()
                .filter(|kind| is_of_settings(kind.code))
                .map(|kind| Check::unknown(kind, root, format!("only the agent knows: {reason}")))
                .collect(),
        }
    }

    /// The exit code of what was found: without the agent not all of it was.
    pub(crate) fn exit_code(&self, state: State) -> u8 {
        match self {
            Self::Unreachable(_) => exit::UNREACHABLE,
            Self::None | Self::Answered(_) => exit::code(state),
        }
    }

    /// Asks the agent, where there is one to ask.
    pub(crate) fn ask(root: &Root) -> Self {
        if !root.is_host() || !root.exists(UNIT) {
            return Self::None;
        }
        Self::of(agent::ask(root, Wait::Ready, Answer::read))
    }

    fn of(answer: anyhow::Result<Answer>) -> Self {
        match answer {
            Ok(answer) => Self::Answered(Box::new(answer)),
            Err(error) => Self::Unreachable(format!("{error:#}")),
        }
    }
}

/// Whether the agent finds this, and nobody else.
fn is_of_settings(code: &str) -> bool {
    code.starts_with("settings-")
}

/// A finding as it came over the bus; `None` where a newer agent uses other words.
fn check(record: &CheckRecord) -> Option<Check> {
    fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
        serde_json::from_value(Value::String(text.to_owned())).ok()
    }
    Some(Check {
        code: record.code.clone().into(),
        status: word(&record.status)?,
        severity: word(&record.severity)?,
        title: record.title.clone().into(),
        detail: record.detail.clone(),
        remedy: record.remedy.clone(),
        after: record.after.clone().map(Into::into),
        root: record.root.clone(),
    })
}

impl Answer {
    async fn read(bus: &Connection) -> vespera_api::Result<Self> {
        let health = HealthProxy::new(bus).await?;
        Ok(Self {
            version: health.version().await?,
            driver: DriverState::read(bus).await?,
            boots: health.history().await?,
            checks: health.checks().await?,
        })
    }

    /// The rest of what it tells has been looked at here.
    fn findings(&self) -> Vec<Check> {
        let own = self.checks.iter().filter(|record| is_of_settings(&record.code));
        own.filter_map(check).collect()
    }

    /// What is different since the boot before this one.
    fn changes(&self) -> Vec<String> {
        match self.boots.as_slice() {
            [now, before, ..] => history::changes(before, now),
            _ => Vec::new(),
        }
    }

    fn changed(&self) -> Option<String> {
        let before = self.boots.get(1)?;
        let changes = self.changes();
        let words =
            if changes.is_empty() { "nothing changed".to_owned() } else { changes.join("; ") };
        Some(format!("{}: {words}", before.time))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use maccel_core::settings::Mode;
    use vespera_api::driver_state::Trial;

    use super::*;

    fn mouse(input: &str, enabled: bool, settings: &str) -> Mouse {
        Mouse {
            input: input.to_owned(),
            name: None,
            id: None,
            enabled: Some(enabled),
            settings: Some(settings.to_owned()),
        }
    }

    fn boot(time: &str, kernel: &str) -> BootRecord {
        BootRecord { time: time.to_owned(), kernel: kernel.to_owned(), ..BootRecord::default() }
    }

    fn in_force() -> InForce {
        let mut settings = Settings::default();
        settings.set("SENS_MULT", 0.7).unwrap();
        settings.set_mode(Mode::Natural).unwrap();
        let answer = Answer {
            version: "0.1.0".to_owned(),
            driver: DriverState {
                settings: None,
                features: Vec::new(),
                locked: Vec::new(),
                active_profile: Some("games".to_owned()),
                trial: Some(Trial { id: 1, end: 2 }),
            },
            boots: vec![boot("now", "6.2.0"), boot("2026-01-01T00:00:00Z", "6.1.0")],
            checks: Vec::new(),
        };
        InForce {
            settings: Ok(settings),
            mice: vec![mouse("input5", true, "inherit"), mouse("input6", false, "MODE=0")],
            agent: Agent::Answered(Box::new(answer)),
        }
    }

    fn lines(in_force: &InForce) -> String {
        let rows = in_force.rows();
        rows.iter().map(|(_, name, value)| format!("{name:<10} {value}\n")).collect()
    }

    #[test]
    fn settings_mice_and_what_changed_take_a_row_each() {
        insta::assert_snapshot!(lines(&in_force()), @r"
        settings   natural, sens-mult 0.7 (profile games) (on trial)
        devices    2, 1 off, 1 with own settings
        agent      0.1.0
        last boot  2026-01-01T00:00:00Z: kernel 6.2.0, was 6.1.0
        ");
        let report = serde_json::to_value(in_force().report().unwrap()).unwrap();
        assert_eq!(report["agent"]["changed"][0], "kernel 6.2.0, was 6.1.0");
        assert_eq!(report["settings"]["mode"], "natural");
    }

    #[test]
    fn an_agent_that_does_not_answer_is_a_fault_and_the_driver_is_still_shown() {
        let absent = InForce {
            agent: Agent::Unreachable("the agent cannot be reached".to_owned()),
            ..in_force()
        };
        insta::assert_snapshot!(lines(&absent), @r"
        settings   natural, sens-mult 0.7
        devices    2, 1 off, 1 with own settings
        agent      the agent cannot be reached; what only it can check is not known
        ");
        let report = serde_json::to_value(absent.report().unwrap()).unwrap();
        assert_eq!(report["agent"]["reached"], false);
    }

    /// A process that is there and hangs.
    pub(crate) fn stopped_agent() -> Agent {
        Agent::of(agent::tests::ask_a_stopped_one(Answer::read))
    }

    /// An agent that has found this about the settings.
    pub(crate) fn agent_that_found(kind: &health::catalogue::Kind, status: &str) -> Agent {
        let record = |code: &str, status: &str, title: &str| CheckRecord {
            code: code.to_owned(),
            status: status.to_owned(),
            severity: "warning".to_owned(),
            title: title.to_owned(),
            detail: "No space left on device".to_owned(),
            root: "/".to_owned(),
            ..CheckRecord::default()
        };
        let mut agent = in_force().agent;
        if let Agent::Answered(answer) = &mut agent {
            answer.boots.truncate(1);
            answer.checks = vec![
                record(kind.code, status, kind.fault),
                record("module-missing", "failed", "looked at here as well"),
                record("settings-of-tomorrow", "perhaps", "of a newer agent"),
            ];
        }
        agent
    }

    #[test]
    fn what_the_agent_found_about_the_settings_is_taken_and_nothing_else() {
        let root = Root::new("/");
        let kind = &catalogue::SETTINGS_NOT_SAVED;
        let found = agent_that_found(kind, "failed").findings(&root);
        assert_eq!(found, [Check::failed(kind, &root, "No space left on device")]);
        assert_eq!(Agent::None.findings(&root), []);
    }

    #[test]
    fn without_the_agent_its_findings_are_unknown() {
        let silent = Agent::Unreachable("no bus".to_owned());
        let codes: Vec<_> = silent
            .findings(&Root::new("/"))
            .into_iter()
            .map(|check| (check.code.into_owned(), check.status, check.detail))
            .collect();
        for code in ["file-damaged", "file-refused", "not-in-force", "not-saved", "not-imported"] {
            let detail = "only the agent knows: no bus".to_owned();
            let check = (format!("settings-{code}"), health::Status::Unknown, detail);
            assert!(codes.contains(&check), "{code} in {codes:?}");
        }
        assert_eq!(codes.len(), 5);
    }
}
