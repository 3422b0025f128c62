// SPDX-License-Identifier: MIT OR Apache-2.0
//! The errors of the agent and their names on the bus.

use maccel_core::parameter::{self, ValueError};
use maccel_core::settings::SettingsError;
use zbus::names::ErrorName;
use zbus::{DBusError, fdo};

/// The outcome of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. The text of each says what was wrong, where, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that the parameter cannot take.
    #[error("{0}")]
    InvalidValue(String),
    /// A key that names no parameter.
    #[error("{0}")]
    UnknownParameter(String),
    /// The administrator has locked the parameter, or the profile is not one that was saved here.
    #[error("{0}")]
    Locked(String),
    /// Settings are on trial, and the call would change or save them.
    #[error("{0}")]
    TrialRunning(String),
    /// The trial has ended, or never was.
    #[error("{0}")]
    NoSuchTrial(String),
    /// There is no profile of this name.
    #[error("{0}")]
    NoSuchProfile(String),
    /// The driver is not there.
    #[error("{0}")]
    ModuleNotLoaded(String),
    /// The driver or the disk refused; the old settings are in force.
    #[error("{0}")]
    WriteFailed(String),
    /// The caller may not do this. It goes by the standard name.
    #[error("{0}")]
    AccessDenied(String),
    /// The bus itself, or a service that is not ours. Its text holds its causes, so they are not
    /// given once more as sources.
    #[error("{0}")]
    Bus(zbus::Error),
}

/// The last words of a refusal for want of the right, or of the password for it. Other refusals tell
/// of too many calls, or of somebody who could not be asked: the same call may be allowed the next
/// time.
pub const NOT_GRANTED: &str = "is not granted";

/// What the names of our own errors begin with.
pub const PREFIX: &str = "org.vespera.Agent1.Error.";
const ACCESS_DENIED: &str = "org.freedesktop.DBus.Error.AccessDenied";
const FAILED: &str = "org.freedesktop.DBus.Error.Failed";

/// Makes an error of its text.
type Maker = fn(String) -> Error;
/// Every error that a reply can carry, by name.
const NAMED: &[(&str, Maker)] = &[
    ("org.vespera.Agent1.Error.InvalidValue", Error::InvalidValue),
    ("org.vespera.Agent1.Error.UnknownParameter", Error::UnknownParameter),
    ("org.vespera.Agent1.Error.Locked", Error::Locked),
    ("org.vespera.Agent1.Error.TrialRunning", Error::TrialRunning),
    ("org.vespera.Agent1.Error.NoSuchTrial", Error::NoSuchTrial),
    ("org.vespera.Agent1.Error.NoSuchProfile", Error::NoSuchProfile),
    ("org.vespera.Agent1.Error.ModuleNotLoaded", Error::ModuleNotLoaded),
    ("org.vespera.Agent1.Error.WriteFailed", Error::WriteFailed),
    (ACCESS_DENIED, Error::AccessDenied),
];

impl Error {
    /// The name on the bus.
    pub const fn bus_name(&self) -> &'static str {
        match self {
            Error::InvalidValue(_) => "org.vespera.Agent1.Error.InvalidValue",
            Error::UnknownParameter(_) => "org.vespera.Agent1.Error.UnknownParameter",
            Error::Locked(_) => "org.vespera.Agent1.Error.Locked",
            Error::TrialRunning(_) => "org.vespera.Agent1.Error.TrialRunning",
            Error::NoSuchTrial(_) => "org.vespera.Agent1.Error.NoSuchTrial",
            Error::NoSuchProfile(_) => "org.vespera.Agent1.Error.NoSuchProfile",
            Error::ModuleNotLoaded(_) => "org.vespera.Agent1.Error.ModuleNotLoaded",
            Error::WriteFailed(_) => "org.vespera.Agent1.Error.WriteFailed",
            Error::AccessDenied(_) => ACCESS_DENIED,
            Error::Bus(_) => FAILED,
        }
    }

    /// Whether the caller has not the right, or gave no password for it.
    pub fn lacks_right(&self) -> bool {
        matches!(self, Error::AccessDenied(text) if text.ends_with(NOT_GRANTED))
    }

    /// Whether the call never reached the agent: there is no bus, or nobody has the name.
    pub fn is_unreachable(&self) -> bool {
        let Error::Bus(error) = self else { return false };
        match error {
            zbus::Error::InputOutput(_)
            | zbus::Error::Address(_)
            | zbus::Error::Handshake(_)
            | zbus::Error::Connection { .. } => true,
            zbus::Error::FDO(error) => matches!(
                **error,
                fdo::Error::ServiceUnknown(_)
                    | fdo::Error::NameHasNoOwner(_)
                    | fdo::Error::NoReply(_)
                    | fdo::Error::NoServer(_)
                    | fdo::Error::Disconnected(_)
                    | fdo::Error::TimedOut(_)
                    | fdo::Error::Timeout(_)
                    | fdo::Error::SpawnExecFailed(_)
                    | fdo::Error::SpawnForkFailed(_)
                    | fdo::Error::SpawnChildExited(_)
                    | fdo::Error::SpawnChildSignaled(_)
                    | fdo::Error::SpawnFailed(_)
                    | fdo::Error::SpawnServiceNotFound(_)
            ),
            // The agent's unit is masked, missing, or failed to start.
            zbus::Error::MethodError(name, _, _) => name.starts_with("org.freedesktop.systemd1."),
            _ => false,
        }
    }
}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        let named = match &error {
            zbus::Error::MethodError(name, text, _) => {
                Some((name.to_string(), text.clone().unwrap_or_default()))
            }
            zbus::Error::FDO(standard) => Some((
                standard.name().to_string(),
                standard.description().unwrap_or_default().to_owned(),
            )),
            _ => None,
        };
        if let Some((name, text)) = named
            && let Some((_, make)) = NAMED.iter().find(|(known, _)| *known == name)
        {
            return make(text);
        }
        Error::Bus(error)
    }
}

