// SPDX-License-Identifier: MIT OR Apache-2.0
//! One seeded fault for each test: what is seeded, and the checks that must see it.

use module_check::fixtures::ModuleBuilder;

use super::*;
use crate::modinfo;

/// Seeds one fault into a root that is fine and tells the checks that then fail.
fn seeded(seed: impl Fn(&Root)) -> Vec<&'static str> {
    seen(&config(CONFIG), Some(KERNEL), &tools(), seed)
}

fn seen(
    config: &Config,
    label: Option<&str>,
    tools: &FakeTools,
    seed: impl Fn(&Root),
) -> Vec<&'static str> {
    let root = image(config);
    seed(&root);
    let report = run(&root, config, label, tools);
    assert!(!report.passed, "{}", report.text());
    faults(&report)
}

#[test]
fn wrong_kernel_directory() {
    let found = seeded(|root| {
        let bytes = fs::read(root.path().join(module_path())).unwrap();
        delete(root, &module_path());
        root.file("usr/lib/modules/6.0.0/extra/maccel/maccel.ko.xz", bytes);
    });
    let expected = ["compression", "present", "signature", "symbols", "vermagic"];
    assert_eq!(found, expected.map(|check| format!("module-{check}")));
}

#[test]
fn two_kernels() {
    let root = image(&config(CONFIG));
    root.kernel("6.18.0");
    let report = run(&root, &config(CONFIG), Some(KERNEL), &tools());
    assert_eq!(detail(&report, "kernel-single").status, Status::Failed);
    // What depends on the one kernel is unknown, never fine.
    assert_eq!(detail(&report, "module-present").status, Status::Unknown);
    assert!(!report.passed);
}

#[test]
fn wrong_vermagic() {
    let found = seeded(|root| {
        let other = modinfo::compress(&module("6.17.1-301.fc43.x86_64")).unwrap();
        root.file(&module_path(), other);
    });
    assert_eq!(found, ["module-vermagic"]);
}

#[test]
fn truncated_module() {
    let found = seeded(|root| {
        let bytes = fs::read(root.path().join(module_path())).unwrap();
        root.file(&module_path(), &bytes[..bytes.len() / 2]);
    });
    let expected = ["compression", "signature", "symbols", "vermagic"];
    assert_eq!(found, expected.map(|check| format!("module-{check}")));
}

#[test]
fn missing_depmod() {
    let index = format!("usr/lib/modules/{KERNEL}/modules.dep");
    // Without an index, nobody knows which graphics driver there is, either.
    assert_eq!(seeded(|root| delete(root, &index)), ["module-index"]);
    let before_the_module = seeded(|root| {
        root.file(&index, "kernel/x.ko.xz:\n");
    });
    assert_eq!(before_the_module, ["module-index"]);
}

#[test]
fn unsigned_module() {
    let strict = config(&format!("{CONFIG}\nsigning: {{module: true}}"));
    let root = image(&config(CONFIG));
    let report = run(&root, &strict, None, &tools());
    assert_eq!(detail(&report, "module-signature").status, Status::Failed);
}

#[test]
fn signed_without_a_certificate_to_enrol() {
    let found = seeded(|root| {
        let module = ModuleBuilder::new(KERNEL).signed_by(7).bytes();
        root.file(&module_path(), modinfo::compress(&module).unwrap());
    });
    assert_eq!(found, ["module-signature"]);
}

#[test]
fn wrong_key() {
    use module_check::fixtures::signing::certificate;
    let with_certificate = |number: u8| {
        seen_or_fine(move |root| {
            let module = ModuleBuilder::new(KERNEL).signed_by(7).bytes();
            root.file(&module_path(), modinfo::compress(&module).unwrap());
            root.file(customize::module::CERTIFICATE, certificate(number));
        })
    };
    assert_eq!(with_certificate(8), ["module-signature"]);
    assert_eq!(with_certificate(7), [""; 0]);
}

fn seen_or_fine(seed: impl Fn(&Root)) -> Vec<&'static str> {
    let root = image(&config(CONFIG));
    seed(&root);
    faults(&run(&root, &config(CONFIG), Some(KERNEL), &tools()))
}

#[test]
fn module_changed_after_it_was_signed() {
    let found = seeded(|root| {
        let mut module = ModuleBuilder::new(KERNEL).crcs(true).signed_by(7).bytes();
        let place = module.windows(7).position(|part| part == b"license").unwrap();
        module[place + 8] ^= 1;
        root.file(&module_path(), modinfo::compress(&module).unwrap());
        let certificate = module_check::fixtures::signing::certificate(7);
        root.file("usr/share/vespera/module-signing.der", certificate);
    });
    assert_eq!(found, ["module-signature"]);
}

