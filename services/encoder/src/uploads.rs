//! Uploads that come in pieces (tus): what has arrived of each lies in a file of this node, and becomes an item once it
//! is whole.
//!
//! How far an upload is stands in the database, and never before the bytes are on the disk; what a file has beyond that
//! was not acknowledged and is cut off. Whoever writes holds the upload, here and against other processes. One that is
//! whole becomes an item exactly once: its blob is named in its row before the file is moved there, and the transaction
//! that makes the item ends the upload. A start finds what a crash left in between.

mod appending;
mod assemble;
mod finish;

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opsctl_host::{Context, Troubles};
use opsctl_store::Blobs;
use rustix::fs::{FlockOperation, flock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

pub(crate) use self::appending::Appending;
use crate::clock::{SECOND, now};
use crate::error::Error;
use crate::ingest::{Ingest, random};
use crate::records::{Records, Upload};

/// In the folder: the node's name.
const NODE: &str = "node";
/// Between two looks for what nobody goes on with.
const SWEEP: Duration = Duration::from_secs(60);
/// For which one who asks waits for one who writes to let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of a node's.
#[derive(Debug)]
pub(crate) struct Uploads {
    records: Records,
    blobs: Blobs,
    ingest: Ingest,
    folder: PathBuf,
    node: String,
    /// How long one may rest.
    rest: i64,
    /// Those that are being written.
    held: Mutex<HashMap<String, CancellationToken>>,
    released: Notify,
    /// What goes on also when its client is gone.
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The right to write an upload.
#[derive(Debug)]
pub(crate) struct Held {
    uploads: Arc<Uploads>,
    id: String,
    /// Cancelled when somebody asks for it, or the service stops.
    pub(crate) asked: CancellationToken,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.uploads.held().remove(&self.id);
        self.uploads.released.notify_waiters();
    }
}

impl Uploads {
    /// Opens the folder of this node's uploads, each of which may `rest` for so long.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(crate) async fn open(
        records: Records,
        blobs: Blobs,
        ingest: Ingest,
        folder: PathBuf,
        rest: Duration,
    ) -> io::Result<Uploads> {
        let made = folder.clone();
        let node = tokio::task::spawn_blocking(move || node(&made)).await.map_err(io::Error::other)??;
        Ok(Uploads {
            records,
            blobs,
            ingest,
            folder,
            node,
            rest: i64::try_from(rest.as_micros()).unwrap_or(i64::MAX / 4),
            held: Mutex::default(),
            released: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// This node's name.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// When an upload that is written to now is given up.
    pub(crate) fn expires(&self) -> i64 {
        now().saturating_add(self.rest)
    }

    /// Does something to its end, whatever becomes of the client that asked for it.
    ///
    /// # Errors
    /// It panicked.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.tasks.spawn(task).await.map_err(|error| Error::Io(io::Error::other(error)))
    }

    /// The right to write an upload, unless somebody has it.
    pub(crate) fn hold(self: &Arc<Self>, id: &str) -> Option<Held> {
        let mut held = self.held();
        if self.stop.is_cancelled() || held.contains_key(id) {
            return None;
        }
        let asked = self.stop.child_token();
        held.insert(id.to_owned(), asked.clone());
        Some(Held { uploads: Arc::clone(self), id: id.to_owned(), asked })
    }

    /// The same, from whoever has it: a client that asks how far its upload is has lost the connection that it was sent
    /// over, which may take a while to be noticed here.
    pub(crate) async fn take(self: &Arc<Self>, id: &str) -> Option<Held> {
        let taking = async {
            loop {
                let mut released = std::pin::pin!(self.released.notified());
                released.as_mut().enable();
                if let Some(held) = self.hold(id) {
                    return Some(held);
                }
                if self.stop.is_cancelled() {
                    return None;
                }
                if let Some(asked) = self.held().get(id) {
                    asked.cancel();
                }
                released.await;
            }
        };
        tokio::time::timeout(PATIENCE, taking).await.ok().flatten()
    }

    /// Removes an upload that is held.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn remove(&self, upload: &Upload, _held: &Held) -> Result<(), Error> {
        self.records.remove_upload(upload).await?;
        discard(&self.path(&upload.id)).await;
        Ok(())
    }

    /// Finishes what a crash left, and removes what nobody goes on with, until the service stops; then those who write
    /// let go.
    pub(crate) async fn run(self: Arc<Self>, cx: Context, troubles: Troubles) -> anyhow::Result<()> {
        if let Err(error) = self.recover().await {
            warn!(error = %opsctl_logging::chain(&error), "failed to look for uploads that a crash left");
        }
        loop {
            match self.sweep().await {
                Ok(()) => troubles.clear("uploads"),
                Err(error) => {
                    warn!(error = %opsctl_logging::chain(&error), "failed to remove uploads that nobody goes on with");
                    troubles.set("uploads", format!("failed to remove uploads that nobody goes on with: {error}"));
                }
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = cx.stopping() => break,
            }
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        Ok(())
    }

    async fn sweep(self: &Arc<Self>) -> Result<(), Error> {
        for upload in self.records.expired(&self.node).await? {
            let Some(held) = self.hold(&upload.id) else { continue };
            // somebody may have written to it since
            if let Some(upload) = self.records.upload(&upload.id).await?.filter(|upload| upload.expires < now()) {
                self.remove(&upload, &held).await?;
            }
        }
        Ok(())
    }

    async fn recover(self: &Arc<Self>) -> Result<(), Error> {
        for upload in self.records.due(&self.node).await? {
            let Some(held) = self.hold(&upload.id) else { continue };
            if let Err(error) = self.complete(&upload.id, &held, None).await {
                warn!(upload = upload.id, error = %opsctl_logging::chain(&error), "failed to finish an upload");
            }
        }
        let folder = self.folder.clone();
        let names = tokio::task::spawn_blocking(move || names(&folder)).await.map_err(io::Error::other)??;
        for name in names {
            let Some(_held) = self.hold(&name) else { continue };
            if self.records.upload(&name).await?.is_none() {
                discard(&self.path(&name)).await;
            }
        }
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a file, if it is there.
async fn discard(path: &Path) {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %error, "failed to remove an upload's file");
        }
        _ => {}
    }
}

/// Files of uploads.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.filter(|name| !matches!(name, Ok(name) if name.starts_with(NODE))).collect()
}

/// The folder's name for itself, which it gets the first time: an upload is where its file is.
fn node(folder: &Path) -> io::Result<String> {
    DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    let path = folder.join(NODE);
    let read = || fs::read_to_string(&path).map(|name| name.trim().to_owned());
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        name => return name,
    }
    let name = random();
    let beside = folder.join(format!("{NODE}-{name}"));
    fs::write(&beside, &name)?;
    File::open(&beside)?.sync_all()?;
    // of two that do it at once the first one has its way
    let linked = fs::hard_link(&beside, &path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    File::open(folder)?.sync_all()?;
    read()
}

/// An upload's file, if no other process writes to it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o640).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Seconds since 1970 of a moment in the tables.
pub(crate) fn seconds(micros: i64) -> u64 {
    u64::try_from(micros / SECOND).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let name = node(&folder.path().join("uploads")).unwrap();
        assert_eq!(name.len(), 32);
        assert_eq!(node(&folder.path().join("uploads")).unwrap(), name);
        assert!(names(&folder.path().join("uploads")).unwrap().is_empty());
    }

    #[test]
    fn a_file_is_written_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let held = lock(&path).unwrap();
        assert!(held.is_some() && lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
    }
}
