//! From a checked file in the spool to one that is served, step by step, so that a crash between two steps leaves nothing
//! that the next start cannot finish or undo: a row in the journal, the file's new name, and the transaction that makes it
//! visible. Several files go through each step together.
//!
//! The journal's row also keeps others from the name, on this machine and on others that share the database. While it is
//! there, its beat says that somebody works on it.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use opsctl_dist::{FileName, Kind, Version};
use tokio::sync::Mutex;

use super::recover::{Silence, recover_name, remove};
use super::shelf::{Files, Shelf};
use super::{Error, Spool, Spooled};
use crate::catalog::Catalog;
use crate::clock::now;
use crate::config::IndexName;
use crate::folder::{Facts, Kept, Stamp};
use crate::records::{Claimed, Records};

/// Names that are worked on at the same time; a power of two.
const LOCKS: usize = 64;
/// How long one waits for somebody who stores a file of the same name: clients wait for an answer for a minute at least.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether they are ready.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two signs of life in the journal.
const BEAT: Duration = Duration::from_secs(5);

/// An upload, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) index: Box<str>,
    pub(crate) filename: Box<str>,
    /// Where the file will be, within the root or the bucket.
    pub(crate) path: Box<str>,
    /// Where it is until then, within the spool. No other upload on any machine has the same.
    pub(crate) spool: Box<str>,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) facts: Facts,
    /// A JSON array (PEP 740).
    pub(crate) attestations: Option<Box<str>>,
    pub(crate) actor: Box<str>,
    pub(crate) address: Box<str>,
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// The last sign of life, of the clock of who works on it.
    pub(crate) beat: i64,
    /// Those with the same become visible together, or none of them.
    pub(crate) batch: Option<Box<str>>,
    /// The index that it is copied from.
    pub(crate) source: Option<Box<str>>,
}

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is there now.
    Stored,
    /// It was there, the very same.
    Same,
}

/// Files that were stored and are known, by path: nobody has to read them again. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Landed(Arc<std::sync::Mutex<Vec<At>>>);

/// A path within the root, and what is there.
type At = (Box<str>, Stamp);

impl Landed {
    fn add(&self, path: Box<str>, stamp: Stamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((path, stamp));
    }

    /// Those since it was last asked.
    pub(crate) fn take(&self) -> Vec<At> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whose upload it is, and what comes with it.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) actor: String,
    pub(crate) address: String,
    pub(crate) attestations: Option<String>,
}

/// Where an index keeps its files, and what it takes.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) shelf: Shelf,
    pub(crate) spool: Spool,
    /// Whether a name may get other bytes.
    pub(crate) volatile: bool,
    /// Whether only what today's tools make is taken.
    pub(crate) strict: bool,
}

/// Stores files of one index.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) index: IndexName,
    pub(crate) shelf: Shelf,
    /// Whether a name may get other bytes.
    pub(crate) volatile: bool,
    /// Whether only what today's tools make is taken.
    pub(crate) strict: bool,
    pub(crate) spool: Spool,
    /// Uploads of which nothing is heard.
    pub(super) silence: Silence,
    catalog: Arc<Catalog>,
    /// What was stored since the folder's keeper last asked.
    landed: Landed,
    /// By file name: two uploads of one name come one after the other.
    locks: [Mutex<()>; LOCKS],
    hasher: RandomState,
}

impl Store {
    pub(crate) fn new(index: IndexName, terms: Terms, catalog: Arc<Catalog>) -> Store {
        let Terms { shelf, spool, volatile, strict } = terms;
        let locks = std::array::from_fn(|_| Mutex::default());
        let (silence, landed, hasher) = (Silence::default(), Landed::default(), RandomState::new());
        Store { index, shelf, volatile, strict, spool, silence, catalog, landed, locks, hasher }
    }

    /// Stores a checked file under its name and makes it visible.
    ///
    /// # Errors
    /// The name belongs to another file; or the disk, the bucket or the database did not do its part, and then nothing has
    /// happened, or somebody will see to it.
    pub(crate) async fn store(
        &self,
        filename: &str,
        facts: Facts,
        spooled: Spooled,
        sender: Sender,
    ) -> Result<Outcome, Error> {
        let pending = self.pending(filename, facts, &spooled, sender);
        let lock = &self.locks[self.hasher.hash_one(filename) as usize & (LOCKS - 1)];
        let _one_at_a_time = lock.lock().await;
        if self.strict {
            self.only_sdist(&pending)?;
        }
        let stored = self.land(vec![(pending, spooled)]).await?;
        Ok(if stored.is_empty() { Outcome::Same } else { Outcome::Stored })
    }