#[test]
fn wrong_xz_check() {
    let found = seeded(|root| {
        // As `xz` does it by itself: whole and readable, but not for the kernel.
        root.file(&module_path(), modinfo::fixtures::with_crc64(&module(KERNEL)));
    });
    assert_eq!(found, ["module-compression"]);
}

#[test]
fn symbol_of_another_kernel() {
    let found = seeded(|root| {
        let module = ModuleBuilder::new(KERNEL).crcs(true).bytes();
        root.file(&module_path(), modinfo::compress(&module).unwrap());
        let list = "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
                    0x00000009\tinput_event\tvmlinux\tEXPORT_SYMBOL\t\n";
        root.file(&format!("usr/lib/modules/{KERNEL}/symvers"), list);
    });
    assert_eq!(found, ["module-symbols"]);
}

#[test]
fn missing_udev_rule() {
    let found = seeded(|root| delete(root, "usr/lib/udev/rules.d/99-maccel.rules"));
    assert_eq!(found, ["payload-present"]);
}

#[test]
fn udev_rule_that_udev_refuses() {
    let strict = tools().with("udevadm", |_| failed("99-maccel.rules:1 Invalid key 'ACTON'."));
    assert_eq!(seen(&config(CONFIG), Some(KERNEL), &strict, |_| ()), ["udev-rules"]);
}

#[test]
fn group_missing() {
    let found = seeded(|root| {
        root.file("usr/lib/sysusers.d/vespera.conf", "u vespera-agent -\n");
    });
    assert_eq!(found, ["sysusers-group"]);
}

#[test]
fn run_folder_missing() {
    let found = seeded(|root| {
        root.file("usr/lib/tmpfiles.d/vespera.conf", "");
    });
    assert_eq!(found, ["tmpfiles-run"]);
}

#[test]
fn label_mismatch() {
    assert_eq!(seen(&config(CONFIG), Some("6.18.0"), &tools(), |_| ()), ["kernel-label"]);
}

#[test]
fn repository_left_on() {
    let found = seeded(|root| {
        root.file("etc/yum.repos.d/copr.repo", "[copr:x]\nname=x\n");
    });
    assert_eq!(found, ["repositories-off"]);
}

#[test]
fn rpm_still_present() {
    let both = tools().with("chroot", chroot(&["htop", "firefox"]));
    assert_eq!(seen(&config(CONFIG), None, &both, |_| ()), ["rpm-removed"]);
}

#[test]
fn rpm_missing() {
    let neither = tools().with("chroot", chroot(&[]));
    assert_eq!(seen(&config(CONFIG), None, &neither, |_| ()), ["rpm-added"]);
}

#[test]
fn rpm_database_that_gives_no_answer() {
    let broken = tools().with("chroot", |_| failed("error: cannot open Packages database"));
    let config = config(CONFIG);
    let report = run(&image(&config), &config, None, &broken);
    assert_eq!(detail(&report, "rpm-removed").status, Status::Unknown);
    assert!(!report.passed);
}

#[test]
fn cli_not_executable() {
    let found = seeded(|root| set_mode(root, "usr/bin/maccel", 0o644));
    assert_eq!(found, ["payload-present", "programs-executable"]);
}

#[test]
fn bad_unit() {
    let strict =
        tools().with("systemd-analyze", |_| failed("vespera-module.service:3: Unknown key 'Foo'"));
    assert_eq!(seen(&config(CONFIG), None, &strict, |_| ()), ["units-valid"]);
}

/// Each unit of the presets, not the module's alone; and one that a link keeps from starting.
#[test]
fn unit_not_enabled() {
    for (scope, unit) in
        [("system", "module.service"), ("system", "agent.service"), ("user", "notify.path")]
    {
        let link = format!("etc/systemd/{scope}/some.target.wants/vespera-{unit}");
        assert_eq!(seeded(|root| delete(root, &link)), ["units-enabled"], "{unit}");
    }
    let masked = seeded(|root| root.link("/dev/null", "etc/systemd/system/vespera-agent.service"));
    assert_eq!(masked, ["units-enabled"]);
}

/// The list in the image is the image's own word: what it leaves out is demanded all the same.
#[test]
fn rule_that_the_image_never_had() {
    let path = customize::identity::IMAGE_JSON;
    let forgotten = |root: &Root| {
        let mut told: serde_json::Value = serde_json::from_str(&root.read(path)).unwrap();
        told["payload"] = serde_json::json!([]);
        root.file(path, told.to_string());
    };
    let found = seeded(|root| {
        forgotten(root);
        delete(root, "usr/lib/udev/rules.d/99-maccel.rules");
    });
    assert_eq!(found, ["payload-present"]);
    // Nor is what it does not list left unread.
    let strict = tools().with("udevadm", |_| failed("99-maccel.rules:1 Invalid key 'ACTON'."));
    assert_eq!(seen(&config(CONFIG), Some(KERNEL), &strict, forgotten), ["udev-rules"]);
}

