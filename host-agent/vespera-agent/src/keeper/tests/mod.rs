// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keeper over a folder that stands in for sysfs: a file there takes what is written, as a
//! whole line of `SETTINGS` by our driver is taken.
//!
//! - [`settings`]: what is set and saved, and the module that comes and goes
//! - [`outside`]: what others write
//! - [`trials`], [`profiles`], [`mice`]: one subject each
//! - [`reports`]: what is said about the payload
//! - [`reference`]: what the shipped interfaces say of refusals

mod mice;
mod outside;
mod profiles;
mod reference;
mod reports;
mod settings;
mod trials;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use maccel_core::changes::Changes;
use maccel_core::driver::devices::CLASS;
use maccel_core::driver::{MODULE, PARAMETERS, line};

use super::*;
use crate::message::Request;

struct Host {
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap() };
        host.file("proc/sys/kernel/random/boot_id", "boot-1\n");
        host.file("proc/sys/kernel/osrelease", "6.1.0\n");
        for folder in ["run/vespera/request", "var/lib/vespera", "etc/vespera", "usr/lib/vespera"] {
            fs::create_dir_all(host.at(folder)).unwrap();
        }
        host
    }

    fn with_driver() -> Self {
        let host = Self::new();
        host.load();
        host
    }

    /// The module comes, with its defaults.
    fn load(&self) {
        self.file(&format!("{MODULE}/version"), "0.1.0\n");
        self.file(&format!("{MODULE}/initstate"), "live\n");
        self.write(&Settings::default());
    }

    fn unload(&self) {
        // Kept elsewhere: unlike sysfs, a folder of a disk may get the number of one that is gone.
        let gone = tempfile::tempdir_in(self.at("")).unwrap().keep();
        fs::rename(self.at(MODULE), gone.join("maccel")).unwrap();
    }

    fn public_driver() -> Self {
        let host = Self::new();
        host.load_public();
        host
    }

    /// The public module comes, with its defaults.
    fn load_public(&self) {
        self.file(&format!("{MODULE}/initstate"), "live\n");
        for parameter in maccel_core::parameter::all().iter().filter(|p| p.file) {
            let raw = parameter.raw_of(parameter.default).unwrap();
            self.file(&format!("{PARAMETERS}/{}", parameter.name), &format!("{raw}\n"));
        }
    }

    fn mouse(&self, input: &str, id: &str) {
        for (name, text) in [
            ("name", "Mouse"),
            ("id", id),
            ("uniq", ""),
            ("phys", "usb"),
            ("enabled", "1"),
            ("settings", "inherit"),
            ("speed", "0"),
        ] {
            self.file(&format!("{CLASS}/{input}/{name}"), &format!("{text}\n"));
        }
    }

    fn at(&self, inside: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(inside)
    }

    fn file(&self, inside: &str, text: &str) {
        let path = self.at(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.at(inside)).unwrap_or_default()
    }

    /// Somebody else writes the driver.
    fn write(&self, settings: &Settings) {
        let text = line::format(&Changes::all(settings));
        self.file(&format!("{PARAMETERS}/SETTINGS"), &format!("{text}\n"));
    }

    /// Somebody else writes the settings of one mouse.
    fn write_own(&self, input: &str, own: &Settings) {
        let text = line::format(&Changes::all(own));
        self.file(&format!("{CLASS}/{input}/settings"), &format!("{text}\n"));
    }

    fn in_force(&self) -> Settings {
        let driver = Driver::open(self.at("").as_path()).unwrap();
        driver.settings().unwrap()
    }

    fn root(&self) -> Root {
        Root::new(self.at(""))
    }

    fn agent(&self) -> Keeper {
        Keeper::start(self.root(), Store::new(&self.root()))
    }
}

fn sens(value: f64) -> Changes {
    let mut changes = Changes::default();
    changes.set("SENS_MULT", value).unwrap();
    changes
}

fn with_sens(value: f64) -> Settings {
    sens(value).apply(&Settings::default()).unwrap()
}

fn ask(keeper: &mut Keeper, request: Request) -> vespera_api::Result<u32> {
    keeper.request(request, Instant::now()).map(|reply| reply.trial)
}

/// Tells of a write and waits until it has been looked at.
fn written(keeper: &mut Keeper) {
    let now = Instant::now();
    keeper.event(Event::Written, now);
    keeper.tick(now + SETTLE);
}

fn check<'a>(keeper: &'a Keeper, code: &str) -> &'a vespera_api::CheckRecord {
    let checks = &keeper.snapshot().health.checks;
    checks.iter().find(|check| check.code == code).unwrap_or_else(|| panic!("{code}: {checks:?}"))
}

fn trial(value: f64, seconds: u32) -> Request {
    Request::Trial { changes: sens(value), seconds }
}
