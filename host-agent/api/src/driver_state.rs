// SPDX-License-Identifier: MIT OR Apache-2.0
//! All properties of the interface `Maccel` at once, as one call gives them.

use maccel_core::settings::Settings;
use zbus::fdo::PropertiesProxy;
use zbus::{Connection, Variant};

use crate::dict::{self, Dict};
use crate::error::Result;
use crate::names::{BUS_NAME, MACCEL, ROOT_OBJECT};

/// What the driver does, and what the agent knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverState {
    /// The settings in force, read back from the driver; `None` while it is not there.
    pub settings: Option<Settings>,
    /// What the driver can do.
    pub features: Vec<String>,
    /// The parameters that the administrator has locked, by their names on the bus.
    pub locked: Vec<String>,
    /// The profile whose settings are in force.
    pub active_profile: Option<String>,
    /// The trial that runs.
    pub trial: Option<Trial>,
}

/// Settings that go back by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What `ConfirmTrial` and `CancelTrial` want.
    pub id: u32,
    /// When it ends, in microseconds of CLOCK_MONOTONIC.
    pub end: u64,
}

impl DriverState {
    /// Asks the agent.
    ///
    /// # Errors
    /// Whatever keeps the agent from answering.
    pub async fn read(connection: &Connection) -> Result<Self> {
        let properties = PropertiesProxy::new(connection, BUS_NAME, ROOT_OBJECT).await?;
        let interface = zbus::names::InterfaceName::from_static_str_unchecked(MACCEL);
        Self::from_properties(&properties.get_all(interface).await?)
    }

    /// Reads the answer to `GetAll`. While the driver is not there, the parameters are not in it.
    ///
    /// # Errors
    /// [`crate::Error::InvalidValue`] where a value is not of the documented type.
    pub fn from_properties(properties: &Dict) -> Result<Self> {
        let parameters: Dict = properties
            .iter()
            .filter(|(key, _)| maccel_core::parameter::by_bus_name(key).is_some())
            .map(|(key, value)| Ok((key.clone(), value.try_clone()?)))
            .collect::<zbus::Result<_>>()?;
        let settings = match parameters.is_empty() {
            true => None,
            false => Some(dict::read(&parameters)?.apply(&Settings::default())?),
        };
        let number = |key: &str| match properties.get(key).map(|value| &**value) {
            Some(Variant::U32(number)) => u64::from(*number),
            Some(Variant::U64(number)) => *number,
            _ => 0,
        };
        let id = u32::try_from(number("TrialId")).unwrap_or(0);
        Ok(Self {
            settings,
            features: texts(properties, "Features"),
            locked: texts(properties, "Locked"),
            active_profile: match properties.get("ActiveProfile").map(|value| &**value) {
                Some(Variant::Str(name)) if !name.is_empty() => Some(name.to_string()),
                _ => None,
            },
            trial: (id != 0).then(|| Trial { id, end: number("TrialEnd") }),
        })
    }
}

fn texts(properties: &Dict, key: &str) -> Vec<String> {
    let Some(Variant::Array(array)) = properties.get(key).map(|value| &**value) else {
        return Vec::new();
    };
    let text = |value: &Variant<'_>| match value {
        Variant::Str(text) => Some(text.to_string()),
        _ => None,
    };
    array.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use maccel_core::changes::Changes;
    use maccel_core::settings::Mode;
    use zbus::OwnedVariant;

    use super::*;

    fn insert(properties: &mut Dict, key: &str, value: Variant<'_>) {
        properties.insert(key.to_owned(), OwnedVariant::try_from(value).unwrap());
    }

    #[test]
    fn one_answer_holds_everything() {
        let mut settings = Settings::default();
        settings.set("LIMIT", 2.5).unwrap();
        settings.set_mode(Mode::Natural).unwrap();
        let mut properties = dict::write(&Changes::all(&settings));
        insert(&mut properties, "Loaded", true.into());
        insert(&mut properties, "Features", vec!["lut"].into());
        insert(&mut properties, "Locked", vec!["Limit"].into());
        insert(&mut properties, "ActiveProfile", "games".into());
        insert(&mut properties, "TrialId", 7_u32.into());
        insert(&mut properties, "TrialEnd", 99_u64.into());
        let state = DriverState::from_properties(&properties).unwrap();
        assert_eq!(
            state,
            DriverState {
                settings: Some(settings),
                features: vec!["lut".to_owned()],
                locked: vec!["Limit".to_owned()],
                active_profile: Some("games".to_owned()),
                trial: Some(Trial { id: 7, end: 99 }),
            }
        );
    }

    #[test]
    fn without_the_driver_there_are_no_settings_rather_than_the_defaults() {
        let mut properties = Dict::new();
        insert(&mut properties, "Loaded", false.into());
        insert(&mut properties, "ActiveProfile", "".into());
        insert(&mut properties, "TrialId", 0_u32.into());
        let state = DriverState::from_properties(&properties).unwrap();
        assert_eq!((state.settings, state.active_profile, state.trial), (None, None, None));
    }
}
