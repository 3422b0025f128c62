// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `status` shows besides the checks: the settings in force and the mice, from the driver,
//! and what only the agent knows.

use health::Root;
use health::mice::{self, Mouse};
use maccel_core::driver::{Driver, DriverError};
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Settings;
use serde::Serialize;
use serde_json::Value;
use vespera_api::{BootRecord, DriverState, HealthProxy};

use crate::agent;
use crate::assignment;
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
            Ok(settings) => (Mark::Ok, "settings", self.describe(settings)),
            Err(reason) => (Mark::Unknown, "settings", reason.clone()),
        }];
        if self.settings.is_ok() {
            rows.push((Mark::None, "devices", self.devices()));
        }
        match &self.agent {
            Agent::None => {}
            Agent::Unreachable(reason) => rows.push((Mark::Error, "agent", reason.clone())),
            Agent::Answered(answer) => {
                rows.push((Mark::Ok, "agent", answer.version.clone()));
                rows.extend(answer.changed().map(|changed| (Mark::None, "last boot", changed)));
            }
        }
        rows
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
    fn ask(root: &Root) -> Self {
        if !root.is_host() || !root.exists(UNIT) {
            return Self::None;
        }
        let answer = agent::ask(root, async |bus| {
            let health = HealthProxy::new(bus).await?;
            Ok(Answer {
                version: health.version().await?,
                driver: DriverState::read(bus).await?,
                boots: health.history().await?,
            })
        });
        match answer {
            Ok(answer) => Self::Answered(Box::new(answer)),
            Err(error) => Self::Unreachable(format!("{error:#}")),
        }
    }
}

impl Answer {
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
mod tests {
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
        agent      the agent cannot be reached
        ");
        let report = serde_json::to_value(absent.report().unwrap()).unwrap();
        assert_eq!(report["agent"]["reached"], false);
    }
}
