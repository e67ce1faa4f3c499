//! Answering a GET for something with a size: conditions, ranges, and the headers that go with each outcome (RFC 9110,
//! sections 13 to 15). Where the bytes come from is others' business.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::ops::Range;

use self::byteranges::ByteRanges;
use crate::{Condition, ETag, HttpDate, HttpError, Validators, Wanted};

pub(crate) mod byteranges;

const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// What an answer says about its bytes: their type, by what they are recognised, and other headers.
#[derive(Debug, Clone)]
pub struct Entity {
    validators: Validators,
    headers: HeaderMap,
}

impl Entity {
    /// Something of this media type.
    #[must_use]
    pub fn new(content_type: HeaderValue) -> Self {
        Self { validators: Validators::default(), headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]) }
    }

    /// With this tag. Files have one without being asked.
    #[must_use]
    pub fn etag(mut self, etag: ETag) -> Self {
        self.validators.etag = Some(etag);
        self
    }

    /// Changed last at this time. Files have one without being asked.
    #[must_use]
    pub fn modified(mut self, modified: HttpDate) -> Self {
        self.validators.modified = Some(modified);
        self
    }

    /// With `Cache-Control`, as in `public, max-age=31536000, immutable`.
    #[must_use]
    pub fn cache_control(self, value: &'static str) -> Self {
        self.header(CACHE_CONTROL, HeaderValue::from_static(value))
    }

    /// With another header, such as `Content-Disposition`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// By what it is recognised.
    #[must_use]
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Takes those of `own` that it has not.
    pub(crate) fn complete(&mut self, own: impl FnOnce() -> Validators) {
        let Validators { etag, modified } = &mut self.validators;
        if etag.is_none() || modified.is_none() {
            let own = own();
            *etag = etag.take().or(own.etag);
            *modified = modified.take().or(own.modified);
        }
    }

    /// The answer to a request with this method and these headers, when there are `size` bytes.
    pub(crate) fn reply(&self, method: &Method, headers: &HeaderMap, size: u64) -> Reply {
        match Condition::of(method, headers, Some(&self.validators)) {
            Condition::Holds => {}
            Condition::NotModified => return Reply::done(self.not_modified()),
            Condition::Failed => {
                return Reply::done(
                    HttpError::new(
                        StatusCode::PRECONDITION_FAILED,
                        "this is not, or no longer, what the request's conditions say",
                    )
                    .into_response(),
                );
            }
        }
        // another method asks for no part (section 14.2), HEAD included
        let wanted = match *method == Method::GET && self.validators.allow_range(headers, HttpDate::now) {
            true => Wanted::of(headers, size),
            false => Wanted::All,
        };
        let mut head = self.head();
        let parts = head.headers_mut();
        parts.insert(ACCEPT_RANGES, BYTES);
        match wanted {
            Wanted::All => {
                parts.insert(CONTENT_LENGTH, size.into());
                let send = if *method == Method::HEAD { Send::Nothing } else { Send::One(0..size) };
                Reply { head, send }
            }
            Wanted::One(range) => {
                parts.insert(CONTENT_LENGTH, (range.end - range.start).into());
                parts.insert(CONTENT_RANGE, content_range(&range, size));
                *head.status_mut() = StatusCode::PARTIAL_CONTENT;
                Reply { head, send: Send::One(range) }
            }
            Wanted::Several(ranges) => {
                let kind = parts.get(CONTENT_TYPE).cloned();
                let ranges = ByteRanges::new(ranges, kind.as_ref(), size);
                parts.insert(CONTENT_LENGTH, ranges.length().into());
                parts.insert(CONTENT_TYPE, ranges.content_type());
                *head.status_mut() = StatusCode::PARTIAL_CONTENT;
                Reply { head, send: Send::Several(ranges) }
            }
            Wanted::Unsatisfiable => {
                let error = HttpError::new(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    format!("there are only {size} bytes, and the range lies outside of them"),
                );
                let mut response = error.into_response();
                response.headers_mut().insert(CONTENT_RANGE, value(format!("bytes */{size}")));
                response.headers_mut().insert(ACCEPT_RANGES, BYTES);
                Reply::done(response)
            }
        }
    }

    /// 200 with all headers that do not depend on the request.
    fn head(&self) -> Response {
        let mut head = Response::new(Body::empty());
        *head.headers_mut() = self.headers.clone();
        self.add_validators(head.headers_mut());
        head
    }

    /// Repeats what concerns the client's copy. The media type as well: some clients take a missing or another one over
    /// into what they have stored.
    pub(crate) fn not_modified(&self) -> Response {
        let mut response = self.head();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for name in [CONTENT_DISPOSITION, CONTENT_ENCODING] {
            response.headers_mut().remove(name);
        }
        response
    }

    fn add_validators(&self, headers: &mut HeaderMap) {
        if let Some(etag) = &self.validators.etag {
            headers.insert(ETAG, etag.to_header());
        }
        if let Some(modified) = self.validators.modified {
            // what changes in the future has not yet (section 8.8.2.1)
            headers.insert(LAST_MODIFIED, modified.min(HttpDate::now()).to_header());
        }
    }
}

/// An answer whose body is still to come.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: Response,
    pub(crate) send: Send,
}

/// The bytes of a body.
#[derive(Debug)]
pub(crate) enum Send {
    /// None, or the head has them.
    Nothing,
    /// These, maybe none.
    One(Range<u64>),
    /// Parts.
    Several(ByteRanges),
}

impl Reply {
    fn done(head: Response) -> Self {
        Self { head, send: Send::Nothing }
    }
}

/// `bytes 0-4/10`.
fn content_range(range: &Range<u64>, size: u64) -> HeaderValue {
    value(format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)))
}

/// Of ASCII without control characters: it cannot fail.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
