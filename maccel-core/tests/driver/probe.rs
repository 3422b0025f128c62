// SPDX-License-Identifier: MIT OR Apache-2.0
//! Talks to `kmod/tests/probe.c`: the driver's arithmetic as a filter.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Settings;

/// A script for the probe. Commands are described at the top of `probe.c`.
#[derive(Default)]
pub(crate) struct Script {
    text: String,
}

impl Script {
    /// Sets all parameters and compiles them; prints one line.
    pub(crate) fn settings(&mut self, settings: &Settings) {
        let numbers = parameter::all().iter().filter(|p| p.kind != Kind::Table);
        for (index, p) in numbers.enumerate() {
            let raw = match p.kind {
                Kind::Mode => settings.mode().number().into(),
                _ => p.raw_of(settings.get(&p.name).unwrap()).unwrap(),
            };
            writeln!(self.text, "number {index} {raw}").unwrap();
        }
        if let Some(lut) = settings.lut() {
            let raw: Vec<String> = lut
                .iter()
                .map(|&f| maccel_core::fixed::Fixed::from_f64(f).unwrap().to_string())
                .collect();
            writeln!(self.text, "lut {}", raw.join(" ")).unwrap();
        }
        self.text.push_str("compile\n");
    }

    /// Adds a command as it is.
    pub(crate) fn command(&mut self, command: &str) {
        self.text.push_str(command);
        self.text.push('\n');
    }

    /// Runs the script and gives the numbers of each line that was printed.
    pub(crate) fn run(self) -> Vec<Vec<i64>> {
        let mut child = Command::new(program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the probe starts");
        let mut input = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || input.write_all(self.text.as_bytes()));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap().unwrap();
        assert!(output.status.success(), "the probe failed: {}", output.status);
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                line.split(' ')
                    .map(|n| n.parse().unwrap_or_else(|_| panic!("the probe said: {line}")))
                    .collect()
            })
            .collect()
    }
}

/// Compiles the probe once for a run of the tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<std::path::PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let kmod = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kmod");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let sources = ["tests/probe.c", "curve.c", "real.c", "response.c", "settings.c"];
        let status = Command::new(&compiler)
            .args(["-std=gnu11", "-O2", "-fwrapv", "-Wall", "-Werror", "-o"])
            .arg(&program)
            .arg("-I")
            .arg(kmod.join("tests/include"))
            .args(sources.map(|s| kmod.join(s)))
            .status()
            .unwrap_or_else(|e| panic!("{compiler}: {e} (a C compiler is needed)"));
        assert!(status.success(), "the probe does not compile");
        program
    })
}
