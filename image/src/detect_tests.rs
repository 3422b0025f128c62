// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::plan::labels;

fn config(text: &str) -> Config {
    Config::parse("c.yaml", text).unwrap().0
}

fn facts() -> Facts {
    Facts {
        date: Some("2026-11-22T02:00:00Z".into()),
        base_digest: Some("sha256:base".into()),
        driver: Some("tree".into()),
        kernel: Some("6.17.1".into()),
        builder_digest: Some("sha256:builder".into()),
        sources: Some("sources".into()),
        ..Facts::default()
    }
}

/// The labels that a build with these inputs would have published.
fn published(text: &str, facts: &Facts) -> Previous {
    Previous::Labels(labels(&config(text), facts, "base"))
}

fn reasons(decision: &Decision) -> Vec<&'static str> {
    decision
        .reasons
        .iter()
        .map(|reason| match reason {
            Reason::Forced => "forced",
            Reason::Push => "push",
            Reason::NoPreviousMetadata => "no-previous-metadata",
            Reason::Changed { what, .. } => what,
        })
        .collect()
}

/// Each history: its name, the change of configuration, the change of facts, the reasons.
#[test]
fn every_history_gives_its_reasons_by_name() {
    type Change = fn(&mut Facts);
    let histories: &[(&str, &str, Change, &[&str])] = &[
        ("nothing changed", "", |_| (), &[]),
        ("a day later", "", |f| f.date = Some("2026-11-23T02:00:00Z".into()), &[]),
        ("only a comment", "# new comment\n", |_| (), &[]),
        ("base moved", "", |f| f.base_digest = Some("sha256:new".into()), &["base-digest"]),
        ("driver changed", "", |f| f.driver = Some("other".into()), &["driver-commit"]),
        ("builder moved", "", |f| f.builder_digest = Some("x".into()), &["builder-digest"]),
        ("push whose build failed", "", |f| f.sources = Some("other".into()), &["sources"]),
        ("kernel changed", "", |f| f.kernel = Some("6.18.0".into()), &["kernel"]),
        (
            "graphics variant",
            "base: {gpu_variant: nvidia-open}",
            |_| (),
            &["gpu-variant", "configuration"],
        ),
        ("variant", "base: {variant: aurora-dx}", |_| (), &["aurora-variant", "configuration"]),
        ("strategy", "build: {strategy: matrix}", |_| (), &["build-strategy", "configuration"]),
        ("packages", "packages: {add_rpm: [vim]}", |_| (), &["configuration"]),
        (
            "driver switched off",
            "maccel: {enabled: false}",
            |_| (),
            &["driver-commit", "configuration"],
        ),
        (
            "base and driver at once",
            "",
            |f| {
                f.base_digest = Some("sha256:new".into());
                f.driver = Some("other".into());
            },
            &["base-digest", "driver-commit"],
        ),
        ("question not asked is not compared", "", |f| f.builder_digest = None, &[]),
    ];
    let previous = published("", &facts());
    for (name, text, change, expected) in histories {
        let mut now = facts();
        change(&mut now);
        let decision = decide(&config(text), &now, Trigger::default(), &previous);
        assert_eq!(&reasons(&decision), expected, "{name}");
        assert_eq!(decision.should_build, !expected.is_empty(), "{name}");
    }
}

#[test]
fn force_push_and_missing_metadata_are_reasons_beside_the_others() {
    let trigger = Trigger { forced: true, push: true };
    let same = decide(&config(""), &facts(), trigger, &published("", &facts()));
    assert_eq!(reasons(&same), ["forced", "push"]);
    let absent = decide(&config(""), &facts(), Trigger::default(), &Previous::Absent);
    assert_eq!(reasons(&absent), ["no-previous-metadata"]);
    let labels_of_the_base = BTreeMap::from([("ostree.linux".to_owned(), "6.17.1".to_owned())]);
    let foreign = Previous::Labels(labels_of_the_base);
    let decision = decide(&config(""), &facts(), Trigger::default(), &foreign);
    assert_eq!(reasons(&decision), ["no-previous-metadata"]);
}

#[test]
fn outputs_have_the_eight_names_that_later_jobs_read() {
    let decision = decide(
        &config("base: {variant: aurora-dx, gpu_variant: nvidia-open}"),
        &facts(),
        Trigger::default(),
        &Previous::Absent,
    );
    let expected = [
        ("aurora_variant", "aurora-dx"),
        ("aurora_version", "sha256:base"),
        ("build_date", "20261122"),
        ("build_strategy", "single"),
        ("gpu_variant", "nvidia-open"),
        ("maccel_commit", "tree"),
        ("should_build", "true"),
        ("vespera_image_name", "vespera-dx-nvidia-open"),
    ];
    let outputs: Vec<(&str, &str)> =
        decision.outputs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    assert_eq!(outputs, expected);
}

#[test]
fn text_shows_what_changed_from_what_to_what() {
    let now = Facts { base_digest: Some("sha256:new".into()), ..facts() };
    let previous = published("", &facts());
    let decision = decide(&config(""), &now, Trigger::default(), &previous);
    assert_eq!(decision.text(), "build, since base-digest: sha256:base -> sha256:new\n");
    let same = decide(&config(""), &facts(), Trigger::default(), &previous);
    assert!(same.text().starts_with("no build"));
}
