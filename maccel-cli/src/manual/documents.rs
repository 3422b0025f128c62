// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the documents of the repository have from here: pictures, and the table of parameters.

use maccel_core::parameter::{self, Kind};
use manual::committed::{document, head, heading, row};

use crate::{plot, tui};

/// The curves of the pictures in docs/curves.md, and the speed they are drawn up to.
const CURVES: &[(&str, &[&str], f64)] = &[
    (
        "classic",
        &[
            "classic acceleration=0.02 offset=5 cap-output=2",
            "classic acceleration=0.02 offset=5 cap-output=2 gain",
        ],
        80.0,
    ),
    ("power", &["power scale=0.05 exponent=0.6", "power scale=0.05 exponent=0.6 gain"], 80.0),
    (
        "natural",
        &[
            "natural decay-rate=0.05 offset=5 limit=2 gain",
            "natural decay-rate=0.05 offset=5 limit=2",
        ],
        80.0,
    ),
    (
        "synchronous",
        &[
            "synchronous gamma=1 motivity=1.8 sync-speed=12",
            "synchronous gamma=1 motivity=1.8 sync-speed=12 smooth=0",
        ],
        80.0,
    ),
    (
        "jump",
        &["jump input=20 output=1.8 smooth=0.4", "jump input=20 output=1.8 smooth=0.4 gain"],
        80.0,
    ),
    ("drawn", &["points 1:1 10:1.2 40:2.2", "drawn 1:1 10:1.2 40:2.2"], 80.0),
];

#[test]
fn committed_document_pictures_are_current() {
    document("docs/pictures/tui.svg", &tui::picture::example().unwrap()).unwrap();
    let compared = [
        "natural decay-rate=0.08 offset=3 limit=2.2 gain",
        "synchronous gamma=1.5 motivity=1.8 sync-speed=12",
        "classic acceleration=0.02 cap-output=2 gain",
    ];
    document("docs/pictures/plot.svg", &plot::of(&compared, 80.0).unwrap()).unwrap();
    for (name, curves, fastest) in CURVES {
        let picture = plot::of(curves, *fastest).unwrap();
        document(&format!("docs/pictures/curves/{name}.svg"), &picture).unwrap();
    }
}

#[test]
fn committed_document_with_the_parameters_is_current() {
    let mut text = head("Parameters", "maccel-core/parameters.toml");
    text += "One parameter has one name in each notation; values are in natural units, and both \
             ends of a\nrange are valid. The driver's files hold them as Q32.32: the value times \
             2^32, as a decimal\ninteger.\n\n";
    text +=
        &heading(&["command line, TOML, JSON", "D-Bus", "driver", "range", "default", "meaning"]);
    for own in parameter::all() {
        let (range, default) = match own.kind {
            Kind::Mode => (String::new(), "linear".to_owned()),
            Kind::Table => (format!("{} to {}", own.minimum, own.maximum), "none".to_owned()),
            Kind::Fixed => {
                let range = format!("{} to {} {}", own.minimum, own.maximum, own.unit);
                (range.trim_end().to_owned(), own.default.to_string())
            }
        };
        let file = if own.file {
            format!("`{}`", own.name)
        } else {
            format!("`{}` in `SETTINGS`", own.name)
        };
        let names = [format!("`{}`", own.cli_name()), format!("`{}`", own.bus_name()), file];
        text += &row(&[&names[0], &names[1], &names[2], &range, &default, &own.meaning]);
    }
    text += "\n`mode` is written as a word everywhere but in the driver's file: `linear`, `natural`, \
             `synchronous`,\n`no-accel` or `lut`. `maccel` also takes the public names \
             `offset-linear` and `offset-natural` for\n`offset`. What the curves do with the \
             parameters: [curves.md](curves.md).\n";
    document("docs/parameters.md", &text).unwrap();
}
