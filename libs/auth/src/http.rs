//! Around a service's router: says who each request is from before the service sees it.
//!
//! A handler takes the [`Identity`] as an argument, asks it, and hands a refusal on with `?`: a program is asked for
//! credentials (401), a browser is led to the login. Credentials that are wrong never reach a handler.

mod credentials;
mod errors;

use std::fmt;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use opsctl_http::{Client, HttpError, RemoteUser, lists_xhtml};
use opsctl_web::{Front, Key, Link, Query, UserMenu, Visit};

use crate::audit::Author;
use crate::auth::Auth;
use crate::identify::{Credentials, Intent};
use crate::identity::{Identity, Via};
use crate::sessions::Browser;

/// What is before the name of a cookie that only this host can have set, over TLS.
const HOST: &str = "__Host-";

impl Auth {
    /// Puts all of it around `router`: protection against forged requests and the methods of forms ([`Front`]), then
    /// the question who it is from. Handlers find an [`Identity`] and an [`Author`] (both are extractors), and the header
    /// of pages shows who is logged in.
    pub fn around(&self, router: Router) -> Router {
        let mut front = Front::new(&Key::new(self.key())).session_cookie(&*self.settings().cookie);
        if let Some(url) = &self.settings().url {
            front = front.trust(url.as_str());
        }
        front.around(router.layer(from_fn_with_state(self.clone(), identified)))
    }

    /// Who a request is from, for services that have no use for [`Self::around`].
    ///
    /// # Errors
    /// 403 for what is wrong, 429 and 503 for what will be looked at later.
    pub async fn identify_request(
        &self,
        method: &Method,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<Identity, HttpError> {
        let credentials = Credentials::of(headers, &self.cookie(client.secure));
        if credentials == Credentials::None {
            return Ok(self.anonymous());
        }
        let intent = if method.is_safe() { Intent::Look } else { Intent::Change };
        Ok(self.identify(&credentials, client.address, intent).await?)
    }

    /// The name of the session's cookie.
    pub(crate) fn cookie(&self, secure: bool) -> String {
        let name = &self.settings().cookie;
        if secure { format!("{HOST}{name}") } else { name.clone() }
    }
}

async fn identified(State(auth): State<Auth>, visit: Visit, mut request: Request, next: Next) -> Response {
    let client = client(request.extensions());
    let identity = match auth.identify_request(request.method(), request.headers(), client).await {
        Ok(identity) => identity,
        Err(error) => return error.into_response(),
    };
    let login = login_link(&visit);
    visit.set_user(menu(&identity, &login));
    // what it needs to be led to the login: it can read the page, and nothing is lost by asking again
    let can_log_in = lists_xhtml(request.headers()) && request.method() == Method::GET && identity.is_anonymous();
    let user = identity.name().map(ToString::to_string);
    request.extensions_mut().insert(Known { auth, identity });
    let mut response = next.run(request).await;
    if can_log_in && response.status() == StatusCode::UNAUTHORIZED {
        response = Redirect::to(&login).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(user) = user {
        response.extensions_mut().insert(RemoteUser(user));
    }
    response
}

/// The login's address, which leads back to where the visit is.
fn login_link(visit: &Visit) -> String {
    if visit.path().starts_with("/_/") {
        return "/_/login".to_owned();
    }
    let here = visit.query().href(visit.path());
    Query::default().with("next", &here).href("/_/login")
}

fn menu(identity: &Identity, login: &str) -> UserMenu {
    let Some(name) = identity.name() else { return UserMenu::anonymous(Link::new(login, "Log in")) };
    let mut menu = UserMenu::user(name.as_str()).link(Link::new("/_/account", "Account"));
    if identity.is_administrator() {
        menu = menu.link(Link::new("/_/users", "Users")).link(Link::new("/_/audit", "Audit trail"));
    }
    if identity.via() == Some(&Via::Session) { menu.logout("/_/logout") } else { menu }
}

/// What is known of a request, among its extensions.
#[derive(Debug, Clone)]
struct Known {
    auth: Auth,
    identity: Identity,
}

fn client(extensions: &http::Extensions) -> Client {
    extensions.get::<Client>().copied().unwrap_or(Client { address: None, secure: false })
}

/// A handler asks who it serves where nobody has put [`Auth::around`] around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no `Auth` around this router")]
struct NoAuth;

fn known(parts: &Parts) -> Result<&Known, HttpError> {
    parts.extensions.get::<Known>().ok_or_else(|| HttpError::internal(NoAuth))
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        known(parts).map(|known| known.identity.clone())
    }
}

impl<S: Sync> FromRequestParts<S> for Author {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let Known { auth, identity } = known(parts)?;
        Ok(auth.author(identity, client(&parts.extensions).address))
    }
}

impl<S: Sync> FromRequestParts<S> for Browser {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let name = parts.headers.get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        Ok(Self { address: client(&parts.extensions).address, name: name.unwrap_or_default() })
    }
}

/// What a browser brought along and how, for the pages that change it.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) secure: bool,
    /// The session's cookie.
    pub(crate) session: Option<String>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("secure", &self.secure).finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for Held {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let Known { auth, .. } = known(parts)?;
        let secure = client(&parts.extensions).secure;
        let session = opsctl_http::cookie(&parts.headers, &auth.cookie(secure)).map(str::to_owned);
        Ok(Self { secure, session })
    }
}
