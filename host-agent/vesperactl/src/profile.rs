// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl profile`: settings by name.

use health::Root;
use maccel_core::settings::Settings;
use serde_json::json;
use vespera_api::{DriverState, MaccelProxy, dict};

use crate::agent::{self, Wait};
use crate::args::Show;
use crate::assignment;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles; the one in force is marked
    List(Show),
    /// Show the settings of a profile
    Show {
        /// The profile
        name: String,
        #[command(flatten)]
        show: Show,
    },
    /// Save the settings in force under a name
    Save {
        /// 1 to 64 letters, digits, - and _
        name: String,
    },
    /// Put the settings of a profile in force
    Apply {
        /// The profile
        name: String,
    },
    /// Delete a profile; the settings in force stay
    Delete {
        /// The profile
        name: String,
    },
}

/// Does one of these.
pub(crate) fn run(root: &Root, command: &ProfileCommand) -> anyhow::Result<Outcome> {
    let text = match command {
        ProfileCommand::List(show) => {
            let (names, state) = agent::ask(root, Wait::Ready, async |bus| {
                let names = MaccelProxy::new(bus).await?.list_profiles().await?;
                Ok((names, DriverState::read(bus).await?))
            })?;
            list(&names, state.active_profile.as_deref(), show)?
        }
        ProfileCommand::Show { name, show } => {
            let dict = agent::ask(root, Wait::Ready, async |bus| {
                MaccelProxy::new(bus).await?.get_profile(name).await
            })?;
            one(name, &dict::read(&dict)?.apply(&Settings::default())?, show)?
        }
        ProfileCommand::Save { name } => {
            agent::ask(root, Wait::Person, async |bus| {
                MaccelProxy::new(bus).await?.save_profile(name).await
            })?;
            String::new()
        }
        ProfileCommand::Apply { name } => {
            agent::ask(root, Wait::Person, async |bus| {
                MaccelProxy::new(bus).await?.apply_profile(name).await
            })?;
            String::new()
        }
        ProfileCommand::Delete { name } => {
            agent::ask(root, Wait::Person, async |bus| {
                MaccelProxy::new(bus).await?.delete_profile(name).await
            })?;
            String::new()
        }
    };
    Ok(Outcome { text, code: exit::HEALTHY })
}

fn list(names: &[String], active: Option<&str>, show: &Show) -> anyhow::Result<String> {
    if show.json {
        let report = json!({ "format": FORMAT, "profiles": names, "active": active });
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    if names.is_empty() {
        return Ok("there is no profile; to save one: vesperactl profile save NAME\n".to_owned());
    }
    let mark = |name: &String| if active == Some(name) { "*" } else { " " };
    Ok(names.iter().map(|name| format!("{} {name}\n", mark(name))).collect())
}

fn one(name: &str, settings: &Settings, show: &Show) -> anyhow::Result<String> {
    if show.json {
        let settings = assignment::json(settings)?;
        let report = json!({ "format": FORMAT, "profile": name, "settings": settings });
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    Ok(assignment::lines(settings, |_| true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_in_force_is_marked() {
        let names = ["games", "work"].map(str::to_owned);
        let text = |json| list(&names, Some("work"), &Show { json }).unwrap();
        assert_eq!(text(false), "  games\n* work\n");
        let report: serde_json::Value = serde_json::from_str(&text(true)).unwrap();
        assert_eq!(report, json!({"format": 1, "profiles": ["games", "work"], "active": "work"}));
        assert!(list(&[], None, &Show { json: false }).unwrap().contains("profile save"));
    }

    #[test]
    fn a_profile_is_shown_like_the_settings_in_force() {
        let text = one("work", &Settings::default(), &Show { json: false }).unwrap();
        assert!(text.starts_with("mode            linear\n"), "{text}");
        let json = one("work", &Settings::default(), &Show { json: true }).unwrap();
        assert!(json.contains("\"profile\": \"work\""), "{json}");
    }
}
