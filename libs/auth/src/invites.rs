//! Invitations: links by which somebody sets a password, once. The first administrator is made by one as well.

use std::fmt;

use opsctl_store::{Transaction, params};

use crate::audit::{Act, Author};
use crate::auth::{Auth, micros};
use crate::error::Error;
use crate::identity::Identity;
use crate::name::Name;
use crate::password::acceptable;
use crate::random;
use crate::sessions::{Browser, SessionText};
use crate::settings::SiteUrl;
use crate::token::Digest;
use crate::users::{NewUser, User, insert, object, store_password};

/// What an invitation's link holds. `Debug` masks it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteText(String);

impl InviteText {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The path of the page where it is used.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/_/invite/{}", self.0)
    }
}

impl fmt::Debug for InviteText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteText(…)")
    }
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invited {
    /// Whoever comes first becomes the first administrator, under a name of their choice.
    FirstAdministrator,
    /// This user may set a password.
    User(Name),
}

impl Auth {
    /// The link of an invitation: with the host where `[auth] url` says it, else the path alone.
    #[must_use]
    pub fn link(&self, text: &InviteText) -> String {
        let host = self.settings().url.as_ref().map_or("", SiteUrl::as_str);
        format!("{host}{}", text.path())
    }

    /// A link by which `name` sets a password; earlier ones are worth nothing from now on.
    ///
    /// # Errors
    /// [`Error::NoUser`].
    pub async fn invite(&self, by: &Author, name: &Name) -> Result<InviteText, Error> {
        let mut tx = self.database().begin().await?;
        let user = crate::users::find(&mut tx, name).await?;
        tx.execute("DELETE FROM invite WHERE account = $1", params![user.id]).await?;
        let text = self.draw_invite(&mut tx, by, Some(user.id)).await?;
        by.record(&mut tx, Act::new("user invite", object(name))).await?;
        tx.commit().await?;
        Ok(text)
    }

    /// The link by which the first administrator is made, if there is no user yet; earlier ones are worth nothing from
    /// now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn invite_first(&self, by: &Author) -> Result<Option<InviteText>, Error> {
        let mut tx = self.database().begin().await?;
        if tx.fetch_optional("SELECT 1 FROM account LIMIT 1", params![]).await?.is_some() {
            return Ok(None);
        }
        tx.execute("DELETE FROM invite WHERE account IS NULL", params![]).await?;
        let text = self.draw_invite(&mut tx, by, None).await?;
        by.record(&mut tx, Act::new("user invite", "auth/user")).await?;
        tx.commit().await?;
        Ok(Some(text))
    }

    async fn draw_invite(&self, tx: &mut Transaction, by: &Author, account: Option<i64>) -> Result<InviteText, Error> {
        let text = InviteText(random::text()?);
        let now = micros(by.now());
        let life = i64::try_from(self.settings().invite_expiry.get().as_micros()).unwrap_or(i64::MAX);
        tx.execute("DELETE FROM invite WHERE expires < $1", params![now]).await?;
        let sql = "INSERT INTO invite (digest, account, created, expires) VALUES ($1, $2, $3, $4)";
        let digest = *Digest::of(text.0.as_bytes()).as_bytes();
        tx.execute(sql, params![digest, account, now, now.saturating_add(life)]).await?;
        Ok(text)
    }

    /// Who is invited by the link of `text`; None if it was used, is too old, or never was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn invited(&self, text: &str) -> Result<Option<Invited>, Error> {
        let sql = "SELECT name FROM invite LEFT JOIN account ON account.id = account \
                   WHERE digest = $1 AND expires > $2";
        let digest = *Digest::of(text.as_bytes()).as_bytes();
        let Some(row) = self.database().fetch_optional(sql, params![digest, micros(self.now())]).await? else {
            return Ok(None);
        };
        let name: Option<&str> = row.get("name")?;
        match name {
            Some(name) => Ok(Some(Invited::User(name.parse().map_err(|_| Error::Stored("name"))?))),
            // somebody was made an administrator in another way
            None => Ok(self.is_empty().await?.then_some(Invited::FirstAdministrator)),
        }
    }

    /// Takes an invitation up: sets the password, and begins a session. `name` is the choice of the first
    /// administrator, and of no importance otherwise. Of several at once one wins.
    ///
    /// # Errors
    /// [`Error::NoInvite`], [`Error::Password`], [`Error::Taken`].
    pub async fn accept_invite(
        &self,
        text: &str,
        name: &Name,
        password: &str,
        browser: &Browser,
    ) -> Result<(Name, SessionText), Error> {
        let name = match self.invited(text).await?.ok_or(Error::NoInvite)? {
            Invited::FirstAdministrator => name.clone(),
            Invited::User(name) => name,
        };
        acceptable(password, name.as_str())?;
        let hash = self.0.passwords.hash(password).await?;
        let mut tx = self.database().begin().await?;
        let sql = "DELETE FROM invite WHERE digest = $1 AND expires > $2 RETURNING account";
        let digest = *Digest::of(text.as_bytes()).as_bytes();
        let taken = tx.fetch_optional(sql, params![digest, micros(self.now())]).await?.ok_or(Error::NoInvite)?;
        let author = |name: &Name| {
            // nobody is logged in yet, and who holds the link is who it was given to
            let identity = Identity::user(name.clone(), crate::Via::Session, false, Vec::new(), self.everybody());
            self.author(&identity, browser.address)
        };
        let by = author(&name);
        match taken.get::<Option<i64>>("account")? {
            None => {
                // two links for the first cannot both be it
                tx.lock("administrators").await?;
                if tx.fetch_optional("SELECT 1 FROM account LIMIT 1", params![]).await?.is_some() {
                    return Err(Error::NoInvite);
                }
                let new = NewUser { administrator: true, ..NewUser::new(name.clone()) };
                insert(&mut tx, &by, &new, Some(&hash)).await?;
            }
            Some(_) => {
                let user: User = crate::users::find(&mut tx, &name).await?;
                store_password(&mut tx, &user, Some(&hash)).await?;
                by.record(&mut tx, Act::new("user passwd", object(&name)).after("by invitation")).await?;
            }
        }
        tx.commit().await?;
        self.changed();
        let account = self.account(&name).await?.ok_or(Error::NoInvite)?;
        let session = self.begin_session(&account, browser, "login").await?;
        Ok((name, session))
    }
}
