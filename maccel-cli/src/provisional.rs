// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings in force that nobody has kept yet: an agent's trial; else they are in the driver
//! alone, and a guard puts the old ones back. A power cut during a trial leaves nothing behind.

use maccel_core::changes::Changes;
use maccel_core::settings::Settings;

use crate::agent;
use crate::args::Common;
use crate::guard::{Guard, Promise};
use crate::host::Host;
use crate::write;

/// Settings on trial.
#[derive(Debug)]
pub(crate) struct Provisional {
    before: Settings,
    seconds: u32,
    keeper: Keeper,
}

/// Who puts the old settings back.
#[derive(Debug)]
enum Keeper {
    /// The agent, also when this program leaves the bus.
    Agent(agent::Trial),
    /// A guard of our own, with what it does.
    Guard(Guard, Promise),
}

impl Provisional {
    /// Puts changes in force. The old settings come back after `seconds`, and when this program
    /// ends.
    pub(crate) fn begin(
        common: &Common,
        host: &Host,
        changes: &Changes,
        seconds: u32,
    ) -> anyhow::Result<Self> {
        let before = host.settings()?;
        let device = host.device.as_ref().map(|device| device.input.as_str());
        if let Some(trial) = agent::Trial::begin(&host.root, device, changes, seconds)? {
            return Ok(Provisional { before, seconds, keeper: Keeper::Agent(trial) });
        }
        let promise = Promise {
            device: device.map(str::to_owned),
            settings: Some(Changes::all(&before)),
            inherit: host.device.as_ref().is_some_and(|device| device.settings.is_none()),
            seconds: Some(seconds),
        };
        let guard = Guard::set(common, &promise)?;
        match write::put(host, changes) {
            Ok(_) => Ok(Provisional { before, seconds, keeper: Keeper::Guard(guard, promise) }),
            Err(error) => {
                // Nothing was changed.
                guard.keep()?;
                Err(error)
            }
        }
    }

    /// Tries other settings instead, for as long again.
    pub(crate) fn instead(
        self,
        common: &Common,
        host: &Host,
        wanted: &Settings,
    ) -> anyhow::Result<Self> {
        let Provisional { before, seconds, keeper } = self;
        let keeper = match keeper {
            Keeper::Agent(trial) => {
                Keeper::Agent(trial.instead(&Changes::between(&before, wanted), seconds)?)
            }
            Keeper::Guard(guard, promise) => {
                // The next one watches before the clock of this one stops.
                let next = Guard::set(common, &promise)?;
                guard.keep()?;
                write::put(host, &Changes::between(&host.settings()?, wanted))?;
                Keeper::Guard(next, promise)
            }
        };
        Ok(Provisional { before, seconds, keeper })
    }

    /// Keeps the settings. Gives a note where they are in force but not kept.
    pub(crate) fn keep(self, host: &Host) -> anyhow::Result<String> {
        match self.keeper {
            Keeper::Agent(trial) => trial.keep().map(|()| String::new()),
            Keeper::Guard(guard, _) => {
                guard.keep()?;
                if host.device.is_some() {
                    return Ok(write::UNTIL_UNPLUGGED.to_owned());
                }
                let settings = host.settings()?;
                let changes = Changes::between(&self.before, &settings);
                Ok(write::keep(&host.root, &settings, &changes))
            }
        }
    }

    /// Puts the old settings back.
    pub(crate) fn back(self) -> anyhow::Result<()> {
        match self.keeper {
            Keeper::Agent(trial) => trial.back(),
            Keeper::Guard(guard, _) => guard.restore(),
        }
    }
}
