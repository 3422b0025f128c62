// SPDX-License-Identifier: MIT OR Apache-2.0
//! Complete files, and each mode against its formula.

use super::*;
use crate::curve as reference;
use crate::settings::Mode;

/// As `yeetmousectl save` writes it.
const FILE: &str = "sens=0.8\nratioYX=1.1\noutCap=0\ninCap=0\noffset=0\naccel=0.05\nexponent=2.2\n\
                    midpoint=4\nmotivity=1.5\npreScale=0.625\naccelMode=AccelMode_Natural\n\
                    useSmoothing=1\nrotation=-7.5\nas_threshold=0\nas_angle=0\nLUT_size=0\n\
                    LUT_data=\nCC_data_aggregate=";

fn factor(import: &Import, speed: f64) -> f64 {
    reference::factor(&import.settings, speed)
}

/// A file with these lines, and values of all keys that they leave out.
fn with(lines: &str) -> Result<Import, ReadError> {
    let usual = ["accel=2", "exponent=0.4", "midpoint=5", "motivity=1.5", "useSmoothing=0"];
    let mut text = lines.replace(' ', "\n");
    for line in usual {
        let key = line.split_once('=').unwrap().0;
        if !lines.split(' ').any(|given| given.starts_with(&format!("{key}="))) {
            text.push_str(&format!("\n{line}"));
        }
    }
    read(&text)
}

#[test]
fn a_whole_file_is_read_and_the_speed_is_scaled_as_there() {
    let import = read(FILE).unwrap();
    assert_eq!(import.notes, Vec::<String>::new());
    assert_eq!(import.curve, "natural decay-rate=0.05 offset=4 limit=2.2 gain=yes");
    assert_eq!((import.settings.mode(), import.error), (Mode::Natural, None));
    let get = |name| import.settings.get(name).unwrap();
    assert_eq!(get("INPUT_DPI"), 1600.0);
    // A movement is multiplied by 1000/DPI = 0.625 here and not there.
    assert!((get("SENS_MULT") * 0.625 - 0.8).abs() < 1e-9);
    assert!((get("YX_RATIO") - 1.1).abs() < 1e-9);
    assert_eq!(get("ANGLE_ROTATION"), -7.5);
    assert!(is_it(FILE) && !is_it("[settings]\nmode = \"linear\"\n"));
}

#[test]
fn the_modes_follow_their_formulas() {
    type Formula = fn(f64) -> f64;
    let cases: [(&str, Formula); 13] = [
        ("accelMode=AccelMode_Current", |_| 1.0),
        ("accelMode=AccelMode_Linear accel=0.1", |v| 1.0 + 0.1 * v),
        ("accelMode=1 accel=0.1 outCap=3 sens=1.5", |v| (1.0 + 0.1 * v).min(2.0)),
        ("accelMode=accelmode_linear acceleration=0.1 offset=3", |v| {
            1.0 + 0.1 * (v - 3.0).max(0.0)
        }),
        ("accelMode=AccelMode_Linear accel=0.1 midpoint=2 useSmoothing=1", |v| {
            if v < 5.0 { 1.0 + 0.1 * v } else { 2.0 - 2.5 / v }
        }),
        ("accelMode=AccelMode_Classic accel=0.1 exponent=3", |v| 1.0 + (0.1 * v).powi(2)),
        ("accelMode=AccelMode_Power accel=0.2 exponent=0.5 midpoint=0", |v| (0.2 * v).sqrt()),
        ("accelMode=AccelMode_Motivity accel=2 midpoint=5", |v| {
            1.0 + 1.0 / (1.0 + (5.0 - v).exp())
        }),
        ("accelMode=4 accel=2 midpoint=5 outCap=1.5", |v| {
            (1.0 + 1.0 / (1.0 + (5.0 - v).exp())).min(1.5)
        }),
        ("accelMode=AccelMode_Jump accel=2 exponent=0.5 midpoint=8", |v| {
            1.0 + 1.0 / (1.0 + (std::f64::consts::TAU / 4.0 * (8.0 - v)).exp())
        }),
        ("accelMode=AccelMode_Natural accel=0.1 exponent=1.5 midpoint=2", |v| {
            let beyond = (v - 2.0).max(0.0);
            1.0 + 0.5 * beyond / v * (1.0 - (-0.2 * beyond).exp())
        }),
        ("accelMode=AccelMode_Lut LUT_size=2 LUT_data=5,1;20,2.5;", |v| {
            if v < 5.0 { 1.0 } else { 1.0 + 0.1 * (v - 5.0) }
        }),
        ("accelMode=7 LUT_data=5;1;20;2.5;", |v| if v < 5.0 { 1.0 } else { 1.0 + 0.1 * (v - 5.0) }),
    ];
    for (lines, formula) in cases {
        let import = with(lines).unwrap();
        let bound = if import.error.is_some() { 0.02 } else { 1e-6 };
        for speed in [0.3, 2.0, 4.0, 7.0, 12.0, 30.0] {
            let (found, right) = (factor(&import, speed), formula(speed));
            assert!((found / right - 1.0).abs() <= bound, "{lines}: {found}, {right} at {speed}");
        }
    }
}

#[test]
fn the_synchronous_mode_has_its_values_in_other_places() {
    let lines = "accelMode=AccelMode_Synchronous accel=8 exponent=1.2 midpoint=0.4 motivity=1.7";
    let import = with(lines).unwrap();
    assert_eq!(import.curve, "synchronous gamma=1.2 smooth=0.4 motivity=1.7 sync-speed=8");
    assert_eq!(import.settings.mode(), Mode::Synchronous);
}

#[test]
fn what_the_driver_lacks_is_said() {
    let lines = "accelMode=AccelMode_Current inCap=30 as_threshold=10 sens_Y=0.8 lpNorm=3 \
                 byComponent=1 minTime=0 future=1";
    let import = with(lines).unwrap();
    let starts: Vec<&str> =
        import.notes.iter().map(|note| note.split([':', ' ', '=']).next().unwrap()).collect();
    assert_eq!(starts, ["sens_Y", "inCap", "as_threshold,", "lpNorm", "byComponent", "line"]);
    assert!((import.settings.get("YX_RATIO").unwrap() - 0.8).abs() < 1e-9);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, error) in [
        ("accelMode=AccelMode_Linear\naccel", "line 2: not KEY=VALUE"),
        (
            "#define SENSITIVITY 1\n",
            "line 1: this is a config.h; have YeetMouse write its text with: yeetmousectl dump",
        ),
        ("sens=1\nSENS=2", "line 2: SENS is there already"),
        ("sens=1", "there is no accelMode"),
        ("accelMode=fast", "line 1: accelMode=fast is not a mode that is known"),
        ("accelMode=8", "line 1: accelMode=8 is not a mode that is known"),
        ("accelMode=1\naccel=nan", "line 2: accel=nan is not a number"),
        ("accelMode=1", "there is no accel"),
        ("accelMode=1\naccel=1\nuseSmoothing=2", "line 3: useSmoothing=2 is not 0 or 1"),
        ("accelMode=6\nLUT_data=1,2;3", "line 2: LUT_data=1,2;3 is not a list of points x,y;x,y;"),
        (
            "accelMode=6\nLUT_data=2,2;1,1",
            "the curve: point 1:1: the speed must be above that of the last point",
        ),
        ("accelMode=0\npreScale=0", "preScale: INPUT_DPI: 0 is out of range, 50 to 50000 is valid"),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), error, "{text}");
    }
}
