//! What happens to a request before it is routed, so that forms can do what programs can: the method that a form asks
//! for, protection against forged requests, messages that survive a redirect.
//!
//! It stands around the whole router, as a layer within one comes too late to change the method.

mod body;
pub(crate) mod fields;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, EXPECT, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use opsctl_http::{Client, HttpError};
use tower_service::Service;

use self::fields::{Fields, Kind};
use crate::cookie::Jar;
use crate::csrf::{self, Tokens, is_bearer, is_foreign};
use crate::visit::{Secrets, Visit};
use crate::{Key, flash};

const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
/// Sent by the script that fetches a part of a page again: messages wait for one that is looked at.
const REFRESH: HeaderName = HeaderName::from_static("x-refresh");
/// What POST may stand for.
const METHODS: &[Method] = &[Method::PUT, Method::PATCH, Method::DELETE];
/// How long a browser keeps the cookie that a form's token belongs to where nobody is logged in.
const ANONYMOUS_SECONDS: u64 = 24 * 3600;
const ANONYMOUS: &str = "opsctl_csrf";
const FLASH: &str = "opsctl_flash";
/// How long a message waits for the page that shows it.
const FLASH_SECONDS: u64 = 600;

/// The front of a service with forms, to be put around its router.
///
/// * `POST` with a form that has the field `_method`, or with the header `X-HTTP-Method-Override`, is routed as `PUT`,
///   `PATCH` or `DELETE`. In a `multipart/form-data` form the field must stand first; `parts.html` sees to that.
/// * A request that changes something is refused with 403 when the browser says that it comes from another site, and
///   when it carries the session's cookie without the token that belongs to it (the field `_csrf`, or the header
///   `X-CSRF-Token`). Requests without cookies, as programs send them, need no token.
/// * The handlers get a [`Visit`].
#[derive(Debug, Clone)]
pub struct Front {
    key: Key,
    session: String,
    trusted: Vec<String>,
}

impl Front {
    /// Signs with `key`.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        let key = key.derive("web");
        Self { key, session: "opsctl_session".to_owned(), trusted: Vec::new() }
    }

    /// The name of the cookie that says who is logged in; its value binds the tokens. `opsctl_session` if nothing is said.
    /// Over TLS it begins with `__Host-` besides, as all cookies do then.
    #[must_use]
    pub fn session_cookie(self, name: impl Into<String>) -> Self {
        Self { session: name.into(), ..self }
    }

    /// Another origin under which browsers reach this server, `https://packages.example`: that of a proxy.
    #[must_use]
    pub fn trust(mut self, origin: impl Into<String>) -> Self {
        self.trusted.push(origin.into());
        self
    }

    /// `router`, with the front around it.
    pub fn around(self, router: Router) -> Router {
        Router::new().fallback_service(Around { front: Arc::new(self), router })
    }

    /// The request as it is to be routed, and what its pages need to know.
    async fn admit(&self, mut request: Request, jar: Jar) -> Result<(Request, Visit), HttpError> {
        let headers = request.headers();
        let session = jar.get(headers, &self.session).map(str::to_owned);
        let anonymous = jar.get(headers, ANONYMOUS);
        let known = session.as_deref().or(anonymous).map(|binding| Tokens::new(&self.key, binding));
        let messages = match headers.contains_key(REFRESH) {
            true => None,
            false => jar.get(headers, FLASH).map(|value| flash::read(&self.key, value)),
        };
        let mut verified = false;
        if !request.method().is_safe() {
            let kind = Kind::of(request.headers());
            let needs_origin = session.is_some() || !is_bearer(request.headers());
            if needs_origin && is_foreign(request.headers(), request.uri(), &self.trusted) {
                return Err(refused("the request comes from another site"));
            }
            let (own, whole) = own_fields(kind.as_ref(), request).await?;
            request = whole;
            verified = match (&known, token(&own, request.headers())) {
                (Some(tokens), Some(token)) => tokens.check(token),
                _ => false,
            };
            if !verified && (session.is_some() || (known.is_some() && kind.is_some() && !has_credentials(&request))) {
                return Err(refused("the form is out of date: go back, load the page again, and send it once more"));
            }
            if *request.method() == Method::POST
                && let Some(method) = wanted(&own, request.headers())?
            {
                *request.method_mut() = method;
            }
        }
        let secrets = Secrets { key: self.key.clone(), tokens: known, verified };
        let visit = Visit::new(&request, Some(secrets), messages.unwrap_or_default());
        request.extensions_mut().insert(visit.clone());
        Ok((request, visit))
    }

    /// Writes the cookies that the visit has come to need.
    fn dismiss(&self, jar: Jar, visit: &Visit, response: &mut Response) {
        let done = visit.close();
        let headers = response.headers_mut();
        if let Some(binding) = &done.new_binding {
            jar.set(headers, ANONYMOUS, binding, ANONYMOUS_SECONDS);
        }
        match flash::write(&self.key, &done.waiting) {
            Some(value) => jar.set(headers, FLASH, &value, FLASH_SECONDS),
            None if done.shown => jar.clear(headers, FLASH),
            None => {}
        }
        if done.is_private {
            // what shows a secret says more, and is left alone
            if headers.get(CACHE_CONTROL).is_none_or(|value| value != "no-store") {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            }
            headers.append(VARY, HeaderValue::from_static("cookie"));
        }
    }
}

