//! Errors of a request: a status and a text for the client, a cause for the log.
//!
//! A handler returns an [`HttpError`]; [`serve`](crate::serve()) turns it into what the client understands, as it alone
//! sees the request, the answer and the request's number: JSON for programs (RFC 9457), XHTML for browsers, plain text for
//! who prefers it, and a reason phrase for who shows nothing else. What caused it is never shown to the client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;
use serde::Serialize;

use crate::negotiate::{XHTML, lists_xhtml, negotiate};

/// Carries the number of a request that failed, for the one who reports it and the one who searches the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT_UTF8: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const XHTML_UTF8: HeaderValue = HeaderValue::from_static("application/xhtml+xml; charset=utf-8");
const HTML_UTF8: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The content security policy of all pages: everything comes from this program, nothing is inline, and nobody frames it.
pub const PAGE_POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// An answer of 400 and above. `Display` is the text for the client, which also is the reason phrase of an HTTP/1 answer:
/// some clients show nothing else.
#[derive(Debug)]
pub struct HttpError {
    status: StatusCode,
    message: Cow<'static, str>,
    code: Option<Cow<'static, str>>,
    headers: Box<HeaderMap>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HttpError {
    /// `message` is for the client: what is wrong, and what to do about it.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), code: None, headers: Box::default(), source: None }
    }

    /// 500: the fault is here, and what it is concerns the log only.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL).caused_by(source)
    }

    /// 404.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 400.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 503: a try later may work.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 401: who are you? Asks for a name and a password (Basic, RFC 7617); `realm` is what they are for.
    pub fn unauthorized(realm: &str, message: impl Into<Cow<'static, str>>) -> Self {
        let realm: String = realm.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
        let challenge = HeaderValue::try_from(format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
        let error = Self::new(StatusCode::UNAUTHORIZED, message);
        match challenge {
            Ok(challenge) => error.header(WWW_AUTHENTICATE, challenge),
            Err(_) => error,
        }
    }

    /// 403.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 405; `allowed` are the methods that work, as in `GET, HEAD`.
    pub fn method_not_allowed(allowed: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message).header(ALLOW, HeaderValue::from_static(allowed))
    }

    /// With another header, such as `Location`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// When it is worth to try again; at least a second from now.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        self.header(RETRY_AFTER, time.as_secs().max(1).into())
    }

    /// By what programs shall know it: the `code` in JSON. Without, it is the status and the message.
    #[must_use]
    pub fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// Adds what it came from. Logged with its own causes if the status is 500 or above.
    #[must_use]
    pub fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// What the client gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn own_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The message as far as a status line takes it: on one line, in ASCII, not too long.
    pub(crate) fn reason(&self) -> Option<ReasonPhrase> {
        let fits = |c: char| match c {
            ' '..='~' => c,
            _ if c.is_control() || c.is_whitespace() => ' ',
            _ => '?',
        };
        let reason: String = self.message.chars().map(fits).take(MAX_REASON).collect();
        let reason = reason.trim();
        if reason.is_empty() { None } else { ReasonPhrase::try_from(reason.as_bytes()).ok() }
    }
}

/// Characters of a reason phrase.
const MAX_REASON: usize = 300;
const INTERNAL: &str = "something went wrong here, and it has been logged";

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Plain text, in case nobody renders it; the error itself travels along for [`serve`](crate::serve()).
impl IntoResponse for HttpError {
    fn into_response(mut self) -> Response {
        let headers = *std::mem::take(&mut self.headers);
        let mut response = (self.status, headers, format!("{}\n", self.message)).into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// What an error page has to say.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// 400 and above.
    pub status: StatusCode,
    /// For the client; empty if there is nothing to add to the status.
    pub message: &'a str,
    /// The number under which the log has more, from 500 on.
    pub request_id: Option<&'a str>,
}

/// Makes the page of an error: a whole XHTML document. None leaves it to the built-in one.
pub type ErrorPage = Arc<dyn Fn(&Problem<'_>) -> Option<String> + Send + Sync>;

impl Problem<'_> {
    /// "Not Found".
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// Replaces the body of `response` with what the client of `headers` understands.
    pub(crate) fn render(
        &self,
        headers: &HeaderMap,
        code: Option<&str>,
        page: Option<&ErrorPage>,
        mut response: Response,
    ) -> Response {
        const OFFERED: &[&str] = &["application/problem+json", "application/json", XHTML, "text/html", "text/plain"];
        let (kind, body) = match negotiate(headers, OFFERED) {
            Some(XHTML | "text/html") => {
                let page = page.and_then(|page| page(self)).unwrap_or_else(|| self.page());
                (if lists_xhtml(headers) { XHTML_UTF8 } else { HTML_UTF8 }, page)
            }
            Some("text/plain") => (TEXT_UTF8, self.text()),
            Some("application/json") => (JSON, self.json(code)),
            _ => (PROBLEM_JSON, self.json(code)),
        };
        let parts = response.headers_mut();
        parts.insert(CONTENT_TYPE, kind);
        parts.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        parts.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        parts.append(VARY, HeaderValue::from_static("accept"));
        parts.remove(CONTENT_LENGTH);
        if let Some(id) = self.request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
            parts.insert(REQUEST_ID, id);
        }
        *response.body_mut() = Body::from(body);
        response
    }

    /// The members of RFC 9457, and those that the clients of package indexes show.
    fn json(&self, code: Option<&str>) -> String {
        #[derive(Serialize)]
        struct Json<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            #[serde(skip_serializing_if = "str::is_empty")]
            detail: &'a str,
            message: &'a str,
            code: Cow<'a, str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }
        let message = if self.message.is_empty() { self.title() } else { self.message };
        let status = self.status.as_u16();
        let json = Json {
            r#type: "about:blank",
            title: self.title(),
            status,
            detail: self.message,
            message,
            code: code.map_or_else(|| format!("{status} {message}").into(), Cow::Borrowed),
            request_id: self.request_id,
        };
        // strings and a number: it cannot fail
        serde_json::to_string(&json).unwrap_or_default()
    }

    fn text(&self) -> String {
        let message = if self.message.is_empty() { self.title() } else { self.message };
        match self.request_id {
            Some(id) => format!("{message} (request {id})\n"),
            None => format!("{message}\n"),
        }
    }

    /// The page of a service that has none of its own. No style: the content security policy forbids one within.
    fn page(&self) -> String {
        let Self { status, message, request_id } = *self;
        let title = Escaped(self.title());
        let code = status.as_u16();
        let message = Escaped(message);
        let id = request_id.map(|id| format!("<p>Request <code>{}</code></p>", Escaped(id))).unwrap_or_default();
        format!(
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" xml:lang=\"en\">\
             <head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
             <title>{code} {title}</title></head>\
             <body><main><h1>{code} {title}</h1><p>{message}</p>{id}</main></body></html>\n"
        )
    }
}

/// Text in XML: the five special characters escaped, those that XML 1.0 does not allow replaced.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\t' | '\n' | '\r' => f.write_char(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => f.write_char(char::REPLACEMENT_CHARACTER),
            c => f.write_char(c),
        })
    }
}
