// SPDX-License-Identifier: MIT OR Apache-2.0
//! Images opened wherever they are, and compared.

use std::fs;

use serde_json::Value;

use crate::place::Place;
use crate::{both, output, run};

/// At a registry, in a layout, in storage: the same image, the same result.
#[test]
fn image_is_verified_wherever_it_is() {
    let place = Place::new("");
    place.config("");
    let name = place.build("one");
    let stored = format!("containers-storage:{name}");
    let pushed = format!("docker://{}:one", place.repository());
    let copy = ["copy", "--quiet", "--dest-tls-verify=false"];
    for target in [&pushed, "oci:layout:one"] {
        run(place.command("skopeo").args(copy).args([&stored, target]));
    }
    for image in [&stored, &pushed, "oci:layout:one"] {
        let said = run(&mut place.program(&["verify", "--insecure", image]));
        assert!(said.lines().last().unwrap().starts_with("verified: "), "{image}\n{said}");
        assert!(said.contains("ok       secrets-layers"), "{image}\n{said}");
    }
    let nothing = output(&mut place.program(&["verify", "--insecure", "oci:layout:two"]));
    assert_eq!(nothing.status.code(), Some(5), "{}", both(&nothing));
    // Nothing of it stays open.
    assert_eq!(run(place.command("buildah").args(["containers", "--quiet"])), "");
}

/// A secret that a later layer removes is still there for everyone who pulls the image.
#[test]
fn secret_in_a_layer_is_found_though_the_files_do_not_show_it() {
    let place = Place::new("");
    place.config("");
    let name = place.build("clean");
    let key = ["-----BEGIN ", "PRIVATE KEY-----\nMIIE\n"].concat();
    place.write("module.key", &key);
    place.write(
        "Containerfile",
        &format!("FROM {name}\nCOPY module.key /usr/lib/module.key\nCOPY --from={name} /usr/share/mark /usr/share/again\n"),
    );
    let build = ["build", "--pull=never", "--layers", "--quiet", "--tag", "localhost/leaky", "."];
    run(place.command("buildah").args(build));
    // Without a shell in the image, the file is removed as a container's change.
    let container = run(place.command("buildah").args(["from", "--pull=never", "localhost/leaky"]));
    let root = run(place.command("buildah").args(["mount", &container]));
    fs::remove_file(format!("{root}/usr/lib/module.key")).unwrap();
    run(place.command("buildah").args([
        "commit",
        "--quiet",
        "--rm",
        &container,
        "localhost/hidden",
    ]));
    let ended = output(&mut place.program(&["verify", "containers-storage:localhost/hidden"]));
    assert_eq!(ended.status.code(), Some(4), "{}", both(&ended));
    let said = both(&ended);
    assert!(said.contains("ok       secrets-absent"), "{said}");
    assert!(said.contains("/usr/lib/module.key (layer 3 from the top)"), "{said}");
}

#[test]
fn difference_names_files_and_the_bytes_that_a_host_downloads() {
    let place = Place::new("");
    place.config("");
    let (old, name) = (place.build("old"), "localhost/new");
    place.write("added", &"x".repeat(3000));
    place.write("Containerfile", &format!("FROM {old}\nCOPY added /usr/share/added\n"));
    let build = ["build", "--pull=never", "--layers", "--quiet", "--tag", name, "."];
    run(place.command("buildah").args(build));
    let container = run(place.command("buildah").args(["from", "--pull=never", name]));
    let root = run(place.command("buildah").args(["mount", &container]));
    fs::write(format!("{root}/usr/share/mark"), "new").unwrap();
    fs::remove_file(format!("{root}/usr/lib/os-release")).unwrap();
    run(place.command("buildah").args(["commit", "--quiet", "--rm", &container, name]));
    let repository = place.repository();
    for (from, tag) in [(old.as_str(), "old"), (name, "new")] {
        let (from, to) =
            (format!("containers-storage:{from}"), format!("docker://{repository}:{tag}"));
        run(place.command("skopeo").args([
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            &from,
            &to,
        ]));
    }
    let (from, to) = (format!("{repository}:old"), format!("{repository}:new"));
    let text = run(&mut place.program(&["diff", "--insecure", "--json", &from, &to]));
    let diff: Value = serde_json::from_str(&text).unwrap();
    let paths = |kind: &str| -> Vec<String> {
        let files = diff["files"][kind].as_array().unwrap().iter();
        files.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths("added"), ["/usr/share/added"], "{text}");
    assert_eq!(paths("removed"), ["/usr/lib/os-release"], "{text}");
    assert_eq!(paths("changed"), ["/usr/share/mark"], "{text}");
    let layers = diff["layers"].as_array().unwrap();
    let shared: Vec<bool> = layers.iter().map(|layer| layer["shared"].as_bool().unwrap()).collect();
    assert_eq!(shared, [true, false, false], "{text}");
    let download: u64 = layers[1..].iter().map(|layer| layer["size"].as_u64().unwrap()).sum();
    assert_eq!(diff["download"], download);
    let same = run(&mut place.program(&["diff", "--insecure", &from, &from]));
    assert!(same.contains("files: 0 added, 0 removed, 0 changed"), "{same}");
    assert!(same.ends_with("download: 0 B in 0 of 1 layers"), "{same}");
}
