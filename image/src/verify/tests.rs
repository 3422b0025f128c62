// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root made by the stages themselves, then one fault after another seeded into it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::customize::fixtures::{FakeTools, Root, depmod, failed, module, ok};
use crate::customize::identity::BuildFacts;
use crate::customize::{self, finish, packages as package_stage, payload as payload_stage};
use crate::tool::Outcome as Ended;

const KERNEL: &str = "6.17.1-300.fc43.x86_64";
const CONFIG: &str = "packages: {add_rpm: [htop], remove_rpm: [firefox], \
                      add_flatpak: [org.mozilla.firefox]}";

fn config(text: &str) -> Config {
    Config::parse("c.yaml", text).unwrap().0
}

fn rpm(installed: &'static [&'static str]) -> impl Fn(&[&str]) -> Ended {
    move |args| match args.last() {
        Some(name) if installed.contains(name) => ok(name),
        Some(name) => failed(&format!("package {name} is not installed")),
        None => failed("rpm: no arguments given"),
    }
}

/// A root whose programs start and whose rpm knows these packages.
fn chroot(installed: &'static [&'static str]) -> impl Fn(&[&str]) -> Ended {
    let rpm = rpm(installed);
    move |args| match args {
        [_, "/usr/bin/rpm", query @ ..] => rpm(query),
        [_, program, ..] => ok(&format!("{program} 1.0")),
        _ => failed("chroot: missing operand"),
    }
}

fn tools() -> FakeTools {
    FakeTools::default()
        .with("rpm", rpm(&["htop"]))
        .with("depmod", depmod)
        .with("chroot", chroot(&["htop"]))
        .with("systemctl", |_| ok("enabled"))
        .with("systemd-analyze", |_| ok(""))
        .with("env", |_| ok(""))
        .with("systemd-sysusers", |_| ok(""))
        .with("systemd-tmpfiles", |_| ok(""))
        .with("udevadm", |_| ok(""))
}

/// What every base has.
fn bare(root: &Root) {
    root.kernel(KERNEL);
    for folder in ["dev", "proc", "sys", "run", "tmp", "var", "sysroot"] {
        root.dir(folder);
    }
    root.link("sysroot/ostree", "ostree");
}

/// The files of the repository, as they go into an image.
fn shipped(from: &Root, tree: &str, to: &str) {
    let tree = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(tree);
    for path in customize::files::list(&tree).unwrap() {
        from.file(&format!("{to}/{path}"), fs::read(tree.join(&path)).unwrap());
    }
}

/// As `systemctl preset` does it.
fn enabled(root: &Root, scope: &str, unit: &str) {
    root.link(
        &format!("/usr/lib/systemd/{scope}/vespera-{unit}"),
        &format!("etc/systemd/{scope}/some.target.wants/vespera-{unit}"),
    );
}

/// A root as the stages leave it.
fn image(config: &Config) -> Root {
    let (root, from, tools) = (Root::new(), Root::new(), tools());
    bare(&root);
    root.file("usr/lib/os-release", "ID=aurora\nIMAGE_ID=\"aurora\"\n");
    root.file("etc/yum.repos.d/fedora.repo", "[fedora]\nenabled=1\n");
    root.link("../run", "var/run");
    root.link("../var/usrlocal", "usr/local");
    for program in payload_stage::PROGRAMS {
        from.file(&format!("rootfs/{program}"), "program");
    }
    shipped(&from, "packaging/rootfs", "rootfs");
    shipped(&from, "image/rootfs", "image-rootfs");
    from.file("build/maccel.ko", module(KERNEL));
    for unit in ["module.service", "module-check.path", "agent.service"] {
        enabled(&root, "system", unit);
    }
    for unit in ["deployments.service", "deployments.path"] {
        enabled(&root, "system", unit);
    }
    for unit in ["notify.service", "notify.path"] {
        enabled(&root, "user", unit);
    }
    let report: &mut Vec<String> = &mut Vec::new();
    package_stage::apply(root.path(), &config.packages, &tools, report).unwrap();
    let payload = payload_stage::install(root.path(), from.path(), &tools, report).unwrap();
    let facts = BuildFacts { name: config.name(), payload, ..BuildFacts::default() };
    customize::identity::write(root.path(), config, KERNEL, &facts, report).unwrap();
    let module = from.path().join("build/maccel.ko");
    let built = customize::module::Built { module: &module, release: KERNEL, certificate: None };
    customize::module::install(root.path(), built, false, &tools, report).unwrap();
    finish::finish(root.path(), report).unwrap();
    root
}

