// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: the one definition of parsing, completions and man pages.

use camino::Utf8PathBuf;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::public::{Group, ModeName, Name};

const EXAMPLES: &str = "\
Examples:
  maccel                                    the terminal interface
  maccel set mode natural                   use the natural curve
  maccel set limit 2.5                      the same as: maccel set param limit 2.5
  maccel set curve classic acceleration=0.02 cap-output=2 gain
  maccel get all natural                    the values of a curve
  maccel import settings.json --apply       take over a Raw Accel profile
  maccel plot --svg > curve.svg             the curve as a picture
  maccel trial limit 3                      try it, and go back if nobody says keep
  maccel measure dpi                        find the resolution of a mouse

Exit codes: 0 done, 1 it could not be done, 2 wrong usage.";

/// Mouse acceleration: see it, set it, try it
#[derive(Debug, Parser)]
#[command(name = "maccel-cli", bin_name = "maccel", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Without a command, the terminal interface starts
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Args {
    /// Refuses what is well-formed and makes no sense, in clap's manner.
    pub(crate) fn sensible(self) -> Result<Self, clap::Error> {
        let Common { device, json, .. } = &self.common;
        let why = match &self.command {
            Some(Command::Profile(_)) if device.is_some() => ONE_MOUSE,
            Some(Command::Completion { .. }) if device.is_some() => {
                "completions are the same for every mouse: leave out --device"
            }
            Some(Command::Plot(plot)) if *json && (plot.svg || plot.png || plot.text) => {
                "--json prints the points of the curves: leave out --svg, --png and --text, or --json"
            }
            None | Some(Command::Tui) if *json => {
                "the terminal interface prints no JSON: leave out --json, or name a command"
            }
            _ => return Ok(self),
        };
        Err(Args::command().error(ErrorKind::ArgumentConflict, why))
    }
}

/// Why profiles are not for one mouse.
const ONE_MOUSE: &str = "\
profiles are of the settings of all mice: leave out --device
  to give one mouse the settings of a profile:
  maccel profile show NAME | maccel import - --apply --device MOUSE";

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// Work on this mouse alone: its entry (input5), vvvv:pppp or a part of its name
    #[arg(long, global = true, value_name = "MOUSE")]
    pub(crate) device: Option<String>,

    /// Print JSON (format 1) for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Look at this folder as the root
    #[arg(long, global = true, value_name = "FOLDER", default_value = "/", hide = true)]
    pub(crate) root: Utf8PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open the terminal interface
    Tui,
    /// Change parameters, the mode or the curve
    #[command(subcommand, arg_required_else_help = true)]
    Set(SetCommand),
    /// Print parameters
    #[command(subcommand, arg_required_else_help = true)]
    Get(GetCommand),
    /// Print the completions of a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// List the mice the driver serves, and switch one on or off
    Devices {
        /// Switch the acceleration of --device
        #[arg(long, value_name = "ON|OFF")]
        accelerate: Option<Switch>,
        /// Let --device follow the shared settings again
        #[arg(long, conflicts_with = "accelerate")]
        inherit: bool,
    },
    /// List, show, save, apply or delete profiles (needs the agent)
    #[command(subcommand, arg_required_else_help = true)]
    Profile(ProfileCommand),
    /// Read a settings file: of Raw Accel, YeetMouse or libinput, a profile, reset scripts
    #[command(after_help = IMPORTS)]
    Import(Import),
    /// Write the settings as a file of another program
    Export(Export),
    /// Try settings: they go back unless you keep them
    #[command(after_help = TRIALS, subcommand_required = true, arg_required_else_help = true)]
    Trial(Trial),
    /// Measure the resolution or the polling rate of a mouse
    #[command(subcommand, arg_required_else_help = true)]
    Measure(Measure),
    /// Put the old state back unless told to keep the new one
    #[command(hide = true)]
    Guard,
    /// Draw the curve: sensitivity, velocity and gain over the input speed
    #[command(after_help = PLOTS)]
    Plot(Plot),
    /// Write the man pages below a folder, as man1/NAME.1 and man5/NAME.5
    #[command(hide = true)]
    Man {
        /// The folder
        folder: Utf8PathBuf,
    },
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SetCommand {
    /// Change one parameter
    Param {
        /// The parameter
        name: Name,
        /// Its new value
        #[arg(allow_negative_numbers = true)]
        value: f64,
    },
    /// Change all parameters of a group at once
    #[command(subcommand, arg_required_else_help = true)]
    All(SetAll),
    /// Change the mode
    Mode {
        /// The mode
        mode: ModeName,
    },
    /// Compile a curve for the driver and use it
    #[command(after_help = CURVES)]
    Curve {
        /// The curve: its family and key=value, or speed:factor for points
        #[arg(required = true, value_name = "CURVE")]
        words: Vec<String>,
    },
}

