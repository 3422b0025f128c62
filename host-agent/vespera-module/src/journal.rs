// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structured log entries: the journal when a unit runs us, stderr otherwise.
//!
//! docs/journal.md lists them for those who search the journal.

use health::load_error::LoadError;
use health::{Check, State};

/// `MESSAGE_ID` of the outcome of a run, whatever it is.
const ID_STATE: &str = "4315c60bd8df41c4bf6d362df919df3d";
/// `MESSAGE_ID` of a fault that stands on its own.
const ID_FAULT: &str = "6b7d123aa80841b69fab156289c4aab2";
/// `MESSAGE_ID` of a successful load.
const ID_LOADED: &str = "758ea3f55865484f860162cbca513138";

/// `MESSAGE_ID` of a load that the kernel refused.
const ID_REFUSED: &str = "c86fcddeed244c118542f577c3d08a49";
/// `MESSAGE_ID` of a removal.
const ID_REMOVED: &str = "7b2fcd5f7dd8408882b60771d296f1a8";
/// `MESSAGE_ID` of a look at the deployments.
const ID_DEPLOYMENTS: &str = "7f0a07642eeb4c3d9f6363e35b544756";

/// The module went in.
pub(crate) fn loaded(path: &str) {
    log::info!(MESSAGE_ID = ID_LOADED, VESPERA_MODULE = path; "loaded {path}");
}

/// The kernel did not take the module.
pub(crate) fn refused(error: &LoadError) {
    let words = error.log.join("\n");
    let (name, errno) = (error.name.as_str(), error.errno);
    log::warn!(
        MESSAGE_ID = ID_REFUSED, VESPERA_ERRNO = errno, VESPERA_ERROR = name,
        VESPERA_KERNEL_LOG = words.as_str();
        "the kernel refused the module: {error}"
    );
}

/// The module went out.
pub(crate) fn removed() {
    log::info!(MESSAGE_ID = ID_REMOVED; "removed the module from the kernel");
}

/// The deployments were looked at.
pub(crate) fn deployments(count: usize, next_kernel: &str) {
    log::info!(
        MESSAGE_ID = ID_DEPLOYMENTS, VESPERA_DEPLOYMENTS = count, VESPERA_KERNEL = next_kernel;
        "{count} deployments, the next boot's kernel is {next_kernel}"
    );
}

/// A fault that stands on its own.
pub(crate) fn fault(check: &Check) {
    let remedy = check.remedy.as_deref().unwrap_or_default();
    let code = check.code.as_ref();
    log::warn!(
        MESSAGE_ID = ID_FAULT, VESPERA_CODE = code, VESPERA_REMEDY = remedy;
        "{}: {} ({code})", check.title, check.detail
    );
}

/// The outcome of a run.
pub(crate) fn state(state: State, kernel: &str) {
    let word = state.to_string();
    log::info!(
        MESSAGE_ID = ID_STATE, VESPERA_STATE = word.as_str(), VESPERA_KERNEL = kernel;
        "mouse acceleration on kernel {kernel}: {word}"
    );
}
