// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading `settings.json`.

use serde_json::Value;

use super::object::{Object, number};
use super::{Device, Import, Profile, ReadError, keys};
use crate::compile;
use crate::settings::Settings;
use crate::shape::{CapMode, Kind, Shape};

/// The modes of the file. `Motivity` is the sigmoid of 1.6.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Kind(Kind),
    Motivity,
}

const MODES: [(&str, Mode); 8] = [
    ("classic", Mode::Kind(Kind::Classic)),
    ("jump", Mode::Kind(Kind::Jump)),
    ("natural", Mode::Kind(Kind::Natural)),
    ("synchronous", Mode::Kind(Kind::Synchronous)),
    ("motivity", Mode::Motivity),
    ("power", Mode::Kind(Kind::Power)),
    ("lut", Mode::Kind(Kind::Points)),
    ("noaccel", Mode::Kind(Kind::None)),
];

const CAP_MODES: [(&str, CapMode); 3] =
    [("in_out", CapMode::InOut), ("input", CapMode::Input), ("output", CapMode::Output)];

/// A point at speed 0 is put here, so that lines from it hardly change.
const NEARLY_ZERO: f64 = 1e-6;

/// Reads the text of a file.
///
/// # Errors
/// [`ReadError`], with the place in the file.
pub fn read(text: &str) -> Result<Import, ReadError> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value =
        serde_json::from_str(text).map_err(|error| ReadError::Json(error.to_string()))?;
    let file = Object::new(&value, "")?;
    let mut notes = Vec::new();
    file.find(&keys::COMMENTS);
    let version = file.text(keys::VERSION)?.to_owned();
    let default = match file.object(&[keys::DEFAULT_DEVICE])? {
        Some(config) => device_config(&config)?,
        None => Config::default(),
    };
    notes.extend(default.notes);
    if !default.enabled {
        notes.push(
            "mice without an entry of their own are not accelerated there: switch them off one \
             by one"
                .to_owned(),
        );
    }
    let mut profiles = Vec::new();
    for (value, path) in file.array(keys::PROFILES)? {
        profiles.push(profile(&Object::new(value, &path)?, &path, default.dpi)?);
    }
    if profiles.is_empty() {
        return Err(ReadError::Missing {
            path: "the file".to_owned(),
            key: keys::PROFILES.to_owned(),
        });
    }
    let mut devices = Vec::new();
    for (value, path) in file.array(keys::DEVICES)? {
        devices.push(device(&Object::new(value, &path)?)?);
    }
    note_strangers(&file, &mut notes);
    Ok(Import { version, profiles, devices, notes })
}

/// What the file says of a device.
struct Config {
    enabled: bool,
    dpi: Option<f64>,
    notes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config { enabled: true, dpi: None, notes: Vec::new() }
    }
}

fn device_config(object: &Object<'_>) -> Result<Config, ReadError> {
    let mut notes = Vec::new();
    let mut note = |key: &str, why: &str| notes.push(format!("{}: {why}", object.at(key)));
    let enabled = !object.switch(keys::DISABLE, false)?;
    object.switch(keys::EXTRA_INFO, false)?;
    let dpi = Some(object.number(&keys::DPI, 0.0)?).filter(|&dpi| dpi != 0.0);
    if object.switch(keys::CONSTANT_INTERVAL, false)? {
        note(keys::CONSTANT_INTERVAL, "the driver measures each interval");
    }
    if object.number(&[keys::POLLING_RATE], 0.0)? != 0.0 {
        note(keys::POLLING_RATE, "the driver measures each interval");
    }
    for (key, usual) in [keys::SHORTEST, keys::LONGEST].into_iter().zip(keys::INTERVALS) {
        if object.number(&[key], usual)? != usual {
            note(key, "the driver's intervals are 0.0625 to 100 ms");
        }
    }
    note_strangers(object, &mut notes);
    Ok(Config { enabled, dpi, notes })
}

