//! Sessions of browsers: begun by a login, ended by a logout, by time, or by whoever's they are.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use opsctl_store::{Row, Transaction, params};

use crate::audit::{Act, Author};
use crate::auth::{Auth, micros, moment};
use crate::error::Error;
use crate::identity::Via;
use crate::lookup::Account;
use crate::name::Name;
use crate::random;
use crate::throttle::Wait;
use crate::token::Digest;

/// Characters of a browser's word about itself that are kept.
const BROWSER: usize = 120;

/// What a browser holds while somebody is logged in: 256 random bits. `Debug` masks it.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionText(String);

impl SessionText {
    /// The text itself, for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionText(…)")
    }
}

/// Where somebody logs in, as far as that shows.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// Its address, if it has one.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub name: String,
}

/// A session, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is called in a list; no secret.
    pub id: String,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used, give or take a few minutes.
    pub used: Timestamp,
    /// From where it was begun.
    pub address: String,
    /// What the browser calls itself.
    pub browser: String,
}

impl Session {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: id(row.get::<&[u8]>("digest")?),
            created: moment(row.get("created")?),
            used: moment(row.get("used")?),
            address: row.get("address")?,
            browser: row.get("browser")?,
        })
    }
}

/// What the session of this text is called in a list.
pub(crate) fn session_id(text: &str) -> String {
    id(Digest::of(text.as_bytes()).as_bytes())
}

/// The first bytes of the digest, which tells nobody the secret.
fn id(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Auth {
    /// Verifies name and password and begins a session: always a new one, whatever the browser held before.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], which takes as long for a user who is not there; [`Error::Throttled`];
    /// [`Error::Busy`].
    pub async fn login(&self, name: &str, password: &str, browser: &Browser) -> Result<(Name, SessionText), Error> {
        let account = self.verified(name, password, browser).await?;
        let session = self.begin_session(&account, browser, "login").await?;
        Ok((account.name.clone(), session))
    }

    /// Gives a user who knows the old password a new one, and a new session; all others end.
    ///
    /// # Errors
    /// As with [`Self::login`]; [`Error::Password`].
    pub async fn change_password(
        &self,
        by: &Author,
        name: &Name,
        old: &str,
        new: &str,
        browser: &Browser,
    ) -> Result<SessionText, Error> {
        self.verified(name.as_str(), old, browser).await?;
        self.set_password(by, name, Some(new)).await?;
        let account = self.account(name).await?.ok_or(Error::WrongPassword)?;
        self.begin_session(&account, browser, "login").await
    }

    /// The user of this name, if the password is theirs.
    async fn verified(&self, name: &str, password: &str, browser: &Browser) -> Result<Arc<Account>, Error> {
        let attempt = self.0.throttle.begin(&name.to_ascii_lowercase(), browser.address, self.now());
        let attempt = attempt.map_err(|Wait(wait)| Error::Throttled(wait))?;
        let account = match name.parse::<Name>() {
            Ok(name) => self.account(&name).await?,
            Err(_) => None,
        };
        let stored = account.as_ref().and_then(|account| account.password.as_deref());
        let verified = self.0.passwords.verify(password, stored).await;
        if matches!(verified, Err(Error::Busy)) {
            attempt.abandoned();
            return Err(Error::Busy);
        }
        match account.filter(|_| matches!(verified, Ok(true))) {
            Some(account) => {
                attempt.succeeded();
                Ok(account)
            }
            None => {
                verified?;
                tracing::warn!(user = ?name.chars().take(80).collect::<String>(), address = ?browser.address, "login failed");
                Err(Error::WrongPassword)
            }
        }
    }

    /// Begins a session for somebody who has shown who they are.
    pub(crate) async fn begin_session(
        &self,
        account: &Account,
        browser: &Browser,
        how: &'static str,
    ) -> Result<SessionText, Error> {
        let text = SessionText(random::text()?);
        let identity = account.identity(Via::Session, self.everybody());
        let by = self.author(&identity, browser.address);
        let now = micros(by.now());
        let mut tx = self.database().begin().await?;
        self.forget_sessions(&mut tx, now).await?;
        let sql = "INSERT INTO session (digest, account, created, used, address, browser) \
                   VALUES ($1, $2, $3, $3, $4, $5)";
        let digest = *Digest::of(text.0.as_bytes()).as_bytes();
        let address = browser.address.map(|ip| ip.to_string()).unwrap_or_default();
        let browser: String = browser.name.chars().filter(|c| !c.is_control()).take(BROWSER).collect();
        tx.execute(sql, params![digest, account.id, now, address, browser]).await?;
        tx.execute("UPDATE account SET seen = $2 WHERE id = $1", params![account.id, now]).await?;
        by.record(&mut tx, Act::new(how, format!("auth/session/{}", id(&digest)))).await?;
        tx.commit().await?;
        Ok(text)
    }

    /// Ends the session that a browser holds, if there is one.
    ///
    /// # Errors
    /// The database's.
    pub async fn logout(&self, text: &str) -> Result<(), Error> {
        let digest = *Digest::of(text.as_bytes()).as_bytes();
        self.database().execute("DELETE FROM session WHERE digest = $1", params![digest]).await?;
        self.changed();
        Ok(())
    }

    /// The live sessions of `name`, the last used first.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions(&self, name: &Name) -> Result<Vec<Session>, Error> {
        let (oldest_used, oldest) = self.limits(micros(self.now()));
        let sql = "SELECT digest, session.created, used, address, browser FROM session \
                   JOIN account ON account.id = account \
                   WHERE name = $1 AND used >= $2 AND session.created >= $3 ORDER BY used DESC LIMIT 100";
        let rows = self.database().fetch_all(sql, params![name.as_str(), oldest_used, oldest]).await?;
        rows.iter().map(Session::read).collect()
    }

    /// Ends all sessions of `name` but the one whose text is `kept`.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_sessions(&self, by: &Author, name: &Name, kept: Option<&str>) -> Result<u64, Error> {
        let kept = Digest::of(kept.unwrap_or_default().as_bytes());
        let sql = "DELETE FROM session WHERE digest <> $2 AND account IN (SELECT id FROM account WHERE name = $1)";
        let mut tx = self.database().begin().await?;
        let ended = tx.execute(sql, params![name.as_str(), *kept.as_bytes()]).await?;
        if ended > 0 {
            by.record(&mut tx, Act::new("session end", format!("auth/user/{name}")).before(ended)).await?;
        }
        tx.commit().await?;
        self.changed();
        Ok(ended)
    }

    /// Notes that a session was used, so that it goes on.
    pub(crate) async fn touch_session(&self, digest: Digest) -> Result<(), Error> {
        let sql = "UPDATE session SET used = $2 WHERE digest = $1";
        self.database().execute(sql, params![*digest.as_bytes(), micros(self.now())]).await?;
        Ok(())
    }

    /// Sessions that were used, or begun, before these moments are over.
    fn limits(&self, now: i64) -> (i64, i64) {
        let before =
            |span: std::time::Duration| now.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX));
        (before(self.settings().session_idle.get()), before(self.settings().session_max.get()))
    }

    async fn forget_sessions(&self, tx: &mut Transaction, now: i64) -> Result<(), Error> {
        let (oldest_used, oldest) = self.limits(now);
        tx.execute("DELETE FROM session WHERE used < $1 OR created < $2", params![oldest_used, oldest]).await?;
        Ok(())
    }
}
