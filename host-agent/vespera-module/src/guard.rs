// SPDX-License-Identifier: MIT OR Apache-2.0
//! Check the module, load it, report.

use std::time::{Duration, Instant};

use anyhow::Context;
use health::catalogue::{MODULE_NOT_LOADED, SECURE_BOOT_NOT_ENROLLED};
use health::check::causes;
use health::deployments::DeploymentsReport;
use health::kernel_log::Tail;
use health::load_error::LoadError;
use health::module::Depth;
use health::report::{FORMAT, ModuleReport};
use health::status_json::Told;
use health::{Check, Root, Severity, State, Survey, host, ostree, status_json, timestamp};

use crate::still::until_still;
use crate::{journal, loader, ownership, tools};

/// Where a check is asked for.
const REQUEST: &str = "run/vespera/request/check";
/// ostree touches the folder when it deploys.
const DEPLOYED: &str = "ostree/deploy";
/// Later than this the tools are not asked again: both may take their time twice before the unit's
/// RuntimeMaxSec= is over.
const ASK_WITHIN: Duration = Duration::from_secs(25);

/// Runs once through everything; whether mouse acceleration works.
pub(crate) fn run(root: &Root, may_load: bool) -> anyhow::Result<bool> {
    let kernel = host::kernel(root).context("/proc/sys/kernel/osrelease is unreadable")?;
    // First the mouse, then the reasons: the closer look is for when the kernel has not taken it.
    let installed = Survey::installed(root, Depth::Quick);
    let before = Survey::with_installed(root, None, installed.clone());
    // Only the running system has a kernel to load into.
    let load_error = match may_load && root.is_host() {
        true => load(root, &kernel, &before),
        false => remembered(root, &before),
    };
    if health::loaded::find(root).is_some()
        && let Err(error) = ownership::apply(root, &[])
    {
        // The checks below see what is still wrong; the report must be written all the same.
        log::warn!("{error:#}");
    }
    let same = health::loaded::find(root).is_some_and(|loaded| {
        installed.facts.as_ref().is_some_and(|module| module.srcversion == loaded.srcversion)
    });
    let installed = match &installed.facts {
        Some(_) if same => installed.taken(root),
        Some(_) => Survey::installed(root, Depth::Full),
        // No file, nothing more to see.
        None => installed,
    };
    let report = report(root, kernel, Survey::with_installed(root, load_error, installed));
    for check in causes(&report.checks) {
        journal::fault(check);
    }
    journal::state(report.state, &report.kernel);
    report.write(root).context("cannot write the report")?;
    Ok(matches!(report.state, State::Healthy | State::Degraded))
}

/// Checks without loading, and again if that is asked for meanwhile.
pub(crate) fn recheck(root: &Root) -> anyhow::Result<bool> {
    until_still(root, &[REQUEST], || run(root, false))
}

/// Removes the module; the report then says so.
pub(crate) fn unload(root: &Root) -> anyhow::Result<()> {
    anyhow::ensure!(root.is_host(), "only the running kernel has a module to remove");
    if let Err(refusal) = loader::unload() {
        let why = std::io::Error::from_raw_os_error(refusal.errno);
        anyhow::bail!("cannot remove the module: {why}");
    }
    journal::removed();
    run(root, false).map(drop)
}

/// Looks at the kernels of the other deployments, so that a next boot without a module is known
/// before it; also what is staged or deployed meanwhile.
pub(crate) fn deployments(root: &Root) -> anyhow::Result<()> {
    let began = Instant::now();
    look_at_deployments(root, || match began.elapsed() < ASK_WITHIN {
        true => tools::deployments(root),
        // The layout on disk tells what matters.
        false => Vec::new(),
    })
}

fn look_at_deployments(root: &Root, mut ask: impl FnMut() -> Vec<Told>) -> anyhow::Result<()> {
    until_still(root, &[ostree::STAGED, DEPLOYED], || examine_deployments(root, &mut ask))
}

fn examine_deployments(root: &Root, ask: impl FnOnce() -> Vec<Told>) -> anyhow::Result<()> {
    let mut report = DeploymentsReport::make(root).context("cannot read the deployments")?;
    if !report.deployments.is_empty() {
        status_json::complete(&mut report.deployments, &ask());
    }
    for check in health::deployments::checks(root, &report.deployments) {
        if check.is_failed() {
            journal::fault(&check);
        }
    }
    let next = report.deployments.iter().find(|deployment| deployment.next);
    let kernel = next.and_then(|next| next.kernel.as_deref()).unwrap_or("unknown");
    journal::deployments(report.deployments.len(), kernel);
    report.write(root).context("cannot write the report")
}

/// Loads the module if it is there, fits and does not run yet.
fn load(root: &Root, kernel: &str, before: &Survey) -> Option<LoadError> {
    // What would keep it out is known; trying all the same would only add noise to the kernel log.
    let hindered = before.checks.iter().any(|check| check.is_failed() && hinders(check));
    let module = before.module.as_ref()?;
    if before.loaded.is_some() || hindered {
        return None;
    }
    // The log is worth less than the load: without the right to read it, the number must do.
    let log = Tail::from_now(root);
    match loader::load() {
        Ok(()) => {
            journal::loaded(&module.path);
            None
        }
        Err(refusal) => {
            let words = log.map(|mut log| log.about_module()).unwrap_or_default();
            let error = LoadError::from_errno(refusal.errno, root, kernel);
            let error = error.with_log(words);
            journal::refused(&error);
            Some(error)
        }
    }
}