    /// What the journal will say of a file.
    pub(super) fn pending(&self, filename: &str, facts: Facts, spooled: &Spooled, sender: Sender) -> Pending {
        let (Sender { actor, address, attestations }, now) = (sender, now());
        Pending {
            index: (*self.index).into(),
            filename: filename.into(),
            path: self.shelf.path(&self.index, facts.name.normalized(), spooled.name(), filename),
            spool: spooled.name().into(),
            size: spooled.size,
            facts,
            attestations: attestations.map(Into::into),
            actor: actor.into(),
            address: address.into(),
            at: now,
            beat: now,
            batch: None,
            source: None,
        }
    }

    /// Stores files and makes them visible, all or none. Returns the names of those that were not there.
    ///
    /// # Errors
    /// Those of [`Store::store`], for any of them.
    pub(super) async fn land(&self, files: Files) -> Result<Vec<Box<str>>, Error> {
        let pending: Vec<Pending> = files.iter().map(|(pending, _)| pending.clone()).collect();
        let claimed = self.claim(&pending).await?;
        for (pending, claimed) in pending.iter().zip(&claimed) {
            refusal(pending, *claimed)?;
        }
        let taken = files.into_iter().zip(claimed).filter(|(_, claimed)| *claimed == Claimed::Taken);
        let mut files: Files = taken.map(|(file, _)| file).collect();
        files.iter_mut().for_each(|(_, spooled)| spooled.is_in_journal());
        let pending: Vec<Pending> = files.iter().map(|(pending, _)| pending.clone()).collect();
        let (named, mut files) = self.beating(&pending, self.shelf.name(files, self.volatile)).await;
        let error = match named {
            Ok(stamps) => match self.finish(pending.iter().cloned().zip(stamps).collect()).await {
                Ok(true) => None,
                // that it was taken for given up means that it took very long
                Ok(false) => Some(Error::Busy(pending.iter().map(|pending| &*pending.filename).collect())),
                Err(error) => self.give_up(&pending, &files, error).await,
            },
            Err(error) => self.give_up(&pending, &files, error).await,
        };
        match error {
            Some(error) => Err(error),
            None => {
                files.iter_mut().for_each(|(_, spooled)| spooled.is_done());
                Ok(pending.into_iter().map(|pending| pending.filename).collect())
            }
        }
    }

