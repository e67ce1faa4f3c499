//! A finished page as an answer.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, StatusCode};
use opsctl_http::{PAGE_POLICY, lists_xhtml};

use crate::markup::cleaned;

/// A whole XHTML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    text: String,
    status: StatusCode,
}

impl Page {
    pub(crate) fn new(text: String) -> Self {
        Self { text: cleaned(text), status: StatusCode::OK }
    }

    /// The page with another status than 200.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The answer to the request with these headers: `application/xhtml+xml` for a client that lists it, else
    /// `text/html`, which any browser takes.
    #[must_use]
    pub fn respond(self, headers: &HeaderMap) -> Response {
        let kind = match lists_xhtml(headers) {
            true => "application/xhtml+xml; charset=utf-8",
            false => "text/html; charset=utf-8",
        };
        let headers = [
            (CONTENT_TYPE, kind),
            (VARY, "accept"),
            (CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "same-origin"),
        ];
        (self.status, headers, self.text).into_response()
    }

    /// The document.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Page> for String {
    fn from(page: Page) -> Self {
        page.text
    }
}

/// `text/html`; [`Page::respond`] knows better.
impl IntoResponse for Page {
    fn into_response(self) -> Response {
        self.respond(&HeaderMap::new())
    }
}