/// A form whose body was looked at. Nothing is read of a request that cannot be a browser's and waits for a word before
/// it sends its body.
async fn own_fields(kind: Option<&Kind>, request: Request) -> Result<(Fields, Request), HttpError> {
    let waits = request.headers().contains_key(EXPECT) && !request.headers().contains_key(COOKIE);
    let Some(kind) = kind.filter(|_| !waits) else { return Ok((Fields::default(), request)) };
    let (parts, body) = request.into_parts();
    let gone = |error| HttpError::bad_request("the request's body did not come to its end").caused_by(error);
    let (fields, body) = body::peek(kind, body).await.map_err(gone)?;
    Ok((fields, Request::from_parts(parts, body)))
}

fn token<'a>(own: &'a Fields, headers: &'a HeaderMap) -> Option<&'a str> {
    own.token.as_deref().or_else(|| headers.get(csrf::HEADER)?.to_str().ok())
}

fn has_credentials(request: &Request) -> bool {
    request.headers().contains_key(AUTHORIZATION)
}

/// The method that a POST stands for.
fn wanted(own: &Fields, headers: &HeaderMap) -> Result<Option<Method>, HttpError> {
    let header = headers.get(OVERRIDE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Some(word) = own.method.clone().or(header).filter(|word| !word.eq_ignore_ascii_case("post")) else {
        return Ok(None);
    };
    match METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(&word)) {
        Some(method) => Ok(Some(method.clone())),
        None => Err(HttpError::bad_request("a form can ask for the methods PUT, PATCH and DELETE only")),
    }
}

fn refused(why: &'static str) -> HttpError {
    HttpError::new(StatusCode::FORBIDDEN, why)
}

/// A router with the front around it.
#[derive(Clone)]
struct Around {
    front: Arc<Front>,
    router: Router,
}

impl Service<Request> for Around {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // routers are always ready
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { front, mut router } = self.clone();
        Box::pin(async move {
            // over TLS, here or at a proxy that is believed
            let jar = Jar { secure: request.extensions().get::<Client>().is_some_and(|client| client.secure) };
            let (request, visit) = match front.admit(request, jar).await {
                Ok(admitted) => admitted,
                Err(error) => return Ok(error.into_response()),
            };
            let mut response = router.call(request).await?;
            front.dismiss(jar, &visit, &mut response);
            Ok(response)
        })
    }
}
