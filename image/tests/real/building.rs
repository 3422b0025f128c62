// SPDX-License-Identifier: MIT OR Apache-2.0
//! The repository's own Containerfile and the real buildah, as far as its first stage: which base
//! a build starts from, what its labels are, what a person's options do.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::place::{DATE, Place, SOURCE};
use crate::{both, output, run};

/// Images of one file each in storage, under the names of Aurora's own.
fn auroras(place: &Place) {
    for name in ["aurora", "aurora-dx", "aurora-nvidia-open", "aurora-dx-nvidia-open"] {
        place.write(&format!("{name}/mark"), name);
        let container = run(place.command("buildah").args(["from", "scratch"]));
        run(place.command("buildah").args(["add", "--quiet", &container]).arg(place.path(name)));
        let reference = format!("ghcr.io/ublue-os/{name}:stable");
        run(place.command("buildah").args(["commit", "--quiet", "--rm", &container, &reference]));
    }
}

/// The mark of the image of this name.
fn mark(place: &Place, image: &str) -> String {
    let container = run(place.command("buildah").args(["from", "--pull=never", image]));
    let root = run(place.command("buildah").args(["mount", &container]));
    let mark = fs::read_to_string(format!("{root}/mark")).unwrap();
    run(place.command("buildah").args(["rm", &container]));
    mark
}

/// The command lines that people know: the arguments alone choose the base.
#[test]
fn arguments_choose_the_base_as_aurora_names_its_images() {
    let place = Place::new("");
    auroras(&place);
    for (arguments, expected) in [
        (&[][..], "aurora"),
        (&["AURORA_VARIANT=aurora-dx"], "aurora-dx"),
        (&["GPU_VARIANT=main"], "aurora"),
        (&["GPU_VARIANT=nvidia-open"], "aurora-nvidia-open"),
        (&["AURORA_VARIANT=aurora-dx", "GPU_VARIANT=nvidia-open"], "aurora-dx-nvidia-open"),
    ] {
        let mut build = place.command("buildah");
        build.args(["build", "--pull=never", "--quiet", "--target=base", "--tag=localhost/chosen"]);
        build.args(arguments.iter().map(|argument| format!("--build-arg={argument}")));
        run(build.arg(SOURCE));
        assert_eq!(mark(&place, "localhost/chosen"), expected, "{arguments:?}");
    }
}

fn labels(place: &Place, image: &str) -> Value {
    let storage = format!("containers-storage:{image}");
    let told = run(place.command("skopeo").args(["inspect", "--no-tags", &storage]));
    serde_json::from_str::<Value>(&told).unwrap()["Labels"].clone()
}

fn build(place: &Place, words: &[&str], more: &[&str]) -> Command {
    let mut command = place.program(&["build", "vespera-config.yaml", "--offline"]);
    command.args(words).arg("--").args(["--pull=never", "--network=host"]).args(more);
    command
}

#[test]
fn labels_of_a_built_image_are_those_of_its_plan() {
    let place = Place::new("");
    auroras(&place);
    place.write("vespera-config.yaml", "base: {variant: aurora-dx}\n");
    let (file, context) = (format!("--file={SOURCE}/Containerfile"), format!("--context={SOURCE}"));
    let facts = [
        "--date",
        DATE,
        "--revision",
        "0123",
        "--driver",
        "tree",
        "--kernel",
        "6.17.1",
        "--tag",
        "localhost/labelled",
        &file,
        &context,
    ];
    run(&mut build(&place, &facts, &["--target=base"]));
    let labels = labels(&place, "localhost/labelled");
    for (key, value) in [
        ("org.vespera.build.date", DATE),
        ("org.vespera.aurora.variant", "aurora-dx"),
        ("org.vespera.gpu.variant", "main"),
        ("org.vespera.image.variant", "vespera-dx"),
        ("org.vespera.maccel.commit", "tree"),
        ("org.vespera.kernel.release", "6.17.1"),
        ("ostree.linux", "6.17.1"),
        ("org.opencontainers.image.revision", "0123"),
        ("org.opencontainers.image.title", "vespera-dx"),
    ] {
        assert_eq!(labels[key], value, "{key}: {labels:#}");
    }
    assert_eq!(mark(&place, "localhost/labelled"), "aurora-dx");
}

