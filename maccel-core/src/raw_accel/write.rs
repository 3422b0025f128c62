// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writing `settings.json`.

use serde_json::{Map, Value, json};

use super::keys;
use crate::compile;
use crate::curve;
use crate::settings::Settings;
use crate::shape::{CapMode, Kind, Shape};

/// The spelling that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Raw Accel 1.6.1.
    V16,
    /// Raw Accel 1.7.0.
    V17,
}

impl Version {
    fn text(self) -> &'static str {
        match self {
            Version::V16 => "1.6.1",
            Version::V17 => "1.7.0",
        }
    }

    fn of<'a>(self, spellings: &[&'a str; 2]) -> &'a str {
        match self {
            Version::V16 => spellings[1],
            Version::V17 => spellings[0],
        }
    }
}

/// Writes one profile as a complete file, with all keys of its version.
///
/// The look-up table becomes the program's, which goes straight from point to point.
pub fn write(name: &str, settings: &Settings, version: Version) -> String {
    let get = |parameter| settings.get(parameter).unwrap_or_default();
    let shape = compile::shape_of(settings).unwrap_or_else(|| Shape {
        points: settings
            .lut()
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(i, &factor)| (curve::lut_speed(i), factor))
            .collect(),
        ..Shape::of(Kind::Points)
    });
    let mut device = Map::new();
    device.insert(keys::DISABLE.to_owned(), json!(false));
    if version == Version::V17 {
        device.insert(keys::CONSTANT_INTERVAL.to_owned(), json!(false));
    }
    // The file takes whole numbers only.
    device.insert(version.of(&keys::DPI).to_owned(), whole(get("INPUT_DPI")));
    device.insert(keys::POLLING_RATE.to_owned(), json!(0));

    let mut profile = Map::new();
    let mut set = |key: &str, value: Value| profile.insert(key.to_owned(), value);
    let one = json!({"x": 1.0, "y": 1.0});
    set(keys::NAME, json!(name));
    let mut speed = Map::new();
    speed.insert(keys::WHOLE.to_owned(), json!(true));
    speed.insert(keys::NORM.to_owned(), json!(2.0));
    if version == Version::V16 {
        for (key, value) in std::mem::take(&mut speed) {
            set(&key, value);
        }
    }
    set(keys::DOMAIN, one.clone());
    set(keys::RANGE, one);
    set(keys::HORIZONTAL[0], args(&shape, version));
    set(keys::VERTICAL, args(&Shape::of(Kind::None), version));
    if version == Version::V17 {
        for key in keys::SMOOTHING {
            speed.insert(key.to_owned(), json!(0.0));
        }
        set(keys::SPEED, Value::Object(speed));
        set(keys::OUTPUT_DPI, json!(get("SENS_MULT") * 1000.0));
    } else {
        set(keys::SENSITIVITY, json!(get("SENS_MULT")));
    }
    set(version.of(&keys::YX), json!(get("YX_RATIO")));
    set(version.of(&keys::LR), json!(1.0));
    set(version.of(&keys::UD), json!(1.0));
    set(keys::ROTATION, json!(get("ANGLE_ROTATION")));
    set(keys::SNAPPING, json!(get("ANGLE_SNAP")));
    set(keys::SPEED_CAP, json!(0.0));

    let file = json!({
        keys::VERSION: version.text(),
        keys::DEFAULT_DEVICE: device,
        keys::PROFILES: [profile],
        keys::DEVICES: [],
    });
    format!("{file:#}\n")
}

/// A number without a fraction as an integer, as the program writes resolutions.
fn whole(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "resolutions are small")]
    let integer = value.round() as i64;
    json!(integer)
}

fn args(shape: &Shape, version: Version) -> Value {
    let mode = match shape.kind {
        Kind::None => "noaccel",
        Kind::Points | Kind::Drawn => "lut",
        // 1.6 has no synchronous curve; its motivity is the one with smooth 0.5.
        Kind::Synchronous if version == Version::V16 => "motivity",
        kind => kind.name(),
    };
    let gamma = if mode == "motivity" {
        (2.0 * shape.gamma / shape.motivity.ln()).ln()
    } else {
        shape.gamma
    };
    let cap_mode = match shape.cap_mode {
        CapMode::InOut => "in_out",
        CapMode::Input => "input",
        CapMode::Output => "output",
    };
    let data: Vec<f64> = shape.points.iter().flat_map(|&(x, y)| [x, y]).collect();
    json!({
        keys::MODE: mode,
        keys::GAIN: shape.gain,
        keys::INPUT_OFFSET: shape.input_offset,
        keys::OUTPUT_OFFSET: shape.output_offset,
        keys::ACCELERATION: shape.acceleration,
        keys::DECAY_RATE: shape.decay_rate,
        version.of(&keys::GAMMA): gamma,
        keys::MOTIVITY: shape.motivity,
        keys::EXPONENT: shape.exponent,
        keys::SCALE: shape.scale,
        keys::POWER: shape.power,
        keys::LIMIT: shape.limit,
        version.of(&keys::SYNC_SPEED): shape.sync_speed,
        keys::SMOOTH: shape.smooth,
        keys::CAP: {"x": shape.cap_input, "y": shape.cap_output},
        keys::CAP_MODE: cap_mode,
        keys::DATA: data,
    })
}
