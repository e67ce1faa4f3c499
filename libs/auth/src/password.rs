//! Passwords: which are taken, how they are kept, and how they are verified without the program's standing still.
//!
//! Argon2id with the parameters that OWASP's Password Storage Cheat Sheet names first for it (19 MiB, two passes, one
//! lane; these are the crate's default as well). So one verification takes 19 MiB and some 20 ms of a processor: they run
//! on threads of their own, a few at a time, and who comes when the queue is full is told to come back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::cache::{Cache, Key};
use crate::error::Error;
use crate::random;

/// Characters at least, as there is no second factor.
const SHORTEST: usize = 12;
/// Bytes at most: room for any sentence.
const LONGEST: usize = 1024;
/// Of memory, in KiB.
const MEMORY: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Verifications at a time: 76 MiB at most.
const AT_ONCE: usize = 4;
/// Further ones that may wait for their turn.
const QUEUE: usize = 64;
/// Clients that send their password with every request.
const REMEMBERED: usize = 1024;
/// How long a password that was right is not verified again.
const REMEMBER: Duration = Duration::from_secs(300);

/// Hashes and verifies passwords.
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    room: Arc<Semaphore>,
    /// At work or waiting.
    inside: Arc<AtomicUsize>,
    /// The password that belongs to a stored hash, as a keyed digest of both.
    right: Cache<()>,
    /// Makes the digests worthless outside of this process.
    key: [u8; 32],
    /// What the password of nobody is compared with.
    nobody: String,
}

/// Whether anybody may have this password; `name` is its user's.
///
/// # Errors
/// [`Error::Password`] says what to do about it.
pub(crate) fn acceptable(password: &str, name: &str) -> Result<(), Error> {
    let lower = password.to_lowercase();
    if password.len() > LONGEST {
        return Err(Error::Password("a password has 1024 bytes at most"));
    }
    if password.chars().count() < SHORTEST {
        return Err(Error::Password(
            "a password has at least 12 characters: some words that nobody else puts together",
        ));
    }
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 5 || (name.len() > 2 && lower.replace(name, "").chars().count() < SHORTEST / 2) {
        return Err(Error::Password("this password is too easily guessed"));
    }
    Ok(())
}

impl Passwords {
    /// # Errors
    /// The kernel has no random numbers.
    pub(crate) fn new() -> Result<Self, Error> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let params = Params::new(MEMORY, PASSES, 1, None).map_err(|error| Error::Hash(error.into()))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash(&argon, &random::bytes::<32>()?)?;
        Ok(Self {
            argon,
            room: Arc::new(Semaphore::new(threads.min(AT_ONCE))),
            inside: Arc::default(),
            right: Cache::new(REMEMBERED, REMEMBER),
            key: random::bytes()?,
            nobody,
        })
    }

    /// The hash to store, a PHC string.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Error> {
        let (argon, password) = (self.argon.clone(), password.to_owned());
        self.work(move || hash(&argon, password.as_bytes())).await
    }

    /// Whether `password` is the one whose hash is `stored`. Without one, for a user that is not there or has no
    /// password, it takes just as long and is wrong.
    ///
    /// # Errors
    /// [`Error::Busy`], or what is stored is no hash.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Error> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let (argon, password) = (self.argon.clone(), password.to_owned());
        let hash = stored.unwrap_or(&self.nobody).to_owned();
        let right = self.work(move || verify(&argon, password.as_bytes(), &hash)).await?;
        Ok(right && stored.is_some())
    }

    /// Whether [`Self::remember`] has heard of these two not long ago.
    pub(crate) fn is_remembered(&self, password: &str, stored: &str, now: Timestamp) -> bool {
        self.right.get(&self.digest(password, stored), now).is_some()
    }

    /// `password` is the one whose hash is `stored`: need not be verified again for a while. A new password has a new
    /// hash, so this is never out of date.
    pub(crate) fn remember(&self, password: &str, stored: &str, now: Timestamp) {
        let generation = self.right.generation();
        self.right.insert(generation, self.digest(password, stored), (), now);
    }

    fn digest(&self, password: &str, stored: &str) -> Key {
        let mut digest = Sha256::new_with_prefix(self.key);
        // a hash has no NUL, so the two cannot be cut elsewhere
        digest.update(stored.as_bytes());
        digest.update([0]);
        digest.update(password.as_bytes());
        digest.finalize().into()
    }

    /// Runs `job` on a thread of its own when its turn comes.
    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inside = Inside::enter(&self.inside).ok_or(Error::Busy)?;
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| Error::Lost)?;
        let task = tokio::task::spawn_blocking(move || {
            // held to the end of the work, also when the client is gone
            let _held = (inside, room);
            job()
        });
        task.await.map_err(|_| Error::Lost)?
    }
}

