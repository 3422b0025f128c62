// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exit codes.

use std::process::ExitCode;

use health::State;
use vespera_api::Error;

/// All is well.
pub(crate) const HEALTHY: u8 = 0;
/// Something is lost, or something that matters could not be seen.
pub(crate) const DEGRADED: u8 = 1;
/// Mouse acceleration does not work.
pub(crate) const BROKEN: u8 = 2;
/// The agent does not answer.
pub(crate) const UNREACHABLE: u8 = 3;
/// `EX_USAGE` of sysexits.h.
pub(crate) const USAGE: u8 = 64;
/// Another deployment starts at the next boot, and that was asked for.
pub(crate) const REBOOT_PENDING: u8 = 77;

/// What a subcommand prints and how the program ends.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) code: u8,
}

/// The code of a state.
pub(crate) fn code(state: State) -> u8 {
    match state {
        State::Healthy => HEALTHY,
        State::Degraded | State::Unknown => DEGRADED,
        State::Broken => BROKEN,
    }
}

/// The code of a call that failed.
pub(crate) fn of_agent(error: &Error) -> u8 {
    match error {
        Error::InvalidValue(_) | Error::UnknownParameter(_) => USAGE,
        Error::ModuleNotLoaded(_) => BROKEN,
        error if error.is_unreachable() => UNREACHABLE,
        // Refused, or not done: what was in force still is.
        _ => DEGRADED,
    }
}

/// Prints clap's words; help and version are no fault.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell anyone when even this cannot be printed.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { HEALTHY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let text = String::new;
        for (error, code) in [
            (Error::InvalidValue(text()), USAGE),
            (Error::UnknownParameter(text()), USAGE),
            (Error::ModuleNotLoaded(text()), BROKEN),
            (Error::AccessDenied(text()), DEGRADED),
            (Error::TrialRunning(text()), DEGRADED),
            (zbus::fdo::Error::NameHasNoOwner(text()).into(), UNREACHABLE),
        ] {
            assert_eq!(of_agent(&error), code, "{error:?}");
        }
    }
}
