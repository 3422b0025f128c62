// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the checks of a host.

use module_check::Root;

use crate::catalogue::{
    BOOT_UNCHECKED, DEPLOYMENT_NEXT_UNFIT, Kind, MODULE_MISSING, MODULE_NOT_INDEXED,
    MODULE_SYMBOLS_DIFFER, MODULE_UNREADABLE, MODULE_WRONG_KERNEL, SECURE_BOOT_SIGNATURE_WRONG,
    SECURE_BOOT_UNSIGNED,
};
use crate::check::{Check, Severity, State, Status};
use crate::deployments::{self, Deployment, DeploymentsReport};
use crate::load_error::LoadError;
use crate::loaded::{self, LoadedModule};
use crate::module::{self, Depth, Installed, ModuleFacts};
use crate::report::ModuleReport;
use crate::{blacklist, group, host, origin, permissions, person, secure_boot, unbooted};

/// Faults of the installed file: while the module runs, what is lost is the next start.
const OF_THE_FILE: [&Kind; 7] = [
    &MODULE_MISSING,
    &MODULE_NOT_INDEXED,
    &MODULE_UNREADABLE,
    &MODULE_WRONG_KERNEL,
    &MODULE_SYMBOLS_DIFFER,
    &SECURE_BOOT_UNSIGNED,
    &SECURE_BOOT_SIGNATURE_WRONG,
];

/// Everything found about the running kernel's module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The running kernel, or of a system that does not run its only one, if it can be told.
    pub kernel: Option<String>,
    /// The installed module.
    pub module: Option<ModuleFacts>,
    /// The loaded module.
    pub loaded: Option<LoadedModule>,
    /// Why the last attempt to load it failed.
    pub load_error: Option<LoadError>,
    /// The deployments, on an ostree host.
    pub deployments: Vec<Deployment>,
    /// The findings, in the order of the catalogue.
    pub checks: Vec<Check>,
}

impl Survey {
    /// Looks at the host; `load_error` is what a loader has just met.
    pub fn make(root: &Root, load_error: Option<LoadError>) -> Self {
        Self::with_installed(root, load_error, Self::installed(root, Depth::Full))
    }

    /// Examines the installed module of the running kernel, which costs most of the time.
    pub fn installed(root: &Root, depth: Depth) -> Installed {
        match host::kernel(root) {
            Some(kernel) => module::examine_to(root, &kernel, depth),
            None => Installed::unread(vec![Check::unknown(
                &MODULE_MISSING,
                root,
                "/proc/sys/kernel/osrelease tells no kernel release",
            )]),
        }
    }

    /// Looks at everything else, given what was found about the installed module.
    pub fn with_installed(
        root: &Root,
        load_error: Option<LoadError>,
        installed: Installed,
    ) -> Self {
        let kernel = host::kernel(root);
        let loaded = loaded::find(root);
        let mut checks = installed.checks;
        let is_loaded = loaded.is_some();
        let resigned = [SECURE_BOOT_UNSIGNED.code, SECURE_BOOT_SIGNATURE_WRONG.code];
        checks.extend(
            secure_boot::checks(root, root, installed.signature.as_ref(), is_loaded)
                .into_iter()
                .map(|check| match check.is_failed() && resigned.contains(&&*check.code) {
                    true => check.remedy(origin::sign(root)),
                    false => check,
                }),
        );
        checks.extend(blacklist::checks(root, is_loaded));
        checks.extend(loaded::checks(
            root,
            loaded.as_ref(),
            installed.facts.as_ref(),
            load_error.as_ref(),
        ));
        if is_loaded {
            // The kernel has answered by taking the module; what could not be foreseen is no
            // longer in doubt.
            for check in &mut checks {
                if check.status == Status::Unknown {
                    check.severity = Severity::Info;
                } else if OF_THE_FILE.iter().any(|kind| kind.code == check.code) {
                    check.severity = check.severity.min(Severity::Warning);
                }
            }
        }
        checks.push(group::check(root));
        checks.push(person::check(root));
        checks.extend(permissions::checks(root));
        Self {
            kernel,
            module: installed.facts,
            loaded,
            load_error,
            deployments: Vec::new(),
            checks,
        }
    }

    /// Looks at the host as anyone may, with the reports of the privileged programs for what only
    /// root can know.
    pub fn with_report(root: &Root) -> Self {
        if unbooted::is(root) {
            return Self::of_unbooted(root);
        }
        let report = ModuleReport::read(root);
        let load_error = report.as_ref().ok().and_then(|report| report.load_error.clone());
        let mut survey = Self::make(root, load_error);
        survey.look_at_deployments(root);
        survey.checks.push(match report {
            Ok(report) => Check::ok(&BOOT_UNCHECKED, root, format!("at {}", report.time)),
            Err(error) => Check::failed(&BOOT_UNCHECKED, root, error.to_string()),
        });
        survey
    }

