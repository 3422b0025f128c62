// SPDX-License-Identifier: MIT OR Apache-2.0
//! `maccel export`: the settings in force as a file of another program.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use maccel_core::changes::Changes;
use maccel_core::fixed::Fixed;
use maccel_core::raw_accel::{self, Version};
use maccel_core::settings::{Mode, Settings};
use maccel_core::settings_file::{self, ProfileName, SettingsFile};
use maccel_core::{libinput, public_profile};
use serde_json::json;

use crate::args::{Common, Export, Format};
use crate::host::Host;
use crate::output::{FORMAT, Output, document};
use crate::write;

/// Runs the command.
pub(crate) fn run(common: &Common, export: &Export) -> anyhow::Result<Output> {
    let settings = Host::open(common)?.settings()?;
    let mut lost: Vec<String> = Vec::new();
    let text = match export.format {
        Format::RawAccel => raw_accel(&export.name, settings.clone(), Version::V17)?,
        Format::RawAccel16 => raw_accel(&export.name, settings.clone(), Version::V16)?,
        Format::Libinput => {
            let (text, notes) = libinput::write(&settings);
            lost.extend(notes);
            text
        }
        Format::Toml => toml(&export.name, &settings)?,
        Format::Scripts => {
            lost.extend(not_public(&settings, "reset scripts have no line for it"));
            write::scripts(&settings).iter().map(|script| script.text() + "\n").collect()
        }
        Format::PublicProfile => {
            lost.extend(not_public(&settings, "the public driver has none"));
            public_profile::write(&export.name, &settings)
        }
    };
    if settings.mode() == Mode::Synchronous
        && export.format == Format::RawAccel16
        && settings.get("SMOOTH").is_ok_and(|smooth| smooth != 0.5)
    {
        lost.push(
            "smooth: the motivity curve of Raw Accel 1.6 has none, it is as with 0.5".to_owned(),
        );
    }
    let to_raw_accel = matches!(export.format, Format::RawAccel | Format::RawAccel16);
    let dpi = settings.get("INPUT_DPI")?;
    if to_raw_accel && dpi.fract() != 0.0 {
        lost.push(format!(
            "the fraction of input-dpi {}: Raw Accel takes whole numbers, it is {:.0} there",
            Fixed::from_f64(dpi)?.to_short(),
            dpi.round()
        ));
    }
    if to_raw_accel && settings.mode() == Mode::Lut {
        lost.push(
            "the roundness of the look-up table: Raw Accel goes straight between its points"
                .to_owned(),
        );
    }
    if common.json {
        let name = export.format.to_possible_value();
        return Ok(Output::text(document(&json!({
            "format": FORMAT,
            "export": name.as_ref().map(PossibleValue::get_name),
            "text": text,
            "not-carried-over": lost,
        }))?));
    }
    let note = lost.iter().map(|loss| format!("NOTE: not carried over: {loss}.\n")).collect();
    Ok(Output { text, note })
}

/// What a file of the public tools cannot say.
fn not_public(settings: &Settings, why: &str) -> Vec<String> {
    let table = settings.mode() == Mode::Lut;
    let snap = settings.get("ANGLE_SNAP").is_ok_and(|snap| snap != 0.0);
    let found = [(table, "the look-up table"), (snap, "angle-snap")];
    let lost = found.into_iter().filter(|(lost, _)| *lost);
    lost.map(|(_, what)| format!("{what}: {why}")).collect()
}

/// Raw Accel refuses an acceleration of 0, with which the linear curve begins: that is none.
fn raw_accel(name: &str, mut settings: Settings, version: Version) -> anyhow::Result<String> {
    if settings.mode() == Mode::Linear && settings.get("ACCEL")? == 0.0 {
        settings.set_mode(Mode::NoAccel)?;
    }
    Ok(raw_accel::write(name, &settings, version))
}

/// A profile as in maccel.toml.
pub(crate) fn toml(name: &str, settings: &Settings) -> anyhow::Result<String> {
    let mut file = SettingsFile::default();
    file.profiles.insert(ProfileName::new(name)?, Changes::all(settings));
    Ok(settings_file::format(&file)?)
}
