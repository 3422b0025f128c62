// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `maccel` costs: whole runs, a change through the agent, the terminal interface at rest.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use crate::bus;
use crate::cache::Cache;
use crate::process;
use crate::progress::Steps;
use crate::source;

/// What is run: each line is a script's daily bread.
const RUNS: [&str; 5] =
    ["get param sens-mult", "get all linear", "get mode", "set param limit 3", "--version"];
/// What the public command takes for the first of them, from start to end.
const MOST_INSTRUCTIONS: u64 = 530_000;
/// Runs of which the median time is told.
const REPEATS: usize = 41;
/// How long nothing moves.
const REST: Duration = Duration::from_secs(20);
/// A bound for what must happen at some time; nothing is measured against it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures and prints the tables.
pub(crate) fn bench(cache: &Cache, steps: &Steps) -> Result<()> {
    let target = cache.folder("target")?;
    steps.run("maccel: build", |step| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(source::root()?).env("CARGO_TARGET_DIR", &target);
        process::run(step, cargo.args(["build", "--locked", "--release", "--package=maccel-cli"]))
    })?;
    let program = target.join("release/maccel");
    let root = cache.folder("bench")?.join("root");
    lay_out(&root)?;
    let (runs, first) = steps.run("maccel: whole runs", |_| runs(&program, &root))?;
    let changes = bus::changes(cache, steps, &program)?;
    let rest = steps.run("maccel: the terminal interface at rest", |_| {
        let terminal = Terminal::start(&cache.folder("bench")?, &program, &root)?;
        terminal.rest()
    })?;
    steps.summary();
    println!("\nwhole runs of maccel (callgrind; median time of {REPEATS} runs)\n{runs}");
    println!("through the agent, on dbus-daemon\n{changes}\n");
    println!("the terminal interface in {} s of rest\n{rest}", REST.as_secs());
    ensure!(
        first <= MOST_INSTRUCTIONS,
        "maccel {}: {first} instructions, more than the {MOST_INSTRUCTIONS} of the public command",
        RUNS[0]
    );
    Ok(())
}

/// The table, and the instructions of the first of [`RUNS`].
fn runs(program: &Utf8Path, root: &Utf8Path) -> Result<(String, u64)> {
    let mut table = format!("{:28}{:>14}{:>10}\n", "", "instructions", "ms");
    table += &measured("true", &mut || Command::new("true"))?.0;
    let mut first = None;
    for words in RUNS {
        let (line, instructions) = measured(&format!("maccel {words}"), &mut || {
            let mut command = Command::new(program);
            command.env_clear().arg("--root").arg(root).args(words.split(' '));
            command
        })?;
        table += &line;
        first.get_or_insert(instructions);
    }
    Ok((table, first.context("nothing was run")?))
}

/// The public driver's files with their defaults.
fn lay_out(root: &Utf8Path) -> Result<()> {
    let parameters = root.join("sys/module/maccel/parameters");
    fs::create_dir_all(&parameters)?;
    fs::create_dir_all(root.join("var/opt/maccel/resets"))?;
    for parameter in maccel_core::parameter::all().iter().filter(|parameter| parameter.file) {
        let raw = parameter.raw_of(parameter.default)?;
        fs::write(parameters.join(&parameter.name), format!("{raw}\n"))?;
    }
    Ok(())
}

/// A line of the table: instructions of one run, median time of many.
fn measured(name: &str, command: &mut dyn FnMut() -> Command) -> Result<(String, u64)> {
    let plain = command();
    let mut counted = Command::new("valgrind");
    // cargo names folders of libraries, in which the loader would look first.
    counted.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    counted.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    counted.arg(plain.get_program()).args(plain.get_args());
    let said = counted.output().context("cannot run valgrind")?;
    ensure!(said.status.success(), "`{name}` ended with {} under valgrind", said.status);
    let instructions = collected(&String::from_utf8_lossy(&said.stderr))?;
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let begun = Instant::now();
        command.status()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let median = times[REPEATS / 2].as_secs_f64() * 1e3;
    Ok((format!("{name:28}{instructions:>14}{median:>10.2}\n"), instructions))
}

