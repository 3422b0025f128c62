// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal: taken over, and given back however the program ends.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::panic;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::ExecutableCommand;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    DisableFocusChange, DisableMouseCapture, EnableFocusChange, EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::tui::state::State;
use crate::tui::view::view;

/// The terminal while it is ours.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

static HOOK: Once = Once::new();
/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// How long a terminal may take for the words that give it back.
const GRACE: Duration = Duration::from_millis(500);
/// The exit code of a program that panics, whether its build unwinds or aborts.
const PANICKED: i32 = 101;

impl Screen {
    /// Takes the terminal over.
    pub(crate) fn open() -> anyhow::Result<Self> {
        ensure!(
            stdout().is_terminal() && io::stdin().is_terminal(),
            "the terminal interface needs a terminal; for scripts: maccel get, maccel set"
        );
        // A panic on any thread must not leave a terminal that does not echo, nor one that the
        // others go on drawing on, nor a core file: all of it is said.
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
                process::exit(PANICKED);
            }));
        });
        let failed = "cannot take over the terminal";
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode().context(failed)?;
        let screen = (|| {
            let mut out = stdout();
            out.execute(EnterAlternateScreen)?.execute(EnableMouseCapture)?;
            out.execute(EnableFocusChange)?;
            Terminal::new(CrosstermBackend::new(stdout()))
        })();
        match screen {
            Ok(terminal) => Ok(Screen { terminal }),
            Err(error) => {
                give_back();
                Err(error).context(failed)
            }
        }
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> anyhow::Result<(u16, u16)> {
        let size = self.terminal.size().context("the terminal tells no size")?;
        Ok((size.width, size.height))
    }

    /// Draws the state.
    pub(crate) fn draw(&mut self, state: &State) -> anyhow::Result<()> {
        self.terminal.draw(|frame| view(state, frame)).context("the terminal is gone")?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, but does not wait for one that takes nothing any more.
pub(crate) fn give_back_soon() {
    let (given, back) = mpsc::channel();
    thread::spawn(move || {
        give_back();
        given.send(())
    });
    let _ = back.recv_timeout(GRACE);
    // This much needs no output.
    let _ = disable_raw_mode();
}

/// Gives the terminal back, once: the second time would put the cursor on what was printed since.
/// What fails here fails on a terminal that is gone.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = stdout().execute(DisableFocusChange);
    let _ = stdout().execute(DisableMouseCapture);
    let _ = stdout().execute(LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = stdout().execute(Show);
}
