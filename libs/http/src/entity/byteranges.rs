//! Several parts in one body: `multipart/byteranges` (RFC 9110, section 14.6).

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use bytes::Bytes;
use http::HeaderValue;
use hyper::body::{Body, Frame, SizeHint};

use super::{content_range, value};

/// The parts of a body: before each the lines that say which it is, and an end.
#[derive(Debug)]
pub(crate) struct ByteRanges {
    boundary: String,
    pieces: VecDeque<Piece>,
}

#[derive(Debug)]
enum Piece {
    Said(Bytes),
    Sent(Range<u64>),
}

impl ByteRanges {
    pub(crate) fn new(ranges: Vec<Range<u64>>, kind: Option<&HeaderValue>, size: u64) -> Self {
        // not to be guessed: who can write the file must not be able to fake a part
        let state = RandomState::new();
        let boundary = format!("{:016x}{:016x}", state.hash_one(0), state.hash_one(1));
        let mut pieces = VecDeque::with_capacity(2 * ranges.len() + 1);
        for range in ranges {
            let mut head = format!("\r\n--{boundary}\r\n").into_bytes();
            if let Some(kind) = kind {
                head.extend([b"content-type: ", kind.as_bytes(), b"\r\n"].concat());
            }
            head.extend([b"content-range: ", content_range(&range, size).as_bytes(), b"\r\n\r\n"].concat());
            pieces.extend([Piece::Said(head.into()), Piece::Sent(range)]);
        }
        pieces.push_back(Piece::Said(format!("\r\n--{boundary}--\r\n").into()));
        Self { boundary, pieces }
    }

    pub(crate) fn content_type(&self) -> HeaderValue {
        value(format!("multipart/byteranges; boundary={}", self.boundary))
    }

    /// Of the whole body.
    pub(crate) fn length(&self) -> u64 {
        let length = |piece: &Piece| match piece {
            Piece::Said(text) => text.len() as u64,
            Piece::Sent(range) => range.end - range.start,
        };
        self.pieces.iter().map(length).sum()
    }

    /// The first range.
    pub(crate) fn first(&self) -> Range<u64> {
        let ranges = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Sent(range) => Some(range.clone()),
            Piece::Said(_) => None,
        });
        ranges.take(1).last().unwrap_or_default()
    }

    /// The body, with `open` to get at the bytes of a range. `first` is the body of the first one, if it is open
    /// already.
    pub(crate) fn body<B, F: FnMut(Range<u64>) -> B>(self, first: Option<B>, open: F) -> PartsBody<B, F> {
        PartsBody { left: self.length(), pieces: self.pieces, current: None, first, open }
    }
}

/// The body of several parts.
pub(crate) struct PartsBody<B, F> {
    /// Bytes to come.
    left: u64,
    pieces: VecDeque<Piece>,
    current: Option<B>,
    first: Option<B>,
    open: F,
}

impl<B, F> Body for PartsBody<B, F>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    F: FnMut(Range<u64>) -> B + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            if let Some(current) = &mut this.current {
                if let Some(frame) = ready!(Pin::new(current).poll_frame(cx)) {
                    let frame = frame.map_err(Into::into);
                    let length = frame.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
                    this.left = this.left.saturating_sub(length);
                    return Poll::Ready(Some(frame));
                }
                this.current = None;
            }
            match this.pieces.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Said(text)) => {
                    this.left = this.left.saturating_sub(text.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(text))));
                }
                Some(Piece::Sent(range)) => {
                    this.current = Some(this.first.take().unwrap_or_else(|| (this.open)(range)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.current.is_none() && self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
