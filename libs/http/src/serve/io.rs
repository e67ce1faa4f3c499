//! The bytes of a connection: those read while finding out the protocol come first, a client that takes nothing for too
//! long is given up, and one that is answered before it has sent everything gets to read the answer.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::answer::Activity;
use super::kernel::{Pieces, Sender};
use crate::Stream;

/// A stream with limits.
#[derive(Debug)]
pub(super) struct Guarded {
    stream: Stream,
    /// Sends files, if the stream and the protocol allow for it.
    sender: Option<Sender>,
    activity: Arc<Activity>,
    /// Already read, not yet handed on.
    before: Bytes,
    write_timeout: Duration,
    linger_timeout: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    /// After the last answer, while the client still sends.
    lingering: Option<Lingering>,
}

/// How long to wait for the end of what a client sends that has its answer.
#[derive(Debug)]
struct Lingering {
    end: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
}

/// Without a byte from the client.
const SILENCE: Duration = Duration::from_secs(5);
/// Reads in a row, before others get their turn.
const READS: usize = 16;

impl Guarded {
    pub(super) fn new(stream: Stream, before: Bytes, activity: Arc<Activity>, limits: &Limits) -> Self {
        let Limits { write_timeout, linger_timeout, .. } = *limits;
        Self { stream, sender: None, activity, before, write_timeout, linger_timeout, stalled: None, lingering: None }
    }

    /// Lets the kernel send files; gives where answers put them. None under TLS.
    pub(super) fn sends_files(&mut self) -> Option<Pieces> {
        let sender = (!self.stream.is_tls()).then(Sender::default);
        self.sender = sender;
        self.sender.as_ref().map(|sender| sender.pieces().clone())
    }

    /// Reads and forgets, until the client is done, silent, or at it for too long. Closing while there is something unread
    /// makes the kernel send a reset, upon which the client's side forgets the answer that it has not read yet.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let start = Instant::now();
        let timeout = self.linger_timeout;
        let Lingering { end, silence } = self.lingering.get_or_insert_with(|| Lingering {
            end: Box::pin(sleep_until(start + timeout)),
            silence: Box::pin(sleep_until(start + SILENCE.min(timeout))),
        });
        // first, or a client that sends without a pause uses up all that a task may do at a time
        if end.as_mut().poll(cx).is_ready() || silence.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scratch = [MaybeUninit::uninit(); 16 * 1024];
        for _ in 0..READS {
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    silence.as_mut().reset(start + SILENCE.min(timeout));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return silence.as_mut().poll(cx),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Passes the number of bytes written on, and remembers that there were some.
    fn written(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = result {
            self.activity.write();
        }
        self.timed(cx, result)
    }

    /// Passes `result` on, unless it has been pending for too long. Progress of any kind starts the time anew.
    fn timed<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + timeout)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = self.before.len().min(buffer.remaining());
        buffer.put_slice(&self.before[..length]);
        self.before.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, sender, .. } = &mut *self;
        if let Some(result) = sender.as_mut().and_then(|sender| sender.poll_write(cx, stream, slices)) {
            return self.written(cx, result);
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.timed(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            let result = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.timed(cx, result))?;
            if !self.activity.has_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_linger(cx).map(Ok)
    }
}
