// SPDX-License-Identifier: MIT OR Apache-2.0
//! `org.vespera.Agent1.Maccel`: the settings of the driver.

use std::collections::BTreeMap;
use std::sync::Arc;

use health::Root;
use maccel_core::changes::Changes;
use maccel_core::curve;
use maccel_core::driver::Driver;
use maccel_core::fixed::Fixed;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Settings;
use vespera_api::dict::{self, Dict};
use vespera_api::names::MACCEL;
use vespera_api::{Error, Result};
use zbus::message::Header;
use zbus::wire::OwnedFd;
use zbus::{Connection, OwnedVariant, Variant, interface};

use super::caller;
use super::gate::Gate;
use super::line::Line;
use crate::message::Request;
use crate::snapshot::Snapshot;

/// The most speeds in one preview.
const MOST_SPEEDS: usize = 1000;

/// The object.
pub(crate) struct Maccel {
    pub(super) gate: Arc<Gate>,
    pub(super) line: Line,
    pub(super) root: Root,
}

#[interface(name = "org.vespera.Agent1.Maccel")]
impl Maccel {
    async fn set(&self, change: Dict, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "Set", &call).await?;
        self.line.ask(&permit, Request::Set(dict::read(&change)?)).await.map(drop)
    }

    async fn reset(&self, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "Reset", &call).await?;
        self.line.ask(&permit, Request::Reset).await.map(drop)
    }

    #[zbus(out_args("trial"))]
    async fn trial(
        &self,
        change: Dict,
        seconds: u32,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<u32> {
        let permit = self.gate.admit(MACCEL, "Trial", &call).await?;
        let request = Request::Trial { changes: dict::read(&change)?, seconds };
        caller::begin_trial(connection, &permit, &self.line, request).await
    }

    async fn confirm_trial(&self, trial: u32, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "ConfirmTrial", &call).await?;
        self.line.ask(&permit, Request::ConfirmTrial(trial)).await.map(drop)
    }

    async fn cancel_trial(&self, trial: u32, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "CancelTrial", &call).await?;
        self.line.ask(&permit, Request::CancelTrial(trial)).await.map(drop)
    }

    #[zbus(out_args("curve"))]
    async fn preview(
        &self,
        change: Dict,
        speeds: Vec<f64>,
        #[zbus(header)] call: Header<'_>,
    ) -> Result<Vec<(f64, f64)>> {
        self.gate.admit(MACCEL, "Preview", &call).await?;
        let base = self.line.now().settings.clone().unwrap_or_default();
        preview(&dict::read(&change)?.apply(&base)?, &speeds)
    }

    #[zbus(out_args("speed"))]
    async fn open_speed(&self, #[zbus(header)] call: Header<'_>) -> Result<OwnedFd> {
        self.gate.admit(MACCEL, "OpenSpeed", &call).await?;
        let speed = Driver::open(self.root.path()).and_then(|driver| driver.open_speed());
        let file = speed.map_err(crate::keeper::error_of)?.into_file();
        Ok(std::os::fd::OwnedFd::from(file).into())
    }

    #[zbus(out_args("names"))]
    async fn list_profiles(&self, #[zbus(header)] call: Header<'_>) -> Result<Vec<String>> {
        self.gate.admit(MACCEL, "ListProfiles", &call).await?;
        Ok(self.line.now().profiles.keys().cloned().collect())
    }

    #[zbus(out_args("settings"))]
    async fn get_profile(&self, name: &str, #[zbus(header)] call: Header<'_>) -> Result<Dict> {
        self.gate.admit(MACCEL, "GetProfile", &call).await?;
        match self.line.now().profiles.get(name) {
            Some(settings) => Ok(all_of(settings)),
            None => Err(Error::NoSuchProfile(format!("there is no profile '{name}'"))),
        }
    }

    async fn save_profile(&self, name: String, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "SaveProfile", &call).await?;
        self.line.ask(&permit, Request::SaveProfile(name)).await.map(drop)
    }

    async fn apply_profile(&self, name: String, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "ApplyProfile", &call).await?;
        self.line.ask(&permit, Request::ApplyProfile(name)).await.map(drop)
    }

    async fn delete_profile(&self, name: String, #[zbus(header)] call: Header<'_>) -> Result<()> {
        let permit = self.gate.admit(MACCEL, "DeleteProfile", &call).await?;
        self.line.ask(&permit, Request::DeleteProfile(name)).await.map(drop)
    }

    #[zbus(property)]
    fn loaded(&self) -> bool {
        self.line.now().settings.is_some()
    }

    #[zbus(property)]
    fn features(&self) -> Vec<String> {
        self.line.now().features.clone()
    }

    #[zbus(property)]
    fn locked(&self) -> Vec<String> {
        self.line.now().locked.clone()
    }

    #[zbus(property)]
    fn active_profile(&self) -> String {
        self.line.now().active_profile.clone()
    }

    #[zbus(property)]
    fn trial_id(&self) -> u32 {
        self.line.now().trial.map_or(0, |trial| trial.id)
    }

    #[zbus(property)]
    fn trial_end(&self) -> u64 {
        self.line.now().trial.map_or(0, |trial| trial.end)
    }

    #[zbus(property)]
    fn mode(&self) -> Result<String> {
        self.settings().map(|settings| settings.mode().name().to_owned())
    }

    #[zbus(property)]
    fn lut(&self) -> Result<Vec<f64>> {
        self.settings().map(|settings| table_of(&settings))
    }

    #[zbus(property)]
    fn sens_mult(&self) -> Result<f64> {
        self.number("SENS_MULT")
    }

    #[zbus(property)]
    fn yx_ratio(&self) -> Result<f64> {
        self.number("YX_RATIO")
    }

    #[zbus(property)]
    fn input_dpi(&self) -> Result<f64> {
        self.number("INPUT_DPI")
    }

    #[zbus(property)]
    fn angle_rotation(&self) -> Result<f64> {
        self.number("ANGLE_ROTATION")
    }

    #[zbus(property)]
    fn accel(&self) -> Result<f64> {
        self.number("ACCEL")
    }

    #[zbus(property)]
    fn offset(&self) -> Result<f64> {
        self.number("OFFSET")
    }

    #[zbus(property)]
    fn output_cap(&self) -> Result<f64> {
        self.number("OUTPUT_CAP")
    }

    #[zbus(property)]
    fn decay_rate(&self) -> Result<f64> {
        self.number("DECAY_RATE")
    }

    #[zbus(property)]
    fn limit(&self) -> Result<f64> {
        self.number("LIMIT")
    }

    #[zbus(property)]
    fn gamma(&self) -> Result<f64> {
        self.number("GAMMA")
    }

    #[zbus(property)]
    fn smooth(&self) -> Result<f64> {
        self.number("SMOOTH")
    }

    #[zbus(property)]
    fn motivity(&self) -> Result<f64> {
        self.number("MOTIVITY")
    }

    #[zbus(property)]
    fn sync_speed(&self) -> Result<f64> {
        self.number("SYNC_SPEED")
    }

    #[zbus(property)]
    fn angle_snap(&self) -> Result<f64> {
        self.number("ANGLE_SNAP")
    }
}