fn hash(argon: &Argon2<'_>, password: &[u8]) -> Result<String, Error> {
    let salt = random::bytes::<16>()?;
    let hash: PasswordHash = argon.hash_password_with_salt(password, &salt).map_err(Error::Hash)?;
    Ok(hash.to_string())
}

fn verify(argon: &Argon2<'_>, password: &[u8], stored: &str) -> Result<bool, Error> {
    let stored = PasswordHash::new(stored).map_err(|error| Error::Hash(error.into()))?;
    match argon.verify_password(password, &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Hash(error)),
    }
}

/// One of those at work or waiting.
struct Inside(Arc<AtomicUsize>);

impl Inside {
    fn enter(count: &Arc<AtomicUsize>) -> Option<Self> {
        if count.fetch_add(1, Ordering::Relaxed) < AT_ONCE + QUEUE {
            return Some(Self(Arc::clone(count)));
        }
        count.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::FakeClock;

    #[track_caller]
    fn check(password: &str, said: &str) {
        let found = acceptable(password, "alice").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(if said.is_empty() { found.is_empty() } else { found.contains(said) }, "{password}: {found}");
    }

    #[test]
    fn which_are_taken() {
        check("correct horse battery", "");
        check("größe über alles", "");
        check("12345678901", "at least 12");
        check("ääääääääääßü", "easily guessed");
        check("", "at least 12");
        check("aaaaaaaaaaaaaaaa", "easily guessed");
        check("alicealicealice", "easily guessed");
        check("Alice-2026-x", "");
        check("alicealice12", "easily guessed");
        check(&"long ".repeat(205), "1024 bytes");
    }

    #[tokio::test]
    async fn hashed_and_verified() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, passwords.hash("correct horse").await.unwrap(), "salted");
        assert!(passwords.verify("correct horse", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("", Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&"a".repeat(1_000_000), Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(matches!(passwords.verify("correct horse", Some("plain")).await, Err(Error::Hash(_))));
    }

    /// Hashes of other parameters, as an import may bring, are verified with theirs.
    #[tokio::test]
    async fn hashes_of_others() {
        let passwords = Passwords::new().unwrap();
        let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 3, 1, None).unwrap());
        let stored = hash(&other, b"correct horse").unwrap();
        assert!(passwords.verify("correct horse", Some(&stored)).await.unwrap());
    }

    /// Not measured, as a busy machine makes any time longer: it is the same work, and it is done.
    #[tokio::test]
    async fn nobody_costs_the_same() {
        let mut passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        let cost = |hash: &str| (hash.rsplitn(3, '$').nth(2).map(str::to_owned), hash.len());
        assert_eq!(cost(&passwords.nobody), cost(&stored), "the same function, parameters and lengths");
        assert!(!passwords.verify("wrong horse", None).await.unwrap());
        // were it not looked at, nobody would notice that it is none
        passwords.nobody = "no hash".to_owned();
        assert!(matches!(passwords.verify("wrong horse", None).await, Err(Error::Hash(_))));
        assert!(matches!(passwords.verify("", None).await, Err(Error::Hash(_))));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away() {
        let passwords = Arc::new(Passwords::new().unwrap());
        // nothing gets through
        let all = u32::try_from(passwords.room.available_permits()).unwrap();
        let held = passwords.room.acquire_many(all).await.unwrap();
        let attempts = (0..200).map(|_| passwords.verify("correct horse", None));
        let mut attempts: Vec<_> = attempts.map(Box::pin).collect();
        let mut busy = 0;
        std::future::poll_fn(|cx| {
            attempts.retain_mut(|attempt| match attempt.as_mut().poll(cx) {
                std::task::Poll::Ready(Err(Error::Busy)) => {
                    busy += 1;
                    false
                }
                std::task::Poll::Ready(other) => panic!("{other:?}"),
                std::task::Poll::Pending => true,
            });
            std::task::Poll::Ready(())
        })
        .await;
        assert_eq!((busy, attempts.len()), (200 - AT_ONCE - QUEUE, AT_ONCE + QUEUE));
        drop(attempts);
        drop(held);
        assert!(!passwords.verify("correct horse", None).await.unwrap(), "who gave up left its place");
    }

    #[tokio::test]
    async fn remembered_for_a_while() {
        let (passwords, time) = (Passwords::new().unwrap(), FakeClock::new());
        let now = || time.clock().now();
        passwords.remember("correct horse", "$hash", now());
        assert!(passwords.is_remembered("correct horse", "$hash", now()));
        assert!(!passwords.is_remembered("correct horsf", "$hash", now()));
        assert!(!passwords.is_remembered("correct horse", "$hasi", now()), "a new password has a new hash");
        time.advance(REMEMBER);
        assert!(!passwords.is_remembered("correct horse", "$hash", now()));
    }
}