fn device(object: &Object<'_>) -> Result<Device, ReadError> {
    let name = object.text(keys::NAME)?.to_owned();
    let profile = object.text(keys::PROFILE)?.to_owned();
    let text = object.text(keys::ID)?;
    let id = usb_id(text);
    let config = match object.object(&[keys::CONFIG])? {
        Some(config) => device_config(&config)?,
        None => Config::default(),
    };
    let mut notes = config.notes;
    if id.is_none() {
        notes.push(format!("{}: '{text}' names no vendor and product", object.at(keys::ID)));
    }
    note_strangers(object, &mut notes);
    Ok(Device { name, id, profile, enabled: config.enabled, dpi: config.dpi, notes })
}

/// `vvvv:pppp` of a Windows device path such as `HID\VID_046D&PID_C08B`.
fn usb_id(path: &str) -> Option<String> {
    let path = path.to_ascii_lowercase();
    let part = |mark: &str| {
        let digits = path.split_once(mark)?.1.get(..4)?;
        digits.chars().all(|c| c.is_ascii_hexdigit()).then(|| digits.to_owned())
    };
    Some(format!("{}:{}", part("vid_")?, part("pid_")?))
}

fn profile(object: &Object<'_>, path: &str, dpi: Option<f64>) -> Result<Profile, ReadError> {
    let name = object.text(keys::NAME)?.to_owned();
    let mut notes = Vec::new();
    let Some(args) = object.object(&keys::HORIZONTAL)? else {
        return Err(ReadError::Missing {
            path: path.to_owned(),
            key: keys::HORIZONTAL[0].to_owned(),
        });
    };
    let shape = shape(&args, &mut notes)?;
    let speed = object.object(&[keys::SPEED])?;
    // 1.6 has these keys in the profile itself.
    note_what_the_driver_lacks(object, speed.as_ref().unwrap_or(object), &mut notes)?;
    if let Some(speed) = &speed {
        note_strangers(speed, &mut notes);
    }

    let (sensitivity, of) = match object.find(&[keys::OUTPUT_DPI]) {
        Some((value, path)) => (number(value, &path)? / 1000.0, keys::OUTPUT_DPI),
        None => (object.number(&[keys::SENSITIVITY], 1.0)?, keys::SENSITIVITY),
    };
    let mut settings = Settings::default();
    for (parameter, value, key) in [
        ("SENS_MULT", sensitivity, of),
        ("YX_RATIO", object.number(&keys::YX, 1.0)?, keys::YX[0]),
        ("INPUT_DPI", dpi.unwrap_or(1000.0), keys::DPI[0]),
        ("ANGLE_ROTATION", object.number(&[keys::ROTATION], 0.0)? % 360.0, keys::ROTATION),
        ("ANGLE_SNAP", object.number(&[keys::SNAPPING], 0.0)?, keys::SNAPPING),
    ] {
        settings
            .set(parameter, value)
            .map_err(|source| ReadError::Range { path: object.at(key), source })?;
    }
    let error = compile::apply(&shape, &mut settings)
        .map_err(|source| ReadError::Curve { path: path.to_owned(), source })?;
    note_strangers(object, &mut notes);
    Ok(Profile { name, shape, settings, error, notes })
}

