//! Writing the next bytes of an upload: by a thread that may wait for the disk, so that what counts is on it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Held, Uploads, lock};
use crate::error::Error;
use crate::records::Upload;

/// Pieces that wait to be written; a client that is faster than the disk has to wait.
const QUEUE: usize = 8;
/// Bytes after which what has arrived is made sure of: as much is sent again at most, after a crash.
const STRIDE: u64 = 16 << 20;

/// An upload that is being written.
#[derive(Debug)]
pub(crate) struct Appending {
    uploads: Arc<Uploads>,
    upload: Upload,
    orders: mpsc::Sender<Order>,
    writer: JoinHandle<io::Result<()>>,
    /// Bytes that were handed to the writer.
    given: u64,
    /// Whether what has arrived counts before the end has.
    counts: bool,
}

#[derive(Debug)]
enum Order {
    Write(Bytes),
    /// Synchronise, and say so.
    Sync(oneshot::Sender<()>),
}

impl Appending {
    /// Begins to write after what is there. Where it `counts` bytes are kept as they come, else only all of them.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process writes to it, [`Error::Lost`] if not all is there that should be.
    pub(crate) async fn begin(uploads: Arc<Uploads>, upload: Upload, counts: bool) -> Result<Appending, Error> {
        let (path, position) = (uploads.path(&upload.id), upload.position);
        let opened = tokio::task::spawn_blocking(move || {
            let Some(mut file) = lock(&path)? else { return Ok(Err(Error::Busy)) };
            if file.metadata()?.len() < position {
                return Ok(Err(Error::Lost));
            }
            // what lies beyond was never acknowledged
            file.set_len(position)?;
            file.seek(SeekFrom::Start(position))?;
            Ok::<_, io::Error>(Ok(file))
        });
        let file = opened.await.map_err(io::Error::other)???;
        let (orders, receiver) = mpsc::channel(QUEUE);
        let writer = tokio::task::spawn_blocking(move || write(file, receiver));
        Ok(Appending { uploads, given: upload.position, upload, orders, writer, counts })
    }

    /// Takes the next piece; whether more are wanted. What is wrong [`Self::end`] says.
    pub(crate) async fn write(&mut self, piece: Bytes) -> bool {
        let before = self.given / STRIDE;
        self.given += piece.len() as u64;
        if self.orders.send(Order::Write(piece)).await.is_err() {
            return false;
        }
        if !self.counts || self.given / STRIDE == before {
            return true;
        }
        self.sync().await.is_ok()
    }

    /// Makes sure of what was written.
    async fn sync(&mut self) -> Result<(), Error> {
        let (done, synchronised) = oneshot::channel();
        // the writer's own error is what it ends with
        let gone = || Error::Io(io::Error::from(io::ErrorKind::BrokenPipe));
        self.orders.send(Order::Sync(done)).await.map_err(|_| gone())?;
        synchronised.await.map_err(|_| gone())?;
        self.uploads.records.advance(&self.upload.id, self.given, self.uploads.expires()).await?;
        self.upload.position = self.given;
        Ok(())
    }

    /// Ends it: with `good` what was written counts, else only what did so already. Returns how far the upload is.
    ///
    /// # Errors
    /// What the disk or the database say.
    pub(crate) async fn end(mut self, good: bool, _held: &Held) -> Result<u64, Error> {
        let synchronised = if good && self.given > self.upload.position { self.sync().await } else { Ok(()) };
        let Appending { orders, writer, upload, .. } = self;
        drop(orders);
        writer.await.map_err(io::Error::other)??;
        synchronised.map(|()| upload.position)
    }
}

fn write(mut file: File, mut orders: mpsc::Receiver<Order>) -> io::Result<()> {
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Write(piece) => file.write_all(&piece)?,
            Order::Sync(done) => {
                file.sync_all()?;
                // whoever asked may be gone
                let _ = done.send(());
            }
        }
    }
    Ok(())
}
