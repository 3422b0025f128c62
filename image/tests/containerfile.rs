// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the Containerfile promises by its order: which change makes which layers anew.

// Every function here is a test, or serves one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// A stage: its name, or none for the last, and its instructions on one line each.
struct Stage {
    name: String,
    steps: Vec<String>,
}

fn stages() -> Vec<Stage> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Containerfile");
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for step in lines.join("\n").replace("\\\n", " ").lines() {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["FROM", _, "AS", name] => {
                stages.push(Stage { name: (*name).to_owned(), steps: Vec::new() });
            }
            ["FROM", ..] => stages.push(Stage { name: String::new(), steps: Vec::new() }),
            [] => {}
            _ => {
                if let Some(stage) = stages.last_mut() {
                    stage.steps.push(words.join(" "));
                }
            }
        }
    }
    stages
}

fn stage(name: &str) -> Stage {
    stages().into_iter().find(|stage| stage.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The stages that a step mounts.
fn mounted(step: &str) -> Vec<&str> {
    let mounts = step.split(' ').filter(|word| word.starts_with("--mount=type=bind,from="));
    mounts.map(|word| word["--mount=type=bind,from=".len()..].split(',').next().unwrap()).collect()
}

/// Older buildahs take a step from the layer cache whatever a mounted stage holds by then. They do
/// look at what is copied.
#[test]
fn hash_of_a_stage_is_copied_before_each_step_that_mounts_it() {
    // Neither is made here: one is named by an argument, the other is for builds without a network
    // and decides nothing.
    let foreign = ["headers", "crates"];
    let mut seen = 0;
    for stage in stages() {
        for (number, step) in stage.steps.iter().enumerate() {
            for from in mounted(step).into_iter().filter(|from| !foreign.contains(from)) {
                seen += 1;
                let copy = match from {
                    "kernel" => "COPY --from=base /usr/lib/os-release ".to_owned(),
                    _ => format!("COPY --from={from} /out.sha256 "),
                };
                let copied = stage.steps[..number].iter().any(|step| step.starts_with(&copy));
                assert!(copied, "`{step}` of the stage `{}` mounts {from} first", stage.name);
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

/// A stage that ends with LABEL, or with its FROM, is another one in every build, and what mounts
/// it is made anew (measured with buildah 1.43.2).
#[test]
fn stages_that_are_mounted_end_with_what_the_layer_cache_finds_again() {
    for name in ["kernel", "tool", "programs", "driver"] {
        let last = stage(name).steps.pop().unwrap();
        assert!(last.starts_with("RUN ") || last.starts_with("COPY "), "{name}: {last}");
    }
}

#[test]
fn every_hash_is_that_of_all_that_is_mounted_of_its_stage() {
    for name in ["tool", "programs", "driver"] {
        let steps = stage(name).steps;
        let last = steps.last().unwrap();
        let hash = "--directory=/out --file=/out.tar . && sha256sum < /out.tar > /out.sha256";
        assert!(last.contains(hash), "{name}: {last}");
    }
}

/// A stage that was made again from other sources, byte for byte the same, left two layers of
/// packages, or of programs, under one key; the next image took the older one, and the update of
/// a driver was 7 MB. What mounts the driver's stage is the last layer, which no other stands on.
#[test]
fn what_other_layers_stand_on_is_told_from_an_earlier_run_with_the_same_bytes() {
    for name in ["tool", "programs"] {
        let last = stage(name).steps.pop().unwrap();
        assert!(last.ends_with("&& cat /proc/sys/kernel/random/uuid >> /out.sha256"), "{last}");
    }
}

/// buildah 1.39 makes a file below /run for each step and takes it away again; the time of the
/// folder told two layers of the same programs from each other.
#[test]
fn run_is_no_part_of_the_layer_of_programs() {
    let steps = stage("").steps;
    let payload = steps.iter().find(|step| step.contains(" payload ")).unwrap();
    assert!(payload.contains("--mount=type=tmpfs,target=/run "), "{payload}");
}

/// A new program, or a new driver, does not install the packages again.
#[test]
fn packages_depend_on_the_tool_and_the_configuration_only() {
    let image = stage("").steps;
    let packages = image.iter().position(|step| step.ends_with(" packages")).unwrap();
    for step in &image[..=packages] {
        assert!(mounted(step).iter().all(|from| *from == "tool"), "{step}");
        assert!(!step.starts_with("COPY ") || step.starts_with("COPY --from=tool "), "{step}");
    }
    for path in copied("tool") {
        let own = ["Cargo.toml", "Cargo.lock", "image", "vespera-config.yaml"];
        let known = own.contains(&&*path) || path.starts_with("cosign");
        let crates = ["maccel-core", "module-check", "manual"];
        let known = known || crates.contains(&&*path);
        assert!(known || path.ends_with("/Cargo.toml"), "{path} is in the stage of the tool");
    }
}

/// What the steps of a stage copy out of the repository.
fn copied(name: &str) -> Vec<String> {
    let steps = stage(name).steps;
    let copies = steps.iter().filter_map(|step| step.strip_prefix("COPY "));
    let mut paths = Vec::new();
    for copy in copies.filter(|copy| !copy.starts_with("--from=")) {
        let words: Vec<&str> = copy.split(' ').collect();
        paths.extend(words[..words.len() - 1].iter().map(|&word| word.to_owned()));
    }
    paths
}

/// A stage without a member of the workspace, or with an empty crate that its program is compiled
/// of, fails only after minutes.
#[test]
fn stages_that_compile_have_every_member_and_what_the_tool_is_compiled_of() {
    let root: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
    let own: toml::Table = toml::from_str(include_str!("../Cargo.toml")).unwrap();
    for name in ["tool", "programs"] {
        let copied = copied(name);
        for member in root["workspace"]["members"].as_array().unwrap() {
            let member = member.as_str().unwrap();
            let there = copied.iter().any(|path| {
                member.starts_with(path.as_str()) || *path == format!("{member}/Cargo.toml")
            });
            assert!(there, "{member} is not in the stage {name}");
        }
    }
    let known = &root["workspace"]["dependencies"];
    for dependency in own["dependencies"].as_table().unwrap().keys() {
        if let Some(path) = known[dependency].get("path").and_then(toml::Value::as_str) {
            assert!(copied("tool").iter().any(|copied| copied == path), "{path}");
        }
    }
}

#[test]
fn what_changes_most_comes_last() {
    let image = stage("").steps;
    let place = |part: &str| image.iter().position(|step| step.contains(part)).unwrap();
    assert!(place(" packages") < place("--from=programs"));
    assert!(place(" payload --from ") < place(" finish"));
    assert!(place(" finish") < place("--from=driver"));
    // The date, and whatever else is another with every build.
    assert!(place(" finish") < place("ARG BUILD_DATE"));
    assert_eq!(place(" module --from "), image.len() - 1);
}
