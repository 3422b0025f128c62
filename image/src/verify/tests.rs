// SPDX-License-Identifier: MIT OR Apache-2.0
//! A root made by the stages themselves, then one fault after another seeded into it.

use std::os::unix::fs::PermissionsExt as _;

use module_check::fixtures::ModuleBuilder;

use super::*;
use crate::customize::fixtures::{FakeTools, Root, depmod, failed, module, ok};
use crate::customize::identity::BuildFacts;
use crate::customize::{self, finish, packages as package_stage, payload as payload_stage};
use crate::modinfo;
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
        .with("udevadm", |_| ok(""))
}

/// A root as the stages leave it.
fn image(config: &Config) -> Root {
    let (root, from, tools) = (Root::new(), Root::new(), tools());
    root.kernel(KERNEL);
    root.file("usr/lib/os-release", "ID=aurora\nIMAGE_ID=\"aurora\"\n");
    root.file("etc/yum.repos.d/fedora.repo", "[fedora]\nenabled=1\n");
    root.link("../run", "var/run");
    root.link("../var/usrlocal", "usr/local");
    for program in ["maccel", "vesperactl", "vespera-module"] {
        from.file(&format!("bin/{program}"), "program");
    }
    from.file("rootfs/usr/lib/udev/rules.d/99-maccel.rules", "rule");
    from.file("rootfs/usr/lib/sysusers.d/vespera.conf", "# group\ng maccel -\n");
    from.file("rootfs/usr/lib/tmpfiles.d/vespera.conf", "d /run/vespera 0755 root root -\n");
    from.file(
        "rootfs/usr/lib/systemd/system/vespera-module.service",
        "[Service]\n[Install]\nWantedBy=multi-user.target\n",
    );
    from.file("rootfs/usr/share/dbus-1/system.d/org.vespera.Agent1.conf", "<busconfig/>");
    from.file("build/maccel.ko", module(KERNEL));
    root.link(
        "/usr/lib/systemd/system/vespera-module.service",
        "etc/systemd/system/multi-user.target.wants/vespera-module.service",
    );
    let report: &mut Vec<String> = &mut Vec::new();
    package_stage::apply(root.path(), &config.packages, &tools, report).unwrap();
    payload_stage::install(root.path(), from.path(), &tools, report).unwrap();
    let facts = BuildFacts { name: config.name(), ..BuildFacts::default() };
    customize::identity::write(root.path(), config, KERNEL, &facts, report).unwrap();
    let module = from.path().join("build/maccel.ko");
    customize::module::install(root.path(), &module, KERNEL, false, &tools, report).unwrap();
    finish::finish(root.path(), report).unwrap();
    root
}

