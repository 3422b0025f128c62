// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl status`: one screen.

use health::catalogue::{Kind, MODULE_NOT_LOADED};
use health::check::causes;
use health::deployments::{Deployment, Role};
use health::host::ImageFacts;
use health::load_error::LoadError;
use health::loaded::LoadedModule;
use health::module::ModuleFacts;
use health::{Check, Root, Severity, State, Status, Survey};
use serde::Serialize;

use crate::args::Show;
use crate::exit::{self, Outcome};
use crate::in_force::{InForce, InForceReport};
use crate::screen::{Ink, Mark, finding};

/// The version of the JSON.
const FORMAT: u32 = 1;

/// What to show, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    show: Show,
    /// Show again whenever something changes
    #[arg(long)]
    pub(crate) watch: bool,
    /// Exit with 77 if another system starts at the next boot
    #[arg(long)]
    pending_exit_77: bool,
}

impl StatusArgs {
    /// Asks for the JSON, once.
    pub(crate) fn json() -> Self {
        Self { show: Show { json: true }, watch: false, pending_exit_77: false }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct StatusReport {
    format: u32,
    state: State,
    image: ImageFacts,
    kernel: Option<String>,
    module: Option<ModuleFacts>,
    loaded: Option<LoadedModule>,
    load_error: Option<LoadError>,
    deployments: Vec<Deployment>,
    checks: Vec<Check>,
    #[serde(flatten)]
    in_force: InForceReport,
}

impl StatusReport {
    fn make(root: &Root, in_force: &InForce) -> anyhow::Result<Self> {
        let mut survey = Survey::with_report(root);
        survey.checks.extend(in_force.agent.findings(root));
        Ok(Self {
            format: FORMAT,
            state: survey.state(),
            image: ImageFacts::read(root),
            kernel: survey.kernel,
            module: survey.module,
            loaded: survey.loaded,
            load_error: survey.load_error,
            deployments: survey.deployments,
            checks: survey.checks,
            in_force: in_force.report()?,
        })
    }
}

/// Looks and shows.
pub(crate) fn run(root: &Root, args: &StatusArgs, ink: Ink) -> anyhow::Result<Outcome> {
    shown(root, &InForce::see(root), args, ink)
}

fn shown(root: &Root, in_force: &InForce, args: &StatusArgs, ink: Ink) -> anyhow::Result<Outcome> {
    let report = StatusReport::make(root, in_force)?;
    let text = match (args.show.json, args.watch) {
        // One line each, so that a program can tell where one ends.
        (true, true) => serde_json::to_string(&report)? + "\n",
        (true, false) => serde_json::to_string_pretty(&report)? + "\n",
        (false, _) => screen(&report, in_force, ink),
    };
    let code = if args.pending_exit_77 && is_pending(&report.deployments) {
        exit::REBOOT_PENDING
    } else {
        in_force.agent.exit_code(report.state)
    };
    Ok(Outcome { text, code })
}

/// Whether the next boot starts another deployment.
fn is_pending(deployments: &[Deployment]) -> bool {
    deployments.iter().any(|deployment| deployment.next && deployment.role != Role::Booted)
}

fn screen(report: &StatusReport, in_force: &InForce, ink: Ink) -> String {
    let mut text = format!("{} {}\n\n", ink.bold("Vespera"), ink.state(report.state));
    let mut row = |mark: Mark, name: &str, value: &str| {
        text.push_str(&format!("{} {name:<12} {value}\n", ink.mark(mark)));
    };
    row(Mark::None, "image", &image(&report.image));
    row(Mark::None, "kernel", report.kernel.as_deref().unwrap_or("unknown"));
    let in_file = |check: &&Check| check.code.starts_with("module-") && !is_running(check);
    row(marked(report, in_file), "module", &module(report));
    row(marked(report, is_running), "loaded", &loaded(report));
    let access =
        |check: &&Check| check.code.starts_with("permissions-") || check.code.starts_with("group-");
    row(marked(report, access), "permissions", &permissions(report, access));
    for (mark, name, value) in in_force.rows() {
        row(mark, name, &value);
    }
    if let Some(next) = report.deployments.iter().find(|deployment| deployment.next) {
        let next_boot = |check: &&Check| check.code == "deployment-next-unfit";
        row(marked(report, next_boot), "next boot", &describe(next));
    }
    for (name, digest) in digests(&report.deployments) {
        row(Mark::None, name, digest);
    }
    let boot = |check: &&Check| check.code.starts_with("boot-");
    let at = report.checks.iter().find(boot).map_or("", |check| check.detail.as_str());
    row(marked(report, boot), "boot check", at);
    // Remarks are doctor's.
    for check in causes(&report.checks).filter(|check| check.severity > Severity::Info) {
        text.push('\n');
        text.push_str(&finding(ink, check));
    }
    text
}

fn is_running(check: &&Check) -> bool {
    matches!(check.code.as_ref(), "module-not-loaded" | "module-stale")
}

fn marked(report: &StatusReport, belongs: impl Fn(&&Check) -> bool) -> Mark {
    Mark::worst(report.checks.iter().filter(belongs))
}

fn image(image: &ImageFacts) -> String {
    let name = image.name.as_deref().unwrap_or("unknown system");
    let version = image.version.as_deref().map_or(String::new(), |version| format!(" {version}"));
    let note = if image.vespera { "" } else { " (not a Vespera image)" };
    format!("{name}{version}{note}")
}

fn describe(next: &Deployment) -> String {
    if next.role == Role::Booted {
        return "the same".to_owned();
    }
    let version = next.version.as_deref().unwrap_or("of unknown version");
    let kernel = next.kernel.as_deref().unwrap_or("unknown");
    format!("{version}, kernel {kernel}")
}

/// Which image each deployment was made from, where a tool could tell it.
fn digests(deployments: &[Deployment]) -> Vec<(&'static str, &str)> {
    let named = |deployment: &Deployment| match deployment.role {
        Role::Booted => "booted",
        Role::Staged => "staged",
        Role::Pending => "pending",
        Role::Rollback => "rollback",
    };
    let known = deployments.iter().filter_map(|one| Some((named(one), one.digest.as_deref()?)));
    known.collect()
}

fn module(report: &StatusReport) -> String {
    match &report.module {
        Some(module) => {
            let version = module.version.as_deref().unwrap_or("of unstated version");
            format!("maccel {version}, {}", module.path)
        }
        None => "none that can be used".to_owned(),
    }
}

fn loaded(report: &StatusReport) -> String {
    match (&report.loaded, &report.load_error) {
        (Some(LoadedModule { srcversion: Some(srcversion) }), _) => {
            format!("yes, srcversion {srcversion}")
        }
        (Some(_), _) => "yes".to_owned(),
        (None, Some(error)) => format!("no: {error}"),
        (None, None) if is_unseen(report, &MODULE_NOT_LOADED) => "cannot be told".to_owned(),
        (None, None) => "no".to_owned(),
    }
}

/// Whether a check could not be made.
fn is_unseen(report: &StatusReport, kind: &Kind) -> bool {
    let unknown = |check: &&Check| check.code == kind.code && check.status == Status::Unknown;
    report.checks.iter().any(|check| unknown(&check))
}

fn permissions(report: &StatusReport, access: impl Fn(&&Check) -> bool) -> String {
    let wrong: Vec<_> = report
        .checks
        .iter()
        .filter(access)
        .filter(|check| check.is_failed() && check.severity > Severity::Info)
        .map(|check| check.code.as_ref())
        .collect();
    match (wrong.is_empty(), &report.loaded) {
        (false, _) => wrong.join(", "),
        (true, Some(_)) => "group maccel may change settings".to_owned(),
        (true, None) => "not to be seen while the module is not loaded".to_owned(),
    }
}

#[cfg(test)]
mod picture;

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use health::catalogue::SETTINGS_NOT_SAVED;
    use maccel_core::parameter::{self, Parameter};
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::in_force::tests::agent_that_found;

    const SRCVERSION: &[u8] = b"0123456789ABCDEF0123456\n";

    pub(super) fn booted(kernel: &str) -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.file("proc/sys/kernel/osrelease", format!("{kernel}\n").as_bytes());
        fixture.file("proc/sys/kernel/random/boot_id", b"boot-1\n");
        fixture
            .file("usr/share/vespera/image.json", br#"{"name":"vespera","version":"44.20260819"}"#);
        fixture.file("etc/group", b"maccel:x:962:\n");
        fixture.file("proc/sys/kernel/modules_disabled", b"0\n");
        fixture.file(
            "run/vespera/module.json",
            br#"{"format":1,"boot_id":"boot-1","time":"2026-01-01T00:00:05Z","kernel":"6.1.0",
                "state":"healthy","module":null,"loaded":null,"load_error":null,"checks":[]}"#,
        );
        fixture.kernel_with_module("6.1.0-49-amd64");
        fixture
    }

