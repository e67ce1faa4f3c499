//! Guessing passwords is slow: after some failures each further attempt has to wait, twice as long each time, by account
//! and by address.
//!
//! An attempt counts as failed from its beginning, so that a thousand at once are a thousand, and is taken back when it
//! succeeds. An account that is not there is counted like one that is. Memory is bounded; where it is full, what failed
//! least is forgotten first, so that a flood of names does not wash away the count of the one under attack.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Counts kept at a time, of accounts and addresses together.
const MOST: usize = 8192;
/// Attempts from one address are as many people's as work behind it: it has this many times as many free ones.
const ADDRESS_FREE: u32 = 4;
/// A count is forgotten after this many times the longest wait without a failure.
const FORGET: u32 = 4;
/// Before a client is told to come back, it may have waited this long already.
const LONGEST: u32 = 31;

/// How many failures are free, and what the others cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Failures of one account without a wait.
    pub(crate) free: u32,
    /// The first wait; each further one is twice as long.
    pub(crate) delay: Duration,
    /// The longest wait.
    pub(crate) most: Duration,
}

/// Too many failures: how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

/// Counts failures. Shared by everything that verifies passwords.
pub(crate) struct Throttle {
    rule: Rule,
    counts: Mutex<HashMap<Key, Count>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// The first bytes of a name's digest: a name may be long, and not ours to keep.
    Account([u8; 16]),
    /// An IPv4 address, or the upper half of an IPv6 one: a site has the lower half to itself.
    Address(u64),
}

impl Key {
    fn account(name: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let mut key = [0; 16];
        key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self::Account(key)
    }

    fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::Address(u64::from(address.to_bits())),
            IpAddr::V6(address) => Self::Address(u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    last: Timestamp,
}

/// An attempt that has begun: a failure unless it is [taken back](Attempt::succeeded).
#[must_use]
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: [Option<Key>; 2],
}

impl Throttle {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, counts: Mutex::new(HashMap::new()) }
    }

    /// Whether `address` may try at all. A client without an address, on a unix socket, always may.
    ///
    /// # Errors
    /// [`Wait`].
    pub(crate) fn admit(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Wait> {
        let key = address.map(Key::address);
        self.wait(&self.counts(), key, now).map_or(Ok(()), Err)
    }

    /// Begins an attempt on the account `name`, which need not be there, from `address`. While an account has to wait,
    /// an attempt on it counts for the address alone: what is not looked at tells nobody anything.
    ///
    /// # Errors
    /// [`Wait`].
    pub(crate) fn begin(&self, name: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt<'_>, Wait> {
        let (account, address) = (Key::account(name), address.map(Key::address));
        let mut counts = self.counts();
        if let Some(wait) = self.wait(&counts, address, now) {
            return Err(wait);
        }
        if let Some(address) = address {
            self.count(&mut counts, address, now);
        }
        if let Some(wait) = self.wait(&counts, Some(account), now) {
            return Err(wait);
        }
        self.count(&mut counts, account, now);
        Ok(Attempt { throttle: self, keys: [Some(account), address] })
    }

    fn wait(&self, counts: &HashMap<Key, Count>, key: Option<Key>, now: Timestamp) -> Option<Wait> {
        let key = key?;
        let count = counts.get(&key)?;
        let passed = Duration::try_from(now.duration_since(count.last)).unwrap_or_default();
        let left = self.delay(key, count.failures).checked_sub(passed)?;
        (!left.is_zero()).then_some(Wait(left))
    }

    /// What `failures` of them cost.
    fn delay(&self, key: Key, failures: u32) -> Duration {
        let free = match key {
            Key::Account(_) => self.rule.free,
            Key::Address(_) => self.rule.free.saturating_mul(ADDRESS_FREE),
        };
        match failures.checked_sub(free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => self.rule.delay.saturating_mul(1 << (over - 1).min(LONGEST)).min(self.rule.most),
        }
    }

    fn count(&self, counts: &mut HashMap<Key, Count>, key: Key, now: Timestamp) {
        if counts.len() >= MOST && !counts.contains_key(&key) {
            self.make_room(counts, now);
        }
        let count = counts.entry(key).or_insert(Count { failures: 0, last: now });
        if self.is_forgotten(count, now) {
            count.failures = 0;
        }
        count.failures = count.failures.saturating_add(1);
        count.last = now;
    }

    fn make_room(&self, counts: &mut HashMap<Key, Count>, now: Timestamp) {
        counts.retain(|_, count| !self.is_forgotten(count, now));
        if counts.len() < MOST {
            return;
        }
        // all at once, so that this is not done for each newcomer: the half that failed least, of these the oldest
        let mut order: Vec<_> = counts.values().map(|count| (count.failures, count.last)).collect();
        order.sort_unstable();
        let Some(&limit) = order.get(order.len() / 2) else { return };
        counts.retain(|_, count| (count.failures, count.last) > limit);
    }

    fn is_forgotten(&self, count: &Count, now: Timestamp) -> bool {
        now.duration_since(count.last).unsigned_abs() > self.rule.most.saturating_mul(FORGET)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: the account starts anew. The address only gets this one attempt back, or somebody with an
    /// account of their own could go on guessing at others' for ever.
    pub(crate) fn succeeded(self) {
        let mut counts = self.throttle.counts();
        for key in self.keys.into_iter().flatten() {
            match key {
                Key::Account(_) => drop(counts.remove(&key)),
                Key::Address(_) => self.give_back(&mut counts, key),
            }
        }
    }

    /// Nothing was verified after all.
    pub(crate) fn abandoned(self) {
        let mut counts = self.throttle.counts();
        self.keys.into_iter().flatten().for_each(|key| self.give_back(&mut counts, key));
    }

    fn give_back(&self, counts: &mut HashMap<Key, Count>, key: Key) {
        let Some(count) = counts.get_mut(&key) else { return };
        count.failures = count.failures.saturating_sub(1);
        if count.failures == 0 {
            counts.remove(&key);
        }
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("rule", &self.rule).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
