// SPDX-License-Identifier: MIT OR Apache-2.0
//! Completions as zsh and fish read them, in the dock: few machines have both. bash, which each
//! machine has, reads them in the tests of every program.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;

use crate::cache::Cache;
use crate::dock::Dock;
use crate::enter::Room;
use crate::privilege;
use crate::process;
use crate::progress::Step;
use crate::source;

/// Where the scripts are, inside.
const INSIDE: &str = "/w/completions";
/// Packages and the programs of them that print completions.
const PROGRAMS: &[(&str, &str)] =
    &[("maccel-cli", "maccel"), ("vesperactl", "vesperactl"), ("image", "vespera-image")];

/// A shell that reads a script without running it.
struct Shell {
    name: &'static str,
    words: &'static [&'static str],
    /// What it must refuse: one that reads nothing would find no fault.
    broken: &'static str,
}

const SHELLS: &[Shell] = &[
    Shell { name: "zsh", words: &["-f", "-n"], broken: "_x() { if true; then :; }\n" },
    Shell {
        name: "fish",
        words: &["--no-config", "--no-execute"],
        broken: "function x\nif true\nend\n",
    },
];

/// Has every program print its completions, and each shell read them. Returns how many there are.
pub(crate) fn check(cache: &Cache, step: &Step, dock: &Dock) -> Result<usize> {
    let folder = cache.folder("scratch")?.join("completions");
    privilege::remove_tree(&folder)?;
    fs::create_dir_all(&folder)?;
    let room = dock.room(cache)?.bind_read_only(&folder, INSIDE);
    let mut read = 0;
    for shell in SHELLS {
        write(&folder.join(format!("broken.{}", shell.name)), shell.broken)?;
        if process::run(step, &mut shell.reads(&room, "broken")?).is_ok() {
            bail!("{} finds no fault in what has one", shell.name);
        }
        for (package, program) in PROGRAMS {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.current_dir(source::root()?).env("CARGO_TARGET_DIR", cache.folder("target")?);
            cargo.args(["run", "--quiet", "--locked", "--package", package, "--bin", program]);
            let script = process::read(cargo.args(["--", "completion", shell.name]))?;
            write(&folder.join(format!("{program}.{}", shell.name)), &format!("{script}\n"))?;
            process::run(step, &mut shell.reads(&room, program)?)?;
            read += 1;
        }
    }
    privilege::remove_tree(&folder)?;
    Ok(read)
}

impl Shell {
    /// A command that has it read a script.
    fn reads(&self, room: &Room, script: &str) -> Result<Command> {
        let mut command = room.command(self.name)?;
        command.args(self.words).arg(format!("{INSIDE}/{script}.{}", self.name));
        Ok(command)
    }
}

fn write(path: &Utf8Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_of_every_installed_command_are_read() {
        let makefile = fs::read_to_string(source::root().unwrap().join("packaging/Makefile"));
        let makefile = makefile.unwrap();
        let commands = makefile.lines().find_map(|line| line.strip_prefix("COMMANDS := ")).unwrap();
        for command in commands.split_whitespace() {
            assert!(PROGRAMS.iter().any(|(_, program)| *program == command), "{command}");
        }
        for shell in SHELLS {
            assert!(makefile.contains(&format!("completion {} >", shell.name)), "{}", shell.name);
        }
    }
}
