// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl get`: the settings in force.

use anyhow::Context;
use health::Root;
use maccel_core::parameter::{self, Parameter};
use serde_json::{Value, json};
use vespera_api::{DriverState, Error};

use crate::agent::{self, Wait};
use crate::assignment;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;

/// Which settings, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// The parameters; all by default
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Print JSON (format 1) for programs: all settings, whatever is named
    #[arg(long)]
    json: bool,
}

/// Asks and shows.
pub(crate) fn run(root: &Root, args: &GetArgs) -> anyhow::Result<Outcome> {
    let mut wanted = Vec::new();
    for name in &args.names {
        let found = parameter::by_cli_name(name);
        wanted.push(
            found.ok_or_else(|| {
                Error::UnknownParameter(format!("there is no parameter '{name}'"))
            })?,
        );
    }
    let state = agent::ask(root, Wait::Ready, async |bus| DriverState::read(bus).await)?;
    outcome(&state, &wanted, args.json)
}

fn outcome(state: &DriverState, wanted: &[&Parameter], json: bool) -> anyhow::Result<Outcome> {
    // Without settings in force only the JSON has something to show.
    let code = if state.settings.is_some() { exit::HEALTHY } else { exit::BROKEN };
    Ok(Outcome { text: show(state, wanted, json)?, code })
}

fn show(state: &DriverState, wanted: &[&Parameter], json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(&report(state)?)? + "\n");
    }
    let absent = || Error::ModuleNotLoaded("the driver is not loaded".to_owned());
    let settings = state.settings.as_ref().ok_or_else(absent).context("no settings in force")?;
    let is_wanted = |parameter: &Parameter| {
        wanted.is_empty() || wanted.iter().any(|other| other.name == parameter.name)
    };
    Ok(assignment::lines(settings, is_wanted))
}

/// What is known of the driver, for programs.
fn report(state: &DriverState) -> serde_json::Result<Value> {
    let locked: Vec<_> = state
        .locked
        .iter()
        .filter_map(|name| parameter::by_bus_name(name))
        .map(Parameter::cli_name)
        .collect();
    Ok(json!({
        "format": FORMAT,
        "settings": state.settings.as_ref().map(assignment::json).transpose()?,
        "features": state.features,
        "locked": locked,
        "active_profile": state.active_profile,
        "trial": state.trial.map(|trial| trial.id),
    }))
}

#[cfg(test)]
mod tests {
    use maccel_core::settings::Settings;
    use vespera_api::driver_state::Trial;

    use super::*;

    fn state() -> DriverState {
        DriverState {
            settings: Some(Settings::default()),
            features: vec!["lut".to_owned()],
            locked: vec!["SensMult".to_owned()],
            active_profile: None,
            trial: Some(Trial { id: 3, end: 1 }),
        }
    }

    #[test]
    fn all_settings_or_the_named_ones_are_shown() {
        insta::assert_snapshot!(show(&state(), &[], false).unwrap(), @r"
        mode            linear
        sens-mult       1
        yx-ratio        1
        input-dpi       1000 counts/inch
        angle-rotation  0 degrees
        accel           0 ms/count
        offset          0 counts/ms
        output-cap      0
        decay-rate      0.1 ms/count
        limit           1.5
        gamma           1
        smooth          0.5
        motivity        1.5
        sync-speed      5 counts/ms
        angle-snap      0 degrees
        lut             none
        ");
        let limit = parameter::by_cli_name("limit").unwrap();
        assert_eq!(show(&state(), &[limit], false).unwrap(), "limit           1.5\n");
    }

    #[test]
    fn programs_get_what_is_locked_by_the_names_they_set() {
        let report = report(&state()).unwrap();
        assert_eq!(report["locked"], json!(["sens-mult"]));
        assert_eq!((&report["trial"], &report["format"]), (&json!(3), &json!(1)));
        assert_eq!(report["settings"]["mode"], "linear");
    }

    #[test]
    fn without_the_driver_nothing_is_shown_as_if_in_force() {
        let absent = DriverState { settings: None, ..state() };
        let error = show(&absent, &[], false).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(Error::ModuleNotLoaded(_))));
        assert_eq!(report(&absent).unwrap()["settings"], Value::Null);
    }

    #[test]
    fn without_the_driver_both_forms_end_with_the_same_code() {
        let absent = DriverState { settings: None, ..state() };
        let json = outcome(&absent, &[], true).unwrap();
        assert_eq!(json.code, exit::BROKEN);
        assert!(json.text.contains("\"settings\": null"), "{}", json.text);
        let error = outcome(&absent, &[], false).unwrap_err();
        assert_eq!(exit::of_agent(error.downcast_ref().unwrap()), exit::BROKEN);
        assert_eq!(outcome(&state(), &[], true).unwrap().code, exit::HEALTHY);
        assert_eq!(outcome(&state(), &[], false).unwrap().code, exit::HEALTHY);
    }
}
