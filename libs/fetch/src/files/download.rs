//! The one task that brings a file in: it fetches, hashes and writes, and says how far it is.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::{Digest, Files, Want, hex};
use crate::origin::shown;
use crate::{Answer, Error, Fetch};

/// Bytes that are hashed and written at a time.
const PIECE: usize = 256 * 1024;

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] Error),
    /// The server said something else than 200.
    #[error("`{url}` answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// What the server said.
        status: StatusCode,
    },
    /// It is another file than was wanted.
    #[error("`{url}` has SHA-256 {found}, expected {expected}")]
    Digest {
        /// What was asked for.
        url: String,
        /// What came.
        found: String,
        /// What was wanted.
        expected: String,
    },
    /// It cannot be kept.
    #[error("failed to write `{path}`")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What came cannot be read again.
    #[error("failed to read what came in")]
    Read(#[source] io::Error),
    /// The program stops, or the task died.
    #[error("the download was cut off")]
    CutOff,
}

/// How far a file is. A state follows the one before it: started, some bytes, then done or failed.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// The file that grows, and what the server said of its length, once it has answered.
    pub(super) begun: Option<(Arc<File>, Option<u64>)>,
    /// Bytes in it.
    pub(super) written: u64,
    /// How it ended.
    pub(super) end: Option<Result<(Digest, PathBuf), Arc<Problem>>>,
}

#[derive(Debug)]
pub(super) struct Download {
    fetch: Fetch,
    want: Want,
    state: watch::Sender<State>,
}

impl Download {
    pub(super) fn new(fetch: Fetch, want: Want, state: watch::Sender<State>) -> Self {
        Self { fetch, want, state }
    }

    pub(super) async fn run(self, files: &Files) {
        let staging = files.shelf(|shelf| shelf.staging());
        let beside = Beside(&staging);
        let end = self.bring(files, &staging).await.map_err(Arc::new);
        drop(beside);
        self.state.send_modify(|state| state.end = Some(end));
    }

    async fn bring(&self, files: &Files, staging: &Path) -> Result<(Digest, PathBuf), Problem> {
        // a package is compressed already, and its bytes are what its digest is of
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        let mut answer = self.fetch.get(&self.want.url, headers).await?;
        if answer.status() != StatusCode::OK {
            return Err(Problem::Status { url: shown(&self.want.url), status: answer.status() });
        }
        let failed = |source| Problem::Write { path: staging.to_owned(), source };
        let create = OpenOptions::new().read(true).write(true).create_new(true).open(staging);
        let file = Arc::new(create.map_err(failed)?);
        let length = answer.length();
        self.state.send_modify(|state| state.begun = Some((Arc::clone(&file), length)));
        let mut hasher = Sha256::new();
        while let Some(piece) = piece(&mut answer, self.want.limit).await? {
            let (target, size) = (Arc::clone(&file), piece.iter().map(|bytes| bytes.len() as u64).sum::<u64>());
            let written = tokio::task::spawn_blocking(move || write(&target, hasher, &piece)).await;
            hasher = written.map_err(|_| Problem::CutOff)?.map_err(failed)?;
            self.state.send_modify(|state| state.written += size);
        }
        let (digest, size) = (Digest::from(hasher.finalize()), self.state.borrow().written);
        match self.want.digest {
            Some(expected) if expected != digest => {
                Err(Problem::Digest { url: shown(&self.want.url), found: hex(&digest), expected: hex(&expected) })
            }
            _ => Ok((digest, files.shelf(|shelf| shelf.put(digest, size, staging)).map_err(failed)?)),
        }
    }
}

/// What has come since the last time, up to a piece's size; None at the end.
async fn piece(answer: &mut Answer, limit: u64) -> Result<Option<Vec<Bytes>>, Error> {
    let (mut piece, mut size) = (Vec::new(), 0);
    while size < PIECE {
        match answer.chunk(limit).await? {
            Some(bytes) => {
                size += bytes.len();
                piece.push(bytes);
            }
            None => break,
        }
    }
    Ok((!piece.is_empty()).then_some(piece))
}

fn write(mut file: &File, mut hasher: Sha256, piece: &[Bytes]) -> io::Result<Sha256> {
    for bytes in piece {
        hasher.update(bytes);
        file.write_all(bytes)?;
    }
    Ok(hasher)
}

/// A file that goes when it was not given a name.
struct Beside<'a>(&'a Path);

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        // it is gone if it was renamed, and swept at the next start if this fails
        let _ = std::fs::remove_file(self.0);
    }
}
