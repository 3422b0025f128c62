// SPDX-License-Identifier: MIT OR Apache-2.0
//! The picture of the README: this screen after a rebase, healthy and broken side by side, drawn
//! from what the program prints.

use health::mice::Mouse;
use maccel_core::settings::{Mode, Settings};
use manual::committed::document;
use manual::screen::{self, Run, Style};
use module_check::fixtures::FixtureRoot;
use vespera_api::{BootRecord, DriverState};

use super::tests::{booted, load};
use super::{StatusReport, screen as show};
use crate::in_force::{Agent, Answer, InForce};
use crate::screen::Ink;

/// The kernel that the image's module is for, and one that was put into an image by hand.
const KERNEL: &str = "6.1.0-49-amd64";
const OTHER: &str = "6.1.0-50-amd64";
/// Columns between the two screens.
const GAP: u16 = 4;

fn boot(time: &str, image: &str, kernel: &str, loaded: bool) -> BootRecord {
    BootRecord {
        time: time.to_owned(),
        image: Some(image.to_owned()),
        kernel: kernel.to_owned(),
        module: loaded.then(|| "0.1.0".to_owned()),
        ..BootRecord::default()
    }
}

/// The screen of a machine that was rebased from Aurora.
fn rebased(fixture: &FixtureRoot, kernel: &str, loaded: bool) -> String {
    let mut settings = Settings::default();
    settings.set_mode(Mode::Natural).unwrap();
    settings.set("LIMIT", 1.8).unwrap();
    settings.set("INPUT_DPI", 1600.0).unwrap();
    let mouse = Mouse {
        input: "input5".to_owned(),
        name: None,
        id: None,
        enabled: Some(true),
        settings: Some("inherit".to_owned()),
    };
    let answer = Answer {
        checks: Vec::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        driver: DriverState {
            settings: None,
            features: Vec::new(),
            locked: Vec::new(),
            active_profile: None,
            trial: None,
        },
        boots: vec![
            boot("2026-01-01T00:00:05Z", "vespera", kernel, loaded),
            boot("2025-12-31T18:20:11Z", "aurora", kernel, loaded),
        ],
    };
    let in_force = InForce {
        settings: if loaded {
            Ok(settings)
        } else {
            Err("none while the module is not loaded".to_owned())
        },
        mice: vec![mouse],
        agent: Agent::Answered(Box::new(answer)),
    };
    let report = StatusReport::make(fixture.root(), &in_force).unwrap();
    let text = show(&report, &in_force, Ink::FULL);
    format!("$ vesperactl status\n{text}").replace(fixture.root().path().as_str(), "")
}

#[test]
fn committed_document_picture_of_the_screen_is_current() {
    let healthy = booted(KERNEL);
    load(&healthy);
    let broken = booted(OTHER);
    broken.kernel(OTHER);
    let (left, right) = (rebased(&healthy, KERNEL, true), rebased(&broken, OTHER, false));
    assert!(left.contains("healthy") && right.contains("broken"), "{left}\n{right}");

    let (left_size, right_size) = (screen::size(&left), screen::size(&right));
    let rows = left_size.1.max(right_size.1);
    let mut runs = screen::printed(&left, 0);
    let style = Style { dim: true, ..Style::default() };
    runs.extend((0..rows).map(|row| Run {
        column: left_size.0 + GAP / 2,
        row,
        text: "│".to_owned(),
        style,
    }));
    runs.extend(screen::printed(&right, left_size.0 + GAP));
    let columns = left_size.0 + GAP + right_size.0;
    document("docs/pictures/status.svg", &screen::svg(columns, rows, &runs)).unwrap();
}