/// Reads a curve: all keys, whatever the mode.
fn shape(args: &Object<'_>, notes: &mut Vec<String>) -> Result<Shape, ReadError> {
    let mode = args.word(keys::MODE, &MODES)?;
    let usual = Shape::default();
    let mut shape = Shape {
        kind: if let Mode::Kind(kind) = mode { kind } else { Kind::Synchronous },
        gain: args.switch(keys::GAIN, true)?,
        input_offset: args.number(&[keys::INPUT_OFFSET], usual.input_offset)?,
        output_offset: args.number(&[keys::OUTPUT_OFFSET], usual.output_offset)?,
        acceleration: args.number(&[keys::ACCELERATION], usual.acceleration)?,
        decay_rate: args.number(&[keys::DECAY_RATE], usual.decay_rate)?,
        gamma: args.number(&keys::GAMMA, usual.gamma)?,
        motivity: args.number(&[keys::MOTIVITY], usual.motivity)?,
        exponent: args.number(&[keys::EXPONENT], usual.exponent)?,
        scale: args.number(&[keys::SCALE], usual.scale)?,
        power: args.number(&[keys::POWER], usual.power)?,
        limit: args.number(&[keys::LIMIT], usual.limit)?,
        sync_speed: args.number(&keys::SYNC_SPEED, usual.sync_speed)?,
        smooth: args.number(&[keys::SMOOTH], usual.smooth)?,
        ..usual
    };
    if let Some(cap) = args.object(&[keys::CAP])? {
        shape.cap_input = cap.number(&["x"], 0.0)?;
        shape.cap_output = cap.number(&["y"], 0.0)?;
        note_strangers(&cap, notes);
    }
    if args.find(&[keys::CAP_MODE]).is_some() {
        shape.cap_mode = args.word(keys::CAP_MODE, &CAP_MODES)?;
    }
    let mut data = Vec::new();
    for (value, path) in args.array(keys::DATA)? {
        data.push(number(value, &path)?);
    }
    shape.points = data.chunks_exact(2).map(|pair| (pair[0].max(NEARLY_ZERO), pair[1])).collect();
    if data.len() % 2 != 0 && shape.kind == Kind::Points {
        return Err(ReadError::Value {
            path: args.at(keys::DATA),
            found: format!("a list of {} numbers", data.len()),
            wanted: "a list of pairs".to_owned(),
        });
    }
    if mode == Mode::Motivity {
        // 2 ln M / (1 + e^(-a (ln v - ln s))) - ln M = ln M tanh(a/2 ln(v/s)), a = e^growth
        shape.gamma = shape.motivity.ln() * shape.gamma.exp() / 2.0;
        shape.smooth = 0.5;
    }
    note_strangers(args, notes);
    Ok(shape)
}

/// Notes what a profile asks for and the driver has not.
fn note_what_the_driver_lacks(
    object: &Object<'_>,
    speed: &Object<'_>,
    notes: &mut Vec<String>,
) -> Result<(), ReadError> {
    let vertical = object.object(&[keys::VERTICAL])?;
    if let Some(vertical) = vertical {
        // Read for its types only: it is in force in 'by component' mode alone.
        shape(&vertical, &mut Vec::new())?;
    }
    if !speed.switch(keys::WHOLE, true)? {
        notes.push(format!(
            "{}: the driver takes the speed of the whole movement; the horizontal curve is used \
             for both axes",
            speed.at(keys::WHOLE)
        ));
    }
    let mut lacks = |object: &Object<'_>, spellings: &[&str], neutral: f64, why: &str| {
        let value = object.number(spellings, neutral)?;
        if value != neutral {
            notes.push(format!("{} = {value}: {why}", object.at(spellings[0])));
        }
        Ok::<(), ReadError>(())
    };
    lacks(speed, &[keys::NORM], 2.0, "the driver's distance is the usual one, with 2")?;
    for key in keys::SMOOTHING {
        lacks(speed, &[key], 0.0, "the driver does not smooth over time")?;
    }
    lacks(object, &keys::LR, 1.0, "the driver treats left and right alike")?;
    lacks(object, &keys::UD, 1.0, "the driver treats up and down alike")?;
    lacks(object, &[keys::SPEED_CAP], 0.0, "the driver does not cap the input speed")?;
    for key in [keys::DOMAIN, keys::RANGE] {
        if let Some(pair) = object.object(&[key])? {
            for axis in ["x", "y"] {
                lacks(&pair, &[axis], 1.0, "the driver weighs both axes alike")?;
            }
        }
    }
    Ok(())
}

/// Notes keys that no known version has.
fn note_strangers(object: &Object<'_>, notes: &mut Vec<String>) {
    for stranger in object.strangers() {
        let note = format!("{stranger}: not known, left out");
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}
