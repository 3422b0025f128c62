// SPDX-License-Identifier: MIT OR Apache-2.0
//! The points of libinput's custom profile, as desktops write them down.
//!
//! The profile is a function of the device's speed, counts/ms, to the pointer's speed: points at
//! 0, step, 2 step..., straight lines between them, and the last line goes on. Read are the
//! options of an xorg.conf (`Option "AccelPointsMotion" "0 0.5 1.5"` beside `AccelStepMotion`),
//! the words of Hyprland (`accel_profile = custom STEP POINT...`) and those of KWin
//! (`STEP:POINT,POINT...`); written is a section of an xorg.conf with Hyprland's words on top.

use thiserror::Error;

use crate::compile::{self, CompileError, CompileFault};
use crate::curve;
use crate::settings::{Settings, SettingsError};
use crate::shape::{Kind, Shape};

/// The fewest and the most points, and the largest step and point of libinput.
const FEWEST: usize = 2;
const MOST: usize = 64;
const LARGEST: f64 = 10_000.0;
/// A point at speed 0 that moves the pointer is put here, so that lines from it hardly change.
const NEARLY_ZERO: f64 = 1e-6;
/// The speed up to which a curve is written, counts/ms at 1000 DPI.
const FASTEST: f64 = 80.0;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The curve, with output speeds.
    pub shape: Shape,
    /// What the driver gets for it: libinput's speeds are those of the device, so the resolution
    /// is 1000.
    pub settings: Settings,
    /// The error of the look-up table, if the curve needs one.
    pub error: Option<CompileError>,
    /// What could not be carried over.
    pub notes: Vec<String>,
}

/// Why points could not be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ReadError {
    /// A line of an xorg.conf that is none.
    #[error("line {0}: neither a section's line nor Option \"NAME\" \"VALUE\"")]
    Line(usize),
    /// Something that should be a number.
    #[error("'{}' is not a number from {least} to {LARGEST}", .text.escape_debug())]
    Number {
        /// What is there.
        text: String,
        /// What it must at least be.
        least: &'static str,
    },
    /// Too few or too many points.
    #[error("{0} points: libinput takes {FEWEST} to {MOST}")]
    Count(usize),
    /// An option that must be there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// The same option once more.
    #[error("line {line}: {name} is there already; one mouse at a time")]
    Repeated {
        /// The line.
        line: usize,
        /// The option.
        name: String,
    },
    /// A curve that the driver cannot hold.
    #[error(transparent)]
    Curve(#[from] CompileFault),
    /// A value beyond the driver's ranges.
    #[error(transparent)]
    Range(#[from] SettingsError),
}

/// Whether a text looks like points of libinput, and of nothing else.
pub fn is_it(text: &str) -> bool {
    words(text).is_some() || text.lines().any(|line| option(line).is_some())
}

/// Reads points in any of the three forms.
///
/// # Errors
/// [`ReadError`].
pub fn read(text: &str) -> Result<Import, ReadError> {
    match words(text) {
        Some((step, points)) => import(step, &points, None, Vec::new()),
        None => read_options(text),
    }
}

/// Step and points on one line: `custom 0.5 0 0.5 1.2`, also behind `accel_profile =`, or
/// `0.5:0,0.5,1.2`. Comments and blank lines around it do not matter.
fn words(text: &str) -> Option<(&str, Vec<&str>)> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let line = match line.split_once('=') {
        Some((key, rest)) if key.trim() == "accel_profile" => rest.trim(),
        Some(_) => return None,
        None => line,
    };
    if let Some(rest) = line.strip_prefix("custom ") {
        let mut rest = rest.split_whitespace();
        return Some((rest.next()?, rest.collect()));
    }
    let (step, points) = line.split_once(':')?;
    let plain = |c: char| c.is_ascii_digit() || "+-.eE, ".contains(c);
    (line.replacen(':', "", 1).chars().all(plain))
        .then(|| (step.trim(), points.split(',').map(str::trim).collect()))
}

