// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are made from others and committed all the same, because tools that
//! know nothing of cargo read them.

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use maccel_core::c_header;

use crate::source;

/// What to do with the generated files.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Args {
    /// Only say which files are not current; fails if there are any
    #[arg(long)]
    pub(crate) check: bool,
}

/// A committed file and the text it should hold.
struct Generated {
    path: &'static str,
    text: String,
}

fn all() -> Result<Vec<Generated>> {
    Ok(vec![
        Generated { path: c_header::PARAMETERS_PATH, text: c_header::render()? },
        Generated { path: c_header::TABLES_PATH, text: c_header::render_tables() },
    ])
}

/// Entry point of `cargo xtask generate`.
pub(crate) fn main(args: &Args) -> Result<()> {
    let mut stale: Vec<Utf8PathBuf> = Vec::new();
    for Generated { path, text } in all()? {
        let file = source::root()?.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|now| now == text) {
            continue;
        }
        if args.check {
            stale.push(path.into());
        } else {
            std::fs::write(&file, text).with_context(|| format!("cannot write {file}"))?;
            println!("wrote {path}");
        }
    }
    if !stale.is_empty() {
        bail!("not current: {stale:?}; `cargo xtask generate` writes them anew");
    }
    Ok(())
}