impl From<fdo::Error> for Error {
    fn from(error: fdo::Error) -> Self {
        zbus::Error::from(error).into()
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        // The text speaks of the file; on the bus the parameter has another name.
        let name = match &error {
            ValueError::Number { name, .. } | ValueError::OutOfRange { name, .. } => name,
        };
        let text = error.to_string();
        Error::InvalidValue(match parameter::by_file_name(name) {
            Some(parameter) => text.replacen(name.as_str(), &parameter.bus_name(), 1),
            None => text,
        })
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Unknown(_) => Error::UnknownParameter(error.to_string()),
            SettingsError::Value(error) => error.into(),
            SettingsError::LutLength(_) => Error::InvalidValue(format!("Lut: {error}")),
            SettingsError::LutMissing => Error::InvalidValue(format!("Mode: {error}")),
        }
    }
}

impl DBusError for Error {
    fn create_reply(&self, call: &zbus::message::Header<'_>) -> zbus::Result<zbus::Message> {
        zbus::Message::error(call, self.name()).build(&self.to_string())
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::from_static_str_unchecked(self.bus_name())
    }

    /// `None`: the text is made anew, and is in the reply.
    fn description(&self) -> Option<&str> {
        match self {
            Error::InvalidValue(text)
            | Error::UnknownParameter(text)
            | Error::Locked(text)
            | Error::TrialRunning(text)
            | Error::NoSuchTrial(text)
            | Error::NoSuchProfile(text)
            | Error::ModuleNotLoaded(text)
            | Error::WriteFailed(text)
            | Error::AccessDenied(text) => Some(text),
            Error::Bus(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_makes_the_error_that_bears_it() {
        for (name, make) in NAMED {
            let error = make("why".to_owned());
            assert_eq!(error.bus_name(), *name);
            assert_eq!((error.to_string().as_str(), error.description()), ("why", Some("why")));
            assert!(!error.is_unreachable());
        }
        let ours = NAMED.iter().filter(|(name, _)| name.starts_with(PREFIX)).count();
        assert_eq!(ours, 8, "as many as are documented, and the standard refusal");
    }

    #[test]
    fn a_refusal_and_an_absent_agent_are_told_apart() {
        let denied: Error = fdo::Error::AccessDenied("no".to_owned()).into();
        assert!(matches!(&denied, Error::AccessDenied(text) if text == "no"));
        for absent in [
            fdo::Error::ServiceUnknown(String::new()),
            fdo::Error::NameHasNoOwner(String::new()),
            fdo::Error::NoReply(String::new()),
        ] {
            assert!(Error::from(absent).is_unreachable());
        }
        assert!(!Error::from(fdo::Error::InvalidArgs(String::new())).is_unreachable());
    }

    #[test]
    fn only_a_refusal_for_want_of_the_right_is_taken_for_one() {
        let denied = |why: &str| Error::AccessDenied(format!("Set: {why}"));
        assert!(denied("org.vespera.agent1.change-settings is not granted").lacks_right());
        assert!(!denied("64 calls of this user are not decided on yet").lacks_right());
        assert!(!Error::InvalidValue(NOT_GRANTED.to_owned()).lacks_right());
    }

    #[test]
    fn a_cause_is_told_once() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::from(zbus::Error::from(missing));
        assert!(error.is_unreachable());
        assert!(std::error::Error::source(&error).is_none());
        assert!(error.to_string().contains("not found"), "{error}");
    }

    #[test]
    fn a_refused_value_goes_by_its_name_on_the_bus() {
        let error = parameter::by_file_name("SENS_MULT").unwrap().check(0.0).unwrap_err();
        assert_eq!(
            Error::from(error).to_string(),
            "SensMult: 0 is out of range, 0.01 to 100 is valid"
        );
    }
}