/// Name and value of an `Option` line that concerns the custom profile.
fn option(line: &str) -> Option<(&str, &str)> {
    let (name, value) = pair(line)?;
    let known = plain(name);
    (known.starts_with("accelpoints") || known.starts_with("accelstep")).then_some((name, value))
}

/// `Option "NAME" "VALUE"`
fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (keyword, rest) = line.split_at_checked("option".len())?;
    let mut parts = rest.split('"');
    let (before, name, between, value, after) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let blank = |text: &str| text.chars().all(char::is_whitespace);
    let comment = after.trim_start();
    let whole = (comment.is_empty() || comment.starts_with('#')) && blank(before) && blank(between);
    (keyword.eq_ignore_ascii_case("option") && whole).then_some((name, value))
}

/// The server takes option names without regard to case, blanks and underscores.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Lines of a section that say for whom it is.
const SECTION: [&str; 5] = ["section", "endsection", "identifier", "driver", "match"];

fn read_options(text: &str) -> Result<Import, ReadError> {
    let mut found: Vec<(String, &str)> = Vec::new();
    let mut notes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let keyword = trimmed.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let section = SECTION.iter().any(|word| keyword.starts_with(word));
        if trimmed.is_empty() || trimmed.starts_with('#') || section {
            continue;
        }
        let (name, value) = pair(line).ok_or(ReadError::Line(index + 1))?;
        let key = plain(name);
        if found.iter().any(|(known, _)| *known == key) {
            return Err(ReadError::Repeated { line: index + 1, name: name.to_owned() });
        }
        match key.as_str() {
            "accelprofile" if value.trim().eq_ignore_ascii_case("custom") => {}
            "accelstepmotion"
            | "accelpointsmotion"
            | "accelstepfallback"
            | "accelpointsfallback"
            | "rotationangle" => {}
            _ => notes.push(format!("line {}: {name} = {value}", index + 1)),
        }
        found.push((key, value));
    }
    let value = |key: &str| found.iter().find(|(known, _)| known == key).map(|found| found.1);
    let (step, points) = match value("accelpointsmotion") {
        Some(points) => {
            (value("accelstepmotion").ok_or(ReadError::Missing("AccelStepMotion"))?, points)
        }
        // What is not given for motion is taken from there.
        None => (
            value("accelstepfallback").ok_or(ReadError::Missing("AccelStepMotion"))?,
            value("accelpointsfallback").ok_or(ReadError::Missing("AccelPointsMotion"))?,
        ),
    };
    let points: Vec<&str> = points.split_whitespace().collect();
    import(step, &points, value("rotationangle"), notes)
}

fn number(text: &str, least: &'static str) -> Result<f64, ReadError> {
    let wrong = || ReadError::Number { text: text.to_owned(), least };
    let number: f64 = text.trim().parse().map_err(|_| wrong())?;
    let enough = number > 0.0 || (least == "0" && number == 0.0);
    if enough && number <= LARGEST { Ok(number) } else { Err(wrong()) }
}

fn import(
    step: &str,
    points: &[&str],
    rotation: Option<&str>,
    notes: Vec<String>,
) -> Result<Import, ReadError> {
    let step = number(step, "above 0")?;
    if points.len() < FEWEST || points.len() > MOST {
        return Err(ReadError::Count(points.len()));
    }
    let mut shape = Shape { gain: true, ..Shape::of(Kind::Points) };
    for (index, text) in (0_u32..).zip(points) {
        let (speed, output) = (step * f64::from(index), number(text, "0")?);
        // A line from the origin is a constant factor, which is what a curve begins with.
        if index > 0 || output > 0.0 {
            shape.points.push((speed.max(NEARLY_ZERO), output));
        }
    }
    if let &[(speed, output)] = shape.points.as_slice() {
        shape.points.push((speed * 2.0, output * 2.0));
    }
    let mut settings = Settings::default();
    if let Some(degrees) = rotation {
        settings.set("ANGLE_ROTATION", number(degrees, "0")? % 360.0)?;
    }
    let error = compile::apply(&shape, &mut settings)?;
    Ok(Import { shape, settings, error, notes })
}