pub(crate) const CURVES: &str = "\
Curves:
  none
  classic      acceleration exponent offset cap-input cap-output gain
  power        scale exponent output-offset cap-input cap-output gain
  jump         input output smooth gain
  natural      decay-rate offset limit gain
  synchronous  gamma smooth motivity sync-speed gain
  points       velocity SPEED:FACTOR...   straight lines between points
  drawn        velocity SPEED:FACTOR...   a smooth line through points

Speeds are in counts/ms at 1000 DPI. With `gain` the values describe the slope of output
speed over input speed. The driver's own formula is used where it has one, else its look-up
table; the error of the table is printed.

Examples:
  maccel set curve classic acceleration=0.02 exponent=2.5 cap-output=2 gain
  maccel set curve drawn 1:1 8:1.4 30:2.5";

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum SetAll {
    /// Change what all modes use
    #[command(allow_negative_numbers = true)]
    Common { sens_mult: f64, yx_ratio: f64, input_dpi: f64, angle_rotation: f64 },
    /// Change the parameters of the linear curve
    #[command(allow_negative_numbers = true)]
    Linear { accel: f64, offset_linear: f64, output_cap: f64 },
    /// Change the parameters of the natural curve
    #[command(allow_negative_numbers = true)]
    Natural { decay_rate: f64, offset_natural: f64, limit: f64 },
    /// Change the parameters of the synchronous curve
    #[command(allow_negative_numbers = true)]
    Synchronous { gamma: f64, smooth: f64, motivity: f64, sync_speed: f64 },
    /// Nothing to change: no acceleration has no parameters
    NoAccel,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GetCommand {
    /// Print one parameter
    Param {
        /// The parameter
        name: Name,
    },
    /// Print all parameters of a group
    All {
        /// Print the values on one line
        #[arg(long)]
        oneline: bool,
        /// Print the values only
        #[arg(short, long)]
        quiet: bool,
        /// The group
        group: Group,
    },
    /// Print the mode and its parameters
    Mode,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles
    List,
    /// Print the settings of a profile
    Show {
        /// The profile
        name: String,
    },
    /// Save the settings in force under a name
    Save {
        /// The profile
        name: String,
    },
    /// Put the settings of a profile in force
    Apply {
        /// The profile
        name: String,
    },
    /// Delete a profile
    Delete {
        /// The profile
        name: String,
    },
}

const IMPORTS: &str = "\
Files:
  Raw Accel    settings.json of 1.6 and 1.7
  YeetMouse    /etc/yeetmouse.conf, or what `yeetmousectl dump` prints
  libinput     the points of the custom profile: xorg.conf options, Hyprland's and KWin's words
  maccel       maccel.toml; set_last_..._value.sh or the folder of them; the public command's
               profiles, ~/.config/maccel/profiles/NAME.json

Examples:
  maccel import settings.json --profile games --apply
  yeetmousectl dump | maccel import -
  echo 'custom 10 0 10 30' | maccel import -";

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The file, or the folder of public reset scripts; `-` for standard input
    pub(crate) file: Utf8PathBuf,
    /// The profile of the file, if it has several
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Put the settings in force; without it they are only shown
    #[arg(long)]
    pub(crate) apply: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The format
    #[arg(long, default_value = "raw-accel")]
    pub(crate) format: Format,
    /// The name of the profile in the file
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) name: String,
}

const TRIALS: &str = "\
Examples:
  maccel trial limit 3
  maccel trial --seconds 30 curve natural limit=2.5 gain";

#[derive(Debug, clap::Args)]
pub(crate) struct Trial {
    /// Seconds until they go back
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u32).range(1..=600), allow_negative_numbers = true)]
    pub(crate) seconds: u32,
    #[command(subcommand)]
    pub(crate) set: SetCommand,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Measure {
    /// Counts for each inch, by a ruler
    Dpi {
        /// How far the mouse is moved, cm
        #[arg(long = "cm", value_name = "CM", default_value = "10", value_parser = centimetres, allow_negative_numbers = true)]
        length: f64,
    },
    /// Reports a second
    Rate {
        /// How long the mouse is moved
        #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=60), allow_negative_numbers = true)]
        seconds: u32,
    },
}

