//! Forms with files: `multipart/form-data` (RFC 7578), read as it comes, part by part and piece by piece.
//!
//! Nothing but the head of a part and what the caller asks for is ever held in memory. Clients of two decades are
//! understood: lines that end in LF alone, parts in any order, files without a media type, names in UTF-8, with
//! backslashes, percent signs or as RFC 5987 has them. What a form says is never trusted: a file's name is a text, not a
//! path.

use std::error::Error;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;

use self::head::Head;
use self::parser::{Event, Parser};
use crate::HttpError;

mod head;
mod parser;

/// What a form may take.
#[derive(Debug, Clone)]
pub struct FormLimits {
    /// Bytes of the whole request's body.
    pub total: u64,
    /// Parts.
    pub parts: usize,
    /// Bytes of a part that is read as text.
    pub text: usize,
    /// Bytes of a part's head.
    pub head: usize,
}

impl FormLimits {
    /// Up to `total` bytes, in 2,000 parts with heads of up to 16 KiB and texts of up to 1 MiB.
    #[must_use]
    pub fn total(total: u64) -> Self {
        Self { total, parts: 2_000, text: 1024 * 1024, head: 16 * 1024 }
    }
}

/// Why a form cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// It is something else.
    #[error("a form is expected, as `multipart/form-data`")]
    NotAForm,
    /// The boundary is missing, or is none.
    #[error("the form's `Content-Type` has no usable `boundary`")]
    NoBoundary,
    /// More bytes than allowed.
    #[error("the form is larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// More parts than allowed.
    #[error("the form has more than {limit} parts")]
    TooManyParts {
        /// Parts.
        limit: usize,
    },
    /// A head, or what stands before the first part, is longer than allowed.
    #[error("the head of a part is longer than {limit} bytes")]
    HeadTooLong {
        /// Bytes.
        limit: usize,
    },
    /// A text is longer than allowed.
    #[error("the field `{name}` is longer than {limit} bytes")]
    TextTooLong {
        /// Of the part.
        name: String,
        /// Bytes.
        limit: usize,
    },
    /// A text is not in UTF-8.
    #[error("the field `{name}` is not in UTF-8")]
    NotText {
        /// Of the part.
        name: String,
    },
    /// It breaks the rules.
    #[error("the form cannot be read: {0}")]
    Malformed(&'static str),
    /// It ends before its end.
    #[error("the form is cut off")]
    Incomplete,
    /// The client went away, or paused for too long.
    #[error("failed to receive the form")]
    Body(#[source] Box<dyn Error + Send + Sync>),
}

impl From<FormError> for HttpError {
    fn from(error: FormError) -> Self {
        let status = match &error {
            FormError::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            FormError::TooLarge { .. }
            | FormError::TooManyParts { .. }
            | FormError::HeadTooLong { .. }
            | FormError::TextTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            FormError::NoBoundary
            | FormError::NotText { .. }
            | FormError::Malformed(_)
            | FormError::Incomplete
            | FormError::Body(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string()).caused_by(error)
    }
}

/// A form that is being received.
#[derive(Debug)]
pub struct Form {
    body: Body,
    parser: Parser,
    limits: FormLimits,
    received: u64,
    parts: usize,
}

impl Form {
    /// The form in the request with these headers and this body, of which nothing is read yet: a form that says to be too
    /// large is refused before it is sent.
    ///
    /// # Errors
    /// [`FormError::NotAForm`], [`FormError::NoBoundary`], [`FormError::TooLarge`].
    pub fn new(headers: &HeaderMap, body: Body, limits: FormLimits) -> Result<Self, FormError> {
        let kind = headers.get(CONTENT_TYPE).ok_or(FormError::NotAForm)?;
        let boundary = head::boundary(kind.as_bytes())?;
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|announced| announced > limits.total) {
            return Err(FormError::TooLarge { limit: limits.total });
        }
        let parser = Parser::new(&boundary, limits.head);
        Ok(Self { body, parser, limits, received: 0, parts: 0 })
    }

    /// The next part; what is left of the former one is passed over. None at the end, when all was received.
    ///
    /// # Errors
    /// See [`FormError`]; there is no going on after one.
    pub async fn next_part(&mut self) -> Result<Option<Part<'_>>, FormError> {
        let head = loop {
            match self.event().await? {
                Event::Head(head) => break head,
                Event::Data(_) | Event::PartEnd => {}
                Event::End => return Ok(None),
            }
        };
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(FormError::TooManyParts { limit: self.limits.parts });
        }
        Ok(Some(Part { form: self, head, ended: false }))
    }

    async fn event(&mut self) -> Result<Event, FormError> {
        loop {
            if let Some(event) = self.parser.next()? {
                return Ok(event);
            }
            match self.body.frame().await {
                None => self.parser.finish(),
                Some(Err(error)) => return Err(FormError::Body(error.into())),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.received += data.len() as u64;
                    if self.received > self.limits.total {
                        return Err(FormError::TooLarge { limit: self.limits.total });
                    }
                    self.parser.feed(data);
                }
            }
        }
    }
}

/// One part of a form: a field, or a file.
#[derive(Debug)]
pub struct Part<'a> {
    form: &'a mut Form,
    head: Head,
    ended: bool,
}

impl Part<'_> {
    /// Of the field.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.head.name
    }

    /// Which the client gives to the file, if it is one: any text, maybe a path, maybe an attack.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name.as_deref()
    }

    /// As the client calls it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.head.content_type.as_deref()
    }

    /// The next piece of its content, never empty; None at its end.
    ///
    /// # Errors
    /// See [`FormError`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FormError> {
        while !self.ended {
            match self.form.event().await? {
                Event::Data(data) if data.is_empty() => {}
                Event::Data(data) => return Ok(Some(data)),
                Event::PartEnd | Event::End | Event::Head(_) => self.ended = true,
            }
        }
        Ok(None)
    }

    /// All of its content.
    ///
    /// # Errors
    /// [`FormError::TextTooLong`], and as for [`Self::chunk`].
    pub async fn bytes(mut self) -> Result<Vec<u8>, FormError> {
        let limit = self.form.limits.text;
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(FormError::TextTooLong { name: self.head.name, limit });
            }
            bytes.extend(chunk);
        }
        Ok(bytes)
    }

    /// All of its content as text.
    ///
    /// # Errors
    /// [`FormError::NotText`], and as for [`Self::bytes`].
    pub async fn text(self) -> Result<String, FormError> {
        let name = self.head.name.clone();
        String::from_utf8(self.bytes().await?).map_err(|_| FormError::NotText { name })
    }
}
