//! What is done about uploads that were cut off, and about files that still have to go: at a start, from time to time, and
//! when somebody wants a name that an upload of before has.
//!
//! On this machine the lock of a file tells whether somebody works on it. Of an upload on another machine only the journal
//! tells: who works on it writes so every few seconds, and whose row does not change for a minute has given up. If that was
//! wrong, and it was only asleep, it finds its row gone and stops.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::shelf::{Shelf, digest};
use super::spool::lock;
use super::{Error, Pending, Store};
use crate::catalog::Digest;
use crate::clock::now;
use crate::folder::Stamp;

/// Whose row does not change for so long has given up.
const SILENCE: Duration = Duration::from_secs(60);

/// The same for who cannot wait for that, and only has the clocks of two machines.
const LONG_SILENCE: Duration = Duration::from_secs(600);

/// How an upload was found.
enum Found {
    /// Somebody is at it, in this process or in another.
    AtWork,
    /// It has its name and is complete: only the database did not know yet.
    Named(Stamp, Held),
    /// It never got its name.
    Lost(Held),
}

/// The lock of its file, if there is one here.
type Held = Option<File>;

/// What was done about uploads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Uploads that were finished.
    pub(crate) finished: usize,
    /// Uploads that were undone.
    pub(crate) undone: usize,
    /// Files that went, of those that had to.
    pub(crate) removed: usize,
}

/// Finishes or undoes every upload that nobody works on, removes what still has to go, and clears the spool.
///
/// # Errors
/// Disk, bucket or database.
pub(crate) async fn recover(store: &Store) -> Result<Recovered, Error> {
    let mut recovered = Recovered::default();
    let pending = pending(store).await?;
    for batch in pending.chunk_by(belong) {
        settle(store, batch, &mut recovered).await?;
    }
    recovered.removed += remove(store).await?;
    let spool = store.spool.clone();
    let left = tokio::task::spawn_blocking(move || spool.files()).await.map_err(io::Error::other)??;
    if !left.is_empty() {
        let known: HashSet<Box<str>> = self::pending(store).await?.into_iter().map(|pending| pending.spool).collect();
        let spool = store.spool.clone();
        let cleaned = tokio::task::spawn_blocking(move || spool.clean(&left, &known)).await;
        let files = cleaned.map_err(io::Error::other)??;
        if files > 0 {
            tracing::info!(index = &*store.index, files, "removed what uploads that were cut off left behind");
        }
    }
    Ok(recovered)
}

/// The same for the uploads that have to do with one file name only. Whether something was done.
///
/// # Errors
/// Disk, bucket or database.
pub(super) async fn recover_name(store: &Store, filename: &str) -> Result<bool, Error> {
    let (pending, mut recovered) = (pending(store).await?, Recovered::default());
    let batch = pending.chunk_by(belong).find(|batch| batch.iter().any(|pending| &*pending.filename == filename));
    if let Some(batch) = batch {
        settle(store, batch, &mut recovered).await?;
    }
    Ok(recovered != Recovered::default())
}

/// Uploads that nobody seems to work on, for who only wants to know.
///
/// # Errors
/// Disk, bucket or database.
pub(crate) async fn cut_off(store: &Store) -> Result<Vec<Pending>, Error> {
    let mut cut_off = Vec::new();
    for pending in pending(store).await? {
        let silent = Duration::from_micros(now().saturating_sub(pending.beat).try_into().unwrap_or_default());
        if silent > LONG_SILENCE || !matches!(look(store, &pending).await?, Found::AtWork) {
            cut_off.push(pending);
        }
    }
    Ok(cut_off)
}

/// Removes what is not served any more and still there. Returns how many files that were.
///
/// # Errors
/// Disk, bucket or database.
pub(super) async fn remove(store: &Store) -> Result<usize, Error> {
    let records = store.catalog().records();
    let removals = records.removals(&store.index).await?;
    for removal in &removals {
        store.shelf.remove(removal).await?;
        records.removed(&store.index, &removal.path).await?;
        tracing::info!(index = &*store.index, path = &*removal.path, "a file was removed");
    }
    Ok(removals.len())
}

/// What the journal has.
async fn pending(store: &Store) -> Result<Vec<Pending>, Error> {
    let pending = store.catalog().records().pending(&store.index).await?;
    store.silence.hear(&pending);
    Ok(pending)
}

