//! A bounded memory of what was just found out: so many entries, for so long, the oldest goes first.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// What an entry is kept under: a digest, never the secret itself.
pub(crate) type Key = [u8; 32];

/// Entries that all live equally long, so that the oldest is the first to go.
pub(crate) struct Cache<V> {
    life: Duration,
    most: usize,
    entries: Mutex<Entries<V>>,
}

struct Entries<V> {
    found: HashMap<Key, (Timestamp, V)>,
    /// In the order of their coming; an entry that was replaced stands here twice.
    order: VecDeque<(Timestamp, Key)>,
    /// Counts [`Cache::clear`].
    generation: u64,
}

impl<V: Clone> Cache<V> {
    /// `most` entries for `life` each; none at all if one of them is zero.
    pub(crate) fn new(most: usize, life: Duration) -> Self {
        let entries = Entries { found: HashMap::new(), order: VecDeque::new(), generation: 0 };
        Self { life, most, entries: Mutex::new(entries) }
    }

    /// What is known under `key`.
    pub(crate) fn get(&self, key: &Key, now: Timestamp) -> Option<V> {
        let entries = self.entries();
        let (since, value) = entries.found.get(key)?;
        self.is_fresh(*since, now).then(|| value.clone())
    }

    /// To be taken before one looks for what will be put in: see [`Self::insert`].
    pub(crate) fn generation(&self) -> u64 {
        self.entries().generation
    }

    /// Keeps `value`, which was found out at `now`, unless [`Self::clear`] came between: it may be out of date then.
    pub(crate) fn insert(&self, generation: u64, key: Key, value: V, now: Timestamp) {
        if self.most == 0 || self.life.is_zero() {
            return;
        }
        let mut entries = self.entries();
        if entries.generation != generation {
            return;
        }
        let Entries { found, order, .. } = &mut *entries;
        while let Some(&(since, oldest)) = order.front()
            && (order.len() >= self.most || !self.is_fresh(since, now))
        {
            order.pop_front();
            if found.get(&oldest).is_some_and(|(of_entry, _)| *of_entry == since) {
                found.remove(&oldest);
            }
        }
        found.insert(key, (now, value));
        order.push_back((now, key));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries.found.clear();
        entries.order.clear();
        entries.generation += 1;
    }

    fn is_fresh(&self, since: Timestamp, now: Timestamp) -> bool {
        // a clock that was set back makes nothing live longer
        let age = now.duration_since(since).unsigned_abs();
        age < self.life
    }

    fn entries(&self) -> MutexGuard<'_, Entries<V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("life", &self.life).field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn put(cache: &Cache<u8>, key: u8, value: u8, now: i64) {
        cache.insert(cache.generation(), [key; 32], value, at(now));
    }

    /// Each of `steps` puts `key` in at a second; `left` are the keys found at `now`.
    #[track_caller]
    fn check(most: usize, life: u64, steps: &[(u8, i64)], now: i64, left: &[u8]) {
        let cache = Cache::new(most, Duration::from_secs(life));
        steps.iter().for_each(|(key, second)| put(&cache, *key, *key, *second));
        let found: Vec<u8> = (0..10).filter_map(|key| cache.get(&[key; 32], at(now))).collect();
        assert_eq!(found, left);
        assert!(cache.entries().order.len() <= most && cache.entries().found.len() <= most);
    }

    #[test]
    fn bounded_in_number_and_time() {
        check(3, 10, &[(1, 0), (2, 1), (3, 2)], 9, &[1, 2, 3]);
        check(3, 10, &[(1, 0), (2, 1), (3, 2)], 10, &[2, 3]);
        check(3, 10, &[(1, 0), (2, 1), (3, 2), (4, 3)], 4, &[2, 3, 4]);
        check(3, 10, &[(1, 0), (1, 1), (1, 2), (1, 3), (2, 3)], 4, &[1, 2]);
        check(3, 10, &[(1, 0), (2, 20)], 20, &[2]);
        check(3, 10, &[(1, 50)], 0, &[]);
        check(0, 10, &[(1, 0)], 0, &[]);
        check(3, 0, &[(1, 0)], 0, &[]);
    }

    #[test]
    fn what_was_found_out_before_a_change_is_not_kept() {
        let cache = Cache::new(3, Duration::from_secs(10));
        let before = cache.generation();
        put(&cache, 1, 1, 0);
        cache.clear();
        cache.insert(before, [2; 32], 2, at(0));
        assert_eq!(cache.get(&[1; 32], at(0)), None);
        assert_eq!(cache.get(&[2; 32], at(0)), None);
        put(&cache, 2, 3, 0);
        assert_eq!(cache.get(&[2; 32], at(0)), Some(3));
    }
}
