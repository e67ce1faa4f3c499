//! Where uploads are written until they get their names: a hidden folder in the root of their index, so that a name is
//! all that changes; where the files are in a bucket, a folder of this machine.
//!
//! Each file is locked (flock(2)) for as long as somebody works on it, in whichever process; the lock goes with the
//! process. A file that is not locked was left behind. One whose upload stands in the journal stays until the journal
//! has been written again, empty if need be: it is how others see that nobody works on it any more.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use opsctl_dist::{Digests, Hasher, Wanted};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::mpsc;

use super::Error;

/// Within the root.
const FOLDER: &str = ".opsctl/spool";
/// Pieces that wait to be written; a client that is faster than the disk has to wait.
const QUEUE: usize = 8;
/// Bytes that are copied at a time.
const PIECE: usize = 1 << 18;

/// The spool of one index.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    folder: Arc<PathBuf>,
}

/// A file that is written to.
#[derive(Debug)]
pub(crate) struct Spooling {
    limit: u64,
    pieces: mpsc::Sender<Bytes>,
    writer: tokio::task::JoinHandle<io::Result<Spooled>>,
}

/// A file that is complete and on the disk, and locked. Dropped, it is removed, unless it has got another name.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) digests: Digests,
    /// Bytes.
    pub(crate) size: u64,
    state: State,
}

/// What becomes of a file in the spool when it is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody knows of it: it goes.
    Unknown,
    /// The journal knows of it: its name stays, and its bytes go.
    InJournal,
    /// It has another name: that stays.
    Named,
}

impl Spool {
    /// The spool in the root of an index; made when it is first needed.
    pub(crate) fn within(root: &Path) -> Spool {
        Spool::at(root.join(FOLDER))
    }

    /// The spool that is this folder; made when it is first needed.
    pub(crate) fn at(folder: PathBuf) -> Spool {
        Spool { folder: Arc::new(folder) }
    }

    /// Begins a file of up to `limit` bytes.
    pub(crate) fn begin(&self, limit: u64) -> Spooling {
        let (pieces, receiver) = mpsc::channel(QUEUE);
        let folder = Arc::clone(&self.folder);
        let writer = tokio::task::spawn_blocking(move || write(&folder, receiver, limit));
        Spooling { limit, pieces, writer }
    }