    fn of_unbooted(root: &Root) -> Self {
        let (kernel, installed) = unbooted::installed(root);
        Self {
            kernel,
            module: installed.facts.clone(),
            loaded: None,
            load_error: None,
            deployments: Vec::new(),
            checks: unbooted::checks(root, installed),
        }
    }

    fn look_at_deployments(&mut self, root: &Root) {
        // The boot loader's entries may be root's alone; the report is then the second best.
        let found = deployments::examine(root)
            .or_else(|_| DeploymentsReport::read(root).map(|report| report.deployments));
        match found {
            Ok(mut found) => {
                // The privileged program could ask the tools, too.
                if let Ok(report) = DeploymentsReport::read(root) {
                    deployments::add_digests(&mut found, &report.deployments);
                }
                self.deployments = found;
            }
            Err(error) => {
                let unseen = Check::unknown(&DEPLOYMENT_NEXT_UNFIT, root, error.to_string());
                self.checks.push(unseen);
            }
        }
        self.checks.extend(deployments::checks(root, &self.deployments));
        let Some(nearer) = deployments::nearest_fit(&self.deployments) else { return };
        let upgrade = self.kernel.as_deref().map(|kernel| origin::reinstall(root, kernel));
        for check in self.checks.iter_mut().filter(|check| check.remedy.is_some()) {
            if check.remedy == upgrade {
                check.remedy = Some(nearer.to_owned());
            }
        }
    }

    /// What follows from the checks.
    pub fn state(&self) -> State {
        State::of(&self.checks)
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::{FixtureRoot, ModuleBuilder};

    use super::*;
    use crate::catalogue;
    use crate::check::causes;

    #[test]
    fn checks_come_in_the_order_of_the_catalogue() {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        fixture.kernel_with_module("6.1.0");
        let survey = Survey::with_report(fixture.root());
        let made: Vec<_> = survey.checks.iter().map(|check| check.code.as_ref()).collect();
        let known: Vec<_> = catalogue::ALL
            .iter()
            .map(|kind| kind.code)
            // Made on ostree hosts only, by the person's own command, and by the agent.
            .filter(|code| {
                !["deployment-", "desktop-", "flatpak-", "settings-"]
                    .iter()
                    .any(|area| code.starts_with(area))
            })
            .collect();
        assert_eq!(made, known);
    }

    /// What is done to the file.
    type Harm = fn(&FixtureRoot);

    /// The mouse accelerates until the next start: that was called broken.
    #[test]
    fn a_fault_of_the_file_is_something_lost_while_the_module_runs() {
        let damaged = |fixture: &FixtureRoot| {
            fixture.file("usr/lib/modules/6.1.0/extra/maccel/maccel.ko", b"damaged");
        };
        let gone = |fixture: &FixtureRoot| {
            std::fs::remove_dir_all(fixture.root().at("usr/lib/modules/6.1.0/extra")).unwrap();
        };
        let unlisted = |fixture: &FixtureRoot| fixture.index("6.1.0", &[]);
        let wrong = |fixture: &FixtureRoot| {
            let module = ModuleBuilder::new("6.0.0").vermagic("6.0.0 SMP ");
            fixture.module("6.1.0", &module);
        };
        let differing = |fixture: &FixtureRoot| {
            let module = ModuleBuilder::new("6.1.0").crcs(true).crc("input_event", 99);
            fixture.module("6.1.0", &module);
        };
        // The one in the fixture is not signed.
        let demanding = |fixture: &FixtureRoot| {
            fixture.file("sys/module/module/parameters/sig_enforce", b"Y\n");
        };
        let faults: [(&str, Harm); 6] = [
            ("module-unreadable", damaged),
            ("module-missing", gone),
            ("module-not-indexed", unlisted),
            ("module-wrong-kernel", wrong),
            ("module-symbols-differ", differing),
            ("secure-boot-module-unsigned", demanding),
        ];
        for (code, harm) in faults {
            for (runs, state) in [(true, State::Degraded), (false, State::Broken)] {
                let fixture = FixtureRoot::new();
                fixture.file("proc/sys/kernel/osrelease", b"6.1.0\n");
                fixture.file("proc/sys/kernel/modules_disabled", b"0\n");
                fixture.kernel_with_module("6.1.0");
                harm(&fixture);
                if runs {
                    fixture.file("sys/module/maccel/initstate", b"live\n");
                }
                let survey = Survey::make(fixture.root(), None);
                assert_eq!(causes(&survey.checks).next().unwrap().code, code);
                assert_eq!(survey.state(), state, "{code}, {runs}: {:?}", survey.checks);
            }
        }
    }

    #[test]
    fn an_unreadable_kernel_release_is_unknown_never_well() {
        let survey = Survey::make(FixtureRoot::new().root(), None);
        assert_eq!(survey.kernel, None);
        assert_ne!(survey.state(), State::Healthy);
    }
}
