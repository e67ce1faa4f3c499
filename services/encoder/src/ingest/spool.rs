//! Writing an upload to the store's staging folder, by a thread that may wait for the disk, and hashing it on the way.

use std::io::{self, Write};

use bytes::Bytes;
use opsctl_store::Temp;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;

/// Pieces that wait to be written; a client that is faster than the disk has to wait.
const QUEUE: usize = 8;

/// An upload that is being written.
#[derive(Debug)]
pub(crate) struct Spooling {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<Result<Spooled, Error>>,
}

/// One that is complete and on the disk. Dropped, it is removed, unless it has become a blob.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub(crate) temp: Temp,
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
}

/// Begins to write up to `limit` bytes to `temp`.
pub(crate) fn spool(temp: Temp, limit: u64) -> Spooling {
    let (pieces, receiver) = mpsc::channel(QUEUE);
    Spooling { pieces, writer: tokio::task::spawn_blocking(move || write(temp, receiver, limit)) }
}

impl Spooling {
    /// Takes the next piece; whether more are wanted. What is wrong [`Self::finish`] says.
    pub(crate) async fn write(&mut self, piece: Bytes) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// It cannot be written, or is too large.
    pub(crate) async fn finish(self) -> Result<Spooled, Error> {
        drop(self.pieces);
        self.writer.await.map_err(|error| Error::Io(io::Error::other(error)))?
    }
}

fn write(temp: Temp, mut pieces: mpsc::Receiver<Bytes>, limit: u64) -> Result<Spooled, Error> {
    let mut file = temp.create()?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(piece) = pieces.blocking_recv() {
        bytes += piece.len() as u64;
        if bytes > limit {
            return Err(Error::TooLarge { most: limit });
        }
        hasher.update(&piece);
        file.write_all(&piece)?;
    }
    file.sync_all()?;
    Ok(Spooled { temp, sha256: hasher.finalize().into(), bytes })
}