    /// Takes the names, when nobody else works on them any more.
    async fn claim(&self, pending: &[Pending]) -> Result<Vec<Claimed>, Error> {
        let began = Instant::now();
        loop {
            let claimed = self.records().claim_all(pending, self.volatile).await?;
            let busy = pending.iter().zip(&claimed).find(|(_, claimed)| **claimed == Claimed::Busy);
            let Some((busy, _)) = busy.filter(|_| began.elapsed() < PATIENCE) else { return Ok(claimed) };
            if !recover_name(self, &busy.filename).await? {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Does some work on uploads, and says in the journal that it is being done.
    async fn beating<T>(&self, pending: &[Pending], work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(BEAT, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    if let Err(error) = self.records().beat(pending, now()).await {
                        // others follow; the end will show whether all were missed
                        tracing::warn!(error = %opsctl_logging::chain(&error), "failed to say that an upload goes on");
                    }
                }
            }
        }
    }

    /// Undoes what was begun, because of `error`. None if it turns out that all of it was done.
    async fn give_up(&self, pending: &[Pending], files: &Files, error: Error) -> Option<Error> {
        // the transaction may have been the last that the database did before it went away
        let is_certain = !matches!(&error, Error::Records(error) if error.is_unavailable());
        let undone = async {
            if is_certain {
                // first what takes room: the database may need it
                if !self.replaces() {
                    self.shelf.take_back(files).await?;
                }
            }
            let leave = if is_certain || self.replaces() { &[] } else { pending };
            if self.records().undo(pending, leave).await? == 0 && !is_certain {
                return Ok(!self.are_there(pending).await?);
            }
            remove(self).await?;
            Ok::<_, Error>(true)
        };
        match undone.await {
            Ok(true) => {}
            Ok(false) => match self.refresh(pending).await {
                Ok(()) => return None,
                Err(error) => return Some(error.into()),
            },
            Err(second) => {
                tracing::warn!(error = %opsctl_logging::chain(&second), "an upload is to be undone later");
            }
        }
        Some(error)
    }

    /// Whether a file that gets its name may be there instead of another one, which is gone: half of the two is better
    /// than none.
    fn replaces(&self) -> bool {
        self.volatile && matches!(self.shelf, Shelf::Folder(_))
    }

    /// Whether these are what the names belong to now.
    async fn are_there(&self, pending: &[Pending]) -> crate::records::Result<bool> {
        for Pending { index, filename, facts, .. } in pending {
            if self.records().project_of(index, filename, &facts.sha256).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A release has one source distribution.
    pub(super) fn only_sdist(&self, pending: &Pending) -> Result<(), Error> {
        let is_sdist = |filename: &str| matches!(FileName::kind_of(filename), Some((Kind::Sdist, _)));
        let snapshot = self.catalog.snapshot();
        let project = snapshot.index(&self.index).and_then(|index| index.project(pending.facts.name.normalized()));
        let Some(project) = project.filter(|_| is_sdist(&pending.filename)) else { return Ok(()) };
        let version = Version::legacy(&pending.facts.version).ok();
        let other = project.files.iter().find(|file| {
            file.filename != pending.filename
                && is_sdist(&file.filename)
                && Version::legacy(&file.version).ok() == version
        });
        other.map_or(Ok(()), |other| Err(Error::SecondSdist(other.filename.to_string())))
    }

    /// Makes files visible together that have their names. False if somebody else has seen to them.
    pub(super) async fn finish(&self, uploads: Vec<(Pending, Stamp)>) -> Result<bool, Error> {
        if !self.records().finish(&uploads).await? {
            return Ok(false);
        }
        let pending: Vec<Pending> = uploads.iter().map(|(pending, _)| pending.clone()).collect();
        self.refresh(&pending).await?;
        for (pending, stamp) in uploads {
            let (index, actor, address) = (&*pending.index, &*pending.actor, &*pending.address);
            match &pending.source {
                None => tracing::info!(index, file = &*pending.filename, actor, address, "a file was uploaded"),
                Some(from) => {
                    let file = &*pending.filename;
                    tracing::info!(index, from = &**from, file, actor, address, "a file was promoted");
                }
            }
            self.landed.add(pending.path, stamp);
        }
        Ok(true)
    }

    async fn refresh(&self, pending: &[Pending]) -> crate::records::Result<()> {
        let projects: BTreeSet<Box<str>> =
            pending.iter().map(|pending| pending.facts.name.normalized().into()).collect();
        self.catalog.refresh(&self.index, &projects).await
    }

    /// What the keeper of its folder has to know; None if it has no folder.
    pub(crate) fn kept(&self, rescan: Duration) -> Option<Kept> {
        let Shelf::Folder(root) = &self.shelf else { return None };
        let (index, root, landed) = (self.index.clone(), Arc::clone(root), self.landed.clone());
        Some(Kept { index, root, volatile: self.volatile, rescan, landed })
    }

    /// The catalogue that it makes files visible in.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn records(&self) -> &Records {
        self.catalog.records()
    }
}

/// Why a name is not to be had, if it is not.
pub(super) fn refusal(pending: &Pending, claimed: Claimed) -> Result<(), Error> {
    let filename = pending.filename.to_string();
    match claimed {
        Claimed::Taken | Claimed::Same => Ok(()),
        Claimed::Busy => Err(Error::Busy(filename)),
        Claimed::Closed(state) => Err(Error::Closed { name: pending.facts.name.normalized().to_owned(), state }),
        Claimed::Bound { sha256, there: true } => Err(Error::Exists { filename, sha256: sha256.to_string() }),
        Claimed::Bound { there: false, .. } => Err(Error::Removed { filename }),
    }
}
