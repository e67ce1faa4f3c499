//! From what a request carries to who it is: the database's part of it, remembered for a moment.

use std::sync::Arc;

use jiff::Timestamp;
use opsctl_store::{Row, params};

use crate::auth::{Auth, moment};
use crate::cache::Key;
use crate::error::Error;
use crate::identity::{Identity, Via};
use crate::name::Name;
use crate::rights::{Grant, Scope};
use crate::token::Digest;
use crate::users::grants;

/// What was found under a digest.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A token's holder, and until when that is good.
    Token(Identity, Option<Timestamp>),
    /// A session's holder, and until when that is good. A token is none, whatever cookie it stands in.
    Session(Identity, Timestamp),
    /// A user, with the password's hash.
    Account(Arc<Account>),
}

/// What is needed of a user to decide what they may do.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: Name,
    /// PHC string.
    pub(crate) password: Option<String>,
    pub(crate) administrator: bool,
    pub(crate) grants: Vec<Grant>,
}

impl Account {
    /// The user as an identity.
    pub(crate) fn identity(&self, via: Via, everybody: Arc<[Scope]>) -> Identity {
        Identity::user(self.name.clone(), via, self.administrator, self.grants.clone(), everybody)
    }
}

/// A token as the database has it, live or not.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) id: i64,
    pub(crate) account: Account,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) single_use: bool,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) used: Option<Timestamp>,
    pub(crate) spent: Option<Timestamp>,
}

/// A session as the database has it, live or not.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: Account,
    pub(crate) created: Timestamp,
    pub(crate) used: Timestamp,
}

impl Auth {
    /// The user of this name who may log in; remembered for a moment.
    pub(crate) async fn account(&self, name: &Name) -> Result<Option<Arc<Account>>, Error> {
        let key: Key = *Digest::of(format!("account {name}").as_bytes()).as_bytes();
        if let Some(Found::Account(account)) = self.0.found.get(&key, self.now()) {
            return Ok(Some(account));
        }
        let generation = self.0.found.generation();
        let sql = "SELECT id AS account, name, password, administrator FROM account \
                   WHERE name = $1 AND disabled IS NULL";
        let Some(row) = self.database().fetch_optional(sql, params![name.as_str()]).await? else { return Ok(None) };
        let account = Arc::new(self.read_account(&row).await?);
        self.0.found.insert(generation, key, Found::Account(Arc::clone(&account)), self.now());
        Ok(Some(account))
    }

    /// The token of this digest, unless its user is disabled.
    pub(crate) async fn find_token(&self, digest: Digest) -> Result<Option<Token>, Error> {
        let sql = "SELECT token.id, digest, scopes, single_use, expires, used, spent, \
                   account, name, password, administrator \
                   FROM token JOIN account ON account.id = account WHERE digest = $1 AND disabled IS NULL";
        let Some(row) = self.database().fetch_optional(sql, params![*digest.as_bytes()]).await? else {
            return Ok(None);
        };
        if !is(&row, digest)? {
            return Ok(None);
        }
        let time = |column| Ok::<_, Error>(row.get::<Option<i64>>(column)?.map(moment));
        Ok(Some(Token {
            id: row.get("id")?,
            account: self.read_account(&row).await?,
            scopes: scopes(row.get("scopes")?)?,
            single_use: row.get("single_use")?,
            expires: time("expires")?,
            used: time("used")?,
            spent: time("spent")?,
        }))
    }

    /// The session of this digest, unless its user is disabled.
    pub(crate) async fn find_session(&self, digest: Digest) -> Result<Option<Session>, Error> {
        let sql = "SELECT digest, session.created, used, account, name, password, administrator \
                   FROM session JOIN account ON account.id = account WHERE digest = $1 AND disabled IS NULL";
        let Some(row) = self.database().fetch_optional(sql, params![*digest.as_bytes()]).await? else {
            return Ok(None);
        };
        if !is(&row, digest)? {
            return Ok(None);
        }
        let (created, used) = (moment(row.get("created")?), moment(row.get("used")?));
        Ok(Some(Session { account: self.read_account(&row).await?, created, used }))
    }

    async fn read_account(&self, row: &Row) -> Result<Account, Error> {
        let id = row.get("account")?;
        let sql = "SELECT place, role FROM permission WHERE account = $1";
        Ok(Account {
            id,
            name: row.get::<&str>("name")?.parse().map_err(|_| Error::Stored("name"))?,
            password: row.get("password")?,
            administrator: row.get("administrator")?,
            grants: grants(&self.database().fetch_all(sql, params![id]).await?)?,
        })
    }
}

/// Whether the row is of this very digest. The database compared it as databases do; this takes the same time whatever
/// it is.
fn is(row: &Row, digest: Digest) -> Result<bool, Error> {
    Ok(Digest::from_bytes(row.get::<&[u8]>("digest")?) == Some(digest))
}

/// Scopes from their text in the database.
pub(crate) fn scopes(text: &str) -> Result<Vec<Scope>, Error> {
    text.split_ascii_whitespace().map(|scope| scope.parse().map_err(|_| Error::Stored("scopes"))).collect()
}