impl Maccel {
    fn settings(&self) -> Result<Settings> {
        let settings = self.line.now().settings.clone();
        settings.ok_or_else(|| Error::ModuleNotLoaded("the maccel module is not loaded".to_owned()))
    }

    fn number(&self, name: &str) -> Result<f64> {
        Ok(short(self.settings()?.get(name)?))
    }
}

/// The properties of a snapshot, by name; without the parameters while the driver is not there.
pub(super) fn properties(snapshot: &Snapshot) -> BTreeMap<String, OwnedVariant> {
    let trial = snapshot.trial;
    let mut properties = BTreeMap::new();
    let mut insert = |name: &str, value: Variant<'_>| {
        // Text and numbers always have an owned form; only open files may have none.
        if let Ok(value) = OwnedVariant::try_from(value) {
            properties.insert(name.to_owned(), value);
        }
    };
    insert("Loaded", snapshot.settings.is_some().into());
    insert("Features", snapshot.features.clone().into());
    insert("Locked", snapshot.locked.clone().into());
    insert("ActiveProfile", snapshot.active_profile.as_str().into());
    insert("TrialId", trial.map_or(0, |trial| trial.id).into());
    insert("TrialEnd", trial.map_or(0, |trial| trial.end).into());
    if let Some(settings) = &snapshot.settings {
        for parameter in parameter::all() {
            let value = match parameter.kind {
                Kind::Mode => settings.mode().name().into(),
                Kind::Table => table_of(settings).into(),
                Kind::Fixed => short(settings.get(&parameter.name).unwrap_or(f64::NAN)).into(),
            };
            insert(&parameter.bus_name(), value);
        }
    }
    properties
}

/// All values of settings, as `Set` takes them.
pub(super) fn all_of(settings: &Settings) -> Dict {
    let mut all = Changes::all(settings);
    if settings.lut().is_none() {
        all.forget("LUT");
    }
    dict::write(&all)
}

fn table_of(settings: &Settings) -> Vec<f64> {
    settings.lut().unwrap_or_default().iter().copied().map(short).collect()
}

/// What a person would have written for a value.
fn short(value: f64) -> f64 {
    Fixed::from_f64(value).map_or(value, Fixed::to_short)
}

fn preview(settings: &Settings, speeds: &[f64]) -> Result<Vec<(f64, f64)>> {
    if speeds.len() > MOST_SPEEDS {
        let found = speeds.len();
        return Err(Error::InvalidValue(format!(
            "speeds: {found} are too many, {MOST_SPEEDS} at most are right"
        )));
    }
    if let Some(speed) = speeds.iter().find(|speed| !speed.is_finite() || **speed < 0.0) {
        return Err(Error::InvalidValue(format!(
            "speeds: {speed} is no speed, 0 or more counts/ms is right"
        )));
    }
    Ok(speeds.iter().map(|speed| (*speed, curve::factor(settings, *speed))).collect())
}
