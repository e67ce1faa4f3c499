//! An answer: its head, and a body that is read piece by piece or whole, and never beyond a limit.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::Error;
use crate::fetch::failed;

/// The answer to a request; its body has not been read yet.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    /// Bytes of the body that were read so far.
    read: u64,
}

impl Answer {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self { response, read: 0 }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// What was fetched in the end, after redirects: relative links are relative to this.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// Bytes of the body, where the server says so; not of one that is decompressed on the way.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece of the body; None at its end.
    ///
    /// # Errors
    /// The connection broke or was silent for too long, or the body is longer than `limit` bytes in all.
    pub async fn chunk(&mut self, limit: u64) -> Result<Option<Bytes>, Error> {
        let too_large = |answer: &Self| Error::TooLarge { url: crate::origin::shown(answer.url()), limit };
        if self.read == 0 && self.length().is_some_and(|length| length > limit) {
            return Err(too_large(self));
        }
        let url = self.response.url().clone();
        let Some(chunk) = self.response.chunk().await.map_err(|error| failed(&url, error))? else { return Ok(None) };
        self.read += chunk.len() as u64;
        if self.read > limit { Err(too_large(self)) } else { Ok(Some(chunk)) }
    }

    /// The whole body.
    ///
    /// # Errors
    /// Those of [`Self::chunk`].
    pub async fn bytes(mut self, limit: u64) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk(limit).await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }
}