    pub(super) fn load(fixture: &FixtureRoot) {
        fixture.file("sys/module/maccel/initstate", b"live\n");
        fixture.file("sys/module/maccel/srcversion", SRCVERSION);
        let raw = |own: &Parameter| format!("{}\n", own.raw_of(own.default).unwrap());
        let parameters = parameter::all().iter().filter(|own| own.file);
        let parameters = parameters
            .map(|own| (format!("sys/module/maccel/parameters/{}", own.name), raw(own), 0o664));
        let speed = ("dev/maccel".to_owned(), "0".repeat(8), 0o640);
        for (file, text, mode) in parameters.chain([speed]) {
            let path = fixture.file(&file, text.as_bytes());
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let gid = std::fs::metadata(&path).unwrap().gid();
            fixture.file("etc/group", format!("maccel:x:{gid}:\n").as_bytes());
        }
    }

    fn status(fixture: &FixtureRoot, json: bool) -> (u8, String) {
        let args = StatusArgs { show: Show { json }, watch: false, pending_exit_77: false };
        let outcome = run(fixture.root(), &args, Ink::PLAIN).unwrap();
        (outcome.code, outcome.text.replace(fixture.root().path().as_str(), "[ROOT]"))
    }

    #[test]
    fn a_healthy_system_fits_on_a_few_lines() {
        let fixture = booted("6.1.0-49-amd64");
        load(&fixture);
        let (code, text) = status(&fixture, false);
        insta::assert_snapshot!(text, @r"
        Vespera healthy

             image        vespera 44.20260819
             kernel       6.1.0-49-amd64
        ok   module       maccel 0.1.0, /usr/lib/modules/6.1.0-49-amd64/extra/maccel/maccel.ko
        ok   loaded       yes, srcversion 0123456789ABCDEF0123456
        ok   permissions  group maccel may change settings
        ok   settings     linear
             devices      0
        ok   boot check   at 2026-01-01T00:00:05Z
        ");
        assert_eq!(code, 0);
    }

    #[test]
    fn what_the_agent_found_about_the_settings_is_shown_and_decides_the_exit_code() {
        let fixture = booted("6.1.0-49-amd64");
        load(&fixture);
        let shown = |found: &str| {
            let agent = agent_that_found(&SETTINGS_NOT_SAVED, found);
            let in_force = InForce { agent, ..InForce::see(fixture.root()) };
            let args = StatusArgs { show: Show { json: false }, ..StatusArgs::json() };
            super::shown(fixture.root(), &in_force, &args, Ink::PLAIN).unwrap()
        };
        let outcome = shown("failed");
        let text = outcome.text.replace(fixture.root().path().as_str(), "[ROOT]");
        insta::assert_snapshot!(text, @r"
        Vespera degraded

             image        vespera 44.20260819
             kernel       6.1.0-49-amd64
        ok   module       maccel 0.1.0, /usr/lib/modules/6.1.0-49-amd64/extra/maccel/maccel.ko
        ok   loaded       yes, srcversion 0123456789ABCDEF0123456
        ok   permissions  group maccel may change settings
        warn settings     linear (profile games) (on trial)
             devices      0
        ok   agent        0.1.0
        ok   boot check   at 2026-01-01T00:00:05Z

        warn The settings could not be saved (settings-not-saved)
             No space left on device
        ");
        assert_eq!(outcome.code, 1);
        assert_eq!(shown("ok").code, 0);
    }

    #[test]
    fn a_module_for_another_kernel_is_said_with_both_releases_and_the_remedy() {
        let fixture = booted("6.12.0-1-amd64");
        fixture.kernel("6.12.0-1-amd64");
        let (code, text) = status(&fixture, false);
        insta::assert_snapshot!(text, @r"
        Vespera broken

             image        vespera 44.20260819
             kernel       6.12.0-1-amd64
        FAIL module       none that can be used
        FAIL loaded       no
        ?    permissions  not to be seen while the module is not loaded
        ?    settings     none while the module is not loaded
        ok   boot check   at 2026-01-01T00:00:05Z

        FAIL No module for this kernel (module-missing)
             the kernel is 6.12.0-1-amd64; the module here is for 6.1.0-49-amd64
             to mend it: sudo bootc upgrade --apply
        ");
        assert_eq!(code, 2);
    }

    #[test]
    fn wrong_permissions_are_degraded() {
        let fixture = booted("6.1.0-49-amd64");
        load(&fixture);
        let mode = fixture.root().at("sys/module/maccel/parameters/MODE");
        std::fs::set_permissions(mode, Permissions::from_mode(0o644)).unwrap();
        let (code, text) = status(&fixture, false);
        insta::assert_snapshot!(text, @r"
        Vespera degraded

             image        vespera 44.20260819
             kernel       6.1.0-49-amd64
        ok   module       maccel 0.1.0, /usr/lib/modules/6.1.0-49-amd64/extra/maccel/maccel.ko
        ok   loaded       yes, srcversion 0123456789ABCDEF0123456
        warn permissions  permissions-parameters-wrong
        ok   settings     linear
             devices      0
        ok   boot check   at 2026-01-01T00:00:05Z

        warn The group maccel cannot write the settings (permissions-parameters-wrong)
             /sys/module/maccel/parameters/MODE: mode is 0644
             to mend it: sudo /usr/libexec/vespera/vespera-module permissions
        ");
        assert_eq!(code, 1);
    }

    #[test]
    fn the_kernels_refusal_is_shown_with_its_remedy() {
        let fixture = booted("6.1.0-49-amd64");
        let report = fixture.root().read("run/vespera/module.json").unwrap().replace(
            "\"load_error\":null",
            r#""load_error":{"errno":129,"name":"EKEYREJECTED",
               "cause":"it is not signed with a key this system trusts","remedy":"sudo enrol"}"#,
        );
        fixture.file("run/vespera/module.json", report.as_bytes());
        let (code, text) = status(&fixture, false);
        insta::assert_snapshot!(text, @r"
        Vespera broken

             image        vespera 44.20260819
             kernel       6.1.0-49-amd64
        ok   module       maccel 0.1.0, /usr/lib/modules/6.1.0-49-amd64/extra/maccel/maccel.ko
        FAIL loaded       no: it is not signed with a key this system trusts (EKEYREJECTED)
        ?    permissions  not to be seen while the module is not loaded
        ?    settings     none while the module is not loaded
        ok   boot check   at 2026-01-01T00:00:05Z

        FAIL The module is not loaded (module-not-loaded)
             the kernel refused it: it is not signed with a key this system trusts (EKEYREJECTED)
             to mend it: sudo enrol
        ");
        assert_eq!(code, 2);
    }

    #[test]
    fn of_a_system_that_does_not_run_it_is_not_said_what_is_loaded() {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0");
        fixture.file("usr/lib/sysusers.d/vespera.conf", b"g maccel - -\n");
        let (code, text) = status(&fixture, false);
        insta::assert_snapshot!(text, @r"
        Vespera healthy

             image        unknown system (not a Vespera image)
             kernel       6.1.0
        ok   module       maccel 0.1.0, /usr/lib/modules/6.1.0/extra/maccel/maccel.ko
             loaded       cannot be told
             permissions  not to be seen while the module is not loaded
        ?    settings     none while the module is not loaded
             boot check   this system does not run
        ");
        assert_eq!(code, 0);
    }

    fn deployment(role: &str, next: bool) -> Deployment {
        let text = serde_json::json!({
            "role": role, "next": next, "stateroot": "default", "checksum": "ab", "serial": 0,
            "state": "healthy", "checks": [],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn each_deployment_whose_image_is_known_is_shown_with_its_digest() {
        let digest = |text: &str| Some(text.to_owned());
        let deployments = [
            Deployment { digest: digest("sha256:new"), ..deployment("staged", true) },
            Deployment { digest: digest("sha256:now"), ..deployment("booted", false) },
            deployment("rollback", false),
        ];
        assert_eq!(digests(&deployments), [("staged", "sha256:new"), ("booted", "sha256:now")]);
    }

    #[test]
    fn only_another_system_at_the_next_boot_is_a_pending_reboot() {
        for (role, next, pending) in [
            ("booted", true, false),
            ("staged", true, true),
            ("pending", true, true),
            ("rollback", false, false),
        ] {
            assert_eq!(is_pending(&[deployment(role, next)]), pending, "{role}");
        }
    }

    #[test]
    fn the_json_is_the_documented_one() {
        let fixture = booted("6.12.0-1-amd64");
        let (code, text) = status(&fixture, true);
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["checks"].as_array_mut().unwrap().truncate(1);
        insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
        {
          "agent": {
            "active_profile": null,
            "changed": [],
            "error": null,
            "reached": null,
            "trial": null,
            "version": null
          },
          "checks": [
            {
              "after": null,
              "code": "module-missing",
              "detail": "the kernel is 6.12.0-1-amd64; the module here is for 6.1.0-49-amd64",
              "remedy": "sudo bootc upgrade --apply",
              "root": "[ROOT]",
              "severity": "error",
              "status": "failed",
              "title": "No module for this kernel"
            }
          ],
          "deployments": [],
          "devices": [],
          "format": 1,
          "image": {
            "kernel": null,
            "name": "vespera",
            "version": "44.20260819",
            "vespera": true
          },
          "kernel": "6.12.0-1-amd64",
          "load_error": null,
          "loaded": null,
          "module": null,
          "settings": null,
          "state": "broken"
        }
        "#);
        assert_eq!(code, 2);
    }
}
