// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of the public command: names, labels and titles that scripts know by heart.

use clap::ValueEnum;
use maccel_core::settings::Mode;

/// The name of a parameter, in the public order; then what only our driver has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    SensMult,
    YxRatio,
    InputDpi,
    AngleRotation,
    Accel,
    OffsetLinear,
    OutputCap,
    DecayRate,
    OffsetNatural,
    Limit,
    Gamma,
    Smooth,
    Motivity,
    SyncSpeed,
    AngleSnap,
}

impl Name {
    /// All names.
    pub(crate) const ALL: [Name; 15] = [
        Name::SensMult,
        Name::YxRatio,
        Name::InputDpi,
        Name::AngleRotation,
        Name::Accel,
        Name::OffsetLinear,
        Name::OutputCap,
        Name::DecayRate,
        Name::OffsetNatural,
        Name::Limit,
        Name::Gamma,
        Name::Smooth,
        Name::Motivity,
        Name::SyncSpeed,
        Name::AngleSnap,
    ];

    /// The word on the command line, the driver's file, and the label.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Name::SensMult => ("sens-mult", "SENS_MULT", "Sens-Multiplier"),
            Name::YxRatio => ("yx-ratio", "YX_RATIO", "Y/x Ratio"),
            Name::InputDpi => ("input-dpi", "INPUT_DPI", "Input DPI"),
            Name::AngleRotation => ("angle-rotation", "ANGLE_ROTATION", "Angle Rotation"),
            Name::Accel => ("accel", "ACCEL", "Accel"),
            Name::OffsetLinear => ("offset-linear", "OFFSET", "Offset"),
            Name::OutputCap => ("output-cap", "OUTPUT_CAP", "Output-Cap"),
            Name::DecayRate => ("decay-rate", "DECAY_RATE", "Decay-Rate"),
            Name::OffsetNatural => ("offset-natural", "OFFSET", "Offset"),
            Name::Limit => ("limit", "LIMIT", "Limit"),
            Name::Gamma => ("gamma", "GAMMA", "Gamma"),
            Name::Smooth => ("smooth", "SMOOTH", "Smooth"),
            Name::Motivity => ("motivity", "MOTIVITY", "Motivity"),
            Name::SyncSpeed => ("sync-speed", "SYNC_SPEED", "Sync Speed"),
            Name::AngleSnap => ("angle-snap", "ANGLE_SNAP", "Angle Snap"),
        }
    }

    /// The word on the command line.
    pub(crate) const fn word(self) -> &'static str {
        self.words().0
    }

    /// The name of the driver's file.
    pub(crate) const fn file(self) -> &'static str {
        self.words().1
    }

    /// What it is called in listings.
    pub(crate) const fn label(self) -> &'static str {
        self.words().2
    }

    /// The name with this word.
    pub(crate) fn of_word(word: &str) -> Option<Name> {
        Name::ALL.into_iter().find(|name| name.word() == word)
    }
}

/// Parameters that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    Common,
    Linear,
    Natural,
    Synchronous,
    NoAccel,
}

impl Group {
    /// Its parameters, in the public order.
    pub(crate) const fn names(self) -> &'static [Name] {
        match self {
            Group::Common | Group::NoAccel => {
                &[Name::SensMult, Name::YxRatio, Name::InputDpi, Name::AngleRotation]
            }
            Group::Linear => &[Name::Accel, Name::OffsetLinear, Name::OutputCap],
            Group::Natural => &[Name::DecayRate, Name::OffsetNatural, Name::Limit],
            Group::Synchronous => &[Name::Gamma, Name::Smooth, Name::Motivity, Name::SyncSpeed],
        }
    }

    /// The parameters a mode reads. The look-up table has none but the common ones.
    pub(crate) const fn of(mode: Mode) -> Group {
        match mode {
            Mode::Linear => Group::Linear,
            Mode::Natural => Group::Natural,
            Mode::Synchronous => Group::Synchronous,
            Mode::NoAccel => Group::NoAccel,
            Mode::Lut => Group::Common,
        }
    }
}

/// What people are told where a mode has no parameters of its own.
pub(crate) const NO_ACCEL_NOTE: &str =
    "NOTE: There are no parameters specific here except for the common ones.";

/// The heading of a mode.
pub(crate) const fn title(mode: Mode) -> &'static str {
    match mode {
        Mode::Linear => "Linear Acceleration",
        Mode::Natural => "Natural (w/ Gain)",
        Mode::Synchronous => "Synchronous",
        Mode::NoAccel => "No Acceleration",
        Mode::Lut => "Look-up Table",
    }
}

/// The modes that can be set by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    Linear,
    Natural,
    Synchronous,
    NoAccel,
    Lut,
}

impl ModeName {
    /// The mode.
    pub(crate) const fn mode(self) -> Mode {
        match self {
            ModeName::Linear => Mode::Linear,
            ModeName::Natural => Mode::Natural,
            ModeName::Synchronous => Mode::Synchronous,
            ModeName::NoAccel => Mode::NoAccel,
            ModeName::Lut => Mode::Lut,
        }
    }
}

#[cfg(test)]
mod tests {
    use maccel_core::parameter;

    use super::*;

    #[test]
    fn names_are_those_of_the_parameter_table() {
        for name in Name::ALL {
            let parameter = parameter::by_cli_name(name.word()).unwrap();
            assert_eq!(parameter.name, name.file());
            let possible = name.to_possible_value().unwrap();
            assert_eq!(possible.get_name(), name.word());
            assert_eq!(Name::of_word(name.word()), Some(name));
        }
    }
}
