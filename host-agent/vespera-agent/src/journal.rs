// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structured log entries: the journal when systemd runs us, stderr otherwise.

use health::Check;

/// `MESSAGE_ID` of a fault that the agent itself found.
const ID_FAULT: &str = "0e732a39d1754bc5a9bde982edfccb0a";
/// `MESSAGE_ID` of the module coming or going.
const ID_MODULE: &str = "c018c35b7ea243fdae63fa7abeeb927c";
/// `MESSAGE_ID` of a change made by somebody else, which is kept.
const ID_OUTSIDE: &str = "b8379e36844248c6bf80e75fc5284661";
/// `MESSAGE_ID` of a change made by somebody else, which a lock undoes.
const ID_LOCKED: &str = "7f1c434a7cbe4749ba9216ac1a5f82c2";
/// `MESSAGE_ID` of the beginning and the end of a trial.
const ID_TRIAL: &str = "34c06f13b8844a80b1f0ec91d5b15c2e";
/// `MESSAGE_ID` of saved settings that could not be put in force.
const ID_NOT_RESTORED: &str = "edc363287d44428d82a5d39efaa038a7";
/// `MESSAGE_ID` of values taken over from the public tools.
const ID_IMPORTED: &str = "6b15ecf7ec394427a13cfb8ba558bbf7";
/// `MESSAGE_ID` of a call that was not allowed.
const ID_DENIED: &str = "35e8cc481c3d42d7ac8565701fd7c35e";

/// A fault that the agent itself found.
pub(crate) fn fault(check: &Check) {
    let code = check.code.as_ref();
    log::warn!(
        MESSAGE_ID = ID_FAULT, VESPERA_CODE = code;
        "{}: {} ({code})", check.title, check.detail
    );
}

/// The module came or went.
pub(crate) fn module(loaded: bool) {
    let word = if loaded { "loaded" } else { "not loaded" };
    log::info!(MESSAGE_ID = ID_MODULE, VESPERA_MODULE_STATE = word; "the maccel module is {word}");
}

/// Somebody else changed something.
pub(crate) fn outside(what: &str) {
    log::info!(MESSAGE_ID = ID_OUTSIDE, VESPERA_PARAMETERS = what; "changed by others: {what}");
}

/// Somebody else changed something that is locked.
pub(crate) fn locked(what: &str) {
    log::warn!(
        MESSAGE_ID = ID_LOCKED, VESPERA_PARAMETERS = what;
        "changed by others, but locked, so it comes back: {what}"
    );
}

/// A trial began.
pub(crate) fn trial_began(id: u32, seconds: u32) {
    log::info!(MESSAGE_ID = ID_TRIAL, VESPERA_TRIAL = id; "trial {id} of {seconds} s began");
}

/// Its settings are kept.
pub(crate) fn trial_confirmed(id: u32) {
    log::info!(MESSAGE_ID = ID_TRIAL, VESPERA_TRIAL = id; "trial {id} was confirmed");
}

/// The settings before it are back.
pub(crate) fn trial_ended(why: &str) {
    log::info!(MESSAGE_ID = ID_TRIAL; "the trial ended, the settings before it apply: {why}");
}

/// The saved settings are not in force.
pub(crate) fn not_restored(why: &str) {
    log::error!(MESSAGE_ID = ID_NOT_RESTORED; "the settings could not be put in force: {why}");
}

/// Values of the public tools were taken over.
pub(crate) fn imported(what: &str) {
    log::info!(
        MESSAGE_ID = ID_IMPORTED, VESPERA_PARAMETERS = what;
        "taken over from the public tools: {}", if what.is_empty() { "nothing" } else { what }
    );
}

/// A call was refused.
pub(crate) fn denied(member: &str, caller: &str, why: &str) {
    log::warn!(
        MESSAGE_ID = ID_DENIED, VESPERA_MEMBER = member, VESPERA_CALLER = caller;
        "{member} refused to {caller}: {why}"
    );
}

/// More calls of the same kind were refused since that was written.
pub(crate) fn denied_more(member: &str, user: Option<u32>, count: u64) {
    let caller = user.map_or_else(|| "callers".to_owned(), |user| format!("user {user}"));
    log::warn!(
        MESSAGE_ID = ID_DENIED, VESPERA_MEMBER = member, VESPERA_CALLER = caller.as_str();
        "{member} refused to {caller} {count} times more"
    );
}

/// Anything else that somebody should know.
pub(crate) fn warning(text: &str) {
    log::warn!("{text}");
}
