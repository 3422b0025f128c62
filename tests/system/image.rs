// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built image, booted with the kernel it was built for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::Trial;
use vespera_tests::{Artifacts, Guest, HarnessError, Image, Machine, Snapshot};

use crate::command;
use crate::group::Group;
use crate::interface;
use crate::measure;
use crate::pointer;

/// The image the tests are about.
pub(crate) const NAME: &str = "vespera";
/// A package the stand-in's build adds: the image went through the whole Containerfile.
const ADDED_PACKAGE: &str = "htop";
/// Without KVM on a busy host a whole system takes its time.
pub(crate) const BOOT: Duration = Duration::from_secs(300);

/// One boot of the image, from which guests are woken.
pub(crate) struct Booted {
    machine: Box<dyn Fn() -> Result<Machine, HarnessError> + Send + Sync>,
    snapshot: Mutex<Option<Snapshot>>,
}

impl Booted {
    pub(crate) fn new(artifacts: &Arc<Artifacts>, image: &Image) -> Arc<Self> {
        let (artifacts, image) = (Arc::clone(artifacts), image.clone());
        let machine = move || {
            let kernel = artifacts.kernel(&image.kernel)?;
            Ok(Machine::image(&artifacts, &image, kernel).boot_limit(BOOT))
        };
        Arc::new(Self { machine: Box::new(machine), snapshot: Mutex::new(None) })
    }

    /// A guest as it is right after its boot.
    pub(crate) fn guest(&self) -> Result<Guest, HarnessError> {
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*snapshot {
            Some(snapshot) => snapshot.wake(),
            None => {
                let booted = |guest: &Guest| guest.wait_for_boot(BOOT).map(drop);
                snapshot.insert(Snapshot::take(&(self.machine)()?, booted)?).wake()
            }
        }
    }
}

pub(crate) fn tests(booted: &Arc<Booted>) -> (Arc<Group>, Vec<Trial>) {
    let booted = Arc::clone(booted);
    let group = Group::new("image".into(), Box::new(move || booted.guest()));
    let mut tests = vec![
        group.test("the_system_runs_without_a_failed_unit", running),
        group.test("the_driver_is_loaded_by_the_image_itself", loaded),
        group.test("vesperactl_status_says_healthy", healthy),
        group.test("parameters_belong_to_the_group_maccel", permissions),
        group.test("the_command_is_also_at_its_old_place", old_place),
        group.test("man_pages_and_completions_of_the_programs_are_there", pages),
        group.test("the_build_added_its_package", package),
        group.test("nothing_of_the_build_is_left_in_it", no_tools),
        group.test("the_module_is_of_the_one_kernel_and_indexed", indexed),
    ];
    tests.extend(pointer::tests(&group));
    tests.extend(command::tests(&group));
    tests.extend(measure::tests(&group));
    tests.extend(interface::tests(&group));
    (group, tests)
}

fn running(guest: &Guest) -> Result<(), HarnessError> {
    let failed = guest.run(["systemctl", "--failed", "--no-legend", "--plain"])?.success()?;
    assert_eq!(failed.stdout.trim(), "");
    let state = guest.run(["systemctl", "is-system-running"])?;
    assert_eq!(state.stdout.trim(), "running");
    Ok(())
}

fn loaded(guest: &Guest) -> Result<(), HarnessError> {
    assert!(guest.hello().modules.iter().all(|module| module.file != "maccel.ko"));
    let modules = guest.read_file("/proc/modules")?;
    assert!(modules.lines().any(|line| line.starts_with("maccel ")), "{modules}");
    Ok(())
}

fn healthy(guest: &Guest) -> Result<(), HarnessError> {
    let status = guest.run(["vesperactl", "status"])?;
    assert_eq!(status.code, 0, "{status:#?}");
    Ok(())
}

fn permissions(guest: &Guest) -> Result<(), HarnessError> {
    let mut stat = vec!["stat".to_owned(), "--format=%n %U:%G %a".to_owned()];
    stat.extend(pointer::DEFAULTS.iter().map(|(name, _)| pointer::parameter(name)));
    let output = guest.run(stat)?.success()?;
    for line in output.stdout.lines() {
        assert!(line.ends_with(" root:maccel 664"), "{line}");
    }
    Ok(())
}

/// Scripts of the requirements call it by this path.
fn old_place(guest: &Guest) -> Result<(), HarnessError> {
    let version = guest.run(["/usr/local/bin/maccel", "--version"])?.success()?.stdout;
    assert!(version.starts_with("maccel"), "{version}");
    Ok(())
}

fn pages(guest: &Guest) -> Result<(), HarnessError> {
    for (page, word) in [
        ("man1/maccel.1", "SYNOPSIS"),
        ("man1/vesperactl-status.1", "SYNOPSIS"),
        ("man5/maccel.toml.5", "PARAMETERS"),
        ("man8/vespera-agent.8", "SYNOPSIS"),
        ("man8/vespera-module.8", "SYNOPSIS"),
    ] {
        let text = guest.read_file(&format!("/usr/share/man/{page}"))?;
        assert!(text.contains(word), "{page}: {text}");
    }
    for script in [
        "bash-completion/completions/vesperactl",
        "fish/vendor_completions.d/maccel.fish",
        "zsh/site-functions/_maccel",
    ] {
        assert!(!guest.read_file(&format!("/usr/share/{script}"))?.is_empty(), "{script}");
    }
    Ok(())
}

fn package(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["rpm", "-q", ADDED_PACKAGE])?.success()?;
    // Its scriptlet ran, not only its files were unpacked.
    assert_eq!(guest.read_file("/usr/share/htop/post")?.trim(), "installed");
    Ok(())
}

fn no_tools(guest: &Guest) -> Result<(), HarnessError> {
    for path in [
        "/usr/bin/gcc",
        "/usr/bin/cargo",
        "/usr/bin/make",
        "/usr/src/kernels",
        "/ctx",
        "/driver",
        "/source",
        "/cargo",
        "/usr/bin/vespera-image",
    ] {
        let found = guest.run(["test", "-e", path])?;
        assert_eq!(found.code, 1, "{path} is in the image");
    }
    Ok(())
}

fn indexed(guest: &Guest) -> Result<(), HarnessError> {
    let folders = guest.run(["ls", "-1", "/usr/lib/modules"])?.success()?.stdout;
    assert_eq!(folders.trim(), guest.hello().release);
    let path = guest.run(["modinfo", "--field=filename", "maccel"])?.success()?.stdout;
    let place = format!("/lib/modules/{}/extra/maccel/maccel.ko.xz", guest.hello().release);
    assert!(path.trim().ends_with(&place), "{path}");
    let vermagic = guest.run(["modinfo", "--field=vermagic", "maccel"])?.success()?.stdout;
    assert!(vermagic.starts_with(&format!("{} ", guest.hello().release)), "{vermagic}");
    Ok(())
}
