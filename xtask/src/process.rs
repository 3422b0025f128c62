// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs other programs with their output in the step's log, and quotes its end
//! when one fails.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use camino::Utf8Path;

use crate::progress::Step;

/// Runs `command` to its end; both of its outputs go to the step's log.
pub(crate) fn run(step: &Step, command: &mut Command) -> Result<()> {
    let shown = describe(command);
    let mut log = append(step.log())?;
    writeln!(log, "$ {shown}")?;
    let (reader, writer) = std::io::pipe()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    // The command keeps the pipe's write ends open until it is dropped or given new ones.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        log.write_all(&line)?;
        log.write_all(b"\n")?;
        let text = String::from_utf8_lossy(&line);
        step.show(&text);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` ended with {status}; the end of {}:\n{}", step.log(), tail(step.log()));
    }
    Ok(())
}

/// Runs `command` and returns what it wrote to its standard output, trimmed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let shown = describe(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!(
            "`{shown}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8(output.stdout)
        .with_context(|| format!("`{shown}` did not write UTF-8"))?
        .trim()
        .to_owned())
}

/// Whether a program of this name can be found.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // An ordinary user's PATH often lacks the folders that administration tools live in.
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

/// The command as one would type it; of one in the tool root, what runs there.
pub(crate) fn describe(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    if words.iter().any(|word| word == "enter")
        && let Some(split) = words.iter().rposition(|word| word == "--")
    {
        let inside: Vec<_> = words.into_iter().skip(split + 1).collect();
        return format!("{} (in the tool root)", inside.join(" "));
    }
    words.join(" ")
}

fn append(path: &Utf8Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write the log {path}"))
}

fn tail(path: &Utf8Path) -> String {
    const LINES: usize = 25;
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(LINES);
    lines.get(start..).unwrap_or_default().iter().map(|l| format!("    {l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_described_as_typed() {
        let mut command = Command::new("make");
        command.args(["-C", "kmod"]);
        assert_eq!(describe(&command), "make -C kmod");
    }

    #[test]
    fn a_failing_program_is_named_with_what_it_said() {
        let error = read(Command::new("ls").arg("/does-not-exist")).unwrap_err().to_string();
        assert!(error.contains("`ls /does-not-exist`"), "{error}");
        assert!(error.contains("does-not-exist"), "{error}");
    }
}
