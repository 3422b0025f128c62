// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the layer cache of the real buildah takes for the same step.
//!
//! Small builds of the shape of ours: a stage that makes something, its hash copied into the image,
//! a step that mounts the stage. The hash is made by the Containerfile's own step.

use serde_json::Value;

use crate::built::{first, shared};
use crate::place::{Place, SOURCE};
use crate::run;

/// The stages that other layers stand on.
const STAGES: [&str; 2] = ["tool", "programs"];

/// The step of the Containerfile that makes the hash of a stage.
fn hash_of(stage: &str) -> String {
    let containerfile = std::fs::read_to_string(format!("{SOURCE}/Containerfile")).unwrap();
    let whole = containerfile.replace("\\\n", " ");
    let (_, steps) = whole.split_once(&format!(" AS {stage}\n")).unwrap();
    steps.lines().find(|line| line.contains("> /out.sha256")).unwrap().to_owned()
}

fn buildah(place: &Place, args: &[&str]) -> String {
    run(shared(place.command("buildah")).args(args))
}

/// Builds `name` out of the folder of that name.
fn build(place: &Place, name: &str) -> String {
    let folder = place.path(name);
    let tag = format!("localhost/{name}");
    let mut args = vec!["build", "--pull=never", "--network=host", "--layers", "--force-rm"];
    args.extend(["--tag", &tag, folder.to_str().unwrap()]);
    buildah(place, &args)
}

/// A change and its revert: the layer cache of older buildahs does not look into a mounted stage,
/// and would take what the change had made.
#[test]
fn program_that_came_back_by_a_revert_is_the_one_that_is_installed() {
    let place = Place::new("");
    let base = first().reference;
    for stage in STAGES {
        let text = format!(
            "FROM {base} AS made\nLABEL stage={stage}\nCOPY program /out/program\n{hash}\n\
             FROM {base}\nCOPY --from=made /out.sha256 /usr/share/built-from\n\
             RUN --mount=type=bind,from=made,source=/out,target=/ctx \
                 cp /ctx/program /usr/share/\n",
            hash = hash_of(stage)
        );
        place.write("reverted/Containerfile", &text);
        for program in ["one", "another", "one"] {
            place.write("reverted/program", program);
            let said = build(&place, "reverted");
            let container = buildah(&place, &["from", "--pull=never", "localhost/reverted"]);
            let root = buildah(&place, &["mount", &container]);
            let installed = std::fs::read_to_string(format!("{root}/usr/share/program")).unwrap();
            buildah(&place, &["rm", &container]);
            assert_eq!(installed, program, "{stage}: {said}");
        }
    }
    buildah(&place, &["rmi", "localhost/reverted"]);
}

/// A stage made again from other sources, byte for byte the same, is mounted without a look into
/// the cache. Two layers lay under one key then, and a later build took either: hosts had to
/// download all programs for a new driver.
#[test]
fn stage_that_came_out_as_before_leaves_no_second_layer_under_the_same_key() {
    let place = Place::new("");
    let base = first().reference;
    for stage in STAGES {
        let text = format!(
            "FROM {base} AS made\nCOPY source /source\n\
             RUN mkdir /out && echo {stage} > /out/program\n{hash}\n\
             FROM {base}\nCOPY --from=made /out.sha256 /usr/share/built-from\n\
             RUN --mount=type=bind,from=made,source=/out,target=/ctx \
                 cp /ctx/program /usr/share/\n\
             COPY driver /usr/share/driver\n",
            hash = hash_of(stage)
        );
        place.write("rebuilt/Containerfile", &text);
        let layers = |source: &str, driver: &str| {
            place.write("rebuilt/source", source);
            place.write("rebuilt/driver", driver);
            build(&place, "rebuilt");
            layers_of(&place, "localhost/rebuilt")
        };
        let before = layers("one", "old");
        let old = layers("another", "old");
        let new = layers("another", "new");
        let copied = before.len() - 3;
        assert_eq!(before[..copied], old[..copied], "{stage}");
        assert_ne!(before[copied], old[copied], "{stage}: the key of the programs");
        assert_eq!(old[..copied + 2], new[..copied + 2], "{stage}");
        assert_ne!(old[copied + 2], new[copied + 2], "{stage}");
    }
    buildah(&place, &["rmi", "localhost/rebuilt"]);
}

/// The layers of a stored image, the base's first.
fn layers_of(place: &Place, image: &str) -> Vec<String> {
    let said = buildah(place, &["inspect", "--type=image", image]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let layers = said["OCIv1"]["rootfs"]["diff_ids"].as_array().unwrap();
    layers.iter().map(|layer| layer.as_str().unwrap().to_owned()).collect()
}
