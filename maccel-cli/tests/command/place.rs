// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root folder with a driver in it, and the program run there in an environment of its own.
//!
//! The folder stands in for sysfs: its files take any text, as those of the public driver do.
//! What the kernel refuses is tested in a guest with the real module.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use maccel_core::changes::Changes;
use maccel_core::driver::{MODULE, PARAMETERS, line};
use maccel_core::parameter;
use maccel_core::settings::Settings;

use crate::bus::Bus;

/// The root folder.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What the program did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Place {
    /// No driver at all.
    pub(crate) fn empty() -> Self {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// The public driver, freshly loaded, and the public package's folder of reset scripts.
    pub(crate) fn public() -> Self {
        let place = Self::empty();
        for parameter in parameter::all().iter().filter(|p| p.file) {
            let raw = parameter.raw_of(parameter.default).unwrap();
            place.write(&format!("{PARAMETERS}/{}", parameter.name), &format!("{raw}\n"));
        }
        fs::create_dir_all(place.path("var/opt/maccel/resets")).unwrap();
        place
    }

    /// Our driver, freshly loaded.
    pub(crate) fn ours() -> Self {
        let place = Self::public();
        place.write(&format!("{MODULE}/version"), "0.1.0\n");
        place.write(&format!("{MODULE}/initstate"), "live\n");
        place.settings(&Settings::default());
        place
    }

    /// A mouse that our driver serves, with the shared settings.
    pub(crate) fn mouse(&self, input: &str, name: &str) {
        for (attribute, text) in [
            ("name", name),
            ("id", "046d:c08b"),
            ("uniq", ""),
            ("phys", "usb-1"),
            ("enabled", "1"),
            ("settings", "inherit"),
        ] {
            self.write(&format!("sys/class/maccel/{input}/{attribute}"), &format!("{text}\n"));
        }
    }

    /// Puts settings in force in our driver.
    pub(crate) fn settings(&self, settings: &Settings) {
        let text = line::format(&Changes::all(settings));
        self.write(&format!("{PARAMETERS}/SETTINGS"), &format!("{text}\n"));
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_else(|e| panic!("{inside}: {e}"))
    }

    /// The file of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> String {
        self.read(&format!("{PARAMETERS}/{name}"))
    }

    /// Runs the program with these words.
    pub(crate) fn run(&self, words: &str) -> Outcome {
        self.run_with(&words.split_whitespace().collect::<Vec<_>>(), "")
    }

    /// Runs the program with these arguments and this input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Outcome {
        self.finish(&mut self.program(), arguments, input)
    }

    /// The same with a bus.
    pub(crate) fn run_on(&self, bus: &Bus, arguments: &[&str], input: &str) -> Outcome {
        let mut program = self.program();
        self.finish(program.env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address), arguments, input)
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_maccel"));
        program.env_clear().env("COLUMNS", "100").arg("--root").arg(self.folder.path());
        program
    }

    /// Runs it and takes what it says.
    pub(crate) fn finish(&self, program: &mut Command, arguments: &[&str], input: &str) -> Outcome {
        let mut child = program
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| {
            let root = self.folder.path().to_str().unwrap();
            String::from_utf8(bytes).unwrap().replace(root, "ROOT")
        };
        Outcome {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            code: output.status.code().unwrap(),
        }
    }
}

impl Outcome {
    /// Success without a word on standard error.
    pub(crate) fn text(self) -> String {
        assert_eq!((self.stderr.as_str(), self.code), ("", 0), "{self:?}");
        self.stdout
    }
}
