//! From a checked file in the spool to one that is served, step by step, so that a crash between two steps leaves nothing
//! that the next start cannot finish or undo.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use opsctl_dist::{FileName, Kind, Version};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tokio::sync::Mutex;

use super::{Error, Spool, Spooled};
use crate::catalog::Catalog;
use crate::clock::now;
use crate::config::IndexName;
use crate::folder::{Facts, Folder, Stamp};
use crate::records::Claimed;

/// Names that are worked on at the same time; a power of two.
const LOCKS: usize = 64;

/// An upload, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) index: Box<str>,
    pub(crate) filename: Box<str>,
    /// Where the file will be, within the root.
    pub(crate) path: Box<str>,
    /// Where it is until then, within the spool.
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

/// Stores files of one index.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) index: IndexName,
    pub(crate) root: Arc<PathBuf>,
    /// Whether a name may get other bytes.
    pub(crate) volatile: bool,
    /// Whether only what today's tools make is taken.
    pub(crate) strict: bool,
    pub(crate) spool: Spool,
    catalog: Arc<Catalog>,
    /// What was stored since the folder's keeper last asked.
    landed: Landed,
    /// By file name: two uploads of one name come one after the other.
    locks: [Mutex<()>; LOCKS],
    hasher: RandomState,
}

impl Store {
    pub(crate) fn new(index: IndexName, folder: &Folder, catalog: Arc<Catalog>) -> Store {
        let Folder { root, volatile, strict } = folder;
        let (root, volatile, strict) = (Arc::clone(root), *volatile, *strict);
        let spool = Spool::new(&root);
        let locks = std::array::from_fn(|_| Mutex::default());
        let landed = Landed::default();
        Store { index, root, volatile, strict, spool, catalog, landed, locks, hasher: RandomState::new() }
    }

    /// Stores a checked file under its name and makes it visible.
    ///
    /// # Errors
    /// The name belongs to another file; or the disk or the database did not do its part, and then nothing has happened,
    /// or a next start will see to it.
    pub(crate) async fn store(
        &self,
        filename: &str,
        facts: Facts,
        mut spooled: Spooled,
        sender: Sender,
    ) -> Result<Outcome, Error> {
        let Sender { actor, address, attestations } = sender;
        let pending = Pending {
            index: (*self.index).into(),
            filename: filename.into(),
            // both are of letters that are safe in a path
            path: format!("{}/{filename}", facts.name.normalized()).into(),
            spool: spooled.name().into(),
            size: spooled.size,
            facts,
            attestations: attestations.map(Into::into),
            actor: actor.into(),
            address: address.into(),
            at: now(),
        };
        let lock = &self.locks[self.hasher.hash_one(filename) as usize & (LOCKS - 1)];
        let _one_at_a_time = lock.lock().await;
        if self.strict {
            self.only_sdist(&pending)?;
        }
        let claimed = self.catalog.records().claim(&pending, self.volatile).await?;
        if claimed == Claimed::Same {
            return Ok(Outcome::Same);
        }
        refusal(&pending, claimed)?;
        let (root, path, volatile) = (Arc::clone(&self.root), pending.path.clone(), self.volatile);
        let named = tokio::task::spawn_blocking(move || {
            let stamp = name(&root, &path, &mut spooled, volatile);
            // the lock is held until the journal is written
            (stamp, spooled)
        });
        let (stamp, _spooled) = named.await.map_err(|error| Error::Io(io::Error::other(error)))?;
        match stamp {
            Ok(stamp) => self.finish(&pending, stamp).await?,
            Err(error) => {
                self.catalog.records().undo(&pending.index, filename).await?;
                return Err(error);
            }
        }
        Ok(Outcome::Stored)
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

    /// Makes a file visible that has its name.
    pub(super) async fn finish(&self, pending: &Pending, stamp: Stamp) -> Result<(), Error> {
        self.catalog.records().finish(pending, stamp).await?;
        let projects = BTreeSet::from([pending.facts.name.normalized().into()]);
        self.catalog.refresh(&self.index, &projects).await?;
        self.landed.add(pending.path.clone(), stamp);
        let (index, actor, address) = (&*pending.index, &*pending.actor, &*pending.address);
        tracing::info!(index, file = &*pending.filename, actor, address, "a file was uploaded");
        Ok(())
    }

    /// Makes files visible together that have their names and are copies of files of the index `from`.
    pub(super) async fn finish_copies(&self, copies: &[(Pending, Stamp)], from: &str) -> Result<(), Error> {
        self.catalog.records().finish_copies(copies, from).await?;
        let projects = copies.iter().map(|(pending, _)| pending.facts.name.normalized().into()).collect();
        self.catalog.refresh(&self.index, &projects).await?;
        for (pending, stamp) in copies {
            self.landed.add(pending.path.clone(), *stamp);
            let (index, actor, address) = (&*pending.index, &*pending.actor, &*pending.address);
            tracing::info!(index, from, file = &*pending.filename, actor, address, "a file was promoted");
        }
        Ok(())
    }

    /// What was stored, for the folder's keeper.
    pub(crate) fn landed(&self) -> Landed {
        self.landed.clone()
    }

    /// The catalogue that it makes files visible in.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
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

/// Gives a file in the spool its name, for good. Blocks on the disk.
pub(super) fn name(root: &Path, path: &str, spooled: &mut Spooled, replace: bool) -> Result<Stamp, Error> {
    let target = root.join(path);
    let folder = target.parent().unwrap_or(root);
    if let Err(error) = fs::create_dir(folder) {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error.into());
        }
    } else {
        sync(root)?;
    }
    let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    match renameat_with(CWD, &spooled.path, CWD, &target, flags) {
        Ok(()) => spooled.is_named(),
        Err(Errno::EXIST) => {
            let filename = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::Busy(filename));
        }
        Err(error) => return Err(io::Error::from(error).into()),
    }
    sync(folder)?;
    Ok(Stamp::from(&spooled.file.metadata()?))
}

/// Names in a folder are on the disk when the folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
