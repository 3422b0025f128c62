// SPDX-License-Identifier: MIT OR Apache-2.0
//! Refusals in the journal. Anybody can be refused as often as they like, so of each user and method
//! the first is written, and after a while how many there were besides. Callers whose user is not
//! known yet count as one: else each new connection would have an entry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal;

/// That while.
const WHILE: Duration = Duration::from_secs(60);

/// A user, if known, and a method.
type Key = (Option<u32>, &'static str);

/// The refusals of a while, but for the first of each.
#[derive(Clone, Default)]
pub(super) struct Denials(Arc<Mutex<HashMap<Key, u64>>>);

impl Denials {
    /// Writes a refusal, or counts it.
    pub(super) fn note(&self, user: Option<u32>, method: &'static str, caller: &str, why: &str) {
        let key = (user, method);
        if !self.is_first(key) {
            return;
        }
        journal::denied(method, caller, why);
        let denials = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WHILE).await;
            let more = denials.forget(key);
            if more > 0 {
                journal::denied_more(method, user, more);
            }
        });
    }

    /// Whether there was none lately; else it is counted.
    fn is_first(&self, key: Key) -> bool {
        let mut counts = self.counts();
        match counts.get_mut(&key) {
            Some(more) => {
                *more += 1;
                false
            }
            None => {
                counts.insert(key, 0);
                true
            }
        }
    }

    /// How many there were besides the first, which the next is again.
    fn forget(&self, key: Key) -> u64 {
        self.counts().remove(&key).unwrap_or_default()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_refusals_the_first_is_written_and_the_others_are_counted() {
        let denials = Denials::default();
        let (set, other) = ((Some(1000), "Set"), (Some(1001), "Set"));
        assert_eq!([(); 4].map(|()| denials.is_first(set)), [true, false, false, false]);
        assert!(denials.is_first(other) && denials.is_first((Some(1000), "Reset")));
        assert_eq!(denials.forget(set), 3);
        assert!(denials.is_first(set), "it is written again after a while");
        assert_eq!(denials.forget(other), 0);
    }
}