fn run(root: &Root, config: &Config, label: Option<&str>, tools: &FakeTools) -> Report {
    verify(&Subject { root: root.path(), config, label, tools })
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

/// Each seeded fault: its name, how it is seeded, the checks that must see it.
#[test]
fn every_seeded_fault_is_found_by_its_check() {
    type Seed = fn(&Root);
    let table: &[(&str, Seed, &[&str])] = &[
        (
            "module below another kernel's folder",
            |root| {
                let bytes = fs::read(root.path().join(module_path())).unwrap();
                delete(root, &module_path());
                root.file("usr/lib/modules/6.0.0/extra/maccel/maccel.ko.xz", bytes);
            },
            &[
                "module-compression",
                "module-present",
                "module-signature",
                "module-symbols",
                "module-vermagic",
            ],
        ),
        ("label of another kernel", |_| (), &["kernel-label"]),
        (
            "wrong vermagic",
            |root| {
                let other = modinfo::compress(&module("6.17.1-301.fc43.x86_64")).unwrap();
                root.file(&module_path(), other);
            },
            &["module-vermagic"],
        ),
        (
            "truncated module",
            |root| {
                let bytes = fs::read(root.path().join(module_path())).unwrap();
                root.file(&module_path(), &bytes[..bytes.len() / 2]);
            },
            &["module-compression", "module-signature", "module-symbols", "module-vermagic"],
        ),
        (
            "wrong xz check",
            |root| {
                let path = root.path().join(module_path());
                let mut bytes = fs::read(&path).unwrap();
                bytes[7] = 4;
                fs::write(path, bytes).unwrap();
            },
            // The header's own checksum no longer fits either, so nothing can be read.
            &["module-compression", "module-signature", "module-symbols", "module-vermagic"],
        ),
        (
            "symbol of another kernel",
            |root| {
                let module = ModuleBuilder::new(KERNEL).crcs(true).bytes();
                root.file(&module_path(), modinfo::compress(&module).unwrap());
                let list = "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
                            0x00000009\tinput_event\tvmlinux\tEXPORT_SYMBOL\t\n";
                root.file(&format!("usr/lib/modules/{KERNEL}/symvers"), list);
            },
            &["module-symbols"],
        ),
        (
            "signed, but no certificate for people to enrol",
            |root| {
                let module = ModuleBuilder::new(KERNEL).signed_by(7).bytes();
                root.file(&module_path(), modinfo::compress(&module).unwrap());
            },
            &["module-signature"],
        ),
        (
            "missing depmod",
            |root| delete(root, &format!("usr/lib/modules/{KERNEL}/modules.dep")),
            &["module-index"],
        ),
        (
            "depmod before the module",
            |root| {
                root.file(&format!("usr/lib/modules/{KERNEL}/modules.dep"), "kernel/x.ko.xz:\n");
            },
            &["module-index"],
        ),
        (
            "missing udev rule",
            |root| delete(root, "usr/lib/udev/rules.d/99-maccel.rules"),
            &["udev-rules"],
        ),
        (
            "group missing",
            |root| {
                root.file("usr/lib/sysusers.d/vespera.conf", "u vespera-agent -\n");
            },
            &["sysusers-group"],
        ),
        (
            "run folder missing",
            |root| delete(root, "usr/lib/tmpfiles.d/vespera.conf"),
            &["tmpfiles-run"],
        ),
        (
            "repository left on",
            |root| {
                root.file("etc/yum.repos.d/copr.repo", "[copr:x]\nname=x\n");
            },
            &["repositories-off"],
        ),
        (
            "CLI not executable",
            |root| set_mode(root, "usr/bin/maccel", 0o644),
            &["programs-executable"],
        ),
        (
            "unit not enabled",
            |root| {
                let folder = "etc/systemd/system/multi-user.target.wants";
                delete(root, &format!("{folder}/vespera-module.service"));
            },
            &["units-enabled"],
        ),
        (
            "bad D-Bus policy",
            |root| {
                root.file("usr/share/dbus-1/system.d/org.vespera.Agent1.conf", "<busconfig>");
            },
            &["dbus-files"],
        ),
        (
            "D-Bus file of another kind",
            |root| {
                root.file("usr/share/dbus-1/system.d/org.vespera.Agent1.conf", "<node/>");
            },
            &["dbus-files"],
        ),
        (
            "world-writable file",
            |root| set_mode(root, "usr/lib/os-release", 0o666),
            &["files-world-writable"],
        ),
        (
            "secret left behind",
            |root| {
                let key = ["-----BEGIN ", "PRIVATE KEY-----\nMIIE\n"].concat();
                root.file("root/signing.pem", key);
            },
            &["secrets-absent"],
        ),
        (
            "Flatpak list of another configuration",
            |root| {
                root.file(crate::customize::flatpak::PATH, "[Flatpak Preinstall a.b.c]\n");
            },
            &["flatpak-lists"],
        ),
        (
            "identity of the base",
            |root| {
                root.file("usr/lib/os-release", "ID=aurora\nIMAGE_ID=\"aurora\"\n");
            },
            &["identity-os-release"],
        ),
        (
            "no image.json",
            |root| delete(root, customize::identity::IMAGE_JSON),
            &["identity-image-json"],
        ),
        (
            "var/run is a folder",
            |root| {
                delete(root, "var/run");
                root.dir("var/run");
            },
            &["layout-var-run"],
        ),
        (
            "usr/etc beside etc",
            |root| {
                root.file("usr/etc/x", "");
            },
            &["layout-usr-etc"],
        ),
        (
            "file name that is not UTF-8",
            |root| {
                use std::os::unix::ffi::OsStrExt as _;
                let name = std::ffi::OsStr::from_bytes(b"usr/\xff");
                fs::write(root.path().as_std_path().join(name), "").unwrap();
            },
            &["files-utf8"],
        ),
    ];
    let config = config(CONFIG);
    for (name, seed, expected) in table {
        let root = image(&config);
        seed(&root);
        let label = if *name == "label of another kernel" { "6.18.0" } else { KERNEL };
        let report = run(&root, &config, Some(label), &tools());
        assert_eq!(&faults(&report), expected, "{name}\n{}", report.text());
        assert!(!report.passed, "{name}");
    }
}

#[test]
fn second_kernel_fails_its_check_and_makes_what_depends_on_it_unknown() {
    let config = config(CONFIG);
    let root = image(&config);
    root.kernel("6.18.0");
    let report = run(&root, &config, Some(KERNEL), &tools());
    assert_eq!(detail(&report, "kernel-single").status, Status::Failed);
    assert_eq!(detail(&report, "module-present").status, Status::Unknown);
    assert!(!report.passed);
}

#[test]
fn wanted_and_unwanted_rpms_are_asked_for_and_no_answer_is_not_absence() {
    let config = config(CONFIG);
    let root = image(&config);
    let swapped = tools().with("chroot", chroot(&["firefox"]));
    assert_eq!(faults(&run(&root, &config, None, &swapped)), ["rpm-added", "rpm-removed"]);
    let broken = tools().with("chroot", |_| failed("error: cannot open Packages database"));
    let report = run(&root, &config, None, &broken);
    assert_eq!(detail(&report, "rpm-removed").status, Status::Unknown);
    assert!(!report.passed);
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
fn unsigned_module_is_a_fault_where_the_configuration_asks_for_a_signature() {
    let plain = config(CONFIG);
    let root = image(&plain);
    let strict = config(&format!("{CONFIG}\nsigning: {{module: true}}"));
    let report = run(&root, &strict, None, &tools());
    assert_eq!(detail(&report, "module-signature").status, Status::Failed);
}

#[test]
fn image_without_the_driver_is_not_asked_for_it() {
    let config = config("maccel: {enabled: false}");
    let root = Root::new();
    root.kernel(KERNEL);
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
    set_mode(&root, "usr/bin/maccel", 0o644);
    let report = run(&root, &config, None, &tools());
    assert!(report.headline().starts_with("not verified, 1 fault: "), "{}", report.headline());
    let line = "FAILED   programs-executable   programs in place and executable: not as it should \
                be: /usr/bin/maccel is not executable by everyone\n";
    assert!(report.text().contains(line), "{}", report.text());
    let row = "| FAILED | `programs-executable` | programs in place and executable | not as it \
               should be: /usr/bin/maccel is not executable by everyone |\n";
    assert!(report.markdown().contains(row), "{}", report.markdown());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["format"], 1);
}