/// Whether two uploads become visible together.
fn belong(one: &Pending, other: &Pending) -> bool {
    one.batch.is_some() && one.batch == other.batch
}

/// Finishes or undoes uploads that belong together, unless somebody works on them.
async fn settle(store: &Store, batch: &[Pending], recovered: &mut Recovered) -> Result<(), Error> {
    let (mut named, mut lost, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for pending in batch {
        match look(store, pending).await? {
            Found::AtWork => return Ok(()),
            Found::Named(stamp, lock) => {
                named.push((pending.clone(), stamp));
                held.push(lock);
            }
            Found::Lost(lock) => {
                lost.push(pending.clone());
                held.push(lock);
            }
        }
    }
    if lost.is_empty() {
        let count = named.len();
        if store.finish(named).await? {
            recovered.finished += count;
        }
        return Ok(());
    }
    // what has a name already must not stay, unless another file has had to go for it; a bucket may hold the beginning of
    // what is lost
    let mut leave: Vec<Pending> = named.into_iter().map(|(pending, _)| pending).collect();
    match &store.shelf {
        Shelf::Bucket(_) => leave.extend(lost),
        Shelf::Folder(_) if store.volatile => leave.clear(),
        Shelf::Folder(_) => {}
    }
    recovered.undone += store.catalog().records().undo(batch, &leave).await?;
    for Pending { index, filename, .. } in batch {
        tracing::warn!(index = &**index, file = &**filename, "an upload was cut off, and is undone");
    }
    recovered.removed += remove(store).await?;
    Ok(())
}

async fn look(store: &Store, pending: &Pending) -> Result<Found, Error> {
    let spool = store.spool.path(&pending.spool);
    match &store.shelf {
        Shelf::Folder(root) => {
            let (target, sha256) = (root.join(&*pending.path), pending.facts.sha256);
            let look = move || look_in_folder(&target, &spool, sha256);
            Ok(tokio::task::spawn_blocking(look).await.map_err(io::Error::other)??)
        }
        Shelf::Bucket(bucket) => {
            let held = tokio::task::spawn_blocking(move || Ok::<_, io::Error>((spool.exists(), lock(&spool)?))).await;
            let held = match held.map_err(io::Error::other)?? {
                (true, None) => return Ok(Found::AtWork),
                // of another machine, or nothing is known of it
                (false, None) if !store.silence.is_long(pending) => return Ok(Found::AtWork),
                (_, held) => held,
            };
            let found = bucket.look(&pending.path).await.map_err(Error::Bucket)?;
            Ok(match found.filter(|stamp| stamp.size == pending.size) {
                Some(stamp) => Found::Named(stamp, held),
                None => Found::Lost(held),
            })
        }
    }
}

/// Looks where the file should be, and where it was before.
fn look_in_folder(target: &Path, spool: &Path, sha256: Digest) -> io::Result<Found> {
    if spool.exists() {
        return Ok(lock(spool)?.map_or(Found::AtWork, |held| Found::Lost(Some(held))));
    }
    if !target.exists() {
        return Ok(Found::Lost(None));
    }
    match lock(target)? {
        None => Ok(Found::AtWork),
        Some(file) if digest(&file)? == sha256 => Ok(Found::Named(Stamp::from(&file.metadata()?), Some(file))),
        // somebody else's file: the name was given, and replaced since
        Some(file) => Ok(Found::Lost(Some(file))),
    }
}

/// Since when the row of an upload has not changed, by the upload's name in the spool. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Silence(Arc<Mutex<HashMap<Box<str>, Heard>>>);

/// A beat, and when it was heard first.
type Heard = (i64, Instant);

impl Silence {
    /// These are all that there are now.
    fn hear(&self, pending: &[Pending]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let last = |pending: &Pending| match heard.get(&pending.spool) {
            Some(before) if before.0 == pending.beat => *before,
            _ => (pending.beat, now),
        };
        *heard = pending.iter().map(|pending| (pending.spool.clone(), last(pending))).collect();
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(super) fn age(&self, by: Duration) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.values_mut().for_each(|(_, since)| *since = since.checked_sub(by).unwrap_or(*since));
    }

    /// Whether nothing was heard of an upload for so long that nobody works on it.
    fn is_long(&self, pending: &Pending) -> bool {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(&pending.spool).is_some_and(|(beat, since)| *beat == pending.beat && since.elapsed() >= SILENCE)
    }
}
