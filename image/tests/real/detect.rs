// SPDX-License-Identifier: MIT OR Apache-2.0
//! Change detection and bases, with a real registry.

use std::process::Command;

use serde_json::Value;

use crate::place::{DATE, Place};
use crate::{both, output, run};

/// A base of a few files at the place's registry; `mark` is what tells it from others. Returns its
/// digest.
fn base(place: &Place, mark: &str) -> String {
    place.write(&format!("base-{mark}/mark"), mark);
    let container = run(place.command("buildah").args(["from", "scratch"]));
    let folder = place.path(&format!("base-{mark}"));
    run(place.command("buildah").args(["add", "--quiet", &container]).arg(folder));
    let label = "ostree.linux=6.17.1-300.fc43.x86_64";
    run(place.command("buildah").args(["config", "--label", label, &container]));
    let name = format!("localhost/base:{mark}");
    run(place.command("buildah").args(["commit", "--quiet", "--rm", &container, &name]));
    let reference = format!("docker://{}/base/aurora:stable", place.host);
    let from = format!("containers-storage:{name}");
    run(place.command("skopeo").args([
        "copy",
        "--quiet",
        "--dest-tls-verify=false",
        &from,
        &reference,
    ]));
    run(place.command("skopeo").args([
        "inspect",
        "--tls-verify=false",
        "--no-tags",
        "--format={{.Digest}}",
        &reference,
    ]))
}

/// Makes the place the repository of an image, with a program that is copied into it.
fn repository(place: &Place) {
    place.write("Containerfile", "FROM scratch\nCOPY agent /agent\n");
    place.write("agent/main.rs", "1");
    run(place.command("git").args(["init", "--quiet"]));
    commit(place);
}

fn commit(place: &Place) {
    run(place.command("git").args(["add", "Containerfile", "agent"]));
    let identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
    let words = ["commit", "--quiet", "--no-gpg-sign", "--message=x"];
    run(place.command("git").args(identity).args(words));
}

fn detect(place: &Place, more: &[&str]) -> Command {
    let mut command = place.program(&["detect", "--insecure", "--json", "--outputs", "outputs"]);
    command.args(more);
    command
}

fn reasons(place: &Place, more: &[&str]) -> Vec<String> {
    let survey: Value = serde_json::from_str(&run(&mut detect(place, more))).unwrap();
    let reasons = survey["images"][0]["reasons"].as_array().unwrap().iter();
    reasons
        .map(|reason| {
            let name =
                reason["what"].as_str().unwrap_or_else(|| reason["reason"].as_str().unwrap());
            name.to_owned()
        })
        .collect()
}

#[test]
fn each_change_since_the_published_image_is_a_reason_by_name() {
    let place = Place::new("");
    place.config("");
    repository(&place);
    let digest = base(&place, "one");
    assert_eq!(reasons(&place, &[]), ["no-previous-metadata"]);
    // What a workflow's later jobs are told.
    let outputs = place.read("outputs");
    let matrix = outputs.lines().find_map(|line| line.strip_prefix("matrix=")).unwrap();
    let matrix: Value = serde_json::from_str(matrix).unwrap();
    let entry = &matrix["include"][0];
    assert_eq!(entry["base_digest"], digest.as_str());
    assert!(entry["date"].as_str().unwrap().ends_with('Z'), "{entry:#}");
    let facts = ["--base-digest", &digest, "--sources", entry["sources"].as_str().unwrap()];
    let built = place.build_with("one", &facts, |_| ());
    run(&mut place.publish(&built, &[]));
    assert_eq!(reasons(&place, &[]), [""; 0]);
    let outputs = place.read("outputs");
    assert!(outputs.contains("should_build=false\n"), "{outputs}");
    assert!(outputs.contains(&format!("aurora_version={digest}\n")), "{outputs}");
    assert_eq!(reasons(&place, &["--push"]), ["push"]);
    assert_eq!(reasons(&place, &["--force=true", "--push=false"]), ["forced"]);
    place.config("packages: {add_rpm: [vim]}");
    assert_eq!(reasons(&place, &[]), ["configuration"]);
    place.config("");
    // Pushed, and the build of that push failed: the next run is not a push.
    place.write("agent/main.rs", "2");
    commit(&place);
    assert_eq!(reasons(&place, &[]), ["sources"]);
    base(&place, "two");
    assert_eq!(reasons(&place, &[]), ["base-digest", "sources"]);
}

#[test]
fn registry_that_is_gone_is_a_failure_and_no_answer() {
    let mut place = Place::new("");
    place.config("");
    repository(&place);
    base(&place, "one");
    place.stop_registry();
    let ended = output(&mut detect(&place, &[]));
    assert_eq!(ended.status.code(), Some(5), "{}", both(&ended));
    assert!(both(&ended).contains("no answer about "), "{}", both(&ended));
    assert!(!place.path("outputs").exists());
}

#[test]
fn kernel_of_a_base_is_told_by_the_registry_without_a_pull() {
    let place = Place::new("");
    place.config("");
    let digest = base(&place, "one");
    let told = run(&mut place.program(&["inspect", "--insecure", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["kernel"], "6.17.1-300.fc43.x86_64");
    assert_eq!(told["fedora"], 43);
    assert_eq!(told["digest"], digest.as_str());
}

/// The pin of the configuration is what is pulled, whatever the tag names by now.
#[test]
fn pinned_digest_reaches_from() {
    let place = Place::new("");
    place.config("");
    let pinned = base(&place, "old");
    base(&place, "new");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let build = |digest: &str| {
        let text = place
            .read("vespera-config.yaml")
            .replace("'}\nmaccel", &format!("', digest: '{digest}'}}\nmaccel"));
        let config = place.write("pinned.yaml", &text);
        let file = format!("{source}/Containerfile");
        output(place.program(&["build"]).arg(config).args([
            "--insecure",
            "--date",
            DATE,
            "--tag=localhost/pinned",
            &format!("--file={file}"),
            &format!("--context={source}"),
            "--",
            "--target=base",
            "--tls-verify=false",
            "--network=host",
        ]))
    };
    let built = build(&pinned);
    assert!(built.status.success(), "{}", both(&built));
    let container =
        run(place.command("buildah").args(["from", "--pull=never", "localhost/pinned"]));
    let root = run(place.command("buildah").args(["mount", &container]));
    assert_eq!(std::fs::read_to_string(format!("{root}/mark")).unwrap(), "old");
    run(place.command("buildah").args(["rm", &container]));
    let unknown = build(&format!("sha256:{}", "0".repeat(64)));
    assert_eq!(unknown.status.code(), Some(5), "{}", both(&unknown));
}
