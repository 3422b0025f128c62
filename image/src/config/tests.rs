// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn invalid(text: &str) -> Invalid {
    Config::parse("c.yaml", text).expect_err("must be refused")
}

/// The whole report for a file with one violation, as a person sees it.
fn report(text: &str) -> String {
    invalid(text).to_string()
}

#[test]
fn shipped_configuration_is_the_default_plus_htop() {
    let text = include_str!("../../../vespera-config.yaml");
    let (config, warnings) = Config::parse(FILE_NAME, text).unwrap();
    let mut expected = Config::from(&ConfigFile::default());
    expected.packages.add_rpm = vec!["htop".into()];
    assert_eq!(config, expected);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn older_key_set_parses_unchanged() {
    let text = r#"
base:
  variant: "aurora-dx"
  gpu_variant: "nvidia-open"
  registry: "ghcr.io/ublue-os"
packages:
  remove_rpm:
    - firefox
  add_rpm: [zsh]
  remove_flatpak: []
  add_flatpak:
    - org.mozilla.firefox
maccel:
  repository: "https://github.com/Gnarus-G/maccel"
  enabled: true
build:
  strategy: "matrix"
  registry: "docker.io"
  image_name: "username/vespera"
"#;
    let (config, warnings) = Config::parse("c.yaml", text).unwrap();
    assert_eq!(config.base.variant, Variant::AuroraDx);
    assert_eq!(config.base.gpu, Gpu::NvidiaOpen);
    assert_eq!(config.build.strategy, Strategy::Matrix);
    assert_eq!(config.build.owner.as_deref(), Some("username"));
    assert_eq!(config.build.image_name, "vespera");
    assert_eq!(config.maccel.source, Source::Bundled);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("maccel.repository is not read"), "{warnings:?}");
}

#[test]
fn sections_and_lists_without_a_value_are_their_defaults() {
    let (config, _) =
        Config::parse("c.yaml", "base:\npackages:\n  add_rpm:\n  # - htop\nbuild:\n").unwrap();
    assert_eq!(config, Config::from(&ConfigFile::default()));
    for empty in ["", "# nothing\n", "---\n"] {
        let (config, _) = Config::parse("c.yaml", empty).unwrap();
        assert_eq!(config, Config::from(&ConfigFile::default()));
    }
}

#[test]
fn retired_gpu_variant_is_answered_with_the_way_out() {
    let report = report("base:\n  gpu_variant: nvidia\n");
    assert_eq!(
        report,
        format!(
            "c.yaml:2:16: error: base.gpu_variant: {}\n   |\n 2 |   gpu_variant: nvidia\n   |                ^^^^^^",
            choice::RETIRED_GPU_REASON
        )
    );
    assert!(report.contains("use `nvidia-open`"));
}

#[test]
fn all_wrong_values_are_reported_at_once() {
    let text = "base:\n  variant: fedora\n  stream: stabel\n  digest: sha256:12\npackages:\n  \
                add_rpm: [htop, kernel-core, '-y']\n  add_flatpak: [firefox]\nmaccel:\n  source: git\n";
    let invalid = invalid(text);
    let found: Vec<(u64, &str)> =
        invalid.violations.iter().map(|v| (v.line, v.key.as_deref().unwrap_or("?"))).collect();
    assert_eq!(
        found,
        [
            (2, "base.variant"),
            (3, "base.stream"),
            (4, "base.digest"),
            (6, "packages.add_rpm.1"),
            (6, "packages.add_rpm.2"),
            (7, "packages.add_flatpak.0"),
            (9, "maccel.commit"),
            (9, "maccel.repository"),
        ]
    );
    let report = invalid.to_string();
    assert!(report.contains("`stabel` is not known; allowed: stable, latest, testing"), "{report}");
    assert!(report.contains("`kernel-core` cannot be changed"), "{report}");
    assert!(report.contains("`source: git` needs `commit`"), "{report}");
}

/// Name of the fault, file, line and column, a part of the message.
#[test]
fn wrong_shapes_name_place_and_what_is_allowed() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("unknown key", "base:\n  colour: red\n", "c.yaml:2:3: error:", "gpu_variant"),
        ("unknown section", "bse:\n  variant: aurora\n", "c.yaml:1:1: error:", "packages"),
        ("yes is no boolean", "maccel:\n  enabled: yes\n", "c.yaml:2:12: error:", "true, false"),
        (
            "key twice",
            "base:\n  stream: stable\n  stream: latest\n",
            "c.yaml:3:3: error:",
            "stream",
        ),
        ("word for a list", "packages:\n  add_rpm: htop\n", "c.yaml:2:12: error:", "sequence"),
    ];
    for (fault, text, place, part) in cases {
        let report = report(text);
        assert!(report.starts_with(place), "{fault}: {report}");
        assert!(report.contains(part), "{fault}: {report}");
        assert!(report.contains('^'), "{fault}: {report}");
    }
}

#[test]
fn wrong_shapes_and_wrong_values_come_all_at_once() {
    let text = "base:\n  colour: red\n  stream: stabel\n  size:\n    wide: 1\n    high: 2\n\
                packages:\n  add_rpm: htop\nbild:\n  registry: x\nmaccel:\n  enabled: yes\n";
    let places: Vec<_> = invalid(text)
        .violations
        .iter()
        .map(|violation| (violation.line, violation.column))
        .collect();
    assert_eq!(places, [(2, 3), (3, 11), (4, 3), (8, 12), (9, 1), (12, 12)]);
}

#[test]
fn what_is_no_yaml_is_told_once() {
    let report = report("base:\n  stream: 'stable\nbse:\n  colour: red\n");
    assert_eq!(report.matches("error:").count(), 1, "{report}");
}

#[test]
fn values_are_refused_with_what_would_be_right() {
    let cases: &[(&str, &str)] = &[
        ("base: {registry: 'https://ghcr.io'}", "without `https://`"),
        ("build: {strategy: all}", "`all` is not known; allowed: single, matrix"),
        ("base: {tag: '-x'}", "is not a tag"),
        ("build: {image_name: Vespera}", "lower-case letters"),
        ("build: {platforms: [linux/riscv64]}", "allowed: linux/amd64, linux/arm64"),
        ("build: {platforms: [linux/amd64, linux/arm64]}", "2 platforms; write exactly one"),
        ("build: {platforms: []}", "0 platforms; write exactly one"),
        ("maccel: {source: git, repository: 'https://h/r', commit: main}", "all 40 hexadecimal"),
        ("maccel: {source: git, repository: 'ftp://h/r', commit: x}", "is not a git repository"),
        ("packages: {add_rpm: [vim], remove_rpm: [vim]}", "keep each name in one list"),
        ("packages: {repositories: ['a b']}", "is not a repository identifier"),
    ];
    for (text, part) in cases {
        let report = report(text);
        assert!(report.contains(part), "{text}: {report}");
    }
}
