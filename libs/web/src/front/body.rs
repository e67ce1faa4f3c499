//! A body whose beginning was looked at and is read again.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::fields::{self, Fields, Kind};

/// How far into a body the shell's own fields are searched for, in bytes.
const WINDOW: usize = 16 * 1024;

/// Frames that were taken, then the rest.
struct Peeked {
    taken: VecDeque<Frame<Bytes>>,
    rest: Body,
}

/// Reads what is needed of `body`, and gives it back as it was.
///
/// # Errors
/// The client went away.
pub(super) async fn peek(kind: &Kind, mut body: Body) -> Result<(Fields, Body), axum::Error> {
    let mut seen = Vec::new();
    let mut taken = VecDeque::new();
    // looked at again only when there is twice as much: a body of tiny pieces costs no more
    let mut next = 1;
    let fields = loop {
        let frame = body.frame().await.transpose()?;
        let ended = frame.is_none();
        if let Some(frame) = frame {
            let room = WINDOW.saturating_sub(seen.len());
            seen.extend(frame.data_ref().into_iter().flatten().take(room));
            taken.push_back(frame);
        }
        let whole = ended || seen.len() >= WINDOW;
        if whole || seen.len() >= next {
            next = seen.len() * 2;
            if let Some(fields) = fields::read(kind, &seen, whole) {
                break fields;
            }
        }
    };
    Ok((fields, Body::new(Peeked { taken, rest: body })))
}

impl HttpBody for Peeked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.taken.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.taken.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let taken: usize = self.taken.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let taken = u64::try_from(taken).unwrap_or(u64::MAX);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(taken.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper() {
            hint.set_upper(taken.saturating_add(upper));
        }
        hint
    }
}