/// Writes settings as a section of an xorg.conf; and says what is lost.
pub fn write(settings: &Settings) -> (String, Vec<String>) {
    let get = |name| settings.get(name).unwrap_or_default();
    // libinput sees the counts of the device, the curve those of a mouse of 1000 DPI.
    let scale = 1000.0 / get("INPUT_DPI");
    let step = short(FASTEST / scale / (MOST - 1) as f64);
    let output = |speed: f64| {
        let normal = speed * scale;
        normal * curve::factor(settings, normal) * get("SENS_MULT")
    };
    let points: Vec<f64> =
        (0..MOST).map(|i| short(output(step * i as f64)).clamp(0.0, LARGEST)).collect();
    let words: Vec<String> = points.iter().map(f64::to_string).collect();
    let words = words.join(" ");
    let rotation = get("ANGLE_ROTATION").rem_euclid(360.0);
    let rotated = if rotation == 0.0 {
        String::new()
    } else {
        format!("    Option \"RotationAngle\" \"{rotation}\"\n")
    };
    let text = format!(
        "# Hyprland: accel_profile = custom {step} {words}\n\
         Section \"InputClass\"\n    Identifier \"mouse acceleration\"\n    MatchIsPointer \"on\"\n    \
         Driver \"libinput\"\n    Option \"AccelProfile\" \"custom\"\n    \
         Option \"AccelStepMotion\" \"{step}\"\n    Option \"AccelPointsMotion\" \"{words}\"\n\
         {rotated}EndSection\n"
    );
    let mut lost = Vec::new();
    if get("YX_RATIO") != 1.0 {
        lost.push("yx-ratio: libinput treats both axes alike".to_owned());
    }
    if get("ANGLE_SNAP") != 0.0 {
        lost.push("angle-snap: libinput has none".to_owned());
    }
    let worst = loss(&points, step, output);
    if worst.relative > 0.01 {
        lost.push(format!(
            "the curve between the {MOST} points: it differs most at {:.2} counts/ms, by {:.1} %",
            worst.speed,
            worst.relative * 100.0
        ));
    }
    (text, lost)
}

/// A number with few digits, as people write it.
fn short(value: f64) -> f64 {
    format!("{value:.6}").parse().unwrap_or(value)
}

