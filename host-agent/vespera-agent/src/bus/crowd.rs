// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that nobody has decided on yet. Anybody may make them, so there is room for so many of one
//! user, and of those whose user is not known yet, and polkit is asked for so many at once: the bus
//! lets 128 questions of the agent wait for their answers, and refuses it the next, whoever that is
//! about.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls of one user, on all connections.
pub(super) const OF_USER: usize = 64;
/// Calls of one connection whose user is not known yet.
pub(super) const OF_STRANGER: usize = OF_USER;
/// The same of all such connections: all are in memory, with their values.
pub(super) const OF_STRANGERS: usize = 512;
/// Connections whose user is remembered. The bus lets one user have 256.
const KNOWN: usize = 1024;
/// Calls of one user that polkit is asked about at once; the others wait for their turn.
const ASKED_OF_USER: usize = 8;
/// The same of all users. polkit answers these by itself, so all get their turn.
const ASKED: usize = 64;
/// Calls of one user that wait for a password. Whoever calls may let them wait for ever.
pub(super) const PASSWORDS_OF_USER: usize = 4;
/// The same of all users.
const PASSWORDS: usize = 32;
/// More the bus does not let the agent ask.
const _: () = assert!(ASKED + PASSWORDS < 128);

/// All of them.
pub(super) struct Crowd {
    known: Mutex<HashMap<String, Option<u32>>>,
    stranger: Rooms<Option<String>, ()>,
    strangers: Semaphore,
    users: Rooms<Option<u32>, Turns>,
    asked: Semaphore,
    passwords: Semaphore,
}

/// The turns of one user.
pub(super) struct Turns {
    asked: Semaphore,
    passwords: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        let (asked, passwords) = (ASKED_OF_USER, PASSWORDS_OF_USER);
        Self { asked: Semaphore::new(asked), passwords: Semaphore::new(passwords) }
    }
}

impl Crowd {
    /// Nobody yet.
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::default(),
            stranger: Rooms::new(OF_STRANGER),
            strangers: Semaphore::new(OF_STRANGERS),
            users: Rooms::new(OF_USER),
            asked: Semaphore::new(ASKED),
            passwords: Semaphore::new(PASSWORDS),
        }
    }

    /// Whose a connection is, if that was learned. While earlier calls of it still wait to learn
    /// that, this one does, too: it would overtake them.
    pub(super) fn known(&self, sender: &str) -> Option<Option<u32>> {
        if self.stranger.taken().contains_key(&Some(sender.to_owned())) {
            return None;
        }
        unpoisoned(&self.known).get(sender).copied()
    }

    /// Learns whose a connection is. The bus gives its name to no other ever after.
    pub(super) fn learn(&self, sender: &str, user: Option<u32>) {
        let mut known = unpoisoned(&self.known);
        if known.len() >= KNOWN {
            // Whoever is still there is asked about once more.
            known.clear();
        }
        known.insert(sender.to_owned(), user);
    }

    /// Takes a place for a call of a connection whose user is not known yet, if one is free.
    pub(super) fn of_stranger(&self, sender: Option<&str>) -> Option<Stranger<'_>> {
        let place = self.stranger.enter(sender.map(str::to_owned))?;
        Some(Stranger { _place: place, _permit: self.strangers.try_acquire().ok()? })
    }

    /// The same for a call of a user.
    pub(super) fn of_user(&self, user: Option<u32>) -> Option<Place<'_, Option<u32>, Turns>> {
        self.users.enter(user)
    }

    /// Waits until polkit may be asked about a call of a user.
    pub(super) async fn turn<'a>(&'a self, of: &'a Turns) -> [Option<SemaphorePermit<'a>>; 2] {
        // The user's first, so that nobody fills the queue of all. Neither is ever closed.
        let own = of.asked.acquire().await.ok();
        [own, self.asked.acquire().await.ok()]
    }

    /// Lets a call of a user wait for a password, if not too many do.
    pub(super) fn password<'a>(&'a self, of: &'a Turns) -> Option<[SemaphorePermit<'a>; 2]> {
        Some([of.passwords.try_acquire().ok()?, self.passwords.try_acquire().ok()?])
    }
}

/// The place of a call whose user is not known yet.
pub(super) struct Stranger<'a> {
    _place: Place<'a, Option<String>, ()>,
    _permit: SemaphorePermit<'a>,
}

/// As many places for each as there may be calls, and something that these share.
struct Rooms<K, T> {
    places: usize,
    taken: Mutex<HashMap<K, (usize, Arc<T>)>>,
}

