// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reaches the owner of the state: requests, which are answered, and events, which are not.

use maccel_core::changes::Changes;
use tokio::sync::oneshot;
use vespera_api::Result;

/// Something that was asked for, by somebody who may.
#[derive(Debug)]
pub(crate) enum Request {
    /// Change settings.
    Set(Changes),
    /// Go back to the settings of the system.
    Reset,
    /// Change settings for a time.
    Trial {
        /// What changes.
        changes: Changes,
        /// For how long.
        seconds: u32,
    },
    /// Change settings of a mouse for a time.
    TrialOn {
        /// The kernel's name of the mouse.
        input: String,
        /// What changes.
        changes: Changes,
        /// For how long.
        seconds: u32,
    },
    /// Keep the settings on trial.
    ConfirmTrial(u32),
    /// Go back to the settings before it.
    CancelTrial(u32),
    /// Save the settings in force under a name.
    SaveProfile(String),
    /// Put the settings of a profile in force.
    ApplyProfile(String),
    /// Delete a profile.
    DeleteProfile(String),
    /// Let the driver work on a mouse, or not.
    SetEnabled {
        /// The kernel's name of the mouse.
        input: String,
        /// Whether it works on it.
        enabled: bool,
    },
    /// Give a mouse own settings.
    SetDevice {
        /// The kernel's name of the mouse.
        input: String,
        /// What is different on it.
        changes: Changes,
    },
    /// Take a mouse's own settings away.
    Inherit {
        /// The kernel's name of the mouse.
        input: String,
    },
    /// Have the module checked again.
    Recheck,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody wrote a parameter or an attribute of a mouse.
    Written,
    /// The module came or went.
    Module,
    /// A mouse came.
    DeviceAdded(String),
    /// A mouse went.
    DeviceRemoved(String),
    /// A report in `/run/vespera` is new.
    Report,
    /// The administrator's or the image's file is new.
    Layer,
    /// The system woke up.
    Resumed,
    /// The caller who began this trial left the bus.
    CallerLeft(u32),
    /// Another user's session is the active one; `None` for nobody's.
    ActiveUser(Option<u32>),
    /// The agent is to end.
    Stop,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The snapshot that shows the outcome.
    pub(crate) serial: u64,
    /// The trial that was begun, else 0.
    pub(crate) trial: u32,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request, and where its answer goes.
    Request(Request, oneshot::Sender<Result<Reply>>),
    /// An event.
    Event(Event),
}
