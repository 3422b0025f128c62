// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that the public command line saved: `/var/opt/maccel/resets/set_last_<PARAM>_value.sh`.
//!
//! They are shell scripts in a folder that members of a group may write, and the public package
//! lets root run them. Here they are text: one form is understood, and nothing is ever run.

use thiserror::Error;

use crate::changes::Changes;
use crate::fixed::{Fixed, FixedError};
use crate::parameter::{self, Kind, Parameter};
use crate::settings::{Mode, SettingsError};

/// Where the scripts lie, from the root.
pub const FOLDER: &str = "var/opt/maccel/resets";

/// The most bytes of a script: far more than the one form can have.
pub const LONGEST: usize = 256;

/// What comes between the number and the name of a parameter.
const TARGET: &str = " > /sys/module/maccel/parameters/";

/// Why a script is not taken.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ResetScriptError {
    /// The file is not called after a parameter.
    #[error("'{}' is not set_last_<PARAM>_value.sh with the name of a parameter", .0.escape_debug())]
    Name(String),
    /// The text is not the one command.
    #[error(
        "it is not exactly 'echo <number> > /sys/module/maccel/parameters/{parameter};', \
         nothing of it is used"
    )]
    Form {
        /// The parameter that the file is called after.
        parameter: &'static str,
    },
    /// A line among others is not the one command for any parameter.
    #[error(
        "it is not exactly 'echo <number> > /sys/module/maccel/parameters/<PARAM>;' with the name \
         of a parameter"
    )]
    Line,
    /// The number is too large for the driver's files.
    #[error("{parameter}: {source}")]
    Number {
        /// The parameter.
        parameter: &'static str,
        /// What is wrong.
        source: FixedError,
    },
    /// The value is out of range.
    #[error(transparent)]
    Value(#[from] SettingsError),
}

/// The parameter that a script is called after; `None` for other files.
pub fn parameter_of(file_name: &str) -> Option<&'static Parameter> {
    let name = file_name.strip_prefix("set_last_")?.strip_suffix("_value.sh")?;
    parameter::by_file_name(name).filter(|parameter| parameter.file)
}

/// Reads a script and notes its value in `changes`.
///
/// # Errors
/// [`ResetScriptError`]; `changes` are as before then.
pub fn read_into(
    changes: &mut Changes,
    file_name: &str,
    text: &str,
) -> Result<(), ResetScriptError> {
    let parameter =
        parameter_of(file_name).ok_or_else(|| ResetScriptError::Name(file_name.to_owned()))?;
    read_parameter(changes, parameter, text)
}

fn read_parameter(
    changes: &mut Changes,
    parameter: &'static Parameter,
    text: &str,
) -> Result<(), ResetScriptError> {
    let name = parameter.name.as_str();
    let bad_form = || ResetScriptError::Form { parameter: name };
    let number = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .strip_prefix("echo ")
        .and_then(|rest| rest.strip_suffix(';'))
        .and_then(|rest| rest.strip_suffix(name))
        .and_then(|rest| rest.strip_suffix(TARGET))
        .ok_or_else(bad_form)?;
    let raw: Fixed = number.parse().map_err(|error| match error {
        FixedError::NotANumber(_) => bad_form(),
        source => ResetScriptError::Number { parameter: name, source },
    })?;
    if parameter.kind != Kind::Mode {
        changes.set(name, raw.to_f64())?;
        return Ok(());
    }
    let mode = Mode::from_raw(raw.raw())?;
    // The public tools know no table, so there is none to go with it.
    if mode == Mode::Lut {
        return Err(SettingsError::LutMissing.into());
    }
    changes.set_mode(mode);
    Ok(())
}

/// Whether a text looks like the scripts of several parameters, one on each line.
pub fn is_it(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.starts_with("echo ") && first.contains(TARGET)
}

