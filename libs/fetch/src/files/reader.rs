//! Reads a file while it comes in, behind the one that writes it.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::download::State;
use super::{Digest, Problem};

/// Most bytes that are read at a time.
const PIECE: u64 = 256 * 1024;

/// A file that comes in. Each reader begins at the beginning; a clone goes on by itself from where it is.
#[derive(Debug, Clone)]
pub struct Incoming {
    state: watch::Receiver<State>,
    position: u64,
}

impl Incoming {
    pub(super) fn new(state: watch::Receiver<State>) -> Self {
        Self { state, position: 0 }
    }

    /// Goes on at this byte.
    #[must_use]
    pub fn at(self, position: u64) -> Self {
        Self { position, ..self }
    }

    /// Waits until the server has answered; the length of the file, if the server told it.
    ///
    /// # Errors
    /// Why it does not come.
    pub async fn length(&mut self) -> Result<Option<u64>, Arc<Problem>> {
        let state = self.wait(|state| state.begun.is_some()).await?;
        if let Some(Ok(_)) = state.end {
            return Ok(Some(state.written));
        }
        Ok(state.begun.and_then(|(_, length)| length))
    }

    /// Waits until the file is whole and verified: its digest and where it is. Open it at once, it may be evicted.
    ///
    /// # Errors
    /// Why it does not come.
    pub async fn whole(&mut self) -> Result<(Digest, PathBuf), Arc<Problem>> {
        let state = self.wait(|state| state.end.is_some()).await?;
        state.end.unwrap_or_else(|| Err(Arc::new(Problem::CutOff)))
    }

    /// The next bytes; None at the end of a file that was verified. The last byte comes only then.
    ///
    /// # Errors
    /// Why the rest does not come.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Arc<Problem>> {
        let position = self.position;
        let state = self.wait(|state| state.written > position + 1 || state.end.is_some()).await?;
        let ready = if state.end.is_some() { state.written } else { state.written - 1 };
        let Some((file, _)) = state.begun.filter(|_| ready > position) else { return Ok(None) };
        let size = usize::try_from((ready - position).min(PIECE)).unwrap_or(usize::MAX);
        let read = move || -> io::Result<Bytes> {
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, position)?;
            Ok(bytes.into())
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|_| Problem::CutOff)?;
        let bytes = read.map_err(Problem::Read)?;
        self.position += bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// Waits until `ready`; an end that is a failure is one.
    async fn wait(&mut self, ready: impl Fn(&State) -> bool) -> Result<State, Arc<Problem>> {
        let ready = |state: &State| ready(state) || matches!(state.end, Some(Err(_)));
        let state = self.state.wait_for(ready).await.map_err(|_| Problem::CutOff)?.clone();
        match state.end {
            Some(Err(problem)) => Err(problem),
            _ => Ok(state),
        }
    }
}
