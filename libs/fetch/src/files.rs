//! A pull-through cache of files that never change: what is not here is fetched once, however many ask, and is read
//! while it comes in.
//!
//! A file is known by its SHA-256. It comes in beside, is verified, and only then gets its name: a crash leaves nothing
//! half there, and a digest that does not match leaves nothing at all; who reads along gets all but the last byte of a
//! wrong file, and then an error. Beyond the limit the files that were not used for longest go. It is a cache: losing
//! the folder loses nothing.

mod download;
mod reader;
mod shelf;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use url::Url;

pub use self::download::Problem;
use self::download::{Download, State};
pub use self::reader::Incoming;
pub(crate) use self::shelf::Shelf;
use crate::Fetch;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// A future for the caller's own way to run one beside.
pub type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is wanted, and from where.
#[derive(Debug, Clone)]
pub struct Want {
    /// Where it is fetched from if it is not here.
    pub url: Url,
    /// Its digest; without one the file is taken as it comes, and known by its URL while it does.
    pub digest: Option<Digest>,
    /// Most bytes that it may have.
    pub limit: u64,
}

/// A file that was asked for.
#[derive(Debug)]
pub enum Found {
    /// It is here. The file may be evicted later: open it at once.
    Here(PathBuf),
    /// It comes in.
    Incoming(Incoming),
}

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    shelf: Mutex<Shelf>,
    flights: Mutex<HashMap<String, watch::Receiver<State>>>,
}

impl Files {
    /// Opens the cache in the folder `root`, which is made if need be, for `limit` bytes. What a crash left half there
    /// is removed. Reads the names of all files; call it where it may block.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(root: &Path, limit: u64) -> io::Result<Self> {
        let shelf = Mutex::new(Shelf::open(root, limit)?);
        Ok(Self(Arc::new(Inner { shelf, flights: Mutex::default() })))
    }

    /// Bytes that are kept now, and how many files.
    #[must_use]
    pub fn size(&self) -> (u64, usize) {
        self.shelf(|shelf| shelf.size())
    }

    /// The file of this digest, if it is here.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<PathBuf> {
        self.shelf(|shelf| shelf.take(digest))
    }

    /// The file of this digest is not to be kept.
    pub fn remove(&self, digest: &Digest) {
        self.shelf(|shelf| shelf.remove(digest));
    }

    /// What is wanted: from here, or on its way. `spawn` runs the download, which goes on when its readers leave.
    pub fn pull(&self, fetch: &Fetch, want: Want, spawn: impl FnOnce(Task)) -> Found {
        if let Some(path) = want.digest.as_ref().and_then(|digest| self.get(digest)) {
            return Found::Here(path);
        }
        let key = want.digest.as_ref().map_or_else(|| want.url.to_string(), hex);
        let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // one whose task was cut off has no sender any more
        if let Some(flight) = flights.get(&key).filter(|flight| flight.has_changed().is_ok()) {
            return Found::Incoming(Incoming::new(flight.clone()));
        }
        // one may have landed just now
        if let Some(path) = want.digest.as_ref().and_then(|digest| self.get(digest)) {
            return Found::Here(path);
        }
        let (sender, flight) = watch::channel(State::default());
        flights.insert(key.clone(), flight.clone());
        drop(flights);
        let (download, files) = (Download::new(fetch.clone(), want, sender), self.clone());
        spawn(Box::pin(async move {
            let landing = Landing { files: &files, key };
            download.run(&files).await;
            drop(landing);
        }));
        Found::Incoming(Incoming::new(flight))
    }

    fn shelf<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.0.shelf.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes a flight off the board when it is over, also when its task is cut off.
struct Landing<'a> {
    files: &'a Files,
    key: String,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.files.0.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, files) = self.size();
        f.debug_struct("Files").field("bytes", &bytes).field("files", &files).finish_non_exhaustive()
    }
}

fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