    /// Copies a file of up to `limit` bytes. Blocks on the disk.
    ///
    /// # Errors
    /// It cannot be read, the copy cannot be written, or it is too large.
    pub(crate) fn copy(&self, source: &Path, limit: u64) -> Result<Spooled, Error> {
        let mut source = File::open(source)?;
        let copied = copy(&self.folder, limit, || {
            let mut piece = vec![0; PIECE];
            let read = source.read(&mut piece)?;
            piece.truncate(read);
            Ok((read > 0).then(|| piece.into()))
        });
        copied.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Error::TooLarge { limit },
            _ => error.into(),
        })
    }

    /// Where a file of this name is. Names come from [`Spooled::name`].
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// All files in it. Blocks on the disk.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn files(&self) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(&*self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.path())).collect(),
        }
    }

    /// Removes those of `files` that nobody works on and whose name is not `known` to the journal; returns how many that
    /// were. Blocks on the disk.
    ///
    /// # Errors
    /// One cannot be opened or removed.
    pub(crate) fn clean(&self, files: &[PathBuf], known: &HashSet<Box<str>>) -> io::Result<usize> {
        let mut removed = 0;
        for path in files {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !known.contains(name) && lock(path)?.is_some() {
                fs::remove_file(path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Spooling {
    /// Takes the next piece.
    ///
    /// # Errors
    /// It could not be written; [`Spooling::finish`] says why.
    pub(crate) async fn write(&mut self, piece: Bytes) -> Result<(), ()> {
        self.pieces.send(piece).await.map_err(drop)
    }

    /// Waits until all is on the disk.
    ///
    /// # Errors
    /// Writing failed, or the file is too large.
    pub(crate) async fn finish(self) -> Result<Spooled, Error> {
        drop(self.pieces);
        let spooled = self.writer.await.map_err(|error| Error::Io(io::Error::other(error)))?;
        spooled.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Error::TooLarge { limit: self.limit },
            _ => error.into(),
        })
    }
}

impl Spooled {
    /// Its name in the spool.
    pub(crate) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The journal knows of it from now on.
    pub(crate) fn is_in_journal(&mut self) {
        self.state = State::InJournal;
    }

    /// Whether it has another name now.
    pub(crate) fn has_name(&self) -> bool {
        self.state == State::Named
    }

    /// It has another name now, and stays.
    pub(crate) fn is_named(&mut self) {
        self.state = State::Named;
    }

    /// Nobody needs it any more.
    pub(crate) fn is_done(&mut self) {
        if self.state != State::Named {
            self.state = State::Unknown;
        }
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // where this fails a later clean-up tries again
        match self.state {
            State::Unknown => drop(fs::remove_file(&self.path)),
            State::InJournal => drop(empty(&self.path)),
            State::Named => {}
        }
    }
}

/// Puts an empty file, locked by nobody, where one is. Whoever has the other open, or knows it by another name, keeps it.
fn empty(path: &Path) -> io::Result<()> {
    let beside = path.with_extension("empty");
    File::create(&beside)?;
    fs::rename(beside, path)
}

/// The file at `path`, locked; `None` if somebody else has locked it, or it is gone.
///
/// # Errors
/// It cannot be opened.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes what comes until there is no more, and makes sure that it stays.
fn write(folder: &Path, mut pieces: mpsc::Receiver<Bytes>, limit: u64) -> io::Result<Spooled> {
    copy(folder, limit, || Ok(pieces.blocking_recv()))
}

/// Writes the pieces that `next` gives.
fn copy(folder: &Path, limit: u64, mut next: impl FnMut() -> io::Result<Option<Bytes>>) -> io::Result<Spooled> {
    fs::create_dir_all(folder)?;
    let (file, path) = create(folder)?;
    let empty = Digests::of(&[], Wanted::Sha256);
    let mut spooled = Spooled { file, path, digests: empty, size: 0, state: State::Unknown };
    let mut hasher = Hasher::new(Wanted::All);
    while let Some(piece) = next()? {
        hasher.update(&piece);
        if hasher.length() > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        spooled.file.write_all(&piece)?;
    }
    spooled.file.sync_all()?;
    spooled.size = hasher.length();
    spooled.digests = hasher.finish();
    Ok(spooled)
}

/// A new file, locked. Between being made and being locked it may have been taken for one that was left behind.
fn create(folder: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let path = folder.join(unused_name());
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o644).open(&path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        if file.metadata()?.nlink() > 0 {
            return Ok((file, path));
        }
    }
}

/// A name that no file has, on any machine: of a seed that differs for each process, and a number.
fn unused_name() -> String {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}{:016x}.part", SEED.hash_one((std::process::id(), count)), SEED.hash_one(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn spool(spool: &Spool, pieces: &[&'static str], limit: u64) -> Result<Spooled, Error> {
        let mut spooling = spool.begin(limit);
        for piece in pieces {
            // `finish` says what was wrong
            let _ = spooling.write(Bytes::from(*piece)).await;
        }
        spooling.finish().await
    }

    fn clean(spool: &Spool) -> io::Result<usize> {
        spool.clean(&spool.files()?, &HashSet::new())
    }

    fn files(root: &Path) -> usize {
        fs::read_dir(root.join(FOLDER)).map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn what_is_written_is_there_and_locked_until_it_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let place = Spool::within(root.path());
        assert_eq!(clean(&place).unwrap(), 0, "no folder");
        let spooled = spool(&place, &["one ", "two"], 7).await.unwrap();
        assert_eq!(fs::read(&spooled.path).unwrap(), b"one two");
        assert_eq!((spooled.size, spooled.digests), (7, Digests::of(b"one two", Wanted::All)));
        assert_eq!(place.path(spooled.name()), spooled.path);
        assert_eq!(clean(&place).unwrap(), 0, "it is worked on");
        assert!(lock(&spooled.path).unwrap().is_none());
        drop(spooled);
        assert_eq!(files(root.path()), 0);
    }

    #[tokio::test]
    async fn what_has_a_name_stays_and_what_was_left_goes() {
        let root = tempfile::tempdir().unwrap();
        let place = Spool::within(root.path());
        let mut spooled = spool(&place, &["x"], 10).await.unwrap();
        spooled.is_named();
        drop(spooled);
        assert_eq!(files(root.path()), 1);
        assert_eq!(clean(&place).unwrap(), 1);
        assert_eq!(files(root.path()), 0);
    }

    #[tokio::test]
    async fn too_large() {
        let root = tempfile::tempdir().unwrap();
        let place = Spool::within(root.path());
        assert!(matches!(spool(&place, &["one", "two"], 5).await, Err(Error::TooLarge { .. })));
        assert_eq!(files(root.path()), 0);
    }
}
