// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a built image to its tags at a real registry.

use std::fs;

use serde_json::Value;

use crate::place::{DATE, Place};
use crate::{both, output, run};

const FINAL: [&str; 3] = ["20261126", "latest", "main"];
/// `someone` with the password `secret`, as bcrypt.
const HTPASSWD: &str = "someone:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
/// The same pair as HTTP sends it.
const BASIC: &str = "c29tZW9uZTpzZWNyZXQ=";

/// An image with the policy, as the last step of the Containerfile writes it.
fn with_policy(place: &Place, mark: &str) -> String {
    let (root, host) = (place.path(&format!("root-{mark}")), place.host.clone());
    place.build_with(mark, &[], |_| {
        let words = ["customize", "--root", root.to_str().unwrap(), "identity"];
        let mut identity = place.program(&words);
        identity.args(["--registry", &host, "--image-name", "org/vespera"]);
        run(identity.args(["--public-key", "cosign.pub"]));
    })
}

#[test]
fn image_is_staged_verified_signed_and_tagged_by_one_digest() {
    let place = Place::with_key("");
    place.config("signing: {image: true}");
    // The image ships the public key, as `signing.image` wants it.
    let built = with_policy(&place, "one");
    let words = ["--key", "cosign.key", "--summary", "summary.md", "--metadata", "metadata.json"];
    let said = run(place.publish(&built, &words).arg("--json"));
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&told["signed"], &told["tags"][2]), (&true.into(), &"latest".into()), "{told:#}");
    let digest = place.digest("latest").unwrap();
    for tag in FINAL {
        assert_eq!(place.digest(tag).as_ref(), Some(&digest), "{tag}\n{said}");
    }
    // The staging tag is gone, and the digest it had is not.
    assert_eq!(place.tags(), FINAL, "{said}");
    let reference = format!("{}@{digest}", place.repository());
    run(place.command("cosign").args([
        "verify",
        "--key=cosign.pub",
        "--insecure-ignore-tlog=true",
        "--allow-http-registry",
        &reference,
    ]));
    let metadata: Value = serde_json::from_str(&place.read("metadata.json")).unwrap();
    assert_eq!(metadata["digest"], digest.as_str());
    let summary = place.read("summary.md");
    assert!(summary.contains(&format!("| digest | `{digest}` |")), "{summary}");
    assert!(summary.contains("## Verification\n\nverified: "), "{summary}");
}

/// A host with the files that the image itself carries takes the published image and refuses an
/// unsigned one.
#[test]
fn published_signature_is_one_that_hosts_can_enforce() {
    let place = Place::with_key("");
    place.config("");
    let built = with_policy(&place, "signed");
    run(&mut place.publish(&built, &["--key", "cosign.key"]));
    let repository = place.repository();
    let root = place.path("root-signed");
    let carried = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    // Only where the host has its files is another place here.
    let at = format!("{}/usr/share/vespera/", root.display());
    let policy = carried("etc/containers/policy.json").replace("/usr/share/vespera/", &at);
    assert!(policy.contains(&at), "{policy}");
    place.write("policy.json", &policy);
    let beside = carried("etc/containers/registries.d/vespera.yaml");
    place.write("registries.d/vespera.yaml", &beside);
    let pull = |tag: &str| {
        let from = format!("docker://{repository}:{tag}");
        output(place.command("skopeo").args([
            "--policy=policy.json",
            "--registries.d=registries.d",
            "copy",
            "--src-tls-verify=false",
            "--remove-signatures",
            &from,
            &format!("oci:pulled-{tag}"),
        ]))
    };
    let signed = pull("latest");
    assert!(signed.status.success(), "{}", both(&signed));
    let other = format!("docker://{repository}:unsigned");
    let from = format!("containers-storage:{}", place.build("unsigned"));
    run(place.command("skopeo").args(["copy", "--dest-tls-verify=false", &from, &other]));
    let refused = pull("unsigned");
    assert!(both(&refused).contains("A signature was required"), "{}", both(&refused));
}

#[test]
fn image_with_a_fault_is_refused_and_no_tag_moves() {
    let place = Place::with_key("");
    place.config("");
    run(&mut place.publish(&place.build("old"), &["--key", "cosign.key"]));
    let before = place.digest("latest");
    let bad = place.build_with("bad", &[], |root| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = root.join("usr/share/mark");
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    });
    let words = ["--key", "cosign.key", "--summary", "summary.md"];
    let refused = output(&mut place.publish(&bad, &words));
    assert_eq!(refused.status.code(), Some(4), "{}", both(&refused));
    assert!(both(&refused).contains("/usr/share/mark"), "{}", both(&refused));
    assert!(place.read("summary.md").contains("/usr/share/mark"), "the job's page tells it too");
    for tag in FINAL {
        assert_eq!(place.digest(tag), before, "{tag}");
    }
}

