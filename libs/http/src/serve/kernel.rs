//! Files that the kernel sends by itself, from the page cache into the socket: sendfile(2), for HTTP/1 in the clear.
//!
//! HTTP's own machinery knows nothing of it. It is given a *mark* in place of a piece of the file: as many bytes at an
//! address that stands for nothing else. It counts them, it orders them after what comes before, and hands the mark to the
//! connection to be written; there it is recognised by its address, and the piece is sent in its place. What the mark
//! holds is never read. The pieces wait in a queue of the connection, in the order of their marks. A mark without a piece
//! ends the connection: nothing wrong is ever sent.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Stream;
use crate::file::{Section, in_memory};

/// Bytes of a mark, and of what the kernel is asked for at a time: other connections want to be served in between.
const PIECE: usize = 1024 * 1024;

const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// Never written and never read, so it takes addresses, but no memory.
static MARK: LazyLock<&'static [u8]> = LazyLock::new(|| Box::leak(vec![0; PIECE].into_boxed_slice()));

fn is_mark(slice: &[u8]) -> bool {
    MARK.as_ptr_range().contains(&slice.as_ptr())
}

/// The pieces to be sent on a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces(Arc<Mutex<VecDeque<Section>>>);

impl Pieces {
    /// Takes a piece off `section`, and gives the mark for it. None at the end.
    pub(super) fn mark(&self, section: &mut Section) -> Option<Bytes> {
        let piece = section.split(PIECE as u64)?;
        let mark = usize::try_from(piece.length()).ok().and_then(|length| MARK.get(..length))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(piece);
        Some(Bytes::from_static(mark))
    }

    fn first(&self) -> Option<Section> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).front().cloned()
    }

    /// So many bytes of the first piece are sent.
    fn advance(&self, sent: u64) {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pieces.front_mut().is_some_and(|piece| piece.advance(sent) == 0) {
            pieces.pop_front();
        }
    }
}

/// The writing side of a connection on which marks may come.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pieces: Pieces,
    /// Reads the next bytes into the page cache.
    fetching: Option<JoinHandle<io::Result<()>>>,
    /// Bytes of the first piece that are known to be there.
    fetched: usize,
}

impl Sender {
    /// Where answers put their pieces.
    pub(super) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Writes what stands before the first mark, or sends the piece for it. None if there is no mark.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        stream: &Stream,
        slices: &[IoSlice<'_>],
    ) -> Option<Poll<io::Result<usize>>> {
        let at = slices.iter().position(|slice| is_mark(slice) && !slice.is_empty())?;
        let before = &slices[..at];
        Some(if before.iter().all(|slice| slice.is_empty()) {
            self.poll_send(cx, stream, slices.get(at).map_or(0, |mark| mark.len()))
        } else {
            // on its own: MSG_MORE saves a packet, but costs the kernel more than that by joining what does not fit together
            stream.poll_direct(cx, |fd| Ok(sendmsg(fd, before, &mut SendAncillaryBuffer::default(), FLAGS)?))
        })
    }

    /// Sends some of the first piece, whose mark has `length` bytes left.
    fn poll_send(&mut self, cx: &mut Context<'_>, stream: &Stream, length: usize) -> Poll<io::Result<usize>> {
        let piece = self.pieces.first().ok_or_else(|| io::Error::other("a mark without a piece of a file"))?;
        let count = usize::try_from(piece.length()).map_or(length, |left| left.min(length));
        while self.fetched == 0 {
            ready!(self.poll_fetch(cx, &piece, count))?;
        }
        let count = count.min(self.fetched);
        let sent = ready!(stream.poll_direct(cx, |fd: BorrowedFd<'_>| piece.send(fd, count)))?;
        if sent == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was")));
        }
        self.fetched -= sent;
        self.pieces.advance(sent as u64);
        Poll::Ready(Ok(sent))
    }

    /// Waits until the next bytes are in the page cache, so that sending them waits for no disk.
    fn poll_fetch(&mut self, cx: &mut Context<'_>, piece: &Section, count: usize) -> Poll<io::Result<()>> {
        if let Some(fetching) = &mut self.fetching {
            let result = ready!(std::pin::Pin::new(fetching).poll(cx));
            self.fetching = None;
            result??;
            // it may be thrown out again before it is sent, and is waited for then
            self.fetched = count;
        } else if in_memory(piece.file(), piece.start(), count) {
            self.fetched = count;
        } else {
            let (file, start) = (Arc::clone(piece.file()), piece.start());
            self.fetching = Some(spawn_blocking(move || fetch(&file, start, count)));
        }
        Poll::Ready(Ok(()))
    }
}

fn fetch(file: &File, start: u64, count: usize) -> io::Result<()> {
    let mut scratch = vec![0; count.min(128 * 1024)];
    let mut at = 0;
    while at < count {
        let wanted = scratch.len().min(count - at);
        match file.read_at(&mut scratch[..wanted], start + at as u64)? {
            // shorter than it was: sending will tell
            0 => return Ok(()),
            read => at += read,
        }
    }
    Ok(())
}