/// Reads the scripts of several parameters, one on each line. Gives their values, and for each
/// line that is not taken its number and why.
pub fn read_lines(text: &str) -> (Changes, Vec<(usize, ResetScriptError)>) {
    let mut changes = Changes::default();
    let mut refused = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let name =
            line.strip_suffix(';').and_then(|line| line.rsplit_once(TARGET)).unwrap_or_default().1;
        let outcome = match parameter::by_file_name(name).filter(|parameter| parameter.file) {
            Some(parameter) => read_parameter(&mut changes, parameter, line),
            None => Err(ResetScriptError::Line),
        };
        if let Err(error) = outcome {
            refused.push((index + 1, error));
        }
    }
    (changes, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file_name: &str, text: &str) -> Result<Changes, ResetScriptError> {
        let mut changes = Changes::default();
        let outcome = read_into(&mut changes, file_name, text);
        assert!(outcome.is_ok() || changes.is_empty());
        outcome.map(|()| changes)
    }

    #[test]
    fn what_the_public_tool_writes_is_understood() {
        let text = "echo 6442450944 > /sys/module/maccel/parameters/SENS_MULT;";
        for text in [text.to_owned(), format!("{text}\n")] {
            let changes = read("set_last_SENS_MULT_value.sh", &text).unwrap();
            assert_eq!(changes.number("SENS_MULT"), Some(1.5));
        }
        let text = "echo -21474836480 > /sys/module/maccel/parameters/ANGLE_ROTATION;";
        let changes = read("set_last_ANGLE_ROTATION_value.sh", text).unwrap();
        assert_eq!(changes.number("ANGLE_ROTATION"), Some(-5.0));
        let text = "echo 3 > /sys/module/maccel/parameters/MODE;";
        assert_eq!(read("set_last_MODE_value.sh", text).unwrap().mode(), Some(Mode::NoAccel));
    }

    #[test]
    fn a_script_that_does_anything_else_is_refused_whole() {
        for text in [
            "",
            "echo 1 > /sys/module/maccel/parameters/SENS_MULT",
            "echo 1 > /sys/module/maccel/parameters/SENS_MULT; reboot",
            "echo 1 > /sys/module/maccel/parameters/SENS_MULT;reboot;",
            "reboot; echo 1 > /sys/module/maccel/parameters/SENS_MULT;",
            "echo $(reboot) > /sys/module/maccel/parameters/SENS_MULT;",
            "echo `id` > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1 | sh > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1\nreboot\n > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1 > /sys/module/maccel/parameters/SENS_MULT;\n\n",
            "echo 1 > /sys/module/maccel/parameters/SENS_MULT;\nreboot\n",
            "echo 1 > /sys/module/maccel/parameters/YX_RATIO;",
            "echo 1 > /sys/module/maccel/parameters/../parameters/SENS_MULT;",
            "echo 1 > /etc/passwd; echo 1 > /sys/module/maccel/parameters/SENS_MULT;",
            "echo  1 > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1.5 > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1e3 > /sys/module/maccel/parameters/SENS_MULT;",
            "echo \u{0661} > /sys/module/maccel/parameters/SENS_MULT;",
            "echo 1\0 > /sys/module/maccel/parameters/SENS_MULT;",
            "#!/bin/sh\necho 1 > /sys/module/maccel/parameters/SENS_MULT;",
        ] {
            let error = read("set_last_SENS_MULT_value.sh", text).unwrap_err();
            assert_eq!(error, ResetScriptError::Form { parameter: "SENS_MULT" }, "{text:?}");
        }
    }

    #[test]
    fn other_files_and_values_out_of_range_are_refused_with_the_reason() {
        let text = "echo 1 > /sys/module/maccel/parameters/SENS_MULT;";
        for name in [
            "",
            "set_last__value.sh",
            "set_last_LUT_value.sh",
            "set_last_SENS_MULT_value.sh~",
            "../set_last_SENS_MULT_value.sh",
            "set_last_sens_mult_value.sh",
        ] {
            let error = read(name, text).unwrap_err();
            assert_eq!(error, ResetScriptError::Name(name.to_owned()));
        }
        for (parameter, number, words) in [
            ("SENS_MULT", "0", "SENS_MULT: 0 is out of range, 0.01 to 100 is valid"),
            ("INPUT_DPI", "0", "INPUT_DPI: 0 is out of range, 50 to 50000 is valid"),
            ("MODE", "7", "MODE: 7 is out of range, 0 to 3 is valid"),
            ("MODE", "64", "mode lut needs a look-up table"),
            ("LIMIT", "99999999999999999999", "LIMIT: out of the range of Q32.32"),
        ] {
            let text = format!("echo {number} > /sys/module/maccel/parameters/{parameter};");
            let error = read(&format!("set_last_{parameter}_value.sh"), &text).unwrap_err();
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }

    #[test]
    fn of_many_lines_those_that_are_scripts_are_taken_and_the_others_are_named() {
        let line =
            |number, name| format!("echo {number} > /sys/module/maccel/parameters/{name};\n");
        let text = [
            line("6442450944", "SENS_MULT"),
            "\n".to_owned(),
            line("3", "MODE"),
            line("1", "SPEED"),
            "reboot\n".to_owned(),
            line("$(reboot)", "LIMIT"),
            line("0", "INPUT_DPI"),
        ]
        .concat();
        assert!(is_it(&text) && !is_it("reboot\n") && !is_it("echo 1 > /etc/passwd;"));
        let (changes, refused) = read_lines(&text);
        assert_eq!((changes.number("SENS_MULT"), changes.mode()), (Some(1.5), Some(Mode::NoAccel)));
        assert_eq!(changes.parameters().len(), 2);
        let lines: Vec<usize> = refused.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 5, 6, 7]);
        assert_eq!(
            (&refused[0].1, &refused[1].1),
            (&ResetScriptError::Line, &ResetScriptError::Line)
        );
    }
}