fn centimetres(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(length) if (1.0..=100.0).contains(&length) => Ok(length),
        _ => Err("a number from 1 to 100 is valid".to_owned()),
    }
}

const PLOTS: &str = "\
Without --curve, --file or --profile the settings in force are drawn.

Examples:
  maccel plot                                        as text
  maccel plot --png --output curve.png               to post
  maccel plot --current --curve 'natural limit=3 gain' --svg > compare.svg
  maccel plot --file settings.json --max-speed 40";

#[derive(Debug, clap::Args)]
pub(crate) struct Plot {
    /// Write SVG
    #[arg(long, conflicts_with_all = ["png", "text"])]
    pub(crate) svg: bool,
    /// Write PNG
    #[arg(long, conflicts_with = "text")]
    pub(crate) png: bool,
    /// Write text (the default)
    #[arg(long)]
    pub(crate) text: bool,
    /// Write to this file, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,
    /// Draw the settings in force, too
    #[arg(long)]
    pub(crate) current: bool,
    /// Draw this curve (see: maccel set curve --help); may be given several times
    #[arg(long, value_name = "CURVE")]
    pub(crate) curve: Vec<String>,
    /// Draw the settings of a file (see: maccel import --help); may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<Utf8PathBuf>,
    /// Draw a profile of the agent; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Vec<String>,
    /// Draw up to this speed, counts/ms
    #[arg(long = "max-speed", value_name = "SPEED", default_value = "80", value_parser = speed, allow_negative_numbers = true)]
    pub(crate) speed: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.1..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.1 to 10000 is valid".to_owned()),
    }
}

/// File formats that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// settings.json of Raw Accel 1.7
    RawAccel,
    /// settings.json of Raw Accel 1.6
    #[value(name = "raw-accel-1.6")]
    RawAccel16,
    /// an xorg.conf section with the points of libinput's custom profile
    Libinput,
    /// a profile in maccel.toml
    Toml,
    /// the lines of the public reset scripts
    Scripts,
    /// a profile of the public command, as JSON
    PublicProfile,
}

/// Spells out `set NAME VALUE`, which public documents mention, as `set param NAME VALUE`; so for
/// `trial NAME VALUE`.
pub(crate) fn spelled_out(mut arguments: Vec<String>) -> Vec<String> {
    let set = arguments.iter().position(|word| matches!(word.as_str(), "set" | "trial"));
    let Some(set) = set else { return arguments };
    for word in &mut arguments[set + 1..] {
        if let Some(number) = negative(word) {
            *word = number;
        }
    }
    let mut at = set + 1;
    while let Some(word) = arguments.get(at).filter(|word| word.starts_with("--")) {
        match word.as_str() {
            "--" => break,
            "--device" | "--root" | "--seconds" => at += 2,
            _ => at += 1,
        }
    }
    // What comes after `--` is no command any more.
    let name = if arguments.get(at).is_some_and(|word| word == "--") { at + 1 } else { at };
    if arguments.get(name).is_some_and(|word| Name::of_word(word).is_some()) {
        arguments.insert(at, "param".to_owned());
    }
    arguments
}

/// A negative number that clap takes for an option, such as `-.5` or `-1e-3`, in digits.
fn negative(word: &str) -> Option<String> {
    let digits = word.strip_prefix('-')?;
    let number = digits.starts_with(|first: char| first == '.' || first.is_ascii_digit());
    let plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    let value: f64 = word.parse().ok().filter(|value: &f64| value.is_finite())?;
    (number && !plain).then(|| value.to_string())
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn only_the_name_of_a_parameter_is_spelled_out() {
        let spelled =
            |words: &str| spelled_out(words.split(' ').map(str::to_owned).collect()).join(" ");
        assert_eq!(spelled("--json set limit 3"), "--json set param limit 3");
        assert_eq!(spelled("set --json limit 3"), "set --json param limit 3");
        assert_eq!(spelled("set --device limit smooth 1"), "set --device limit param smooth 1");
        assert_eq!(spelled("set -- limit -5"), "set param -- limit -5");
        assert_eq!(spelled("trial --json -- limit -.5"), "trial --json param -- limit -0.5");
        for words in
            ["set -- mode linear", "set mode linear", "set param limit 3", "get param limit", "set"]
        {
            assert_eq!(spelled(words), words);
        }
    }
}