#[test]
fn bad_dbus_policy() {
    let path = "usr/share/dbus-1/system.d/org.vespera.Agent1.conf";
    for text in
        ["<busconfig>", "<node/>", "<busconfig><policy><allow owns='x'/></policy></busconfig>"]
    {
        let found = seeded(|root| {
            root.file(path, text);
        });
        assert_eq!(found, ["dbus-files"], "{text}");
    }
}

#[test]
fn world_writable_file() {
    let found = seeded(|root| set_mode(root, "usr/lib/os-release", 0o666));
    assert_eq!(found, ["files-world-writable"]);
}

#[test]
fn secret_left_behind() {
    let key = ["-----BEGIN ", "PRIVATE KEY-----\nMIIE\n"].concat();
    let found = seeded(|root| {
        root.file("root/signing.pem", &key);
    });
    assert_eq!(found, ["secrets-absent"]);
}

/// A key that a later layer hides, one in the history, and storage that tells no layers.
#[test]
fn secret_left_in_a_layer() {
    let config = config(CONFIG);
    let (root, tools) = (image(&config), tools());
    let labels = crate::plan::labels(&config, &crate::plan::Facts::default(), "base");
    let (clean, dirty) = (Root::new(), Root::new());
    clean.file("usr/bin/x", "program");
    dirty.file("usr/lib/x/y.key", ["-----BEGIN ", "EC PRIVATE KEY-----\nMIIE\n"].concat());
    let status = |config_text: &str, layers: &[Utf8PathBuf]| {
        let facts = crate::plan::Facts::default();
        let packed = Packed { labels: &labels, facts: &facts, config: config_text, layers };
        let (root, label, image) = (root.path(), Some(KERNEL), Some(&packed));
        let report = verify(&Subject { root, config: &config, label, image, tools: &tools });
        assert_eq!(detail(&report, "labels-image").status, Status::Ok, "{}", report.text());
        let found = detail(&report, "secrets-layers");
        (found.status, found.detail.clone())
    };
    let [clean, dirty] = [clean.path().to_owned(), dirty.path().to_owned()];
    assert_eq!(status("{}", std::slice::from_ref(&clean)).0, Status::Ok);
    let (found, text) = status("{}", &[clean.clone(), dirty]);
    assert_eq!(found, Status::Failed);
    assert!(text.contains("/usr/lib/x/y.key (layer 2 from the top)"), "{text}");
    let history = ["ENV KEY=-----BEGIN ", "PRIVATE KEY-----\\nMIIE"].concat();
    assert_eq!(status(&history, &[clean]).0, Status::Failed);
    assert_eq!(status("{}", &[]).0, Status::Unknown);
}

#[test]
fn labels_of_the_base() {
    let config = config(CONFIG);
    let (root, tools, layer) = (image(&config), tools(), Root::new());
    let mut labels = crate::plan::labels(&config, &crate::plan::Facts::default(), "base");
    labels.insert("org.vespera.gpu.variant".to_owned(), "nvidia-open".to_owned());
    labels.insert("org.vespera.aurora.digest".to_owned(), "sha256:other".to_owned());
    let layers = [layer.path().to_owned()];
    let facts = crate::plan::Facts {
        base_digest: Some("sha256:base".into()),
        driver: Some("tree".into()),
        ..Default::default()
    };
    let packed = Packed { labels: &labels, facts: &facts, config: "{}", layers: &layers };
    let (root, label, image) = (root.path(), Some(KERNEL), Some(&packed));
    let report = verify(&Subject { root, config: &config, label, image, tools: &tools });
    assert_eq!(faults(&report), ["labels-image"], "{}", report.text());
    let text = &detail(&report, "labels-image").detail;
    assert!(text.contains("org.vespera.gpu.variant is nvidia-open, not main"), "{text}");
    assert!(text.contains("org.vespera.aurora.digest is sha256:other, not sha256:base"), "{text}");
    assert!(text.contains("org.vespera.maccel.commit is absent, not tree"), "{text}");
}

