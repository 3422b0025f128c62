// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel profile`: named settings, which the agent keeps.

use anyhow::Context;
use maccel_core::settings::Settings;
use serde_json::{Value, json};
use vespera_api::{MaccelProxy, dict};

use crate::agent::{self, Wait};
use crate::args::{Common, ProfileCommand};
use crate::export;
use crate::output::{self, FORMAT, Output, document};

/// Why profiles cannot be had.
const NO_AGENT: &str =
    "profiles are kept by the agent, which is not there; to see why: vesperactl doctor";

/// Asks the agent about profiles.
fn ask<T>(
    common: &Common,
    wait: Wait,
    question: impl AsyncFnOnce(MaccelProxy<'_>) -> Result<T, vespera_api::Error>,
) -> anyhow::Result<T> {
    agent::ask(&common.root, wait, async |bus| question(MaccelProxy::new(&bus).await?).await)
        .context(NO_AGENT)?
        .map_err(agent::refusal)
}

/// The profiles, and the one in force (empty if none).
pub(crate) fn list(common: &Common) -> anyhow::Result<(Vec<String>, String)> {
    ask(common, Wait::Ready, async |maccel| {
        Ok((maccel.list_profiles().await?, maccel.active_profile().await?))
    })
}

/// The settings of a profile.
pub(crate) fn settings(common: &Common, name: &str) -> anyhow::Result<Settings> {
    let profile = ask(common, Wait::Ready, async |maccel| maccel.get_profile(name).await)?;
    Ok(dict::read(&profile)?.apply(&Settings::default())?)
}

/// Saves the settings in force under a name.
pub(crate) fn save(common: &Common, name: &str) -> anyhow::Result<()> {
    ask(common, Wait::Person, async |maccel| maccel.save_profile(name).await)
}

/// Puts the settings of a profile in force.
pub(crate) fn apply(common: &Common, name: &str) -> anyhow::Result<()> {
    ask(common, Wait::Person, async |maccel| maccel.apply_profile(name).await)
}

/// Deletes a profile.
pub(crate) fn delete(common: &Common, name: &str) -> anyhow::Result<()> {
    ask(common, Wait::Person, async |maccel| maccel.delete_profile(name).await)
}

/// Runs the command.
pub(crate) fn run(common: &Common, command: &ProfileCommand) -> anyhow::Result<Output> {
    match command {
        ProfileCommand::List => {
            let (names, active) = list(common)?;
            if common.json {
                let active = Some(active).filter(|name| !name.is_empty());
                let list = json!({"format": FORMAT, "profiles": names, "active": active});
                return Ok(Output::text(document(&list)?));
            }
            let mark = |name: &str| if name == active { "*" } else { " " };
            Ok(Output::text(
                names.iter().map(|name| format!("{} {name}\n", mark(name))).collect::<String>(),
            ))
        }
        ProfileCommand::Show { name } => {
            let settings = settings(common, name)?;
            Ok(Output::text(if common.json {
                document(&Value::Object(output::settings(&settings)?))?
            } else {
                export::toml(name, &settings)?
            }))
        }
        ProfileCommand::Save { name } => done(common, save(common, name)),
        ProfileCommand::Apply { name } => done(common, apply(common, name)),
        ProfileCommand::Delete { name } => done(common, delete(common, name)),
    }
}

fn done(common: &Common, outcome: anyhow::Result<()>) -> anyhow::Result<Output> {
    outcome?;
    Ok(Output::text(if common.json {
        document(&json!({"format": FORMAT}))?
    } else {
        String::new()
    }))
}
