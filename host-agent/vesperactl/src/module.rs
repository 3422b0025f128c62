// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl module`: the kernel module by itself.

use std::process::Command;

use anyhow::{Context, bail, ensure};
use health::person::Person;
use health::{Root, host, module, unbooted};

use crate::args::Show;
use crate::doctor;
use crate::exit::{self, Outcome};
use crate::screen::Ink;

/// The only program that may change what the kernel holds.
const GUARD: &str = "/usr/libexec/vespera/vespera-module";
/// Its exit code for a module that does not work; the reasons are on stderr.
const UNFIT: i32 = 10;

/// Runs the privileged program; it says itself what it did.
pub(crate) fn run_guard(root: &Root, command: &str) -> anyhow::Result<Outcome> {
    ensure!(root.is_host(), "modules are loaded and removed on the running system only");
    let person = Person::of_process(root).context("/proc/self/status is unreadable")?;
    let verb = if command == "run" { "load" } else { command };
    ensure!(person.uid == 0, "needs root: sudo vesperactl module {verb}");
    let status =
        Command::new(GUARD).arg(command).status().with_context(|| format!("cannot run {GUARD}"))?;
    let code = match status.code() {
        Some(0) => exit::HEALTHY,
        Some(UNFIT) => exit::BROKEN,
        _ => bail!("{GUARD} {command} failed ({status})"),
    };
    Ok(Outcome { text: String::new(), code })
}

/// Whether the installed module fits a kernel.
pub(crate) fn check(
    root: &Root,
    kernel: Option<String>,
    show: &Show,
    ink: Ink,
) -> anyhow::Result<Outcome> {
    let kernel = match kernel {
        Some(kernel) => kernel,
        None => default_kernel(root)?,
    };
    let mut checks = module::examine(root, &kernel).checks;
    if unbooted::is(root) {
        checks = unbooted::without_remedies(checks);
    }
    doctor::listing(&checks, show, ink)
}

fn default_kernel(root: &Root) -> anyhow::Result<String> {
    if let Some(kernel) = host::kernel(root) {
        return Ok(kernel);
    }
    let mut kernels = module::kernels(root).context("cannot list the kernels")?;
    match kernels.len() {
        0 => bail!("no kernel under {}", root.path()),
        1 => Ok(kernels.remove(0)),
        _ => bail!("several kernels, name one with --kernel: {}", kernels.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    #[test]
    fn another_roots_only_kernel_is_taken_and_several_must_be_named() {
        let fixture = FixtureRoot::new();
        let show = Show { json: false };
        let run = |kernel: Option<&str>| {
            check(fixture.root(), kernel.map(str::to_owned), &show, Ink::PLAIN)
        };
        assert!(run(None).unwrap_err().to_string().starts_with("no kernel under"));
        fixture.kernel_with_module("6.1.0");
        assert_eq!(run(None).unwrap().code, 0);
        fixture.kernel("6.2.0");
        assert!(run(None).unwrap_err().to_string().ends_with("6.1.0, 6.2.0"));
        assert_eq!(run(Some("6.2.0")).unwrap().code, 2);
    }

    /// It advised to upgrade or to repair the host for what another root lacks.
    #[test]
    fn what_would_mend_the_host_is_not_advised_for_a_root_that_does_not_run() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        let shown = |json| check(fixture.root(), None, &Show { json }, Ink::PLAIN).unwrap().text;
        assert!(!shown(false).contains("to mend it"), "{}", shown(false));
        let json: serde_json::Value = serde_json::from_str(&shown(true)).unwrap();
        assert_eq!(json["checks"][0]["code"], "module-missing");
        assert_eq!(json["checks"][0]["remedy"], serde_json::Value::Null);
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        assert!(shown(false).contains("to mend it"), "{}", shown(false));
    }
}