/// The number of instructions that callgrind counted.
fn collected(said: &str) -> Result<u64> {
    let number = said.lines().find_map(|line| line.split_once("Collected : "));
    let number = number.with_context(|| format!("valgrind counted nothing: {said}"))?.1;
    number.trim().parse().with_context(|| format!("`{number}` is no number of instructions"))
}

/// The terminal interface in a tmux of its own.
struct Terminal {
    socket: Utf8PathBuf,
}

impl Terminal {
    fn start(folder: &Utf8Path, program: &Utf8Path, root: &Utf8Path) -> Result<Self> {
        let terminal = Terminal { socket: folder.join("tmux") };
        let line = format!("exec {program} --root {root}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", &line])?;
        let begun = Instant::now();
        while !terminal.tmux(&["capture-pane", "-p"])?.contains("at rest") {
            ensure!(begun.elapsed() < PATIENCE, "the terminal interface shows nothing");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(terminal)
    }

    fn tmux(&self, words: &[&str]) -> Result<String> {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(&self.socket).args(words);
        process::read(
            tmux.env_remove("TMUX").env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8"),
        )
    }

    /// What the program does while nothing happens.
    fn rest(&self) -> Result<String> {
        let process = self.tmux(&["list-panes", "-F", "#{pane_pid}"])?;
        let before = Use::of(&process)?;
        std::thread::sleep(REST);
        let after = Use::of(&process)?;
        let row = |name: &str, value: u64| format!("{name:52}{value:>24}\n");
        Ok(row("processor time, ticks of 10 ms (0)", after.ticks - before.ticks)
            + &row("wake-ups (0)", after.switches - before.switches)
            + &row("resident memory, kB", after.resident))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What is left would only be a program at rest.
        let _ = self.tmux(&["kill-server"]);
    }
}

/// What a process has used so far.
struct Use {
    ticks: u64,
    switches: u64,
    resident: u64,
}

impl Use {
    fn of(process: &str) -> Result<Self> {
        let folder = Utf8PathBuf::from(format!("/proc/{process}"));
        let stat = fs::read_to_string(folder.join("stat")).context("the program is gone")?;
        let resident = counted(&fs::read_to_string(folder.join("status"))?, "VmRSS:")?;
        let mut switches = 0;
        for task in folder.join("task").read_dir_utf8()? {
            let status = fs::read_to_string(task?.path().join("status"))?;
            switches += counted(&status, "voluntary_ctxt_switches:")?;
        }
        Ok(Use { ticks: ticks(&stat)?, switches, resident })
    }
}

/// The processor time of `/proc/PID/stat`, fields 14 and 15; the name before may hold blanks.
fn ticks(stat: &str) -> Result<u64> {
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let time = |field: usize| -> Result<u64> {
        Ok(fields.get(field - 3).context("stat is too short")?.parse()?)
    };
    Ok(time(14)? + time(15)?)
}

/// A number of `/proc/PID/status`.
fn counted(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("no {name} in status"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_callgrind_is_found_among_its_words() {
        let said = "==7== Callgrind\n==7== \n==7== Collected : 126465\n==7==\n";
        assert_eq!(collected(said).unwrap(), 126_465);
        assert!(collected("==7== nothing\n").is_err());
    }

    #[test]
    fn the_processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 103 0 0 0 12 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat).unwrap(), 42);
        assert!(ticks("7 (maccel) S 1").is_err());
    }

    #[test]
    fn numbers_of_a_status_are_found_by_their_whole_name() {
        let status =
            "VmRSS:\t    5120 kB\nvoluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t8\n";
        assert_eq!(counted(status, "VmRSS:").unwrap(), 5120);
        assert_eq!(counted(status, "voluntary_ctxt_switches:").unwrap(), 9);
        assert!(counted(status, "VmHWM:").is_err());
    }
}
