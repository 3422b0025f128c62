// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl history`: the boots of this system, and what changed between them.

use health::Root;
use serde_json::json;
use vespera_api::{BootRecord, HealthProxy};

use crate::agent::{self, Wait};
use crate::args::Show;
use crate::exit::{self, Outcome};

/// The version of the JSON.
const FORMAT: u32 = 1;

/// Asks and shows.
pub(crate) fn run(root: &Root, show: &Show) -> anyhow::Result<Outcome> {
    let boots =
        agent::ask(root, Wait::Ready, async |bus| HealthProxy::new(bus).await?.history().await)?;
    let text = if show.json {
        let boots: Vec<_> = boots.iter().map(as_json).collect();
        serde_json::to_string_pretty(&json!({ "format": FORMAT, "boots": boots }))? + "\n"
    } else {
        listing(&boots)
    };
    Ok(Outcome { text, code: exit::HEALTHY })
}

/// A boot for programs; what is not known is null.
pub(crate) fn as_json(boot: &BootRecord) -> serde_json::Value {
    json!({
        "boot_id": boot.boot_id,
        "time": boot.time,
        "kernel": boot.kernel,
        "state": boot.state,
        "image": boot.image,
        "version": boot.version,
        "module": boot.module,
        "srcversion": boot.srcversion,
        "faults": boot.faults,
    })
}

/// The newest first, each with what differs from the boot before it.
fn listing(boots: &[BootRecord]) -> String {
    let mut text = String::new();
    for (index, boot) in boots.iter().enumerate() {
        text.push_str(&format!("{}  {}\n", boot.time, boot.state));
        match boots.get(index + 1) {
            Some(before) => {
                for change in changes(before, boot) {
                    text.push_str(&format!("    {change}\n"));
                }
            }
            None => {
                text.push_str(&format!("    kernel {}\n", boot.kernel));
            }
        }
    }
    if text.is_empty() {
        text.push_str("no boot has been recorded yet\n");
    }
    text
}

/// What is different after another boot, each a line for people.
pub(crate) fn changes(before: &BootRecord, after: &BootRecord) -> Vec<String> {
    let mut changes = Vec::new();
    let mut compare = |what: &str, old: Option<&str>, new: Option<&str>| {
        if old != new {
            let (old, new) = (old.unwrap_or("unknown"), new.unwrap_or("unknown"));
            changes.push(format!("{what} {new}, was {old}"));
        }
    };
    compare("image", before.image.as_deref(), after.image.as_deref());
    compare("version", before.version.as_deref(), after.version.as_deref());
    compare("kernel", Some(&before.kernel), Some(&after.kernel));
    compare("module", before.module.as_deref(), after.module.as_deref());
    // The same version with other code: a rebuild.
    if before.module == after.module {
        compare("module code", before.srcversion.as_deref(), after.srcversion.as_deref());
    }
    compare("state", Some(&before.state), Some(&after.state));
    for fault in after.faults.iter().filter(|fault| !before.faults.contains(fault)) {
        changes.push(format!("new fault {fault}"));
    }
    for fault in before.faults.iter().filter(|fault| !after.faults.contains(fault)) {
        changes.push(format!("mended {fault}"));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(time: &str, kernel: &str, state: &str, faults: &[&str]) -> BootRecord {
        BootRecord {
            boot_id: time.to_owned(),
            time: time.to_owned(),
            kernel: kernel.to_owned(),
            state: state.to_owned(),
            version: Some("44.1".to_owned()),
            module: (state == "healthy").then(|| "0.1.0".to_owned()),
            faults: faults.iter().map(|&fault| fault.to_owned()).collect(),
            ..BootRecord::default()
        }
    }

    #[test]
    fn each_boot_says_what_changed_since_the_one_before() {
        let boots = [
            boot("2026-01-03T00:00:00Z", "6.2.0", "healthy", &[]),
            boot("2026-01-02T00:00:00Z", "6.2.0", "broken", &["module-missing"]),
            boot("2026-01-01T00:00:00Z", "6.1.0", "healthy", &[]),
        ];
        insta::assert_snapshot!(listing(&boots), @r"
        2026-01-03T00:00:00Z  healthy
            module 0.1.0, was unknown
            state healthy, was broken
            mended module-missing
        2026-01-02T00:00:00Z  broken
            kernel 6.2.0, was 6.1.0
            module unknown, was 0.1.0
            state broken, was healthy
            new fault module-missing
        2026-01-01T00:00:00Z  healthy
            kernel 6.1.0
        ");
        assert_eq!(as_json(&boots[1])["faults"], json!(["module-missing"]));
        assert_eq!(as_json(&boots[1])["module"], serde_json::Value::Null);
        assert!(listing(&[]).contains("no boot"));
    }

    #[test]
    fn a_rebuilt_module_of_the_same_version_is_a_change() {
        let with = |srcversion: &str| BootRecord {
            srcversion: Some(srcversion.to_owned()),
            ..boot("t", "6.1.0", "healthy", &[])
        };
        assert_eq!(changes(&with("AB"), &with("CD")), ["module code CD, was AB"]);
        assert!(changes(&with("AB"), &with("AB")).is_empty());
    }
}
