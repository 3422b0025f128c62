// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal interface of `maccel` on the real driver: a script types into its pseudo-terminal
//! and moves a mouse.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use vespera_tests::{Guest, HarnessError};

use crate::group::Group;
use crate::pointer::set;

/// Nothing is measured against it: a busy host without KVM takes long for each program that a
/// script starts.
const PATIENCE: Duration = Duration::from_secs(600);
/// The folder with the pipes and what was on the screen.
const FOLDER: &str = "/tmp/interface";

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![
        group.test("the_terminal_interface_shows_and_changes_the_real_driver", shown),
        group.test(
            "a_trial_of_the_terminal_interface_is_kept_only_by_a_word_also_when_it_is_killed",
            tried,
        ),
    ]
}

/// A mouse on pipe 3, and the interface with its keys on pipe 4.
const BEGIN: &str = r#"
set -e
mkdir -p "$FOLDER"; cd "$FOLDER"; rm -f ./*; mkfifo hand keys
soon() { n=0; until "$@"; do n=$((n + 1)); test $n -lt 2000 || { echo "never: $*" >&2; cat screen >&2; exit 9; }; sleep 0.05; done; }
"$GUEST" hand "moved mouse" <hand >moved & exec 3>hand
soon test -s moved
interface="stty rows 24 cols 80; TERM=xterm-256color LC_ALL=C.UTF-8 exec maccel"
script --quiet --return --flush --command "$interface" screen <keys >shown & terminal=$!
exec 4>keys
soon grep -q "Sens-Multiplier" screen
soon grep -q "rest" screen
holds() { test "$(cat /sys/module/maccel/parameters/SENS_MULT)" = "$1"; }
holds 4294967296
"#;

fn script(guest: &Guest, rest: &str) -> Result<(), HarnessError> {
    set(guest, &[])?;
    let head = format!("FOLDER={FOLDER} GUEST={}", guest.hello().program);
    let script = format!("{head}\n{BEGIN}\n{rest}");
    guest.command(["sh", "-c", &script]).timeout(PATIENCE).run()?.success()?;
    set(guest, &[])
}

fn shown(guest: &Guest) -> Result<(), HarnessError> {
    // The live point comes from /dev/maccel, and goes when the mouse rests.
    script(
        guest,
        r#"
moving() { echo "40 3" >&3; grep -q "counts/ms, fact" screen; }
soon moving
printf + >&4
soon holds 4724464026
# What others set is read back before the next step. Right after the person's own change it is taken
# for a part of that, so others set it, in two values next to each other, until they are noticed.
others() {
    next=$((1 - ${next:-0}))
    echo $((8589934592 + next)) >/sys/module/maccel/parameters/SENS_MULT
    sleep 0.3
    grep -q "another" screen
}
soon others
printf + >&4
soon holds 9019431322
printf q >&4
wait $terminal
holds 9019431322
"#,
    )
}

fn tried(guest: &Guest) -> Result<(), HarnessError> {
    // The agent is there: the trial is its own, and ends when the program leaves the bus.
    script(
        guest,
        r#"
kept() { grep -rqs "sens-mult = $1" /var/lib/vespera; }
printf t+ >&4
soon holds 4724464026
soon grep -q "TRIAL" screen
if kept 1.1; then echo "kept although nobody said so" >&2; exit 8; fi
printf k >&4
soon kept 1.1
printf t+ >&4
soon holds 5153960755
kill -KILL $(cat /proc/$terminal/task/$terminal/children)
soon holds 4724464026
if kept 1.2; then echo "kept although it was killed" >&2; exit 8; fi
"#,
    )
}
