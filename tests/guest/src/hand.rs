// SPDX-License-Identifier: MIT OR Apache-2.0
//! A mouse in the hand of a script: every line of the standard input, `X Y`, is one movement.
//!
//! The first line it prints is the device, `inputN`; then one for each movement, once its report
//! is where every reader finds it.

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result};
use vespera_guest::mouse::{Event, Frame, Mouse, code};

use crate::player::{VirtualMouse, ensure_uinput};

/// Moves the mouse until the input ends.
pub(crate) fn follow(name: &str) -> Result<()> {
    ensure_uinput()?;
    let mut mouse = VirtualMouse::create(&Mouse::new(name, 0x1209, 0x5100))?;
    say(&mouse.input)?;
    for line in io::stdin().lock().lines() {
        let line = line.context("reading a movement")?;
        let (x, y) = line.split_once(' ').with_context(|| format!("'{line}' is not X Y"))?;
        let events = [(code::REL_X, x), (code::REL_Y, y)]
            .into_iter()
            .map(|(code, text)| {
                let value = text.trim().parse().with_context(|| format!("'{line}' is not X Y"))?;
                Ok(Event { kind: code::EV_REL, code, value })
            })
            .collect::<Result<Vec<Event>>>()?;
        mouse.send(&Frame { mouse: 0, at_us: 0, events }, None)?;
        // Its own reader is not to run over.
        mouse.drain()?;
        say("moved")?;
    }
    Ok(())
}

fn say(word: &str) -> Result<()> {
    println!("{word}");
    io::stdout().flush().context("writing what was done")
}
