//! Answers whose bytes come from elsewhere, in streams: blobs in an object store.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, Method};
use hyper::body::{Frame, SizeHint};

use crate::Entity;
use crate::entity::{Reply, Send as Sent};

/// The answer to a request for something of `size` bytes: the whole, parts, or that it is not modified (RFC 9110,
/// sections 13 to 15). `open` gives the bytes of a range, which is never empty; it is called for what is to be sent only,
/// for several parts one after the other. A stream that ends too early breaks the connection off, so that the client
/// does not take what it has for the whole.
///
/// # Errors
/// What `open` says of the first range; nothing is sent then.
pub async fn respond_stream<F, O, S, E, X>(
    method: &Method,
    headers: &HeaderMap,
    entity: &Entity,
    size: u64,
    mut open: F,
) -> Result<Response, E>
where
    F: FnMut(Range<u64>) -> O + Send + Unpin + 'static,
    O: Future<Output = Result<S, E>> + Send + 'static,
    S: Stream<Item = Result<Bytes, X>> + Send + 'static,
    E: Into<BoxError> + 'static,
    X: Into<BoxError> + 'static,
{
    let Reply { head, send } = entity.reply(method, headers, size);
    let body = match send {
        Sent::Nothing => return Ok(head),
        Sent::One(range) if range.is_empty() => return Ok(head),
        Sent::One(range) => Body::new(RangeBody::<O, S>::open(open(range.clone()).await?, &range)),
        Sent::Several(ranges) => {
            let range = ranges.first();
            let first = RangeBody::open(open(range.clone()).await?, &range);
            Body::new(ranges.body(Some(first), move |range| RangeBody::opening(open(range.clone()), &range)))
        }
    };
    Ok(head.map(|_| body))
}

/// The bytes of one range, neither more nor less.
struct RangeBody<O, S> {
    state: State<O, S>,
    left: u64,
}

enum State<O, S> {
    Opening(Pin<Box<O>>),
    Open(Pin<Box<S>>),
}

impl<O, S> RangeBody<O, S> {
    fn open(stream: S, range: &Range<u64>) -> Self {
        Self { state: State::Open(Box::pin(stream)), left: range.end - range.start }
    }

    fn opening(opening: O, range: &Range<u64>) -> Self {
        Self { state: State::Opening(Box::pin(opening)), left: range.end - range.start }
    }
}

impl<O, S, E, X> hyper::body::Body for RangeBody<O, S>
where
    O: Future<Output = Result<S, E>>,
    S: Stream<Item = Result<Bytes, X>>,
    E: Into<BoxError>,
    X: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            match &mut self.state {
                State::Opening(opening) => {
                    let stream = ready!(opening.as_mut().poll(cx)).map_err(Into::into)?;
                    self.state = State::Open(Box::pin(stream));
                }
                State::Open(stream) => {
                    let Some(chunk) = ready!(stream.as_mut().poll_next(cx)) else {
                        let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the source ended before its time");
                        return Poll::Ready(Some(Err(error.into())));
                    };
                    let mut chunk = chunk.map_err(Into::into)?;
                    chunk.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= chunk.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(chunk))));
                }
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