/// Where the straight lines differ most from the curve, up to its last point.
fn loss(points: &[f64], step: f64, output: impl Fn(f64) -> f64) -> CompileError {
    const PARTS: u32 = 16;
    let parts = (1..=PARTS).map(|part| f64::from(part) / f64::from(PARTS));
    let places = (0_u32..).zip(points.windows(2)).flat_map(|(index, pair)| {
        parts.clone().map(move |part| {
            (step * (f64::from(index) + part), pair[0] + part * (pair[1] - pair[0]))
        })
    });
    places
        .map(|(speed, line)| {
            let exact = output(speed);
            CompileError { relative: (line - exact).abs() / exact.max(1e-3), speed }
        })
        .max_by(|a, b| a.relative.total_cmp(&b.relative))
        .unwrap_or(CompileError { relative: 0.0, speed: 0.0 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Mode;

    const XORG: &str = "# a comment\nSection \"InputClass\"\n  Identifier \"m\"\n  \
                        MatchProduct \"Logitech G203\"\n  Driver \"libinput\"\n  \
                        Option \"AccelProfile\" \"custom\"\n  option \"Accel Step_Motion\" \"10\" # ms\n  \
                        Option \"AccelPointsMotion\" \"0.0 10 30\"\n  Option \"RotationAngle\" \"90\"\n  \
                        Option \"AccelSpeed\" \"0.4\"\nEndSection\n";

    fn factor(import: &Import, speed: f64) -> f64 {
        import.shape.curve().unwrap().factor(speed)
    }

    #[test]
    fn all_three_forms_say_the_same() {
        let xorg = read(XORG).unwrap();
        assert_eq!(xorg.notes, ["line 10: AccelSpeed = 0.4"]);
        assert_eq!(xorg.settings.get("ANGLE_ROTATION"), Ok(90.0));
        for text in [
            "custom 10 0.0 10 30",
            "# mine\n\naccel_profile = custom 10 0 10 30\n",
            "10:0,10,30",
            "10: 0.0, 10.0, 30.0\n",
        ] {
            assert!(is_it(text), "{text}");
            let import = read(text).unwrap();
            assert_eq!(import.shape, xorg.shape, "{text}");
            assert_eq!(import.settings.mode(), Mode::Lut);
        }
        // Factor 1 up to 10, then output 10 + 2 (v - 10); the last line goes on.
        for (speed, right) in
            [(1e-3, 1.0), (4.0, 1.0), (10.0, 1.0), (15.0, 20.0 / 15.0), (40.0, 1.75)]
        {
            assert!((factor(&xorg, speed) - right).abs() < 1e-9, "{speed}");
        }
    }

    #[test]
    fn the_fallback_counts_where_there_is_nothing_for_motion() {
        let text = "Option \"AccelPointsFallback\" \"1 3\"\nOption \"AccelStepFallback\" \"2\"\n";
        let import = read(text).unwrap();
        assert!((factor(&import, 1.0) - 2.0).abs() < 1e-5);
        assert!((factor(&import, 4.0) - 5.0 / 4.0).abs() < 1e-5);
    }

    #[test]
    fn two_points_from_the_origin_are_a_constant_factor() {
        let import = read("custom 1 0 2.5").unwrap();
        for speed in [0.01, 1.0, 700.0] {
            assert!((factor(&import, speed) - 2.5).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, error) in [
            ("custom 0 0 1", "'0' is not a number from above 0 to 10000"),
            ("custom 1 0 -1", "'-1' is not a number from 0 to 10000"),
            ("custom 1 0 nan", "'nan' is not a number from 0 to 10000"),
            ("custom 1 0", "1 points: libinput takes 2 to 64"),
            ("Option \"AccelPointsMotion\" \"0 1\"", "there is no AccelStepMotion"),
            ("Option \"AccelStepMotion\" \"1\"", "there is no AccelStepMotion"),
            (
                "Option \"AccelSpeed\" 0.5",
                "line 1: neither a section's line nor Option \"NAME\" \"VALUE\"",
            ),
            (
                "Option \"AccelStepMotion\" \"1\"\nOption \"Accel_Step Motion\" \"2\"",
                "line 2: Accel_Step Motion is there already; one mouse at a time",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), error, "{text}");
        }
        assert!(!is_it("version = 1\n") && !is_it("10:a") && !is_it("") && !is_it("sens=1"));
    }

    #[test]
    fn what_libinput_lacks_is_said() {
        let mut settings = Settings::default();
        for (name, value) in [("YX_RATIO", 1.2), ("ANGLE_SNAP", 4.0), ("ANGLE_ROTATION", -15.0)] {
            settings.set(name, value).unwrap();
        }
        compile::apply(&"jump input=10 output=3 smooth=0".parse().unwrap(), &mut settings).unwrap();
        let (text, lost) = write(&settings);
        assert!(text.contains("Option \"RotationAngle\" \"345\"\n"), "{text}");
        assert_eq!(lost.len(), 3, "{lost:?}");
        assert!(lost[2].starts_with("the curve between the 64 points"), "{lost:?}");
    }

    proptest! {
        /// In what is read again, a movement has the same effect at the points.
        #[test]
        fn written_points_give_the_same_speeds(
            accel in 0.001..0.2, limit in 1.0..4.0, dpi in 400.0..3200.0, sens in 0.2..3.0,
        ) {
            let mut settings = Settings::default();
            for (name, value) in
                [("INPUT_DPI", dpi), ("SENS_MULT", sens), ("DECAY_RATE", accel), ("LIMIT", limit)]
            {
                settings.set(name, value).unwrap();
            }
            settings.set_mode(Mode::Natural).unwrap();
            let import = read(&write(&settings).0).unwrap();
            let scale = 1000.0 / dpi;
            for point in import.shape.points.iter().skip(1) {
                let normal = point.0 * scale;
                let right = scale * sens * curve::factor(&settings, normal);
                let found = factor(&import, point.0);
                prop_assert!((found / right - 1.0).abs() < 1e-4, "{found} {right} at {}", point.0);
            }
        }
    }
}