/// What the kernel has said to this module since the boot: that somebody looks again does not make
/// it untrue.
fn remembered(root: &Root, before: &Survey) -> Option<LoadError> {
    let earlier = ModuleReport::read(root).ok()?;
    let (then, now) = (earlier.module?, before.module.as_ref()?);
    let same = (&then.path, &then.srcversion) == (&now.path, &now.srcversion);
    earlier.load_error.filter(|_| same && before.loaded.is_none())
}

/// Whether a fault makes loading pointless, or forbids it.
fn hinders(check: &Check) -> bool {
    let code = check.code.as_ref();
    // Whether a key is trusted only the kernel knows for sure: let it say so.
    code != MODULE_NOT_LOADED.code
        && code != SECURE_BOOT_NOT_ENROLLED.code
        && check.severity == Severity::Error
}

fn report(root: &Root, kernel: String, survey: Survey) -> ModuleReport {
    ModuleReport {
        format: FORMAT,
        boot_id: host::boot_id(root).unwrap_or_default(),
        time: timestamp::now(),
        kernel,
        state: survey.state(),
        module: survey.module,
        loaded: survey.loaded,
        load_error: survey.load_error,
        checks: survey.checks,
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;

    fn booted(kernel: &str) -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/osrelease", format!("{kernel}\n").as_bytes());
        fixture.file("proc/sys/kernel/random/boot_id", b"boot-1\n");
        fixture.kernel_with_module("6.1.0");
        fixture
    }

    #[test]
    fn a_module_for_another_kernel_is_reported_and_not_loaded() {
        let fixture = booted("6.2.0");
        assert!(!run(fixture.root(), true).unwrap());
        let report = ModuleReport::read(fixture.root()).unwrap();
        assert_eq!(report.state, State::Broken);
        assert_eq!(report.kernel, "6.2.0");
        assert_eq!(report.load_error, None);
        let cause = causes(&report.checks).next().unwrap();
        assert_eq!(cause.code, "module-missing");
        assert!(cause.detail.contains("6.1.0") && cause.detail.contains("6.2.0"));
    }

    #[test]
    fn a_check_keeps_what_the_kernel_said_until_there_is_another_module() {
        let fixture = booted("6.1.0");
        let root = fixture.root();
        run(root, false).unwrap();
        let mut refused = ModuleReport::read(root).unwrap();
        assert_eq!(refused.load_error, None);
        let error = LoadError::from_errno(129, root, "6.1.0");
        refused.load_error = Some(error.clone());
        refused.write(root).unwrap();
        assert!(!run(root, false).unwrap());
        assert_eq!(ModuleReport::read(root).unwrap().load_error, Some(error));
        refused.module.as_mut().unwrap().srcversion = Some("0".repeat(23));
        refused.write(root).unwrap();
        run(root, false).unwrap();
        assert_eq!(ModuleReport::read(root).unwrap().load_error, None);
    }

    #[test]
    fn what_is_deployed_while_the_deployments_are_looked_at_is_in_the_report() {
        let fixture = booted("6.1.0");
        let checksum = "b".repeat(64);
        let deploy = |serial: u32| {
            let place = format!("ostree/deploy/default/deploy/{checksum}.{serial}");
            fixture.file(&format!("{place}.origin"), b"");
            fixture.file(&format!("{place}/usr/lib/modules/6.1.0/vmlinuz"), b"");
            let entry = format!(
                "version {}\noptions ostree=/ostree/boot.1/default/{checksum}/{serial}\n",
                serial + 1
            );
            fixture
                .file(&format!("boot/loader/entries/ostree-{}.conf", serial + 1), entry.as_bytes());
            let link = fixture.root().at(format!("ostree/boot.1/default/{checksum}/{serial}"));
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            let to = format!("../../../deploy/default/deploy/{checksum}.{serial}");
            std::os::unix::fs::symlink(to, link).unwrap();
            // As ostree does, and told apart also where the clock of the files is coarse.
            let folder = std::fs::File::open(fixture.root().at(DEPLOYED)).unwrap();
            let later = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(serial.into());
            folder.set_modified(later).unwrap();
        };
        deploy(0);
        let mut asked = 0;
        look_at_deployments(fixture.root(), || {
            asked += 1;
            if asked == 1 {
                deploy(1);
            }
            Vec::new()
        })
        .unwrap();
        let report = DeploymentsReport::read(fixture.root()).unwrap();
        assert_eq!(asked, 2);
        assert_eq!(report.deployments[0].serial, 1, "{:?}", report.deployments);
    }

    #[test]
    fn a_loaded_module_gets_its_permissions_and_a_healthy_report() {
        use std::os::unix::fs::MetadataExt;
        let fixture = booted("6.1.0");
        fixture.file("sys/module/maccel/initstate", b"live\n");
        fixture.file("sys/module/maccel/srcversion", b"0123456789ABCDEF0123456\n");
        let parameter = fixture.file("sys/module/maccel/parameters/MODE", b"0\n");
        fixture.file("dev/maccel", b"");
        let gid = std::fs::metadata(parameter).unwrap().gid();
        fixture.file("etc/group", format!("maccel:x:{gid}:\n").as_bytes());
        assert!(run(fixture.root(), true).unwrap());
        let report = ModuleReport::read(fixture.root()).unwrap();
        assert_eq!(report.state, State::Healthy, "{:?}", report.checks);
        assert_eq!(report.boot_id, "boot-1");
    }
}