fn run(root: &Root, config: &Config, label: Option<&str>, tools: &FakeTools) -> Report {
    verify(&Subject { root: root.path(), config, label, image: None, tools })
}

fn faults(report: &Report) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.is_fault()).map(|f| f.code).collect()
}

fn detail<'a>(report: &'a Report, code: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.code == code).unwrap()
}

#[test]
fn root_that_the_stages_made_is_verified() {
    let config = config(CONFIG);
    let report = run(&image(&config), &config, Some(KERNEL), &tools());
    assert!(report.passed, "{}", report.text());
    assert_eq!(faults(&report), [""; 0]);
    assert!(report.headline().starts_with("verified: "), "{}", report.headline());
    let signature = detail(&report, "module-signature");
    assert_eq!(signature.status, Status::Skipped);
    assert!(signature.detail.contains("Secure Boot"), "{}", signature.detail);
}

#[test]
fn checks_are_sorted_and_named_once() {
    let codes: Vec<&str> = CHECKS.iter().map(|check| check.code).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(codes, sorted);
}

fn set_mode(root: &Root, path: &str, mode: u32) {
    fs::set_permissions(root.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn delete(root: &Root, path: &str) {
    fs::remove_file(root.path().join(path)).unwrap();
}

fn module_path() -> String {
    format!("usr/lib/modules/{KERNEL}/extra/maccel/maccel.ko.xz")
}

#[test]
fn program_that_does_not_start_and_unit_that_systemd_refuses_are_faults() {
    let config = config(CONFIG);
    let root = image(&config);
    let healthy = chroot(&["htop"]);
    let tools = tools()
        .with("chroot", move |args| match args {
            [_, "/usr/bin/rpm", ..] => healthy(args),
            _ => failed("error while loading shared libraries: libx.so"),
        })
        .with("systemd-analyze", |_| {
            failed("vespera-module.service:3: Unknown key 'Foo'\nother.service: x")
        });
    let report = run(&root, &config, None, &tools);
    assert_eq!(faults(&report), ["cli-runs", "units-valid"]);
    assert!(detail(&report, "cli-runs").detail.contains("libx.so"));
    assert!(!detail(&report, "units-valid").detail.contains("other.service"));
}

#[test]
fn image_without_the_driver_is_not_asked_for_it() {
    let config = config("maccel: {enabled: false}");
    let root = Root::new();
    bare(&root);
    root.file("usr/lib/os-release", "ID=aurora\n");
    let facts = BuildFacts { name: config.name(), ..BuildFacts::default() };
    let report: &mut Vec<String> = &mut Vec::new();
    customize::identity::write(root.path(), &config, KERNEL, &facts, report).unwrap();
    let report = run(&root, &config, None, &tools());
    assert!(report.passed, "{}", report.text());
    assert_eq!(detail(&report, "module-present").status, Status::Skipped);
}

#[test]
fn warnings_are_shown_and_do_not_keep_an_image_back() {
    let config = config(CONFIG);
    let root = image(&config);
    root.file("var/log/dnf5.log", "line\n");
    let report = run(&root, &config, None, &tools());
    assert!(report.passed);
    assert!(report.text().contains("warning  var-log-empty"), "{}", report.text());
}

#[test]
fn summaries_name_check_and_finding() {
    let config = config(CONFIG);
    let root = image(&config);
    root.link("/dev/null", "usr/etc/x");
    let report = run(&root, &config, None, &tools());
    assert!(report.headline().starts_with("not verified, 1 fault: "), "{}", report.headline());
    let line = "FAILED   layout-usr-etc        no /usr/etc beside /etc: both ";
    assert!(report.text().contains(line), "{}", report.text());
    let row = "| FAILED | `layout-usr-etc` | no /usr/etc beside /etc | both ";
    assert!(report.markdown().contains(row), "{}", report.markdown());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["format"], 1);
}

mod seeded;
