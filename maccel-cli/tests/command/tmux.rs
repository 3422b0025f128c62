// SPDX-License-Identifier: MIT OR Apache-2.0
//! A real terminal: tmux types, and shows what is on the screen.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::Place;

/// How long anything may take on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the shell says after the program: its exit code, and whether the terminal echoes.
const AFTER: &str =
    "echo ended $?; stty -a | grep -qE '(^| )-echo( |$)' && echo silent || echo sane; sleep 600";

/// A terminal with the program in it.
pub(crate) struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    pub(crate) fn start(place: &Place, environment: &str) -> Self {
        let terminal = Terminal { folder: tempfile::tempdir().unwrap() };
        let program = env!("CARGO_BIN_EXE_maccel");
        let root = place.path("");
        let root = root.to_str().unwrap();
        let line =
            format!("echo $$ > {root}/shell; {environment} {program} --root {root}; {AFTER}");
        terminal.tmux(&["new-session", "-d", "-x", "80", "-y", "24", &line]);
        terminal
    }

    pub(crate) fn tmux(&self, arguments: &[&str]) -> String {
        let socket = self.folder.path().join("socket");
        let output = Command::new("tmux")
            .args(["-f", "/dev/null", "-S"])
            .arg(socket)
            .args(arguments)
            .env_remove("TMUX")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux is installed: cargo xtask setup");
        assert!(output.status.success(), "tmux {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen has all of this.
    pub(crate) fn shows(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if words.iter().all(|word| screen.contains(word)) {
                return screen;
            }
            assert!(begun.elapsed() < PATIENCE, "no {words:?} on:\n{screen}");
            sleep(Duration::from_millis(30));
        }
    }

    /// The process id of the program.
    pub(crate) fn program(&self, place: &Place) -> u32 {
        let shell = place.read("shell").trim().to_owned();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        children.split_whitespace().next().expect("the program runs").parse().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let socket = self.folder.path().join("socket");
        let _ = Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output();
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        sleep(Duration::from_millis(30));
    }
}
