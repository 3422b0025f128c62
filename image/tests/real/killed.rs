// SPDX-License-Identifier: MIT OR Apache-2.0
//! Publishing, killed at every step.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

use crate::place::{DATE, Place};
use crate::{both, output, run};

const FINAL: [&str; 3] = ["20261126", "latest", "main"];
const SIGKILL: i32 = 9;
/// More steps than publishing has: a loop that gets there never ended.
const STEPS_MAX: u32 = 100;
/// Stands before the real programs: counts the calls, and kills the caller at one of them, before
/// the real program or after it.
/// A step that only asks leaves the registry after it as it was before it: after, only those count
/// that change something.
const KILLER: &str = r#"#!/bin/sh
if [ "$KILLER_WHEN" = after ]; then
    case "$*" in
        *copy* | sign*--key* | delete*) ;;
        *) exec "/usr/bin/$(basename "$0")" "$@" ;;
    esac
fi
count=$(($(cat "$KILLER_COUNT") + 1))
echo "$count" > "$KILLER_COUNT"
real=/usr/bin/$(basename "$0")
if [ "$count" = "$KILLER_AT" ]; then
    if [ "$KILLER_WHEN" = after ]; then "$real" "$@"; fi
    echo "$(basename "$0") $*" > "$KILLER_COUNT.call"
    kill -KILL "$PPID"
    exit 1
fi
exec "$real" "$@"
"#;

#[test]
fn every_tag_names_the_old_or_the_new_image_wherever_publishing_is_killed() {
    let place = Place::with_key("");
    place.config("");
    let (old, new) = (place.build("old"), place.build("new"));
    run(&mut place.publish(&old, &["--key", "cosign.key"]));
    let old_digest = place.digest("latest").unwrap();
    // Published once without a disturbance, to know what the new digest is.
    run(&mut place.publish(&new, &["--key", "cosign.key"]));
    let new_digest = place.digest("latest").unwrap();
    assert_ne!(old_digest, new_digest);
    killers(&place);
    for (when, least) in [("before", 20), ("after", 6)] {
        let mut killed = 0;
        for at in 1..STEPS_MAX {
            reset(&place, &old_digest);
            let ended = publish_killed(&place, &new, at, when);
            if ended.status.signal() != Some(SIGKILL) {
                assert!(ended.status.success(), "{}", both(&ended));
                break;
            }
            killed += 1;
            let call = place.read("count.call");
            for tag in FINAL {
                let found = place.digest(tag).unwrap_or_default();
                assert!(
                    found == old_digest || found == new_digest,
                    "{tag} names {found}, killed {when} step {at}: {call}"
                );
            }
        }
        // It ended by itself at last, and was killed at each of its steps before.
        assert!(killed >= least && killed < STEPS_MAX - 1, "{killed}");
        for tag in FINAL {
            assert_eq!(place.digest(tag).as_ref(), Some(&new_digest), "{tag}");
        }
        // The last run also did away with what the killed ones had left behind.
        assert_eq!(place.tags(), FINAL);
    }
}

/// As the jobs of the workflow do it: the second one is run again without the first.
#[test]
fn publishing_that_was_killed_at_any_step_is_completed_when_it_is_run_again() {
    let place = Place::with_key("");
    place.config("");
    let built = format!("containers-storage:{}", place.build("one"));
    killers(&place);
    let words = |command: &str| {
        let mut command = place.program(&[command, "--insecure", "--run", "7", "--date", DATE]);
        command.stdin(std::process::Stdio::null());
        command
    };
    let publish = || {
        let mut command = words("publish");
        command.args(["--key", "cosign.key"]);
        command
    };
    let mut killed = 0;
    for at in 1..STEPS_MAX {
        run(words("stage").args(["--from", &built]));
        let staged = place.digest("staging-7").unwrap();
        let ended = with_killers(&place, publish(), at, "after");
        if ended.status.signal() != Some(SIGKILL) {
            assert!(ended.status.success(), "{}", both(&ended));
            break;
        }
        killed += 1;
        let call = place.read("count.call");
        // Once the tag is gone, there is nothing left to do, and nothing to find.
        if place.digest("staging-7").is_some() {
            let again = output(&mut publish());
            assert!(again.status.success(), "killed after step {at}: {call}\n{}", both(&again));
        }
        assert_eq!(place.tags(), FINAL, "killed after step {at}: {call}");
        assert_eq!(place.digest("latest"), Some(staged), "killed after step {at}: {call}");
    }
    assert!((6..STEPS_MAX - 1).contains(&killed), "{killed}");
}

fn killers(place: &Place) {
    for program in ["skopeo", "cosign", "buildah"] {
        let path = place.write(&format!("killers/{program}"), KILLER);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn publish_killed(place: &Place, name: &str, at: u32, when: &str) -> Output {
    with_killers(place, place.publish(name, &["--key", "cosign.key"]), at, when)
}

/// Runs a command whose programs kill it at one of its steps.
fn with_killers(place: &Place, mut command: Command, at: u32, when: &str) -> Output {
    place.write("count", "0");
    let path = format!("{}:/usr/sbin:/usr/bin", place.path("killers").display());
    command.env("PATH", path).env("KILLER_COUNT", place.path("count"));
    output(command.env("KILLER_AT", at.to_string()).env("KILLER_WHEN", when))
}

/// Every final tag names the old image again.
fn reset(place: &Place, digest: &str) {
    let repository = place.repository();
    for tag in FINAL {
        run(place.command("skopeo").args([
            "copy",
            "--quiet",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            "--preserve-digests",
            &format!("docker://{repository}@{digest}"),
            &format!("docker://{repository}:{tag}"),
        ]));
    }
}
