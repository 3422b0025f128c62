// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that nobody has decided on yet. Anybody may make them, so there is room for so many of one
//! connection and of one user, and polkit is asked for so many at once: the bus lets 128 questions
//! of the agent wait for their answers, and refuses it the next, whoever that is about.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls of one connection.
pub(super) const OF_SENDER: usize = 32;
/// Calls of one user, on all connections.
pub(super) const OF_USER: usize = 64;
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
    senders: Rooms<Option<String>, ()>,
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
            senders: Rooms::new(OF_SENDER),
            users: Rooms::new(OF_USER),
            asked: Semaphore::new(ASKED),
            passwords: Semaphore::new(PASSWORDS),
        }
    }

    /// Takes a place for a call of a connection, if one is free.
    pub(super) fn of_sender(&self, sender: Option<&str>) -> Option<Place<'_, Option<String>, ()>> {
        self.senders.enter(sender.map(str::to_owned))
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
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