/// As two jobs do it: one stages, the other publishes what it is told.
#[test]
fn staged_digest_is_what_is_published_and_another_one_is_not() {
    let place = Place::new("");
    place.config("");
    let built = format!("containers-storage:{}", place.build("one"));
    let run_name = ["--insecure", "--run", "8", "--date", DATE];
    let mut stage = place.program(&["stage", "--json", "--from", &built, "--outputs", "outputs"]);
    let told: Value = serde_json::from_str(&run(stage.args(run_name))).unwrap();
    assert_eq!(place.digest("staging-8").as_deref(), told["digest"].as_str());
    let outputs = place.read("outputs");
    let digest = outputs.lines().find_map(|line| line.strip_prefix("digest=")).unwrap();
    assert_eq!(place.digest("staging-8").as_deref(), Some(digest));
    let publish =
        |digest: &str| output(place.program(&["publish", "--digest", digest]).args(run_name));
    let unknown = publish(&format!("sha256:{}", "0".repeat(64)));
    assert_eq!(unknown.status.code(), Some(5), "{}", both(&unknown));
    assert!(both(&unknown).contains("stage the image first"), "{}", both(&unknown));
    let published = publish(digest);
    assert!(published.status.success(), "{}", both(&published));
    assert!(both(&published).contains("signature: none"), "{}", both(&published));
    assert_eq!(place.digest("latest").as_deref(), Some(digest));
    assert_eq!(place.tags(), FINAL);
}

/// `cosign.pub` lay beside the Containerfile, so the image carries the policy: without a signature,
/// no host with it could be updated any more.
#[test]
fn image_with_a_policy_and_no_signature_is_refused_and_so_is_another_key() {
    let place = Place::with_key("");
    place.config("");
    let built = with_policy(&place, "one");
    let unsigned = output(&mut place.publish(&built, &[]));
    assert_eq!(unsigned.status.code(), Some(3), "{}", both(&unsigned));
    assert!(both(&unsigned).contains("hosts with it demand a signature"), "{}", both(&unsigned));
    // Another pair, and the repository's public key replaced after the build.
    run(place.command("cosign").args(["generate-key-pair", "--output-key-prefix=other"]));
    let words = ["--key", "other.key", "--public-key", "other.pub"];
    let other = output(&mut place.publish(&built, &words));
    assert_eq!(other.status.code(), Some(3), "{}", both(&other));
    assert!(both(&other).contains("usr/share/vespera/image-signing.pub"), "{}", both(&other));
    assert_eq!(place.digest("latest"), None);
}

/// Another day than that of the build: what is told of the image is what it says itself.
#[test]
fn date_of_an_image_is_that_of_its_build_not_of_its_publishing() {
    let place = Place::new("");
    place.config("");
    let from = format!("containers-storage:{}", place.build("one"));
    let words = ["publish", "--insecure", "--run", "7", "--from", &from];
    let mut publish = place.program(&words);
    run(publish.args(["--metadata", "metadata.json", "--summary", "summary.md"]));
    assert_eq!(place.tags(), FINAL);
    let metadata: Value = serde_json::from_str(&place.read("metadata.json")).unwrap();
    assert_eq!(metadata["labels"]["org.vespera.build.date"], DATE);
    assert!(place.read("summary.md").contains(&format!("| built | `{DATE}` |")));
}

#[test]
fn demanded_signature_without_a_key_stops_before_anything_is_pushed() {
    let place = Place::new("");
    place.config("signing: {image: true}");
    let refused = output(&mut place.publish(&place.build("one"), &[]));
    assert_eq!(refused.status.code(), Some(3), "{}", both(&refused));
    assert_eq!(place.digest("staging-7"), None);
}

/// Credentials come from the standard auth.json, for skopeo, buildah and cosign alike.
#[test]
fn credentials_come_from_auth_json_and_wrong_ones_exit_with_5() {
    let passwords = tempfile::NamedTempFile::new().unwrap();
    fs::write(passwords.path(), HTPASSWD).unwrap();
    let path = passwords.path().display();
    let place = Place::with_key(&format!("auth: {{htpasswd: {{realm: x, path: {path}}}}}\n"));
    place.config("");
    let built = place.build("one");
    let auth = |basic: &str| {
        let text = format!(r#"{{"auths": {{"{}": {{"auth": "{basic}"}}}}}}"#, place.host);
        place.write("auth.json", &text)
    };
    let publish = || {
        let mut command = place.publish(&built, &["--key", "cosign.key"]);
        output(command.env("REGISTRY_AUTH_FILE", place.path("auth.json")))
    };
    auth("bm9ib2R5OndvcmQ=");
    let refused = publish();
    assert_eq!(refused.status.code(), Some(5), "{}", both(&refused));
    auth(BASIC);
    let published = publish();
    assert!(published.status.success(), "{}", both(&published));
}
