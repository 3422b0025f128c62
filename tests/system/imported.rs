// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the public tools have saved, met by an agent that starts for the first time.

use std::sync::Arc;

use libtest_mimic::Trial;
use vespera_tests::{Guest, HarnessError};

use crate::bus::{NAME, raw, wait_for};
use crate::group::Group;

const RESETS: &str = "/var/opt/maccel/resets";
const STATE: &str = "/var/lib/vespera";
const UNIT: &str = "vespera-agent.service";
/// What the hostile scripts would leave behind.
const OWNED: &str = "/run/owned";

pub(crate) fn tests(group: &Arc<Group>) -> Vec<Trial> {
    vec![group.test("public_reset_scripts_are_taken_over_and_hostile_ones_refused", taken_over)]
}

fn script(guest: &Guest, parameter: &str, text: &str) -> Result<(), HarnessError> {
    guest.write_file(&format!("{RESETS}/set_last_{parameter}_value.sh"), text)
}

fn taken_over(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["systemctl", "stop", UNIT])?.success()?;
    let forget = format!("rm -rf {STATE}/* {RESETS} {OWNED} && mkdir -p {RESETS}");
    guest.run(["sh", "-c", &forget])?.success()?;
    let set = |parameter: &str, raw: i64| {
        format!("echo {raw} > /sys/module/maccel/parameters/{parameter};")
    };
    script(guest, "SENS_MULT", &set("SENS_MULT", 2 << 32))?;
    let hostile = [
        ("LIMIT", format!("touch {OWNED}; {}", set("LIMIT", 3 << 32))),
        ("GAMMA", format!("{}\ntouch {OWNED}\n", set("GAMMA", 2 << 32))),
        ("SMOOTH", format!("echo $(touch {OWNED}) > /sys/module/maccel/parameters/SMOOTH;")),
        ("INPUT_DPI", set("INPUT_DPI", 0)),
    ];
    for (parameter, text) in &hostile {
        script(guest, parameter, text)?;
    }
    let before: Vec<String> =
        hostile.iter().map(|(name, _)| raw(guest, name)).collect::<Result<_, _>>()?;
    guest.run(["systemctl", "start", UNIT])?.success()?;
    wait_for("the value of the public tools is in force", || {
        Ok(raw(guest, "SENS_MULT")? == (2_i64 << 32).to_string())
    })?;
    for ((parameter, _), before) in hostile.iter().zip(before) {
        assert_eq!(raw(guest, parameter)?, before, "{parameter}");
    }
    assert_ne!(guest.run(["test", "-e", OWNED])?.code, 0, "nothing of them was run");
    let health = format!("{NAME}.Health");
    let get = ["busctl", "get-property", NAME, "/org/vespera/Agent1", &health, "Checks"];
    let checks = guest.run(get)?.success()?.stdout;
    assert!(checks.contains("Some settings of the public tools were not taken over"), "{checks}");
    for (parameter, _) in &hostile {
        assert!(checks.contains(&format!("set_last_{parameter}_value.sh: ")), "{checks}");
    }
    guest.run(["systemctl", "stop", UNIT])?.success()?;
    guest.run(["sh", "-c", &format!("rm -r {STATE}/* {RESETS}")])?.success()?;
    guest.run(["systemctl", "start", UNIT])?.success()?;
    wait_for("nothing of it is left", || Ok(raw(guest, "SENS_MULT")? == (1_i64 << 32).to_string()))
}