#[test]
fn policy_that_enforces_nothing() {
    let key = customize::policy::KEY;
    let strict = config(&format!("{CONFIG}\nsigning: {{image: true}}"));
    assert_eq!(seen(&strict, Some(KERNEL), &tools(), |_| ()), ["signature-policy"]);
    let without_an_entry = seeded(|root| {
        root.file(key, "PUBLIC");
    });
    assert_eq!(without_an_entry, ["signature-policy"]);
    // Written by the stage itself, it is fine.
    let root = image(&config(CONFIG));
    let public = root.file("tmp/cosign.pub", "PUBLIC");
    let facts = BuildFacts {
        name: "vespera".into(),
        reference: Some("ghcr.io/me/vespera".into()),
        ..BuildFacts::default()
    };
    let report: &mut Vec<String> = &mut Vec::new();
    customize::identity::write(root.path(), &config(CONFIG), KERNEL, &facts, report).unwrap();
    customize::policy::write(root.path(), "ghcr.io/me/vespera", &public, report).unwrap();
    let report = run(&root, &config(CONFIG), Some(KERNEL), &tools());
    assert_eq!(detail(&report, "signature-policy").status, Status::Ok, "{}", report.text());
    assert!(report.passed, "{}", report.text());
}

#[test]
fn lint_of_bootc_itself() {
    let strict = tools().with("chroot", |args| match args {
        [_, "bootc", ..] => failed("Lint failed: kernel"),
        _ => chroot(&["htop"])(args),
    });
    let found = seen(&config(CONFIG), None, &strict, |root| {
        root.file("usr/bin/bootc", "program");
    });
    assert_eq!(found, ["bootc-lint"]);
}

#[test]
fn graphics_driver_of_another_variant() {
    let nvidia = config(&format!("base: {{gpu_variant: nvidia-open}}\n{CONFIG}"));
    assert_eq!(seen(&nvidia, Some(KERNEL), &tools(), |_| ()), ["graphics-variant"]);
    let found = seeded(|root| {
        let index = format!("usr/lib/modules/{KERNEL}/modules.dep");
        let own = root.read(&index);
        root.file(&index, format!("extra/nvidia/nvidia.ko.xz:\n{own}"));
    });
    assert_eq!(found, ["graphics-variant"]);
}

#[test]
fn flatpak_list_of_another_configuration() {
    let found = seeded(|root| {
        root.file(crate::customize::flatpak::PATH, "[Flatpak Preinstall a.b.c]\n");
    });
    assert_eq!(found, ["flatpak-lists"]);
}

/// The unit runs as root on every host; nobody but the configuration says what it does.
#[test]
fn flatpak_removal_of_another_configuration() {
    use crate::customize::flatpak::{REMOVAL, REMOVAL_LINK};
    let removing = config(&format!("{}\n", CONFIG.replace("add_flatpak", "remove_flatpak")));
    let report = run(&image(&removing), &removing, Some(KERNEL), &tools());
    assert!(report.passed, "{}", report.text());
    let another = |root: &Root| {
        root.file(REMOVAL, root.read(REMOVAL).replace("org.mozilla.firefox", "org.kde.kate"));
    };
    let not_started = |root: &Root| delete(root, REMOVAL_LINK);
    for seed in [&another as &dyn Fn(&Root), &not_started] {
        assert_eq!(seen(&removing, Some(KERNEL), &tools(), seed), ["flatpak-lists"]);
    }
    let unasked = seeded(|root| {
        root.file(REMOVAL, "[Service]\nExecStart=/usr/bin/true\n");
    });
    assert_eq!(unasked, ["flatpak-lists"]);
}

#[test]
fn identity_of_the_base() {
    let found = seeded(|root| {
        root.file("usr/lib/os-release", "ID=aurora\nIMAGE_ID=\"aurora\"\n");
    });
    assert_eq!(found, ["identity-os-release"]);
}

#[test]
fn no_image_json() {
    let found = seeded(|root| delete(root, customize::identity::IMAGE_JSON));
    assert!(found.contains(&"identity-image-json"), "{found:?}");
}

#[test]
fn fatal_lints_of_bootc() {
    type Seed = fn(&Root);
    let table: &[(&str, Seed)] = &[
        ("layout-var-run", |root| {
            delete(root, "var/run");
            root.dir("var/run");
        }),
        ("layout-usr-etc", |root| {
            root.dir("usr/etc");
        }),
        ("layout-api-folders", |root| fs::remove_dir(root.path().join("proc")).unwrap()),
        ("layout-ostree", |root| delete(root, "ostree")),
        ("kernel-arguments", |root| {
            root.file("usr/lib/bootc/kargs.d/10-x.toml", "kargs = \"quiet\"\n");
        }),
        ("files-utf8", |root| {
            use std::os::unix::ffi::OsStrExt as _;
            let name = std::ffi::OsStr::from_bytes(b"usr/\xff");
            fs::write(root.path().as_std_path().join(name), "").unwrap();
        }),
        ("files-utf8", |root| {
            use std::os::unix::ffi::OsStrExt as _;
            let target = std::ffi::OsStr::from_bytes(b"/usr/\xff");
            std::os::unix::fs::symlink(target, root.path().join("usr/link")).unwrap();
        }),
    ];
    for (check, seed) in table {
        assert_eq!(seeded(seed), [*check]);
    }
}