#[test]
fn options_of_a_person_do_what_they_say() {
    let place = Place::new("");
    place.write("vespera-config.yaml", "");
    place.write("one", "1");
    place.write("two", "2");
    place.write("Containerfile", "FROM scratch\nARG NAME\nCOPY one /${NAME}\nCOPY two /two\n");
    let layers = |image: &str| {
        let storage = format!("containers-storage:{image}");
        let told = run(place.command("skopeo").args(["inspect", "--no-tags", &storage]));
        let told: Value = serde_json::from_str(&told).unwrap();
        told["Layers"].as_array().unwrap().len()
    };
    let own = ["--tag=localhost/own", "--build-arg", "NAME=renamed", "--log", "build.log"];
    let first = output(&mut build(&place, &own, &[]));
    assert!(first.status.success(), "{}", both(&first));
    let said = both(&first);
    assert_eq!(said.matches("free space: ").count(), 2, "{said}");
    assert!(said.lines().last().unwrap().starts_with("built vespera in "), "{said}");
    assert!(place.read("build.log").contains("COPY one /${NAME}"), "{said}");
    assert_eq!(layers("localhost/own"), 2);
    let container = run(place.command("buildah").args(["from", "--pull=never", "localhost/own"]));
    let root = run(place.command("buildah").args(["mount", &container]));
    assert_eq!(fs::read_to_string(format!("{root}/renamed")).unwrap(), "1");
    run(place.command("buildah").args(["rm", &container]));
    let again = both(&output(&mut build(&place, &own, &[])));
    assert!(again.contains("Using cache"), "{again}");
    let clean = ["--no-cache", "--tag=localhost/own", "--build-arg", "NAME=renamed", "--jobs", "2"];
    let clean = both(&output(&mut build(&place, &clean, &[])));
    assert!(!clean.contains("Using cache"), "{clean}");
    let told = ["--json", "--tag=localhost/own", "--build-arg", "NAME=renamed"];
    let told: Value = serde_json::from_str(&run(&mut build(&place, &told, &[]))).unwrap();
    assert_eq!((&told["name"], &told["names"][0]), (&"vespera".into(), &"localhost/own".into()));
    let squashed = ["--squash", "--tag=localhost/squashed", "--build-arg", "NAME=renamed"];
    run(&mut build(&place, &squashed, &[]));
    assert_eq!(layers("localhost/squashed"), 1);
}

/// A runner starts without any layer. What did not change must be the same layer all the same, or
/// hosts download everything with every build.
#[test]
fn layers_of_the_last_build_are_found_by_a_machine_that_starts_empty() {
    let place = Place::new("");
    place.config("");
    place.write("Containerfile", "FROM scratch\nCOPY same /same\nCOPY driver /driver\n");
    let storage = place.read("storage.conf");
    let built = |driver: &str, folder: &str| -> Vec<String> {
        place.write("driver", driver);
        // Other times, as a checkout has them: a layer made anew would be another one.
        place.write("same", "1");
        place.write("storage.conf", &storage.replace("/storage\"", &format!("/{folder}\"")));
        let words = ["--layer-cache", "--tag=localhost/cached"];
        run(&mut build(&place, &words, &["--tls-verify=false"]));
        let stored = "containers-storage:localhost/cached";
        let told = run(place.command("skopeo").args(["inspect", "--no-tags", stored]));
        let told: Value = serde_json::from_str(&told).unwrap();
        let layers = told["Layers"].as_array().unwrap().iter();
        layers.map(|layer| layer.as_str().unwrap().to_owned()).collect()
    };
    let first = built("1", "first");
    let second = built("2", "second");
    assert!(place.path("first").exists() && place.path("second").exists());
    assert_eq!(first[0], second[0]);
    assert_ne!(first[1], second[1]);
}

/// A failed build ends with what is known about its failure.
#[test]
fn build_that_fails_for_an_unknown_reason_keeps_its_log() {
    let place = Place::new("");
    place.write("vespera-config.yaml", "");
    place.write("Containerfile", "FROM localhost/not-there\n");
    let ended = output(&mut build(&place, &["--tag=localhost/none", "--log", "build.log"], &[]));
    assert_eq!(ended.status.code(), Some(1), "{}", both(&ended));
    assert!(both(&ended).contains("could not build vespera"), "{}", both(&ended));
    assert!(place.read("build.log").contains("not-there"), "{}", place.read("build.log"));
}
