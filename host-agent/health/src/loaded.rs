// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module as it runs.

use module_check::Root;
use serde::{Deserialize, Serialize};

use crate::catalogue::{MODULE_NOT_LOADED, MODULE_STALE};
use crate::check::Check;
use crate::load_error::LoadError;
use crate::module::ModuleFacts;

/// What sysfs tells about the loaded module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedModule {
    /// The hash of its sources.
    pub srcversion: Option<String>,
}

/// The loaded module; `None` when there is none, or it is still on its way in or out.
pub fn find(root: &Root) -> Option<LoadedModule> {
    // A folder without `initstate` would be a driver built into the kernel, which is always live.
    let state = root.line("sys/module/maccel/initstate");
    let live = root.exists("sys/module/maccel") && state.is_none_or(|state| state == "live");
    live.then(|| LoadedModule { srcversion: root.line("sys/module/maccel/srcversion") })
}

/// Whether the module runs, and whether it is the one on disk.
pub fn checks(
    root: &Root,
    loaded: Option<&LoadedModule>,
    installed: Option<&ModuleFacts>,
    load_error: Option<&LoadError>,
) -> Vec<Check> {
    let Some(loaded) = loaded else {
        let mut check = Check::failed(&MODULE_NOT_LOADED, root, "/sys/module/maccel is not there");
        if let Some(error) = load_error {
            check.detail = format!("the kernel refused it: {error}");
            if let Some(remedy) = &error.remedy {
                check = check.remedy(remedy);
            }
        }
        let stale = Check::unknown(&MODULE_STALE, root, "no module is loaded");
        return vec![check, stale];
    };
    let running = loaded.srcversion.as_deref();
    let detail = running.map_or_else(
        || "it states no srcversion".to_owned(),
        |srcversion| format!("srcversion {srcversion}"),
    );
    let stale = match (running, installed.and_then(|module| module.srcversion.as_deref())) {
        (Some(running), Some(on_disk)) if running == on_disk => {
            Check::ok(&MODULE_STALE, root, detail.clone())
        }
        (Some(running), Some(on_disk)) => Check::failed(
            &MODULE_STALE,
            root,
            format!("loaded is srcversion {running}, installed is {on_disk}"),
        ),
        _ => Check::unknown(&MODULE_STALE, root, "no srcversion to compare"),
    };
    vec![Check::ok(&MODULE_NOT_LOADED, root, detail), stale]
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::check::Status;

    fn facts(srcversion: &str) -> ModuleFacts {
        ModuleFacts {
            path: "/x/maccel.ko".to_owned(),
            version: None,
            srcversion: Some(srcversion.to_owned()),
            vermagic: None,
            signer: None,
        }
    }

    #[test]
    fn a_module_still_coming_or_going_is_not_loaded() {
        for (state, loaded) in [("live\n", true), ("coming\n", false), ("going\n", false)] {
            let fixture = FixtureRoot::new();
            fixture.file("sys/module/maccel/initstate", state.as_bytes());
            assert_eq!(find(fixture.root()).is_some(), loaded, "{state}");
        }
        assert_eq!(find(FixtureRoot::new().root()), None);
    }

    #[test]
    fn an_older_build_in_memory_is_told_from_the_one_on_disk() {
        let root = Root::default();
        let loaded = LoadedModule { srcversion: Some("AAA".to_owned()) };
        for (on_disk, status) in [("AAA", Status::Ok), ("BBB", Status::Failed)] {
            let checks = checks(&root, Some(&loaded), Some(&facts(on_disk)), None);
            assert_eq!(checks[1].status, status);
        }
    }

    #[test]
    fn the_kernels_refusal_is_given_as_the_reason() {
        let error = LoadError {
            errno: 8,
            name: "ENOEXEC".to_owned(),
            cause: "made for another kernel".to_owned(),
            remedy: Some("sudo mend".to_owned()),
            log: Vec::new(),
        };
        let checks = checks(&Root::default(), None, None, Some(&error));
        assert_eq!(checks[0].detail, "the kernel refused it: made for another kernel (ENOEXEC)");
        assert_eq!(checks[0].remedy.as_deref(), Some("sudo mend"));
    }
}
