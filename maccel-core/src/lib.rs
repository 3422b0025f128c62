// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model of maccel: what a parameter, a set of settings and a curve are.
//! No D-Bus, no terminal. Files are touched in [`driver`] alone, below a root folder; all else
//! works on text and values.
//!
//! - [`fixed`]: the Q32.32 numbers of the driver's files
//! - [`parameter`]: the parameters, their ranges and their names in each notation
//! - [`settings`]: one value for each parameter, and the mode
//! - [`changes`]: some parameters with new values; the notation of TOML and JSON
//! - [`driver`]: the driver's files: parameters, devices, speed
//! - [`settings_file`]: `maccel.toml` and its layers
//! - [`reset_script`]: values that the public tools saved
//! - [`public_profile`]: their profiles
//! - [`curve`]: speed to factor in float64, the reference for the driver
//! - [`shape`]: curves as people describe them
//! - [`compile`]: shapes to what the driver has
//! - [`raw_accel`]: the settings.json of Raw Accel
//! - [`yeetmouse`]: the text of YeetMouse's settings
//! - [`libinput`]: the points of libinput's custom profile
//! - [`c_header`]: what the driver's C code takes from this crate

pub mod c_header;
pub mod changes;
pub mod compile;
pub mod curve;
pub mod driver;
pub mod fixed;
pub mod libinput;
pub mod parameter;
pub mod public_profile;
pub mod raw_accel;
pub mod reset_script;
pub mod settings;
pub mod settings_file;
pub mod shape;
pub mod yeetmouse;
