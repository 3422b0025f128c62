// SPDX-License-Identifier: MIT OR Apache-2.0
//! The names in `settings.json`; where 1.6 and 1.7 differ, first that of 1.7.

/// Comments that the program writes as keys.
pub(super) const COMMENTS: [&str; 3] =
    ["### Accel modes ###", "### Accel Modes ###", "### Cap modes ###"];

pub(super) const VERSION: &str = "version";
pub(super) const DEFAULT_DEVICE: &str = "defaultDeviceConfig";
pub(super) const PROFILES: &str = "profiles";
pub(super) const DEVICES: &str = "devices";

pub(super) const NAME: &str = "name";
pub(super) const PROFILE: &str = "profile";
pub(super) const ID: &str = "id";
pub(super) const CONFIG: &str = "config";

pub(super) const DISABLE: &str = "disable";
pub(super) const EXTRA_INFO: &str = "setExtraInfo";
pub(super) const CONSTANT_INTERVAL: &str = "Use constant time interval based on polling rate";
pub(super) const DPI: [&str; 2] = [
    "DPI (normalizes input speed unit: counts/ms -> in/s)",
    "DPI (normalizes sens to 1000dpi and converts input speed unit: counts/ms -> in/s)",
];
pub(super) const POLLING_RATE: &str = "Polling rate Hz (keep at 0 for automatic adjustment)";
pub(super) const SHORTEST: &str = "minimumTime";
pub(super) const LONGEST: &str = "maximumTime";

pub(super) const DOMAIN: &str = "Stretches domain for horizontal vs vertical inputs";
pub(super) const RANGE: &str = "Stretches accel range for horizontal vs vertical inputs";
pub(super) const HORIZONTAL: [&str; 2] =
    ["Whole or horizontal accel parameters", "Whole/horizontal accel parameters"];
pub(super) const VERTICAL: &str = "Vertical accel parameters";
pub(super) const SPEED: &str = "Input speed calculation parameters";
pub(super) const WHOLE: &str = "Whole/combined accel (set false for 'by component' mode)";
pub(super) const NORM: &str = "lpNorm";
/// Half-lives of the three smoothings of 1.7, ms.
pub(super) const SMOOTHING: [&str; 3] = [
    "Time in ms after which an input is weighted at half its original value.",
    "Time in ms after which scale is weighted at half its original value.",
    "Time in ms after which an output is weighted at half its original value.",
];
pub(super) const OUTPUT_DPI: &str = "Output DPI";
pub(super) const SENSITIVITY: &str = "Sensitivity multiplier";
pub(super) const YX: [&str; 2] = [
    "Y/X output DPI ratio (vertical sens multiplier)",
    "Y/X sensitivity ratio (vertical sens multiplier)",
];
pub(super) const LR: [&str; 2] =
    ["L/R output DPI ratio (left sens multiplier)", "L/R sensitivity ratio (left sens multiplier)"];
pub(super) const UD: [&str; 2] =
    ["U/D output DPI ratio (up sens multiplier)", "U/D sensitivity ratio (up sens multiplier)"];
pub(super) const ROTATION: &str = "Degrees of rotation";
pub(super) const SNAPPING: &str = "Degrees of angle snapping";
pub(super) const SPEED_CAP: &str = "Input Speed Cap";

pub(super) const MODE: &str = "mode";
pub(super) const GAIN: &str = "Gain / Velocity";
pub(super) const INPUT_OFFSET: &str = "inputOffset";
pub(super) const OUTPUT_OFFSET: &str = "outputOffset";
pub(super) const ACCELERATION: &str = "acceleration";
pub(super) const DECAY_RATE: &str = "decayRate";
pub(super) const GAMMA: [&str; 2] = ["gamma", "growthRate"];
pub(super) const MOTIVITY: &str = "motivity";
pub(super) const EXPONENT: &str = "exponentClassic";
pub(super) const SCALE: &str = "scale";
pub(super) const POWER: &str = "exponentPower";
pub(super) const LIMIT: &str = "limit";
pub(super) const SYNC_SPEED: [&str; 2] = ["syncSpeed", "midpoint"];
pub(super) const SMOOTH: &str = "smooth";
pub(super) const CAP: &str = "Cap / Jump";
pub(super) const CAP_MODE: &str = "Cap mode";
pub(super) const DATA: &str = "data";

/// The shortest and longest interval of the program, ms.
pub(super) const INTERVALS: [f64; 2] = [0.0625, 100.0];
