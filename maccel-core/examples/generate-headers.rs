// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes the driver's generated headers: `cargo run -p maccel-core --example generate-headers`,
//! from the root of the repository.

use std::error::Error;

use maccel_core::c_header::{PARAMETERS_PATH, TABLES_PATH, render, render_tables};

fn main() -> Result<(), Box<dyn Error>> {
    std::fs::write(PARAMETERS_PATH, render()?)?;
    std::fs::write(TABLES_PATH, render_tables())?;
    Ok(())
}
