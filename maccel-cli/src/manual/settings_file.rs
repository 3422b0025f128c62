// SPDX-License-Identifier: MIT OR Apache-2.0
//! maccel.toml(5), with the parameters from their table.

use camino::Utf8Path;
use maccel_core::parameter::{self, Kind, Parameter};
use manual::FileError;
use manual::format::Format;

const LAYERS: &[(&str, &str)] = &[
    ("/usr/lib/vespera/maccel.toml", "The image's."),
    (
        "/etc/vespera/maccel.toml",
        "The administrator's. It alone may lock parameters. It is read again when it changes.",
    ),
    (
        "/var/lib/vespera/maccel.toml",
        "The agent's: what was set at run time. Do not edit it while the agent runs.",
    ),
];

const KEYS: &[(&str, &str)] = &[
    ("version", "The version of the format: 1. Required."),
    (
        "locked",
        "A list of parameters that nobody changes at run time. In the administrator's file only.",
    ),
    ("[settings]", "The settings that all mice share: parameters and their values."),
    (
        "[profiles.NAME]",
        "Settings by name. A parameter that a profile does not name has its default in it. A name \
         is 1 to 64 letters, digits, `-` and `_`.",
    ),
    (
        "[[device]]",
        "One mouse. `match` is its vendor and product in hexadecimal digits, `vvvv:pppp`, and may \
         end with a colon and the serial number. `enabled` says whether the driver works on it, \
         `settings` holds what differs from the shared settings.",
    ),
    ("[users]", "The profile of a user, by user id, while that user's session is the active one."),
];

pub(super) const EXAMPLE: &str = "\
version = 1
locked = [\"input-dpi\"]

[settings]
mode = \"natural\"
limit = 1.8
input-dpi = 1600

[profiles.games]
mode = \"no-accel\"

[[device]]
match = \"046d:c088\"
settings = { sens-mult = 0.8 }

[users]
1000 = \"games\"
";

/// Writes the page below a folder of man pages.
pub(super) fn write(folder: &Utf8Path) -> Result<(), FileError> {
    let mut format = Format::new("maccel.toml", "settings of mouse acceleration");
    let page = format.page();
    page.section("Description");
    page.line(
        "Settings of the mouse are kept in up to three files of this form, in TOML. A later one \
         wins, value by value. Below them are the options of the module, and below those the \
         defaults.",
    );
    LAYERS.iter().for_each(|(path, what)| page.entry(path, what));
    page.paragraph(
        "A file with a fault is refused whole; `vesperactl status` shows where the fault is. Then \
         the file counts as it was before. A damaged file of the agent is set aside as \
         `maccel.toml.damaged`, and the last good copy applies.",
    );
    page.section("Keys");
    KEYS.iter().for_each(|(key, what)| page.entry(key, what));
    page.section("Parameters");
    page.line("Values are in natural units; both ends of a range are valid.");
    parameter::all().iter().for_each(|own| page.entry(&own.cli_name(), &describe(own)));
    page.section("Example");
    page.literal(EXAMPLE);
    format.write(&["maccel(1)", "vesperactl(1)", "vespera-agent(8)"], folder)
}

/// What a parameter is, in sentences.
fn describe(parameter: &Parameter) -> String {
    let Parameter { meaning, minimum, maximum, default, .. } = parameter;
    let meaning = first_letter(meaning);
    match parameter.kind {
        Kind::Mode => "`linear` (the default), `natural`, `synchronous`, `no-accel` or `lut`; the \
                       last needs `lut`."
            .to_owned(),
        Kind::Table => format!("{meaning}. Factors of {minimum} to {maximum}."),
        Kind::Fixed => {
            let unit = if parameter.unit.is_empty() {
                String::new()
            } else {
                format!(" {}", parameter.unit)
            };
            format!("{meaning}. {minimum} to {maximum}{unit}; {default} by default.")
        }
    }
}

fn first_letter(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect::<String>())
}

#[cfg(test)]
mod tests {
    use maccel_core::settings_file;

    use super::*;

    #[test]
    fn the_page_knows_every_parameter_with_its_range() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        write(folder).unwrap();
        let page = std::fs::read_to_string(folder.join("man5/maccel.toml.5")).unwrap();
        let page = page.replace("\\-", "-").replace('\n', " ");
        for parameter in parameter::all() {
            assert!(
                page.contains(&format!("\\fB{}\\fR", parameter.cli_name())),
                "{}",
                parameter.name
            );
        }
        assert!(page.contains("0.01 to 100; 1 by default"), "{page}");
    }

    #[test]
    fn examples_in_the_page_and_in_documents_are_files_that_the_agent_reads() {
        settings_file::parse(EXAMPLE).unwrap();
        let blocks = manual::examples::blocks("toml").unwrap();
        assert!(!blocks.is_empty());
        for block in blocks {
            let read = settings_file::parse(&block.text);
            assert!(read.is_ok(), "{}: {}", block.place, read.unwrap_err());
        }
    }
}
