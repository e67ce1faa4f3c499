//! From somebody whom a provider knows to a user.

use opsctl_store::{Transaction, params};

use super::Claims;
use super::settings::{OidcSettings, Roles};
use crate::audit::{Act, Author};
use crate::auth::{Auth, micros};
use crate::error::Error;
use crate::identity::{Identity, Via};
use crate::name::Name;
use crate::sessions::{Browser, SessionText};
use crate::users::{NewUser, User, find, insert, object, replace_roles};

impl Auth {
    /// Lets somebody in whom the provider knows: makes a user of them the first time, and gives them the roles of their
    /// groups each time.
    pub(crate) async fn enter(
        &self,
        settings: &OidcSettings,
        claims: &Claims,
        browser: &Browser,
    ) -> Result<(Name, SessionText), Error> {
        let roles = admitted(settings, claims)?;
        let mut tx = self.database().begin().await?;
        // two windows of one person make one user
        tx.lock("federated").await?;
        let known = known(&mut tx, &settings.issuer, claims.subject()).await?;
        let name = match &known {
            Some(user) if user.disabled.is_some() => return Err(Error::Denied("this account is disabled")),
            Some(user) => user.name.clone(),
            None => named(settings, claims)?,
        };
        let identity = Identity::user(name.clone(), Via::Session, false, Vec::new(), self.everybody());
        let by = self.author(&identity, browser.address);
        if known.is_none() {
            self.adopt(&mut tx, &by, settings, claims, &name).await?;
        }
        if !settings.roles.is_empty() {
            replace_roles(&mut tx, &by, &name, roles.administrator, &roles.grants).await?;
        }
        tx.commit().await?;
        self.changed();
        let account = self.account(&name).await?.ok_or(Error::Denied("this account is disabled"))?;
        let session = self.begin_session(&account, browser, "login").await?;
        Ok((name, session))
    }

    /// Makes a user of somebody who was never here.
    async fn adopt(
        &self,
        tx: &mut Transaction,
        by: &Author,
        settings: &OidcSettings,
        claims: &Claims,
        name: &Name,
    ) -> Result<(), Error> {
        if tx.fetch_optional("SELECT 1 FROM account WHERE name = $1", params![name.as_str()]).await?.is_some() {
            // whoever chooses that name at the provider need not be who has it here
            return Err(Error::Denied("there is another user of this name here: ask an administrator"));
        }
        let id = insert(tx, by, &NewUser::new(name.clone()), None).await?;
        let sql = "INSERT INTO federated (issuer, subject, account, created) VALUES ($1, $2, $3, $4)";
        let params = params![settings.issuer.as_str(), claims.subject(), id, micros(by.now())];
        tx.execute(sql, params).await?;
        let who = format!("{} {}", settings.issuer, claims.subject());
        by.record(tx, Act::new("user link", object(name)).after(who)).await?;
        Ok(())
    }
}

/// What they may do who may come in.
fn admitted(settings: &OidcSettings, claims: &Claims) -> Result<Roles, Error> {
    if !settings.domains.is_empty() {
        let email =
            claims.verified_email().ok_or(Error::Denied("the provider does not vouch for an address of yours"))?;
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        if !settings.domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain)) {
            return Err(Error::Denied("addresses of this domain are not let in"));
        }
    }
    let roles = settings.roles_of(&claims.texts(&settings.groups))?;
    roles.ok_or(Error::Denied("you are in no group that is let in"))
}

/// What a new user is called.
fn named(settings: &OidcSettings, claims: &Claims) -> Result<Name, Error> {
    // an address that is not known to be theirs is anybody's
    let text = if settings.name == "email" { claims.verified_email() } else { claims.text(&settings.name) };
    let text = text.ok_or(Error::Denied("the provider tells no name for you"))?;
    text.parse().map_err(|_| Error::Denied("the name that the provider tells is none that a user can have here"))
}

async fn known(tx: &mut Transaction, issuer: &str, subject: &str) -> Result<Option<User>, Error> {
    let sql = "SELECT name FROM federated JOIN account ON account.id = account WHERE issuer = $1 AND subject = $2";
    let Some(row) = tx.fetch_optional(sql, params![issuer, subject]).await? else { return Ok(None) };
    let name: Name = row.get::<&str>("name")?.parse().map_err(|_| Error::Stored("name"))?;
    find(tx, &name).await.map(Some)
}