impl<K: Clone + Eq + Hash, T: Default> Rooms<K, T> {
    fn new(places: usize) -> Self {
        Self { places, taken: Mutex::new(HashMap::new()) }
    }

    fn enter(&self, whose: K) -> Option<Place<'_, K, T>> {
        let mut taken = self.taken();
        let (calls, shared) = taken.entry(whose.clone()).or_default();
        if *calls >= self.places {
            return None;
        }
        *calls += 1;
        Some(Place { rooms: self, whose, shared: Arc::clone(shared) })
    }
}

impl<K: Eq + Hash, T> Rooms<K, T> {
    fn taken(&self) -> MutexGuard<'_, HashMap<K, (usize, Arc<T>)>> {
        unpoisoned(&self.taken)
    }
}

/// Nothing is done under these locks that could leave half of it.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place; free again when it is dropped.
pub(super) struct Place<'a, K: Eq + Hash, T> {
    rooms: &'a Rooms<K, T>,
    whose: K,
    /// What all of the same share.
    pub(super) shared: Arc<T>,
}

impl<K: Eq + Hash, T> Drop for Place<'_, K, T> {
    fn drop(&mut self) {
        let mut taken = self.rooms.taken();
        if let Some((calls, _)) = taken.get_mut(&self.whose) {
            *calls -= 1;
            if *calls == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_for_each_and_they_are_free_again() {
        let crowd = Crowd::new();
        let taken: Vec<_> = (0..OF_USER).map(|_| crowd.of_user(Some(1000)).unwrap()).collect();
        assert!(crowd.of_user(Some(1000)).is_none());
        let other = crowd.of_user(Some(1001));
        assert!(other.is_some(), "what one user does is nothing to another");
        drop((taken, other));
        assert!(crowd.users.taken().is_empty(), "nothing is remembered of those who left");
        assert!(crowd.of_user(Some(1000)).is_some());
    }

    #[test]
    fn all_whose_user_is_not_known_share_so_many_places() {
        let crowd = Crowd::new();
        let enter = |call: usize| crowd.of_stranger(Some(&format!(":1.{}", call / OF_STRANGER)));
        let mut taken: Vec<_> = (0..OF_STRANGERS).map(|call| enter(call).unwrap()).collect();
        assert!(crowd.of_stranger(Some(":2.0")).is_none(), "on a new connection, too");
        assert!(crowd.of_user(Some(1000)).is_some(), "it is nothing to those who are known");
        taken.pop();
        assert!(crowd.of_stranger(Some(":2.0")).is_some());
        drop(taken);
        assert!(crowd.stranger.taken().is_empty(), "nothing is remembered of those who left");
        let _own: Vec<_> =
            (0..OF_STRANGER).map(|_| crowd.of_stranger(Some(":2.0")).unwrap()).collect();
        assert!(crowd.of_stranger(Some(":2.0")).is_none());
        assert!(crowd.of_stranger(Some(":2.1")).is_some());
    }

    #[test]
    fn what_is_known_of_connections_has_a_bound() {
        let crowd = Crowd::new();
        for connection in 0..3 * KNOWN {
            let sender = format!(":1.{connection}");
            assert_eq!(crowd.known(&sender), None);
            crowd.learn(&sender, Some(1000));
            assert_eq!(crowd.known(&sender), Some(Some(1000)));
        }
        assert!(unpoisoned(&crowd.known).len() <= KNOWN);
    }

    #[test]
    fn no_call_overtakes_those_that_wait_to_learn_whose_they_are() {
        let crowd = Crowd::new();
        let earlier = crowd.of_stranger(Some(":1.1")).unwrap();
        crowd.learn(":1.1", Some(1000));
        assert_eq!(crowd.known(":1.1"), None);
        drop(earlier);
        assert_eq!(crowd.known(":1.1"), Some(Some(1000)));
    }

    #[tokio::test]
    async fn a_user_with_many_questions_leaves_turns_for_others() {
        let crowd = Crowd::new();
        let greedy = crowd.of_user(Some(1000)).unwrap();
        let mut turns = Vec::new();
        for _ in 0..ASKED_OF_USER {
            turns.push(crowd.turn(&greedy.shared).await);
        }
        let other = crowd.of_user(Some(1001)).unwrap();
        tokio::select! {
            biased;
            _ = crowd.turn(&greedy.shared) => panic!("one too many"),
            _ = crowd.turn(&other.shared) => {}
        }
        turns.pop();
        crowd.turn(&greedy.shared).await;
    }
}
