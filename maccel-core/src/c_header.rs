// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C headers of the driver that are made from this crate.
//!
//! They are committed; a test fails when one is stale and names the command that refreshes it.

use std::fmt::Write;

use crate::fixed::FixedError;
use crate::parameter::{self, Kind, Parameter};
use crate::settings::LUT_LEN;

/// Where [`render`] belongs, from the root of the repository.
pub const PARAMETERS_PATH: &str = "kmod/parameters.h";

/// Where [`render_tables`] belongs, from the root of the repository.
pub const TABLES_PATH: &str = "kmod/tables.h";

/// Lines in the logarithm table: one for each value of the ten bits after the leading one.
const LOG2_LINES: u64 = 1024;

/// The parameter table for the driver: names, defaults and ranges as the files hold them.
///
/// # Errors
/// [`FixedError`] if a value of `parameters.toml` does not fit the number format.
pub fn render() -> Result<String, FixedError> {
    let mut text = preamble("parameters.toml");
    text += "#ifndef MACCEL_PARAMETERS_H\n#define MACCEL_PARAMETERS_H\n\n";
    text += "/* X(name, file, default, minimum, maximum), raw values as in the files */\n";
    text += "#define MACCEL_NUMBERS(X) \\\n";
    let numbers: Vec<&Parameter> =
        parameter::all().iter().filter(|p| p.kind != Kind::Table).collect();
    for (i, p) in numbers.iter().enumerate() {
        let end = if i + 1 == numbers.len() { "\n\n" } else { " \\\n" };
        text += &format!(
            "\tX({}, {}, {}LL, {}LL, {}LL){end}",
            p.name,
            u8::from(p.file),
            p.raw_of(p.default)?,
            p.raw_of(p.minimum)?,
            p.raw_of(p.maximum)?,
        );
    }
    for p in parameter::all().iter().filter(|p| p.kind == Kind::Table) {
        text += &format!("#define MACCEL_{}_LEN\t{LUT_LEN}\n", p.name);
        text += &format!("#define MACCEL_{}_MINIMUM\t{}LL\n", p.name, p.raw_of(p.minimum)?);
        text += &format!("#define MACCEL_{}_MAXIMUM\t{}LL\n\n", p.name, p.raw_of(p.maximum)?);
    }
    for p in parameter::all().iter().filter(|p| p.file) {
        let unit = if p.unit.is_empty() { String::new() } else { format!(" [{}]", p.unit) };
        text += &format!("#define MACCEL_{}_HELP \\\n\t\"{}{unit}\"\n", p.name, p.meaning);
    }
    text += "\n#endif /* MACCEL_PARAMETERS_H */\n";
    Ok(text)
}

/// The constant tables of the driver's arithmetic, computed in integers so that every machine
/// gives the same text: first guesses of square roots, and logarithms.
pub fn render_tables() -> String {
    let mut text = preamble("src/c_header.rs");
    text += "#ifndef MACCEL_TABLES_H\n#define MACCEL_TABLES_H\n\n#include <linux/types.h>\n\n";
    text += "/* sqrt((i + 64.5) 2^56) */\nstatic const u32 maccel_root_guess[192] = {\n";
    let roots: Vec<String> =
        (64u128..256).map(|i| format!("{}U", ((2 * i + 1) << 55).isqrt())).collect();
    lines(&mut text, &roots, 6);
    text += "/* log2(1 + i / 1024) in Q32; the last is 2^32 - 1 */\n";
    text += "static const u32 maccel_log2_table[1025] = {\n";
    let logs: Vec<String> = (0..LOG2_LINES)
        .map(|i| log2_q32(u128::from((1 << 63) + (i << 53))))
        .chain([u64::from(u32::MAX)])
        .map(|log| format!("{log}U"))
        .collect();
    lines(&mut text, &logs, 6);
    text += "#endif /* MACCEL_TABLES_H */\n";
    text
}

fn preamble(source: &str) -> String {
    format!(
        "/* SPDX-License-Identifier: GPL-2.0-only */\n\
         /* Made from maccel-core/{source} by \"cargo xtask generate\": do not edit. */\n"
    )
}

fn lines(text: &mut String, entries: &[String], per_line: usize) {
    for line in entries.chunks(per_line) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\t{},", line.join(", "));
    }
    text.push_str("};\n\n");
}

/// log2 of a Q63 number in 1..2, as Q32 rounded to nearest, by repeated squaring.
fn log2_q32(mut m: u128) -> u64 {
    let mut bits = 0;
    for _ in 0..40 {
        m = (m * m) >> 63;
        bits <<= 1;
        if m >> 64 != 0 {
            m >>= 1;
            bits |= 1;
        }
    }
    (bits + 128) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_headers_are_fresh() {
        let headers = [(PARAMETERS_PATH, render().unwrap()), (TABLES_PATH, render_tables())];
        for (path, text) in headers {
            let file = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
            let committed = std::fs::read_to_string(file).unwrap_or_default();
            assert!(committed == text, "{path} is stale, run: cargo xtask generate");
        }
    }

    #[test]
    fn the_logarithms_are_right() {
        for (m, log) in [(1.25f64, 0.321_928_094_887), (1.999, 1.999f64.log2())] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]
            let q63 = (m * 63f64.exp2()) as u128;
            assert!((log2_q32(q63) as f64 / 32f64.exp2() - log).abs() < 1e-9);
        }
    }
}
