// SPDX-License-Identifier: MIT OR Apache-2.0
//! bootc and rpm-ostree, asked what only they know.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use health::Root;
use health::status_json::{self, Told};

/// Either is quick; rpm-ostree may have to start its daemon first.
const LIMIT: Duration = Duration::from_secs(15);
const GLANCE: Duration = Duration::from_millis(20);
/// A status takes a few kB.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

type Parse = fn(&str) -> serde_json::Result<Vec<Told>>;

/// rpm-ostree first: it answers without rights of its own, bootc wants a mount namespace.
const TOOLS: [(&str, Parse); 2] = [
    ("/usr/bin/rpm-ostree", status_json::parse_rpm_ostree),
    ("/usr/bin/bootc", status_json::parse_bootc),
];

/// What the first tool that answers tells; nothing where there is none.
pub(crate) fn deployments(root: &Root) -> Vec<Told> {
    // They know the running system only.
    if !root.is_host() {
        return Vec::new();
    }
    for (program, parse) in TOOLS {
        if !root.exists(program) {
            continue;
        }
        let mut command = Command::new(program);
        command.args(["status", "--json"]);
        match answer(&mut command, LIMIT).and_then(|text| Ok(parse(&text)?)) {
            Ok(told) => return told,
            // The layout on disk tells what matters.
            Err(error) => log::info!("{program}: {error:#}"),
        }
    }
    Vec::new()
}

/// Runs a program to its end, or ends it when the time is up; what it printed.
fn answer(command: &mut Command, limit: Duration) -> anyhow::Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot be started")?;
    let Some(output) = child.stdout.take() else { bail!("has no output") };
    // Read aside: a full pipe would keep it from ending.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.take(MOST_BYTES).read_to_string(&mut text).map(|_| text)
    });
    let ended = wait(&mut child, limit);
    if ended.is_err() {
        child.kill().context("cannot be ended")?;
        child.wait().context("cannot be waited for")?;
    }
    let text = reader.join().map_err(|_| anyhow::anyhow!("cannot be read"))?;
    ended?;
    text.context("printed something else than text")
}

fn wait(child: &mut Child, limit: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait().context("cannot be waited for")? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("ended with {status}"),
            None if Instant::now() >= deadline => bail!("did not end in {} s", limit.as_secs()),
            None => std::thread::sleep(GLANCE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_is_heard_out_and_its_failure_is_an_error() {
        assert_eq!(answer(&mut shell("echo '{}'"), LIMIT).unwrap(), "{}\n");
        let error = answer(&mut shell("echo '{}'; exit 3"), LIMIT).unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        assert!(answer(&mut Command::new("/no/such/program"), LIMIT).is_err());
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let error = answer(&mut shell("exec sleep 1000"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
    }

    #[test]
    fn other_roots_are_not_asked_about() {
        assert_eq!(deployments(&Root::new("/somewhere")), []);
    }
}
