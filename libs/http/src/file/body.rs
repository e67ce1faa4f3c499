//! The bytes of a range of a file, as a body.

use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Section, in_memory, read_cached};

/// Bytes of a piece.
const PIECE: usize = 128 * 1024;

/// Reads ahead of the client by one piece at most.
#[derive(Debug)]
pub(super) struct FileBody {
    /// Not yet read.
    unread: Section,
    /// Not yet given.
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// The buffer of a former piece, ours again when that is sent.
    spare: Option<Bytes>,
}

impl FileBody {
    pub(super) fn new(section: Section) -> Self {
        Self { left: section.length(), unread: section, reading: None, spare: None }
    }

    /// The next piece if it is in memory.
    fn read_now(&mut self) -> Option<Bytes> {
        let length = self.next_length();
        let mut buffer = match self.spare.take().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) if buffer.len() >= length => buffer,
            _ => BytesMut::zeroed(length),
        };
        let read = read_cached(self.unread.file(), &mut buffer[..length], self.unread.start())
            .ok()
            .filter(|&read| read > 0)?;
        self.unread.advance(read as u64);
        let whole = buffer.freeze();
        let piece = whole.slice(..read);
        self.spare = Some(whole);
        Some(piece)
    }

    /// Has the next piece read by the blocking pool.
    fn read_later(&mut self) {
        let (file, start, length) = (Arc::clone(self.unread.file()), self.unread.start(), self.next_length());
        self.unread.advance(length as u64);
        self.reading = Some(spawn_blocking(move || {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, start).map(|()| bytes.into())
        }));
    }

    fn next_length(&self) -> usize {
        usize::try_from(self.unread.length()).map_or(PIECE, |left| left.min(PIECE))
    }

    fn give(&mut self, piece: Bytes) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if let Err(error) = self.unread.check() {
            self.left = 0;
            return Poll::Ready(Some(Err(error)));
        }
        if self.reading.is_none() {
            match self.read_now() {
                Some(piece) => return self.give(piece),
                None => self.read_later(),
            }
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let result = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        match result.map_err(io::Error::from).flatten() {
            Ok(piece) => {
                if !in_memory(self.unread.file(), self.unread.start(), self.next_length()) {
                    self.read_later();
                }
                self.give(piece)
            }
            Err(error) => {
                self.left = 0;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
