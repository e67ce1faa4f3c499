//! One request, as far as the shell is concerned: where one is, who one is, what just happened.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{FromRequestParts, OriginalUri, Request};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{StatusCode, Uri};
use minijinja::value::{Enumerator, Object, Serde, Value};
use opsctl_http::HttpError;

use crate::csrf::Tokens;
use crate::flash::Flash;
use crate::key::random;
use crate::{Error, Key, Link, Query, Tone};

/// What the shell knows of a request. An extractor; without a [`Front`](crate::Front) around the router it knows only the
/// address, and forms that change something cannot be rendered. Cheap to clone.
#[derive(Clone)]
pub struct Visit(Arc<Inner>);

struct Inner {
    path: String,
    query: Query,
    secrets: Option<Secrets>,
    state: Mutex<State>,
}

/// What the front hands to a visit.
pub(crate) struct Secrets {
    pub(crate) key: Key,
    /// None: the browser holds no cookie yet that a token could belong to.
    pub(crate) tokens: Option<Tokens>,
    pub(crate) verified: bool,
}

#[derive(Default)]
struct State {
    user: Option<UserMenu>,
    came: Vec<Flash>,
    waiting: Vec<Flash>,
    shown: bool,
    private: bool,
    /// The value of a new cookie, and the tokens that belong to it.
    new: Option<(String, Tokens)>,
}

/// What a visit has come to when its answer is ready.
pub(crate) struct Closed {
    pub(crate) new_binding: Option<String>,
    pub(crate) waiting: Vec<Flash>,
    pub(crate) shown: bool,
    pub(crate) is_private: bool,
}

/// The corner of the header that says who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UserMenu {
    name: Option<String>,
    links: Vec<Link>,
    logout: Option<String>,
}

impl UserMenu {
    /// Nobody is logged in; `login` leads to where one can.
    #[must_use]
    pub fn anonymous(login: Link) -> Self {
        Self { name: None, links: vec![login], logout: None }
    }

    /// `name` is logged in.
    #[must_use]
    pub fn user(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), links: Vec::new(), logout: None }
    }

    /// A further link, to the account or the tokens.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.links.push(link);
        self
    }

    /// A button that posts to `action`.
    #[must_use]
    pub fn logout(self, action: impl Into<String>) -> Self {
        Self { logout: Some(action.into()), ..self }
    }
}

impl Visit {
    pub(crate) fn new(request: &Request, secrets: Option<Secrets>, came: Vec<Flash>) -> Self {
        Self::at(request.uri(), secrets, came)
    }

    fn at(uri: &Uri, secrets: Option<Secrets>, came: Vec<Flash>) -> Self {
        let query = Query::parse(uri.query().unwrap_or_default());
        let state = Mutex::new(State { came, ..State::default() });
        Self(Arc::new(Inner { path: uri.path().to_owned(), query, secrets, state }))
    }

    /// The path that was asked for, percent-encoded as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The query that was asked with.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.0.query
    }

    /// Shows `text` on the next page: this answer's, or the one that it redirects to.
    pub fn flash(&self, tone: Tone, text: impl AsRef<str>) {
        self.state().waiting.push(Flash::new(tone, text.as_ref()));
    }

    /// Fills the corner of the header. The page is then this user's own, and caches leave it alone.
    pub fn set_user(&self, menu: UserMenu) {
        let mut state = self.state();
        state.user = Some(menu);
    }

    /// For forms that need a token though nobody is logged in: that of the login.
    ///
    /// # Errors
    /// 403, when the request had none or another browser's.
    pub fn require_token(&self) -> Result<(), HttpError> {
        match &self.0.secrets {
            Some(secrets) if secrets.verified => Ok(()),
            _ => Err(HttpError::new(
                StatusCode::FORBIDDEN,
                "the form is out of date, or the browser takes no cookies: load the page again",
            )),
        }
    }

    /// The token for a form, or for a script's header `X-CSRF-Token`.
    ///
    /// # Errors
    /// There is no [`Front`](crate::Front) around the router.
    pub fn token(&self) -> Result<String, Error> {
        let secrets = self.0.secrets.as_ref().ok_or(Error::NoFront)?;
        let mut state = self.state();
        state.private = true;
        if let Some(tokens) = &secrets.tokens {
            return tokens.make();
        }
        if state.new.is_none() {
            let binding = URL_SAFE_NO_PAD.encode(random::<16>()?);
            let tokens = Tokens::new(&secrets.key, &binding);
            state.new = Some((binding, tokens));
        }
        state.new.as_ref().map_or(Err(Error::NoFront), |(_, tokens)| tokens.make())
    }

    /// The answer is ready.
    pub(crate) fn close(&self) -> Closed {
        let mut state = self.state();
        let waiting = match state.shown {
            true => Vec::new(),
            // those that came and were not shown wait on, if there are new ones to wait with
            false if !state.waiting.is_empty() => {
                [std::mem::take(&mut state.came), std::mem::take(&mut state.waiting)].concat()
            }
            false => Vec::new(),
        };
        Closed {
            new_binding: state.new.take().map(|(binding, _)| binding),
            waiting,
            shown: state.shown,
            is_private: state.private,
        }
    }

    /// What a template sees.
    pub(crate) fn value(&self) -> Value {
        Value::from_object(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show_messages(&self) -> Vec<Flash> {
        let mut state = self.state();
        let messages = [std::mem::take(&mut state.came), std::mem::take(&mut state.waiting)].concat();
        state.shown |= !messages.is_empty();
        state.private |= !messages.is_empty();
        messages
    }

    fn show_user(&self) -> Option<UserMenu> {
        let mut state = self.state();
        state.private |= state.user.is_some();
        state.user.clone()
    }
}

/// `visit.path`, `visit.query`, `visit.messages` (shown by being asked for), `visit.user`.
impl Object for Visit {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "path" => Some(Value::from(self.path())),
            "query" => Some(Value::from(self.query().to_string())),
            "messages" => Some(Value::from(Serde(self.show_messages()))),
            "user" => Some(Value::from(Serde(self.show_user()))),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["path", "query", "messages", "user"])
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(visit) = parts.extensions.get::<Self>() {
            return Ok(visit.clone());
        }
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        Ok(Self::at(uri, None, Vec::new()))
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("path", &self.0.path).field("query", &self.0.query).finish_non_exhaustive()
    }
}
