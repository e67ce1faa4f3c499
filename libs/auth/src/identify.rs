//! From credentials to an identity. What is wrong is refused, never taken for nothing: who shows something false shall
//! hear of it.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::auth::Auth;
use crate::error::Error;
use crate::identity::{Identity, Via};
use crate::lookup::Found;
use crate::name::Name;
use crate::throttle::Wait;
use crate::token::{Digest, TokenText};

/// Between two notes that a token or session was used, at least.
const NOTE: std::time::Duration = std::time::Duration::from_secs(300);

/// What a request carries to say who it is from.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    None,
    /// The value of the session's cookie.
    Session(String),
    /// `Authorization: Basic`: name and password, or any name and a token.
    Basic {
        /// As it came.
        user: String,
        /// As it came.
        password: String,
    },
    /// `Authorization: Bearer`: a token.
    Bearer(String),
    /// An `Authorization` that is none of these, or broken.
    Unreadable,
}

/// Shows which kind it is, and nothing of it.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Session(_) => "Session(…)",
            Self::Basic { .. } => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
            Self::Unreadable => "Unreadable",
        })
    }
}

/// What a request is about to do, as far as that matters for who it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It changes nothing: GET, HEAD, OPTIONS.
    Look,
    /// It may change something, and uses up a token that is for a single use.
    Change,
}

impl Auth {
    /// Who a request is from. A session that is over is nobody, as every browser comes back with one some day;
    /// everything else that is wrong is an error.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::WrongToken`], [`Error::Unreadable`]: 403. [`Error::Throttled`]: 429.
    /// [`Error::Busy`]: 503.
    pub async fn identify(
        &self,
        credentials: &Credentials,
        address: Option<IpAddr>,
        intent: Intent,
    ) -> Result<Identity, Error> {
        match credentials {
            Credentials::None => Ok(self.anonymous()),
            Credentials::Session(text) => Ok(self.by_session(text).await?.unwrap_or_else(|| self.anonymous())),
            Credentials::Basic { password, .. } if password.starts_with("opx_") => {
                self.by_token(password, intent).await
            }
            Credentials::Basic { user, password } => self.by_password(user, password, address).await,
            Credentials::Bearer(token) => self.by_token(token, intent).await,
            Credentials::Unreadable => Err(Error::Unreadable),
        }
    }

    async fn by_token(&self, text: &str, intent: Intent) -> Result<Identity, Error> {
        let digest = text.parse::<TokenText>().map_err(|_| Error::WrongToken)?.digest();
        let now = self.now();
        if let Some(Found::Token(identity, until)) = self.0.found.get(digest.as_bytes(), now)
            && until.is_none_or(|until| now < until)
        {
            return Ok(identity);
        }
        let generation = self.0.found.generation();
        let token = self.find_token(digest).await?.ok_or(Error::WrongToken)?;
        if token.spent.is_some() || token.expires.is_some_and(|expires| now >= expires) {
            return Err(Error::WrongToken);
        }
        let via = Via::Token(token.id);
        let identity = token.account.identity(via, self.everybody()).limited_to(token.scopes);
        if token.single_use {
            if intent == Intent::Change && !self.spend_token(token.id).await? {
                return Err(Error::WrongToken);
            }
            return Ok(identity);
        }
        if is_due(token.used, now) {
            passing(self.touch_token(token.id).await);
        }
        let found = Found::Token(identity.clone(), token.expires);
        self.0.found.insert(generation, *digest.as_bytes(), found, now);
        Ok(identity)
    }

    async fn by_session(&self, text: &str) -> Result<Option<Identity>, Error> {
        let digest = Digest::of(text.as_bytes());
        let now = self.now();
        if let Some(Found::Session(identity, until)) = self.0.found.get(digest.as_bytes(), now)
            && now < until
        {
            return Ok(Some(identity));
        }
        let generation = self.0.found.generation();
        let Some(session) = self.find_session(digest).await? else { return Ok(None) };
        let (idle, most) = (self.settings().session_idle.get(), self.settings().session_max.get());
        let end = |since: Timestamp, span| since.checked_add(span).unwrap_or(Timestamp::MAX);
        let until = end(session.used, idle).min(end(session.created, most));
        if now >= until {
            return Ok(None);
        }
        if is_due(Some(session.used), now) || now.duration_since(session.used).unsigned_abs() > idle / 4 {
            passing(self.touch_session(digest).await);
        }
        let identity = session.account.identity(Via::Session, self.everybody());
        self.0.found.insert(generation, *digest.as_bytes(), Found::Session(identity.clone(), until), now);
        Ok(Some(identity))
    }

    /// A client that sends its password with each request costs one verification in a while. The address is looked at
    /// first and the account last: a client that is known to be right is not locked out by what others guess.
    async fn by_password(&self, user: &str, password: &str, address: Option<IpAddr>) -> Result<Identity, Error> {
        let wait = |Wait(wait)| Error::Throttled(wait);
        let now = self.now();
        self.0.throttle.admit(address, now).map_err(wait)?;
        let account = match user.parse::<Name>() {
            Ok(name) => self.account(&name).await?,
            Err(_) => None,
        };
        let stored = account.as_ref().and_then(|account| account.password.as_deref());
        let known = stored.is_some_and(|stored| self.0.passwords.is_remembered(password, stored, now));
        if !known {
            let attempt = self.0.throttle.begin(&user.to_ascii_lowercase(), address, now).map_err(wait)?;
            match self.0.passwords.verify(password, stored).await {
                Ok(true) => attempt.succeeded(),
                Ok(false) => {
                    tracing::warn!(user = ?user.chars().take(80).collect::<String>(), ?address, "login failed");
                    return Err(Error::WrongPassword);
                }
                Err(Error::Busy) => {
                    attempt.abandoned();
                    return Err(Error::Busy);
                }
                Err(error) => return Err(error),
            }
            if let Some(stored) = stored {
                self.0.passwords.remember(password, stored, now);
            }
        }
        account.map(|account| account.identity(Via::Password, self.everybody())).ok_or(Error::WrongPassword)
    }
}

/// Nobody is turned away because it cannot be noted that they came: the disk may be full, and reading is possible still.
fn passing(noted: Result<(), Error>) {
    if let Err(error) = noted {
        tracing::warn!(error = %opsctl_logging::chain(&error), "failed to note that a token or session was used");
    }
}

/// Whether it is time to note that something was used.
fn is_due(used: Option<Timestamp>, now: Timestamp) -> bool {
    used.is_none_or(|used| now.duration_since(used).unsigned_abs() >= NOTE)
}
